"""The process that makes the guide's fragments, so that the server's event loop does not wait for them.

Carries out each order on standard input, a line each, until that ends.
"""

from __future__ import annotations

import gc
import sys

from exstream.guide.press import Compositor


def main() -> None:
    """Answer every order."""
    gc.disable()  # nothing here refers to itself
    compositor = Compositor()
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(compositor.carry_out(line))
        sys.stdout.buffer.flush()
