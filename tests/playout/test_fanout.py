"""The ring and its viewers."""

from __future__ import annotations

import asyncio

import pytest

from exstream.model.grid import CLOCK_HZ
from exstream.mpegts.index import RandomAccessPoint
from exstream.mpegts.splice import Spliced
from exstream.playout.fanout import PIECE, Cursor, Fanout

pytestmark = pytest.mark.anyio


class Wall:
    """A wall clock to set."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.skips = 0

    def ticks(self) -> int:
        """Return air time in 90 kHz ticks."""
        return round(self.seconds * CLOCK_HZ)

    def skip(self) -> None:
        """Count a viewer moved on."""
        self.skips += 1


def second(number: int, *, key: bool = True) -> Spliced:
    """Return a second of stream: 10 bytes that name it, with a key frame after the first two."""
    points = [RandomAccessPoint(2, number * CLOCK_HZ)] if key else []
    return Spliced(b"..%08d" % number, points)


async def test_a_viewer_begins_at_the_newest_key_frame_that_is_due() -> None:
    """The first bytes are those of the newest random-access point not after the wall, and all that follows."""
    wall = Wall()
    fanout = Fanout(wall.ticks, wall.skip)
    for number in range(5):
        fanout.publish(second(number))
    wall.seconds = 2.5

    assert await fanout.read(Cursor()) == b"00000002..00000003..00000004"


async def test_a_viewer_waits_for_the_first_key_frame() -> None:
    """Bytes that cannot be begun with are not given to anybody."""
    wall = Wall()
    fanout = Fanout(wall.ticks, wall.skip)
    fanout.publish(second(0, key=False))
    reading = asyncio.create_task(fanout.read(Cursor()))
    await asyncio.sleep(0)
    assert not reading.done()
    fanout.publish(second(1))

    assert await reading == b"00000001"


async def test_viewers_read_on_without_a_gap_while_the_ring_forgets() -> None:
    """A viewer that keeps up gets every byte once, though the ring holds only its last seconds."""
    wall = Wall()
    fanout = Fanout(wall.ticks, wall.skip, keep=3)
    cursor = Cursor()
    got = b""
    for number in range(50):
        fanout.publish(second(number))
        got += await fanout.read(cursor)
        assert fanout.size <= 50

    assert got == b"".join(second(number).data for number in range(50))[2:]
    assert wall.skips == 0


async def test_a_slow_viewer_is_moved_to_a_key_frame_and_counted() -> None:
    """Who falls out of the ring goes on at the key frame that is due, and the skip is counted once."""
    wall = Wall()
    fanout = Fanout(wall.ticks, wall.skip, keep=3)
    cursor = Cursor()
    fanout.publish(second(0))
    await fanout.read(cursor)
    for number in range(1, 30):
        fanout.publish(second(number))
    wall.seconds = 28.0

    assert await fanout.read(cursor) == b"00000028..00000029"
    assert (cursor.skips, wall.skips) == (1, 1)


async def test_closing_ends_every_viewer() -> None:
    """Viewers that wait get an end, not an error."""
    wall = Wall()
    fanout = Fanout(wall.ticks, wall.skip)
    reading = [asyncio.create_task(fanout.read(Cursor())) for _ in range(3)]
    await asyncio.sleep(0)
    fanout.close()

    assert await asyncio.gather(*reading) == [b"", b"", b""]


async def test_viewers_share_the_bytes_in_bounded_pieces() -> None:
    """However much goes on air at once, a viewer is given a bounded piece of it, and all viewers the very same one."""
    wall = Wall()
    fanout = Fanout(wall.ticks, wall.skip)
    data = bytes(3 * PIECE + 188)
    fanout.publish(Spliced(data, [RandomAccessPoint(0, 0)]))
    cursors = Cursor(), Cursor()
    pieces = [[await fanout.read(cursor) for _ in range(3)] for cursor in cursors]

    assert all(len(piece) <= PIECE for piece in pieces[0])
    assert all(one is other for one, other in zip(*pieces, strict=True))
