"""Viewers that take too little, or vanish, over real sockets and the real fan-out."""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import logging
import socket
import struct
import termios
import time
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from itertools import count, pairwise

import pytest

from exstream.model.grid import CLOCK_HZ
from exstream.mpegts.index import RandomAccessPoint
from exstream.mpegts.packets import PACKET
from exstream.mpegts.splice import Spliced
from exstream.playout import tuners
from exstream.playout.fanout import STALLED_SECONDS, Cursor, Fanout
from tests.playout.studio import Notes
from tests.web.station import Station, Studio, station
from tests.web.wire import Ports, chunk_of, head_of, reset, send, served, until

pytestmark = pytest.mark.anyio

SECOND = 1_000_000 - 1_000_000 % PACKET
"""A second of stream: 8 Mbit/s."""
_ATTACH_FILTER = 26  # SO_ATTACH_FILTER; Python has no name for it
_RETURN = 6  # BPF_RET | BPF_K
GONE_SECONDS = 45.0
"""A viewer that vanished holds nothing any more after so long."""


class Channel(Studio):
    """A studio whose one channel is a ring of its own; a second goes on air when the test says so."""

    def __init__(self, made: Station) -> None:
        super().__init__(made.programmed, tuner_count=32)
        self.notes = Notes()
        self.second = 0
        self.fanout = Fanout(lambda: self.second * CLOCK_HZ, self.notes.skipped)
        self._watching: dict[str, tuners.Session] = {}
        self._numbers = count(1)

    def publish(self, seconds: int = 1) -> None:
        """Put seconds on air, each of packets that bear its number."""
        for _ in range(seconds):
            data = (b"\x47" + self.second.to_bytes(4, "big") + bytes(PACKET - 5)) * (SECOND // PACKET)
            self.fanout.publish(Spliced(data, [RandomAccessPoint(0, self.second * CLOCK_HZ)]))
            self.second += 1

    @asynccontextmanager
    async def tune(  # type: ignore[override] # the real viewer instead of the studio's
        self, channel: str, *, peer: str, agent: str, tuner: int | None = None, counted: bool = False
    ) -> AsyncIterator[tuners.Viewer]:
        """Join the channel."""
        session = tuners.Session(str(next(self._numbers)), channel, peer, agent, tuner, 0)
        self._watching[session.id] = session
        cursor = Cursor()
        try:
            first = await self.fanout.read(cursor)
            yield tuners.Viewer(session, self.fanout, first, cursor, self.notes)
        finally:
            del self._watching[session.id]

    def sessions(self) -> tuple[tuners.Session, ...]:  # type: ignore[override] # as above
        """Everyone who watches."""
        return tuple(self._watching.values())


@asynccontextmanager
async def on_air() -> AsyncIterator[tuple[Channel, Ports]]:
    """Serve a channel."""
    made = station()
    channel = Channel(made)
    made.parts = replace(made.parts, tuners=channel)
    channel.publish()
    async with served(made) as ports:
        yield channel, ports
        channel.fanout.close()


def watch(port: int) -> socket.socket:
    """Ask for the channel and read nothing."""
    viewer = socket.socket()
    viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    viewer.connect(("127.0.0.1", port))
    viewer.sendall(b"GET /iptv/channel/7.ts HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return viewer


class Reader:
    """A viewer that takes everything and checks it."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self.received = 0

    async def run(self) -> None:
        """Read until cancelled."""
        rest = b""
        while True:
            data = rest + await chunk_of(self._reader)
            whole = len(data) - len(data) % PACKET
            for at in range(0, whole, PACKET):
                second = (self.received + at) // SECOND
                assert data[at : at + 5] == b"\x47" + second.to_bytes(4, "big")
            self.received += whole
            rest = data[whole:]


async def test_viewers_that_take_nothing_cost_little_and_are_closed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Sixteen that stall: each holds less than 0.25 MB beyond the ring, all are closed after thirty seconds of air,
    counted, and one that reads gets every byte meanwhile."""
    async with on_air() as (channel, ports):
        source, writer = await send(ports.iptv, "/iptv/channel/7.ts")
        await head_of(source)
        reader = Reader(source)
        reading = asyncio.create_task(reader.run())

        async def air(seconds: int) -> None:
            for _ in range(seconds):
                channel.publish()
                await until(lambda: reader.received == channel.fanout.end)

        await air(25)  # the ring is as long as it gets
        tracemalloc.start()
        await air(25)  # and all of it is traced
        before = tracemalloc.get_traced_memory()[0] - channel.fanout.size
        with ExitStack() as stalled:
            for _ in range(16):
                stalled.enter_context(watch(ports.iptv))
            await until(lambda: len(channel.sessions()) == 17)
            await air(round(STALLED_SECONDS) - 2)
            held = tracemalloc.get_traced_memory()[0] - channel.fanout.size - before
            tracemalloc.stop()
            assert len(channel.sessions()) == 17
            await air(5)
            await until(lambda: len(channel.sessions()) == 1)
        assert not reading.done()
        reading.cancel()
        writer.close()

    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert held / 16 < 250_000, f"{held / 16:.0f} bytes for each"
    assert channel.notes.closings == 16
    assert channel.notes.skips == 0


async def test_a_viewer_that_stalls_for_a_while_goes_on_at_a_key_frame() -> None:
    """Who takes nothing for longer than the ring holds misses whole seconds, never part of a packet, and is counted."""
    async with on_air() as (channel, ports):
        reader, writer = await send(ports.iptv, "/iptv/channel/7.ts")
        await head_of(reader)
        writer.transport.pause_reading()  # type: ignore[attr-defined] # a transport that reads as well
        for _ in range(27):
            channel.publish()
            await asyncio.sleep(0.01)
        writer.transport.resume_reading()  # type: ignore[attr-defined] # as above
        data = b""
        while not data.endswith(b"\x47" + (27).to_bytes(4, "big") + bytes(PACKET - 5)):
            data += await chunk_of(reader)
        writer.close()
    packets = [data[at : at + PACKET] for at in range(0, len(data), PACKET)]
    seconds = [int.from_bytes(packet[1:5], "big") for packet in packets]

    assert all(packet[0] == 0x47 and not any(packet[5:]) for packet in packets)
    gaps = [later - earlier for earlier, later in pairwise(seconds) if later - earlier not in {0, 1}]
    assert len(gaps) == channel.notes.skips == 1
    assert gaps[0] > 1


async def test_a_viewer_that_resets_its_connection_is_gone_at_once() -> None:
    """A crash at the other end (RST) frees everything the viewer held, even with megabytes under way."""
    async with on_air() as (channel, ports):
        viewers = [await send(ports.hdhr, "/auto/v7") for _ in range(8)]
        await until(lambda: len(channel.sessions()) == 8)
        channel.publish(5)
        for _, writer in viewers:
            reset(writer)
        await until(lambda: not channel.sessions(), seconds=2)
        channel.publish(5)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system has no TCP_USER_TIMEOUT")
async def test_a_viewer_that_vanishes_is_gone_within_45_seconds() -> None:
    """A viewer whose packets stop arriving, as out of Wi-Fi's reach, is given up by TCP."""
    async with on_air() as (channel, ports):
        vanishing = watch(ports.iptv)
        await until(lambda: len(channel.sessions()) == 1)
        # A filter that lets nothing in: no acknowledgement, no reset, no farewell.
        program = ctypes.create_string_buffer(struct.pack("HBBI", _RETURN, 0, 0, 0))
        vanishing.setsockopt(
            socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(program))
        )
        began = time.monotonic()
        channel.publish()
        await until(lambda: not channel.sessions(), seconds=GONE_SECONDS)
        assert time.monotonic() - began > 5, "it was let go for another reason"
        assert channel.notes.closings == 0
        vanishing.close()


async def test_the_kernel_keeps_little_of_a_stream_for_a_viewer() -> None:
    """What is not yet under way to a viewer stays in the ring that all share, not in a socket of its own."""
    async with on_air() as (channel, ports):
        channel.publish(19)
        with watch(ports.iptv) as viewer:
            await until(lambda: channel.sessions() and channel.sessions()[0].bytes_sent)
            await asyncio.sleep(0.5)
            sent = channel.sessions()[0].bytes_sent
            arrived = struct.unpack("i", fcntl.ioctl(viewer, termios.FIONREAD, bytes(4)))[0]
        assert sent - arrived < 2 << 20
