"""``exstream serve`` that says, once for each time, that somebody waits for a connection to the database.

``python -m load.bench.pooled serve`` in the place of ``python -m exstream serve``.
"""

from __future__ import annotations

import runpy
import sys
from typing import Any

from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlalchemy.util.queue import AsyncAdaptedQueue

WAITED = "no connection was free: waiting for one"


class Told(AsyncAdaptedQueue[Any]):
    """The connections that are free, telling when there is none and none may be made."""

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Return a connection."""
        if block and self.empty():
            print(WAITED, file=sys.stderr, flush=True)
        return super().get(block, timeout)


if __name__ == "__main__":
    AsyncAdaptedQueuePool._queue_class = Told  # noqa: SLF001 -- there is no other way to see it
    runpy.run_module("exstream", run_name="__main__", alter_sys=True)
