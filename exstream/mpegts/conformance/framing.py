"""From bytes in pieces of any size to runs of whole packets; finds the packets again where they are lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from exstream.mpegts.conformance.findings import Kind, Ledger, Severity
from exstream.mpegts.packets import PACKET, SYNC, Packets

LOCK = 5
"""So many sync bytes in a row, 188 bytes apart, are packets (TR 101 290, 1.1)."""


class Run(NamedTuple):
    """Whole packets one behind the other; ``first`` is the number of the first one."""

    first: int
    data: bytes
    packets: Packets
    lost: bool
    """Sync was lost before it: nothing before it is known to be near."""
    bad_sync: list[int]
    """Rows whose first byte is no sync byte, though their neighbours' are."""


class Framing:
    """Cuts a stream into runs of packets. ``offset`` counts the bytes that lie before what it holds."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._rest = b""
        self._locked = False
        self._lost = False
        self.offset = 0
        self.skipped = 0
        """Bytes that belong to no packet."""

    def feed(self, data: bytes) -> Iterator[Run]:
        """Take bytes; yield the packets that are whole. What is wrong between two runs is told between them."""
        self._rest = self._rest + data if self._rest else data
        return self._runs(final=False)

    def finish(self) -> Iterator[Run]:
        """Yield what is left once no more bytes will come.

        A recording may be cut anywhere: what is no whole packet at its end is a warning.
        """
        yield from self._runs(final=True)
        if self._rest and self._locked:
            text = f"the stream ends {len(self._rest)} bytes into a packet"
            self._ledger.note(Kind.SYNC_LOSS, self.offset // PACKET, text, severity=Severity.WARNING)
        self._skip(len(self._rest))

    def _runs(self, *, final: bool) -> Iterator[Run]:
        while self._locked or self._lock(final=final):
            whole = len(self._rest) // PACKET
            if not whole:
                return
            data = self._rest[: whole * PACKET] if len(self._rest) % PACKET else self._rest
            packets = np.frombuffer(data, dtype=np.uint8).reshape(whole, PACKET)
            rows, bad_sync, lost = _in_sync(packets, final=final)
            if rows:
                size = rows * PACKET
                first, self._rest = self.offset // PACKET, self._rest[size:]
                self.offset += size
                yield Run(first, data[:size], packets[:rows], self._lost, bad_sync)
                self._lost = False
            if not lost:
                return
            self._locked, self._lost = False, True
            text = "no packets where packets should be"
            self._ledger.note(Kind.SYNC_LOSS, self.offset // PACKET, text)

    def _lock(self, *, final: bool) -> bool:
        """Find the next packets; what lies before them is skipped."""
        place = _packets_at(self._rest, final=final)
        if place is None:
            # The last bytes may be the beginning of packets that are still to come.
            self._skip(max(0, len(self._rest) - (LOCK - 1) * PACKET))
            return False
        self._skip(place)
        if self.offset == self.skipped > 0:
            self._ledger.note(Kind.SYNC_LOSS, 0, f"{self.skipped} bytes before the first packet")
        self._locked = True
        return True

    def _skip(self, count: int) -> None:
        self.offset += count
        self.skipped += count
        self._rest = self._rest[count:]


def _in_sync(packets: Packets, *, final: bool) -> tuple[int, list[int], bool]:
    """Return how many rows can be used, which of them lack their sync byte, and whether sync is lost behind them.

    It is lost where two packets in a row lack it; of the last row that cannot be said as long as more may come.
    """
    single: list[int] = []
    for row in np.flatnonzero(packets[:, 0] != SYNC).tolist():
        if row + 1 == len(packets) and not final:
            return row, single, False
        if row + 1 < len(packets) and packets[row + 1, 0] != SYNC:
            return row, single, True
        single.append(row)
    return len(packets), single, False


def _packets_at(data: bytes, *, final: bool) -> int | None:
    """Return the first place where packets begin, None where there is none; the ``final`` bytes need fewer of them."""
    sure = len(data) - (LOCK - 1) * PACKET
    if sure > 0:
        octets = np.frombuffer(data, dtype=np.uint8)
        found = octets[:sure] == SYNC
        for place in range(1, LOCK):
            found &= octets[place * PACKET : place * PACKET + sure] == SYNC
        if found.any():
            return int(found.argmax())
    if final:
        for place in range(max(0, sure), len(data)):
            syncs = data[place::PACKET]
            if syncs == bytes((SYNC,)) * len(syncs) and (len(syncs) > 1 or len(data) == PACKET):
                return place
    return None
