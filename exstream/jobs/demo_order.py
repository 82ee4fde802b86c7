"""Has the demo library make first what airs first, as long as it makes anything."""

from __future__ import annotations

from exstream.clock import Clock
from exstream.jobs.demo import DemoLibrary
from exstream.jobs.lineup import Lineup
from exstream.jobs.publish import Publisher

UPCOMING_MS = 30 * 60_000
PRIORITISE_SECONDS = 5.0


async def follow_the_air(demo: DemoLibrary, lineup: Lineup, publisher: Publisher, clock: Clock) -> None:
    """Tell ``demo`` every few seconds what airs within half an hour; returns when everything is made."""
    while demo.waiting():
        now = clock.now_ms()
        rows = [
            row
            for channel in lineup.enabled()
            for row in await publisher.rows(channel.id, now, now + UPCOMING_MS)
        ]
        rows.sort(key=lambda row: row.starts)
        demo.prioritise(dict.fromkeys(row.item for row in rows if row.item is not None))
        await clock.sleep(PRIORITISE_SECONDS)
