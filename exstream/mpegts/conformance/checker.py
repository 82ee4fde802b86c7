"""The check itself: bytes in, findings out, whatever pieces the bytes come in."""

from __future__ import annotations

from collections import Counter
from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exstream.model.grid import Rate
from exstream.mpegts.conformance.codecs import Codec
from exstream.mpegts.conformance.continuity import Continuity, Judged
from exstream.mpegts.conformance.edges import Edges
from exstream.mpegts.conformance.elementary import Elementary
from exstream.mpegts.conformance.findings import EXAMPLES, Finding, Kind, Ledger
from exstream.mpegts.conformance.framing import Framing, Run
from exstream.mpegts.conformance.parameters import HEAD_BYTES
from exstream.mpegts.conformance.pictures import Pictures
from exstream.mpegts.conformance.references import References
from exstream.mpegts.conformance.report import Report, StreamReport
from exstream.mpegts.conformance.sound import Sound
from exstream.mpegts.conformance.tables import Tables
from exstream.mpegts.packets import PACKET, Headers, read_pcr

Mask = NDArray[np.bool_]
Told = dict[int, list[tuple[Kind, str]]]
PIDS = 8_192
SOUND_BYTES = 1 << 20


class Depth(Enum):
    """How much of a stream is looked into."""

    HEADERS = 1
    """Headers, tables, clock, time stamps and sound frames: cheap enough for every channel on the air."""
    FULL = 2
    """The pictures' parameter sets too, and the arrival of every last byte."""


class Visit(NamedTuple):
    """One packet that says something."""

    packet: int
    pid: int
    start: bool
    data: bytes
    body: int
    """Where its payload begins."""
    flags: int
    """Of its adaptation field."""


