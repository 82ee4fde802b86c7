"""What a recording shows: its pictures with their time, and the clip and position each of them tells of itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from exstream.jobs.demo_manifest import CLIPS, FILLERS, Clip
from load.strip import picture_area, read_strip
from tests.reliability.recording import unix_time

FILLER_CODES = {clip.code for clip in FILLERS}


@dataclass(frozen=True)
class Seen:
    """One picture of a recording: when it is due in Unix time, and what it shows.

    Where no clip is to be seen, in black or on a card, ``code`` is None; so it is on the very first picture of the
    clip with code 0, whose strip is all dark.
    """

    at: float
    code: int | None
    position: float


def clip_of(title: str, subtitle: str) -> Clip:
    """Return the demo's clip that a guide calls by these names."""
    for clip in CLIPS:
        if (clip.show or clip.title, clip.title if clip.show else "") == (title, subtitle):
            return clip
    raise AssertionError(f"the guide tells of {title!r}, {subtitle!r}, which the demo does not have")


_ASPECTS = {
    Fraction(clip.format.width * clip.format.sar[0], clip.format.height * clip.format.sar[1])
    for clip in CLIPS
}
_BY_CODE = {
    clip.code: Fraction(clip.format.width * clip.format.sar[0], clip.format.height * clip.format.sar[1])
    for clip in CLIPS
}


def pictures(path: Path) -> Iterator[Seen]:
    """Decode the recording ``path`` and read every picture, whatever the shape of the clip on it."""
    likely = Fraction(16, 9)
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            assert frame.pts is not None
            luma = frame.to_ndarray(format="gray")
            shown = _read(np.asarray(luma, np.uint8), likely)
            if shown is not None:
                likely = _BY_CODE[shown[0]]
            at = unix_time(frame.pts)
            yield Seen(at, None, 0.0) if shown is None else Seen(at, *shown)


def _read(
    luma: np.ndarray[tuple[int, int], np.dtype[np.uint8]], likely: Fraction
) -> tuple[int, float] | None:
    """Read a strip that lies where the shape of its own clip puts it."""
    height, width = luma.shape
    for aspect in (likely, *(_ASPECTS - {likely})):
        shown = read_strip(luma, picture_area(width, height, aspect))
        # A bar beside a picture of another shape reads as dark blocks, too.
        if shown not in (None, (0, 0.0)) and _BY_CODE.get(shown[0]) == aspect:
            return shown
    return None
