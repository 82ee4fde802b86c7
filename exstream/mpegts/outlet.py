"""The end of the splice: tables, clock references and continuity counters, the same whatever was spliced.

Tables stand before every key frame and at least every 100 ms of PCR, so that a join or a cut is a byte range. Where
references lie further apart than 35 ms, packets with nothing but a PCR go between them.
"""

from __future__ import annotations

import numpy as np

from exstream.model.grid import PCR_HZ, Rate
from exstream.mpegts.block import Block
from exstream.mpegts.index import RandomAccessPoint
from exstream.mpegts.packets import (
    AUDIO_PID,
    PACKET,
    PAT_PID,
    PMT_PID,
    SDT_PID,
    VIDEO_PID,
    Headers,
    Packets,
    pcr_packet,
)

TABLES_EVERY = PCR_HZ // 10
CLOCK_GAP = PCR_HZ * 35 // 1000

Insert = tuple[int, Packets]
"""Packets to put in front of a row."""


class Outlet:
    """Finishes blocks into bytes, one behind the other."""

    def __init__(self, rate: Rate, tables: Packets) -> None:
        self._rate = rate
        self._tables = tables
        self._tables_at: int | None = None
        self._clock: int | None = None
        self._counters = dict.fromkeys((PAT_PID, SDT_PID, PMT_PID, VIDEO_PID, AUDIO_PID), 0x0F)
        self.clock = 0
        """The last PCR put out, 27 MHz since the epoch."""

    def finish(self, block: Block) -> tuple[bytes, list[RandomAccessPoint]]:
        """Return the bytes of ``block`` and its random-access points, their offsets within these bytes."""
        inserts, key_inserts = self._inserts(block)
        packets = _with(block.packets, inserts)
        self._count(packets)
        points = []
        for place, picture in key_inserts:
            before = sum(len(rows) for _, rows in inserts[:place])
            points.append(
                RandomAccessPoint((inserts[place][0] + before) * PACKET, self._rate.ticks_at(picture))
            )
        return packets.tobytes(), points

    def _inserts(self, block: Block) -> tuple[list[Insert], list[tuple[int, int]]]:
        """Return what to insert, in order, and which inserts stand before which key picture."""
        inserts: list[Insert] = []
        before_keys: list[tuple[int, int]] = []
        keys = {key.row: key.picture for key in block.keys}
        after = 0
        for row, clock in block.clock:
            inserts += self._references(after, row, clock)
            picture = keys.get(row)
            due = self._tables_at is None or clock - self._tables_at >= TABLES_EVERY
            if picture is not None or due:
                if picture is not None:
                    before_keys.append((len(inserts), picture))
                inserts.append((row, self._tables))
                self._tables_at = clock
            self._clock = clock
            after = row + 1
        if self._clock is not None:
            self.clock = self._clock
        return inserts, before_keys

    def _references(self, after: int, row: int, clock: int) -> list[Insert]:
        """Return the PCR-only packets due between the last reference, which ``after`` follows, and ``row``."""
        if self._clock is None or clock - self._clock <= CLOCK_GAP:
            return []
        steps = -(-(clock - self._clock) // CLOCK_GAP)
        return [
            (
                after + (row - after) * step // steps,
                pcr_packet(VIDEO_PID, self._clock + (clock - self._clock) * step // steps),
            )
            for step in range(1, steps)
        ]

    def _count(self, packets: Packets) -> None:
        """Write the continuity counters in place."""
        headers = Headers.of(packets)
        for pid, last in self._counters.items():
            rows = np.flatnonzero(headers.pid == pid)
            if len(rows):
                # A packet without payload repeats the counter of the one before it.
                counters = (last + np.cumsum(headers.payload[rows])) & 0x0F
                packets[rows, 3] = (packets[rows, 3] & 0xF0) | counters.astype(np.uint8)
                self._counters[pid] = int(counters[-1])


def _with(packets: Packets, inserts: list[Insert]) -> Packets:
    """Return a new array of ``packets`` with ``inserts`` in it."""
    pieces: list[Packets] = []
    done = 0
    for row, rows in inserts:
        if row > done:
            pieces.append(packets[done:row])
            done = row
        pieces.append(rows)
    pieces.append(packets[done:])
    return np.concatenate(pieces)