class Checker:
    """Checks one stream. ``rate`` is what its pictures should have; without it the stream's first ones tell."""

    def __init__(
        self, depth: Depth = Depth.FULL, *, rate: Rate | None = None, examples: int = EXAMPLES
    ) -> None:
        self._depth = depth
        self._rate = rate
        self._ledger = Ledger(examples)
        self._framing = Framing(self._ledger)
        self._continuity = Continuity()
        self._references = References(self._ledger)
        self._tables = Tables(self._ledger)
        self._edges = Edges(self._ledger)
        self._streams: dict[int, Elementary] = {}
        self._pictures: dict[int, Pictures] = {}
        self._sounds: dict[int, Sound] = {}
        self._clock_pid: int | None = None
        self._sections: set[int] = set()
        self._wanted = np.zeros(PIDS, dtype=np.bool_)
        self._packets: Counter[int] = Counter()
        self._want()

    @property
    def references(self) -> References:
        """The stream's clock."""
        return self._references

    def feed(self, data: bytes) -> list[Finding]:
        """Take bytes as they come; return what is wrong with what is whole by now."""
        for run in self._framing.feed(data):
            self._take(run)
        return self._ledger.fresh()

    def finish(self) -> list[Finding]:
        """Judge the end of the stream; nothing may be fed any more."""
        for run in self._framing.finish():
            self._take(run)
        for stream in self._streams.values():
            stream.finish()
        last = self._framing.offset // PACKET
        if self._packets:
            self._tables.finish(last)
            self._references.finish(last)
        return self._ledger.fresh()

    def report(self) -> Report:
        """Return what was seen and found so far."""
        return Report(
            packets=self._packets.total(),
            skipped=self._framing.skipped,
            seconds=self._references.elapsed,
            streams=tuple(self._described(stream) for stream in self._streams.values()),
            errors=dict(self._ledger.errors),
            warnings=dict(self._ledger.warnings),
            examples={kind: tuple(kept) for kind, kept in self._ledger.examples.items()},
        )

    def _described(self, stream: Elementary) -> StreamReport:
        packets = self._packets[stream.pid]
        pictures, sound = self._pictures.get(stream.pid), self._sounds.get(stream.pid)
        if pictures is not None:
            sequence = pictures.parameters.sequence
            return StreamReport(
                stream.pid,
                stream.codec,
                packets,
                units=pictures.count,
                keys=pictures.keys,
                changes=pictures.parameters.changes,
                rate=pictures.rate,
                format=sequence.words if sequence is not None else "",
            )
        if sound is not None and sound.frame is not None:
            return StreamReport(
                stream.pid, stream.codec, packets, units=sound.frames, format=sound.frame.words
            )
        return StreamReport(stream.pid, stream.codec, packets)

    def _take(self, run: Run) -> None:
        """Judge a run of packets."""
        headers = Headers.of(run.packets)
        if run.lost:
            self._continuity.forget()
            self._tables.forget()
            for stream in self._streams.values():
                stream.lose()
        judged = self._continuity.judge(run, headers)
        self._packets.update(judged.counts)
        told = _told(run, judged)
        says = headers.starts | headers.has_pcr
        if told:
            says[list(told)] = True
        row = 0
        while row < len(says):
            row = self._walk(run, headers, says, told, judged, row)

    def _walk(self, run: Run, headers: Headers, says: Mask, told: Told, judged: Judged, first: int) -> int:
        """Visit the packets that say something from row ``first`` on; return where to go on with other PIDs wanted."""
        rows = np.flatnonzero(says[first:] | self._wanted[headers.pid[first:]]) + first
        for row, pid, start, field, flags in zip(
            rows.tolist(),
            headers.pid[rows].tolist(),
            headers.starts[rows].tolist(),
            headers.adaptation[rows].tolist(),
            headers.flags[rows].tolist(),
            strict=True,
        ):
            for kind, text in told.get(row, ()):
                self._ledger.note(kind, run.first + row, text)
                if kind is Kind.CONTINUITY:
                    self._lose(pid)
            if row in judged.repeats:
                continue
            data = run.data[row * PACKET : (row + 1) * PACKET]
            if self._visit(Visit(run.first + row, pid, start, data, 4 + field, flags)):
                self._want()
                return row + 1
        return len(says)

    def _lose(self, pid: int) -> None:
        if pid in self._streams:
            self._streams[pid].lose()
        elif pid in self._sections:
            self._tables.lose(pid)

    def _visit(self, visit: Visit) -> bool:
        """Judge one packet; return whether other PIDs are wanted from here on."""
        if visit.flags & 0x10 and visit.body >= 12:
            self._refer(visit)
        elif visit.flags & 0x80 and visit.pid == self._clock_pid:
            self._restart()
        if not visit.data[3] & 0x10:
            return False
        if visit.pid in self._sections:
            changed = self._tables.take(visit.pid, visit.data[visit.body :], visit.packet, start=visit.start)
            return changed and self._follow()
        stream = self._streams.get(visit.pid)
        if stream is None:
            return False
        waited = stream.reads_header
        stream.take(visit.data[visit.body :], visit.packet, start=visit.start, key=bool(visit.flags & 0x40))
        pictures = self._pictures.get(visit.pid)
        if visit.start and pictures is not None:
            self._edges.judge(pictures, self._sounds, visit.packet)
        return stream.reads_header is not waited

    def _refer(self, visit: Visit) -> None:
        """Take a clock reference; before the PMT says which one counts, the first one does."""
        if self._clock_pid is None:
            self._clock_pid = visit.pid
        if visit.pid != self._clock_pid:
            return
        announced = bool(visit.flags & 0x80)
        if announced:
            self._restart()
        self._references.take(read_pcr(visit.data[6:12]), visit.packet, announced=announced)
        self._tables.tick(visit.packet)
        for stream in self._streams.values():
            stream.tick(visit.packet)

    def _restart(self) -> None:
        for stream in self._streams.values():
            stream.restart()

    def _follow(self) -> bool:
        """Follow the tables: open the streams that are new, drop the ones that are gone."""
        programme = self._tables.programme
        if programme is None:
            return False
        if programme.streams and programme.pcr_pid != self._clock_pid:
            self._clock_pid = programme.pcr_pid
            self._references.begin()
        for pid in [
            pid for pid, stream in self._streams.items() if programme.streams.get(pid) is not stream.codec
        ]:
            self._streams.pop(pid).finish()
            self._pictures.pop(pid, None)
            self._sounds.pop(pid, None)
        for pid, codec in programme.streams.items():
            if pid not in self._streams and (codec.pictures or codec.sound):
                self._streams[pid] = self._open(pid, codec)
        return True

    def _open(self, pid: int, codec: Codec) -> Elementary:
        if codec.pictures:
            pictures = self._pictures[pid] = Pictures(self._ledger, codec, self._rate)
            keep = HEAD_BYTES if self._depth is Depth.FULL else 0
            return Elementary(pid, codec, pictures, self._references, self._ledger, keep)
        sound = self._sounds[pid] = Sound(self._ledger, pid, codec)
        return Elementary(pid, codec, sound, self._references, self._ledger, SOUND_BYTES)

    def _want(self) -> None:
        """Say of which PIDs every packet is to be seen."""
        self._sections = self._tables.pids
        wanted = [*self._sections, *self._sounds]
        wanted += [
            pid for pid in self._pictures if self._depth is Depth.FULL or self._streams[pid].reads_header
        ]
        self._wanted[:] = False
        self._wanted[wanted] = True


def _told(run: Run, judged: Judged) -> Told:
    """Return what is to be told of single packets, by row."""
    told: Told = {}
    for row in run.bad_sync:
        told.setdefault(row, []).append((Kind.SYNC_BYTE, "the packet does not start with the sync byte 0x47"))
    for row in np.flatnonzero(run.packets[:, 1] & 0x80).tolist():
        told.setdefault(row, []).append(
            (Kind.TRANSPORT, "the receiver before us has marked the packet as damaged")
        )
    for row, text in judged.faults.items():
        told.setdefault(row, []).append((Kind.CONTINUITY, text))
    return told


def check(data: bytes, depth: Depth = Depth.FULL, *, rate: Rate | None = None) -> Report:
    """Check a whole recording."""
    checker = Checker(depth, rate=rate)
    checker.feed(data)
    checker.finish()
    return checker.report()
