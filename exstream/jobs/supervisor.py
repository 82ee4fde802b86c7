"""Keeps the endless jobs going: one that stumbles is reported and begun again, and no other hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from exstream.clock import Clock
from exstream.errors import ExstreamError

FIRST_PAUSE = 2.0
LONGEST_PAUSE = 60.0

log = structlog.get_logger(__name__)


async def supervised(name: str, job: Callable[[], Awaitable[object]], clock: Clock) -> None:
    """Run ``job`` until it returns; after an error run it again, later and later, up to `LONGEST_PAUSE` seconds."""
    pause = FIRST_PAUSE
    while True:
        began = clock.air()
        try:
            await job()
        except ExstreamError as fault:
            log.warning("a job stumbled and is begun again", job=name, reason=str(fault))
        except Exception:
            # Whatever it is, it is told with its traceback, and the channels stay on air.
            log.exception("a job failed by a fault of ours and is begun again", job=name)
        else:
            return
        if clock.air() - began > LONGEST_PAUSE:
            pause = FIRST_PAUSE
        await clock.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


async def outcome_of(background: asyncio.Task[None]) -> int:
    """Wait for the background work to end; raises the `ExstreamError` that ended it, if one did."""
    try:
        await background
    except asyncio.CancelledError:
        return 0
    except ExceptionGroup as group:
        ours = group.subgroup(ExstreamError)
        if ours is None:
            raise
        raise _first(ours) from None
    return 0


def _first(group: BaseExceptionGroup[ExstreamError]) -> ExstreamError:
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
