"""What the background jobs are doing, for the API, the pages and the command line."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import count

from exstream.errors import ExstreamError


class JobState(StrEnum):
    """How far a job is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(slots=True)
class Job:
    """One run of a job; times are UTC epoch milliseconds, ``finished`` is 0 while it runs."""

    id: int
    name: str
    started: int
    state: JobState = JobState.RUNNING
    done: int = 0
    total: int = 0
    message: str = ""
    finished: int = 0

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Say how many of how many steps are done, and what is being worked on."""
        self.done, self.total, self.message = done, total, message


class Board:
    """The jobs that run and the last ones that ended."""

    def __init__(self, now_ms: Callable[[], int], keep: int = 50) -> None:
        self._now_ms = now_ms
        self._ids = count(1)
        self._running: dict[int, Job] = {}
        self._ended: deque[Job] = deque(maxlen=keep)

    def jobs(self) -> list[Job]:
        """Return the running jobs, then the ended ones, newest first."""
        return [*reversed(self._running.values()), *self._ended]

    @contextmanager
    def job(self, name: str) -> Iterator[Job]:
        """Show a job for as long as the block lasts; an error ends it as failed and goes on."""
        job = Job(next(self._ids), name, self._now_ms())
        self._running[job.id] = job
        state = JobState.FAILED
        try:
            yield job
            state = JobState.DONE
        except ExstreamError as error:
            job.message = str(error)
            raise
        finally:
            job.state, job.finished = state, self._now_ms()
            del self._running[job.id]
            self._ended.appendleft(job)
