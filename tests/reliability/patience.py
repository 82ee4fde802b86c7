"""Waiting for what must happen, however slow the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 90.0
"""Seconds; far more than anything takes, and a failure when it is not enough."""

Found = TypeVar("Found")


def eventually(
    look: Callable[[], Found], what: str, *, seconds: float = PATIENCE, pause: float = 0.1
) -> Found:
    """Return what ``look()`` finds as soon as it finds something; fail when it does not in ``seconds``."""
    give_up = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < give_up, f"not in {seconds:.0f} s: {what}"
        time.sleep(pause)
    return found
