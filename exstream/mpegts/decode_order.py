"""The decode order of one feed's pictures: where each is decoded, and whether any is missing.

A picture is decoded in a slot of its own. The slots follow one another without a gap whatever the source said of its
decode times, so that joins keep them in order: a key frame is decoded ``reorder`` pictures before it is shown, and
each picture after it one slot later.
"""

from __future__ import annotations


class DecodeOrder:
    """Takes pictures in decode order; ``fault`` says why they cannot go on air as they are."""

    def __init__(self, reorder: int) -> None:
        self._reorder = reorder
        self._base: int | None = None
        self._count = 0
        self._whole = 0
        """Every picture before this one, from the last key frame on, has come."""
        self._early: set[int] = set()
        self.fault = ""

    def slot(self, picture: int, *, key: bool) -> int:
        """Take ``picture`` of channel time; return the picture at whose time it is decoded."""
        if self._base is None or key:
            if self._base is not None and (self._early or picture != self._whole):
                self.fault = "its key frames do not follow on"
            self._base, self._count, self._whole = picture, 0, picture
            self._early.clear()
        elif picture < self._whole or picture in self._early:
            self.fault = "it shows two pictures at one time"
        slot = self._base + self._count - self._reorder
        self._count += 1
        self._early.add(picture)
        while self._whole in self._early:
            self._early.remove(self._whole)
            self._whole += 1
        if self._whole < self._base + self._count - self._reorder:
            self.fault = "pictures are missing"
        if slot > picture:
            self.fault = "its pictures are reordered too deeply"
        return slot
