"""Pictures and sound run together: neither begins, runs on or ends far from the other."""

from __future__ import annotations

from exstream.model.grid import CLOCK_HZ
from exstream.mpegts.conformance.findings import Kind, Ledger
from exstream.mpegts.conformance.pictures import Pictures
from exstream.mpegts.conformance.references import signed
from exstream.mpegts.conformance.sound import Sound

FURTHEST = 0.7
"""Seconds."""


class Edges:
    """Compares where the pictures are with where each sound is."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._apart: set[int] = set()
        self._begun: set[int] = set()

    def judge(self, pictures: Pictures, sounds: dict[int, Sound], packet: int) -> None:
        """Judge the distance now; each time it becomes too large is told once."""
        if pictures.first is None or pictures.position is None:
            return
        for pid, sound in sounds.items():
            if sound.first is None or sound.position is None:
                continue
            if pid not in self._begun:
                self._begun.add(pid)
                self._tell(pid, signed(sound.first - pictures.first), "begins", packet)
            distance = signed(sound.position - pictures.position)
            if abs(distance) <= FURTHEST * CLOCK_HZ:
                self._apart.discard(pid)
            elif pid not in self._apart:
                self._apart.add(pid)
                self._tell(pid, distance, "runs", packet)

    def _tell(self, pid: int, distance: int, verb: str, packet: int) -> None:
        seconds = distance / CLOCK_HZ
        if abs(seconds) > FURTHEST:
            side = "after" if seconds > 0 else "before"
            self._ledger.note(
                Kind.EDGES, packet, f"the sound of PID {pid} {verb} {abs(seconds):.2f} s {side} the pictures"
            )
