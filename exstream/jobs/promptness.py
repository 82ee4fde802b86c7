"""The event loop is never long in waiting: neither for a thread that computes, nor for a search for garbage."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

TURN_SECONDS = 0.001
"""So long a thread that computes keeps the loop from going on: after each write to a viewer, and each is a new wait."""
YOUNG = 7_000
"""So many objects come before garbage is looked for among them. A page of a large library is many times the usual 700:
all of it would be looked through again and again while it is read."""


@contextmanager
def prompt() -> Iterator[None]:
    """Have threads give way soon, and garbage looked for seldom, for as long as the block lasts."""
    turn, (young, *older) = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(TURN_SECONDS)
    gc.set_threshold(YOUNG, *older)
    try:
        yield
    finally:
        sys.setswitchinterval(turn)
        gc.set_threshold(young, *older)
