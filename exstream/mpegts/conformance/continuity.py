"""Continuity counters, PID by PID (TR 101 290, 1.4): every packet with payload counts one on, modulo 16."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exstream.mpegts.conformance.framing import Run
from exstream.mpegts.packets import NULL_PID, PACKET, Headers


class Last(NamedTuple):
    """The last packet of a PID, and whether it repeated the one before it."""

    packet: bytes
    repeats: bool


class Judged(NamedTuple):
    """Faults as sentences and packets that repeat the one before them, by row, and how many packets each PID has."""

    faults: dict[int, str]
    repeats: set[int]
    counts: dict[int, int]


class Continuity:
    """Knows the last packet of every PID, so that it does not matter where runs are cut."""

    def __init__(self) -> None:
        self._last: dict[int, Last] = {}

    def forget(self) -> None:
        """Begin anew: packets were lost, and that has been told."""
        self._last.clear()

    def judge(self, run: Run, headers: Headers) -> Judged:
        """Judge the counters of a run."""
        judged = Judged({}, set(), {})
        order = headers.pid.astype(np.int16).argsort(kind="stable")
        pids = headers.pid[order]
        counters = run.packets[order, 3] & 0x0F
        expected = (counters[:-1] + headers.payload[order[1:]]) & 0x0F
        heads = np.flatnonzero(pids[1:] != pids[:-1]) + 1
        doubtful = (counters[1:] != expected) & (pids[1:] != NULL_PID)
        doubtful[heads - 1] = True
        begin = 0
        self._first(run, order, begin, judged)
        for place in (np.flatnonzero(doubtful) + 1).tolist():
            row, before = int(order[place]), int(order[place - 1])
            if pids[place] == pids[place - 1]:
                last = Last(_packet(run, before), before in judged.repeats)
                _judge(last, _packet(run, row), row, judged)
            else:
                judged.counts[int(pids[begin])] = place - begin
                begin = place
                self._keep(run, before, judged)
                self._first(run, order, place, judged)
        judged.counts[int(pids[begin])] = len(order) - begin
        self._keep(run, int(order[-1]), judged)
        return judged

    def _first(self, run: Run, order: NDArray[np.intp], place: int, judged: Judged) -> None:
        """Judge the first packet of a PID in a run against the last one of the runs before."""
        row = int(order[place])
        packet = _packet(run, row)
        last = self._last.get(_pid(packet))
        if last is not None:
            _judge(last, packet, row, judged)

    def _keep(self, run: Run, row: int, judged: Judged) -> None:
        packet = _packet(run, row)
        self._last[_pid(packet)] = Last(packet, row in judged.repeats)


def _judge(last: Last, packet: bytes, row: int, judged: Judged) -> None:
    before, counter = last.packet[3] & 0x0F, packet[3] & 0x0F
    has_payload = bool(packet[3] & 0x10)
    if _pid(packet) == NULL_PID:
        return
    announced = packet[3] & 0x20 and packet[4] and packet[5] & 0x80
    if counter == (before + has_payload) & 0x0F or announced:
        return
    if has_payload and counter == before and _content(packet) == _content(last.packet):
        judged.repeats.add(row)
        if last.repeats:
            judged.faults[row] = f"PID {_pid(packet)}: the same packet comes a third time"
        return
    judged.faults[row] = f"PID {_pid(packet)}: counter {before}, then {counter}"


def _content(packet: bytes) -> bytes:
    """Return what must be equal in a packet that is sent twice: all but its PCR (and a sync byte that may be lost)."""
    has_pcr = packet[3] & 0x20 and packet[4] and packet[5] & 0x10
    return packet[1:6] + packet[12:] if has_pcr else packet[1:]


def _packet(run: Run, row: int) -> bytes:
    return run.data[row * PACKET : (row + 1) * PACKET]


def _pid(packet: bytes) -> int:
    return (packet[1] & 0x1F) << 8 | packet[2]
