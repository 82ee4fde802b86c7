"""Viewers on wires: written to at once, held to what they take, moved on, and given up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.model.grid import CLOCK_HZ
from exstream.mpegts.index import RandomAccessPoint
from exstream.mpegts.splice import Spliced
from exstream.playout.fanout import STALLED_SECONDS, TURN_BYTES, Cursor, Fanout, Line
from tests.fakes import turn

pytestmark = pytest.mark.anyio


class Rope:
    """A wire that is full when it holds ``most`` bytes; its viewer takes them when the test says so."""

    def __init__(self, most: int = 1 << 40) -> None:
        self._most = most
        self._call: Callable[[], None] = lambda: None
        self.held = b""
        self.received = b""
        self.worst = 0

    @property
    def full(self) -> bool:
        """Whether it holds enough."""
        return len(self.held) >= self._most

    def write(self, data: bytes) -> None:
        """Hold ``data``; whoever writes to a full wire is wrong."""
        assert not self.full
        self.held += data
        self.worst = max(self.worst, len(self.held))

    def on_room(self, call: Callable[[], None]) -> None:
        """Keep whom to tell."""
        self._call = call

    def take(self) -> None:
        """Let the viewer take everything."""
        was_full = self.full
        self.received += self.held
        self.held = b""
        if was_full:
            self._call()


class Air:
    """A ring whose every publication is a second of ten bytes with a key frame at its start; the wall follows."""

    def __init__(self, keep: float = 3) -> None:
        self.second = 0
        self.skips = 0
        self.fanout = Fanout(lambda: self.second * CLOCK_HZ, self._skip, keep)

    def _skip(self) -> None:
        self.skips += 1

    def publish(self, seconds: int = 1, size: int = 10) -> None:
        """Put so many seconds on air."""
        for _ in range(seconds):
            data = b"%010d" % self.second + bytes(size - 10)
            self.fanout.publish(Spliced(data, [RandomAccessPoint(0, self.second * CLOCK_HZ)]))
            self.second += 1

    def connect(self, rope: Rope) -> Ended:
        """Put a viewer on ``rope``."""
        ended = Ended()
        ended.line = Line(Cursor(), rope, ended.sent, ended.set)
        self.fanout.connect(ended.line)
        return ended


class Ended(asyncio.Event):
    """The end of a line, and what was sent on it."""

    line: Line
    bytes_sent = 0

    def sent(self, count: int) -> None:
        """Count."""
        self.bytes_sent += count


async def test_what_is_published_is_on_every_wire_in_the_next_turn() -> None:
    """Viewers with room get each publication without asking for it, and the same bytes."""
    air, ropes = Air(), [Rope(), Rope()]
    air.publish()
    ended = [air.connect(rope) for rope in ropes]
    await turn()
    for _ in range(5):
        air.publish()
        await turn(1)

    expected = b"".join(b"%010d" % second for second in range(6))
    assert [rope.held for rope in ropes] == [expected, expected]
    assert [end.bytes_sent for end in ended] == [60, 60]


async def test_a_full_wire_is_left_alone_until_it_has_room() -> None:
    """Nothing is written to a full wire; with room again it gets all that it has missed, without a gap."""
    air, rope = Air(keep=100), Rope(most=15)
    air.publish()
    air.connect(rope)
    await turn()
    air.publish()
    await turn()
    air.publish(10)
    await turn()
    assert rope.worst <= 15 + 20
    while rope.held:
        rope.take()
        await turn()

    assert rope.received == b"".join(b"%010d" % second for second in range(12))
    assert air.skips == 0


async def test_a_viewer_that_falls_out_of_the_ring_goes_on_at_a_key_frame() -> None:
    """Who has taken nothing for longer than the ring holds is moved to the key frame that is due, and counted."""
    air, rope = Air(keep=3), Rope(most=10)
    air.publish()
    line = air.connect(rope).line
    await turn()
    air.publish(20)
    rope.take()
    await turn()

    assert rope.received + rope.held == b"%010d%010d" % (0, 20)
    assert (line.cursor.skips, air.skips) == (1, 1)


async def test_a_viewer_that_takes_nothing_is_given_up_and_nobody_else() -> None:
    """A wire without room for thirty seconds ends its line; one that takes something now and then stays."""
    air, stuck, slow, quick = Air(), Rope(most=10), Rope(most=10), Rope()
    air.publish()
    ended = [air.connect(rope) for rope in (stuck, slow, quick)]
    await turn()
    for second in range(round(STALLED_SECONDS) + 2):
        air.publish()
        await turn(3)
        if second % 20 == 0:
            slow.take()
        quick.take()

    assert [end.is_set() for end in ended] == [True, False, False]
    assert [end.line.stalled for end in ended] == [True, False, False]
    assert len(quick.received) == air.fanout.end


async def test_many_viewers_do_not_hold_the_loop() -> None:
    """However much all viewers are owed at once, others have their turn after a bounded number of bytes."""
    air, ropes = Air(keep=100), [Rope() for _ in range(20)]
    size = TURN_BYTES // 40
    air.publish()
    for rope in ropes:
        air.connect(rope)
    await turn()
    held = [0]
    for _ in range(10):
        air.publish(size=size)
    while held[-1] < 20 * 10 * size:
        await asyncio.sleep(0)
        held.append(sum(len(rope.held) for rope in ropes) - 20 * 10)

    assert max(after - before for before, after in pairwise(held)) <= TURN_BYTES + size


async def test_the_end_of_the_channel_ends_every_line() -> None:
    """Lines end once when their channel goes off air, and those that come too late end at once."""
    air, full = Air(), Rope(most=10)
    air.publish()
    ended = [air.connect(full), air.connect(Rope())]
    await turn()
    ended.append(air.connect(Rope()))
    air.fanout.close()
    ended.append(air.connect(Rope()))

    assert all(end.is_set() for end in ended)


async def test_a_disconnected_line_is_written_to_no_more() -> None:
    """Whatever state a line is in, nothing is written to it once it is disconnected."""
    air, ropes = Air(), [Rope(), Rope(most=10), Rope()]
    air.publish()
    lines = [air.connect(rope).line for rope in ropes[:2]]
    await turn()
    lines.append(air.connect(ropes[2]).line)
    written = [len(rope.held) for rope in ropes]
    for line in lines:
        air.fanout.disconnect(line)
    ropes[1].take()
    air.publish(3)
    await turn()

    assert [len(rope.held + rope.received) for rope in ropes] == written


@given(moves=st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.booleans()), max_size=60))
def test_every_viewer_gets_the_stream_in_order_from_key_frames(
    moves: list[tuple[int, bool, bool]],
) -> None:
    """Whatever viewers take and when: each gets whole seconds in order, with a gap only where it was moved on."""

    async def play() -> None:
        air, ropes = Air(keep=2), [Rope(most=10), Rope(most=25)]
        air.publish()
        lines = [air.connect(rope).line for rope in ropes]
        for seconds, *takes in moves:
            air.publish(seconds)
            await turn(3)
            for rope, takes_now in zip(ropes, takes, strict=True):
                if takes_now:
                    rope.take()
            await turn(3)
        for rope, line in zip(ropes, lines, strict=True):
            data = rope.received + rope.held
            got = [int(data[at : at + 10]) for at in range(0, len(data), 10)]
            steps = [later - earlier for earlier, later in pairwise(got)]
            assert all(step > 0 for step in steps)
            assert sum(step > 1 for step in steps) <= line.cursor.skips
            assert rope.worst < rope._most + 20 + 10

    asyncio.run(play())
