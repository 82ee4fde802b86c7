"""The ring and its viewers."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@given(
    pieces=st.lists(st.integers(1, 40), min_size=1, max_size=20),
    begin=st.integers(-5, 500),
    length=st.integers(0, 200),
)
def test_a_range_is_the_bytes_between_two_offsets_or_nothing(
    pieces: list[int], begin: int, length: int
) -> None:
    """Any range of what is held is given, wherever it begins and ends; one that is not wholly held is None."""
    wall = Wall()
    fanout = Fanout(wall.ticks, wall.skip, keep=3)
    told: list[tuple[bytes, int]] = []
    fanout.listen(lambda spliced, offset: told.append((spliced.data, offset)))
    for number, size in enumerate(pieces):
        fanout.publish(Spliced(bytes([number]) * size, [RandomAccessPoint(0, number * CLOCK_HZ)]))
    whole = b"".join(data for data, _ in told)
    held = fanout.end - fanout.size

    assert all(whole[offset : offset + len(data)] == data for data, offset in told)
    got = fanout.range(begin, begin + length)
    if held <= begin and begin + length <= len(whole) and fanout.size:
        assert got == whole[begin : begin + length]
    elif fanout.size:
        assert got is None


def test_what_is_retained_stays_until_it_is_let_go() -> None:
    """A reader of whole segments can have the ring hold more for as long as it reads, and no longer."""
    wall = Wall()
    fanout = Fanout(wall.ticks, wall.skip, keep=3)
    fanout.retain(10)
    for number in range(30):
        fanout.publish(second(number))
    assert [point.pts // CLOCK_HZ for point in fanout.points_from(0)] == list(range(19, 30))
    assert fanout.points_from(fanout.end - 8)[0].offset == fanout.end - 8
    fanout.retain(0)
    fanout.publish(second(30))

    assert [point.pts // CLOCK_HZ for point in fanout.points_from(0)] == [27, 28, 29, 30]


def test_a_listener_that_is_forgotten_hears_no_more() -> None:
    """Listeners are told of everything from when they listen until they are forgotten, after it can be read."""
    wall = Wall()
    fanout = Fanout(wall.ticks, wall.skip)
    heard: list[bytes | None] = []

    def listener(spliced: Spliced, offset: int) -> None:
        heard.append(fanout.range(offset, offset + len(spliced.data)))

    fanout.publish(second(0))
    fanout.listen(listener)
    fanout.publish(second(1))
    fanout.forget_listener(listener)
    fanout.forget_listener(listener)
    fanout.publish(second(2))

    assert heard == [second(1).data]
