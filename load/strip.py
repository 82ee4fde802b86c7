"""Reads the strip of a demo clip from a picture, knowing nothing of how it was drawn but its published layout.

A row of 20 blocks along the lower edge of the picture, each a twentieth of its width and a twelfth of its height, black
0, white 1, highest bit first: 5 bits of the clip's code, 14 bits of its position in 1/50 s, 1 bit of even parity.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

BLOCKS = 20
DARK, BRIGHT = 96, 160
"""Luma below is 0, above is 1; between them nothing can be said."""

Area = tuple[int, int, int, int]
"""Left, top, width and height in pixels."""


def picture_area(width: int, height: int, aspect: Fraction) -> Area:
    """Return where a picture of ``aspect`` lies, centred and whole, in a frame of square pixels or of its own shape."""
    frame = Fraction(width, height)
    if aspect < frame:
        inner = round(height * aspect)
        return (width - inner) // 2, 0, inner, height
    inner = round(width / aspect)
    return 0, (height - inner) // 2, width, inner


def read_strip(gray: NDArray[np.uint8], area: Area | None = None) -> tuple[int, float] | None:
    """Return the clip's code and its position in seconds, or None when ``gray`` (height x width) shows no strip."""
    left, top, width, height = area or (0, 0, gray.shape[1], gray.shape[0])
    row = slice(top + height - round(height * 0.060), top + height - round(height * 0.022))
    bits = []
    for block in range(BLOCKS):
        start = left + width * block / BLOCKS
        inside = slice(round(start + width / BLOCKS * 0.3), round(start + width / BLOCKS * 0.7))
        level = float(np.mean(gray[row, inside]))
        if DARK <= level <= BRIGHT:
            return None
        bits.append(int(level > BRIGHT))
    if sum(bits) % 2:
        return None
    code = int("".join(map(str, bits[:5])), 2)
    return code, int("".join(map(str, bits[5:19])), 2) / 50
