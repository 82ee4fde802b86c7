"""A stretch of stream on its way through the splice, its time stamps already those of the channel."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from exstream.mpegts.packets import PACKET, Packets


@dataclass(frozen=True, slots=True)
class Key:
    """A key frame: the row its first packet is in, and its picture."""

    row: int
    picture: int


@dataclass(slots=True)
class Block:
    """Rows of packets without tables and with no counters yet, and what is at which row.

    ``clock`` lists (row, PCR) in 27 MHz units since the epoch, not wrapped, in order of rows.
    """

    packets: Packets = field(default_factory=lambda: np.empty((0, PACKET), dtype=np.uint8))
    keys: list[Key] = field(default_factory=list)
    clock: list[tuple[int, int]] = field(default_factory=list)

    def rows(self, first: int, end: int) -> Block:
        """Return rows ``first`` (included) to ``end`` (excluded)."""
        return Block(
            self.packets[first:end],
            [Key(key.row - first, key.picture) for key in self.keys if first <= key.row < end],
            [(row - first, value) for row, value in self.clock if first <= row < end],
        )

    @classmethod
    def join(cls, blocks: list[Block]) -> Block:
        """Put ``blocks`` one behind the other."""
        if len(blocks) == 1:
            return blocks[0]
        whole = cls()
        row = 0
        for block in blocks:
            whole.keys += [Key(row + key.row, key.picture) for key in block.keys]
            whole.clock += [(row + at, value) for at, value in block.clock]
            row += len(block.packets)
        if blocks:
            whole.packets = np.concatenate([block.packets for block in blocks])
        return whole
