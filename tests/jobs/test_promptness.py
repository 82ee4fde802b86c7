"""The event loop's turn beside threads that compute."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import pytest

from exstream.jobs.promptness import TURN_SECONDS, YOUNG, prompt

pytestmark = pytest.mark.anyio
WRITES = 20


@contextmanager
def computing() -> Iterator[None]:
    """Have a thread compute without a pause."""
    over = threading.Event()

    def compute() -> None:
        while not over.is_set():
            sum(range(100))

    thread = threading.Thread(target=compute)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


async def seconds_of_writes() -> float:
    """Return how long a turn of the loop takes that writes to some viewers; each write lets other threads go on."""
    found = []
    for _ in range(9):
        began = time.perf_counter()
        for _ in range(WRITES):
            time.sleep(0)
        found.append(time.perf_counter() - began)
        await asyncio.sleep(0)
    return median(found)


async def test_a_thread_that_computes_does_not_hold_the_loop_at_each_write() -> None:
    """Twenty writes beside a thread that computes take less than half of the time that is usual."""
    with computing():
        usual = await seconds_of_writes()
        with prompt():
            assert await seconds_of_writes() < usual / 2


def test_everything_is_as_it_was_afterwards() -> None:
    """For as long as the block lasts threads give way soon and garbage is looked for seldom, and no longer."""
    before = sys.getswitchinterval(), gc.get_threshold()
    with prompt():
        assert sys.getswitchinterval() == pytest.approx(TURN_SECONDS)
        assert gc.get_threshold() == (YOUNG, *before[1][1:])
    assert (sys.getswitchinterval(), gc.get_threshold()) == before
