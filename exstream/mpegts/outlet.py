"""The end of the splice: tables, clock references and continuity counters, the same whatever was spliced.

Tables stand before every key frame and at least every 100 ms of PCR, so that a join or a cut is a byte range. Where
references lie further apart than 35 ms, packets with nothing but a PCR go between them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exstream.model.grid import PCR_HZ, Rate
from exstream.mpegts.block import Block
from exstream.mpegts.index import RandomAccessPoint
from exstream.mpegts.packets import (
    AUDIO_PID,
    PACKET,
    PAT_PID,
    PMT_PID,
    SDT_PID,
    VIDEO_PID,
    Headers,
    Packets,
    pcr_packet,
)

TABLES_EVERY = PCR_HZ // 10
CLOCK_GAP = PCR_HZ * 35 // 1000


class Insert(NamedTuple):
    """Whole packets to put in front of a row; ``picture`` is the key picture that follows on tables."""

    row: int
    packets: bytes
    picture: int | None = None


class Outlet:
    """Finishes blocks into bytes, one behind the other."""

    def __init__(self, rate: Rate, tables: Packets) -> None:
        self._rate = rate
        self._tables = bytearray(tables.tobytes())
        self._table_pids = Headers.of(tables).pid.tolist()
        self._tables_at: int | None = None
        self._clock: int | None = None
        self._counters = dict.fromkeys((PAT_PID, SDT_PID, PMT_PID, VIDEO_PID, AUDIO_PID), 0x0F)
        self.clock = 0
        """The last PCR put out, 27 MHz since the epoch."""

    def finish(self, block: Block) -> tuple[bytes, list[RandomAccessPoint]]:
        """Return the bytes of ``block`` and its random-access points, their offsets within these bytes."""
        counters = self._count(block.packets)
        packets = block.packets.reshape(-1).data
        pieces: list[memoryview | bytes] = []
        points: list[RandomAccessPoint] = []
        done = inserted = 0
        for row, insert, picture in self._inserts(block, counters):
            pieces += (packets[done * PACKET : row * PACKET], insert)
            if picture is not None:
                points.append(RandomAccessPoint(row * PACKET + inserted, self._rate.ticks_at(picture)))
            inserted += len(insert)
            done = row
        pieces.append(packets[done * PACKET :])
        return b"".join(pieces), points

    def _inserts(self, block: Block, counters: NDArray[np.uint8]) -> list[Insert]:
        """Return what to insert, in order; ``counters`` are those of the pictures' packets."""
        inserts: list[Insert] = []
        keys = {key.row: key.picture for key in block.keys}
        after = 0
        for row, clock in block.clock:
            inserts += self._references(after, row, clock, counters)
            picture = keys.get(row)
            due = self._tables_at is None or clock - self._tables_at >= TABLES_EVERY
            if picture is not None or due:
                inserts.append(Insert(row, self._next_tables(), picture))
                self._tables_at = clock
            self._clock = clock
            after = row + 1
        if self._clock is not None:
            self.clock = self._clock
        return inserts

    def _references(self, after: int, row: int, clock: int, counters: NDArray[np.uint8]) -> Iterator[Insert]:
        """Return the PCR-only packets due between the last reference, which ``after`` follows, and ``row``."""
        if self._clock is None or clock - self._clock <= CLOCK_GAP:
            return
        steps = -(-(clock - self._clock) // CLOCK_GAP)
        for step in range(1, steps):
            place = after + (row - after) * step // steps
            value = self._clock + (clock - self._clock) * step // steps
            yield Insert(place, pcr_packet(VIDEO_PID, value, int(counters[place])))

    def _next_tables(self) -> bytes:
        """Return the tables with their next counters."""
        for place, pid in enumerate(self._table_pids):
            self._counters[pid] = (self._counters[pid] + 1) & 0x0F
            self._tables[place * PACKET + 3] = 0x10 | self._counters[pid]
        return bytes(self._tables)

    def _count(self, packets: Packets) -> NDArray[np.uint8]:
        """Write the continuity counters in place; a block has nothing but pictures and sound.

        Returns the counter of the pictures' last packet before each row, and at the end.
        """
        control = packets[:, 3]
        # A packet without payload repeats the counter of the one before it. Sums may wrap: 16 divides 256.
        payload = control >> 4 & 1
        shown = payload * (packets[:, 2] == VIDEO_PID & 0xFF)
        counters = np.empty((2, len(packets) + 1), dtype=np.uint8)
        counters[:, 0] = self._counters[VIDEO_PID], self._counters[AUDIO_PID]
        np.cumsum((shown, payload - shown), axis=1, dtype=np.uint8, out=counters[:, 1:])
        counters[:, 1:] += counters[:, :1]
        counters &= 0x0F
        pictures, sound = counters
        self._counters[VIDEO_PID], self._counters[AUDIO_PID] = int(pictures[-1]), int(sound[-1])
        control &= 0xF0
        control |= np.where(packets[:, 2] == VIDEO_PID & 0xFF, pictures[1:], sound[1:])
        return pictures
