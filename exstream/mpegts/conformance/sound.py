"""A PID with sound: its frames counted, and where the next PES packet must begin for nothing to be missing."""

from __future__ import annotations

from exstream.model.grid import CLOCK_HZ
from exstream.mpegts.conformance.codecs import Codec
from exstream.mpegts.conformance.elementary import Stamps
from exstream.mpegts.conformance.findings import Kind, Ledger, Severity
from exstream.mpegts.conformance.sound_frames import HEADER_BYTES, READERS, SoundFrame

TOLERANCE = 90
"""Ticks: 1 ms."""


class Sound:
    """Counts and judges the frames of ``pid``; ``first`` and ``position`` are the PTS of its first and last packet."""

    def __init__(self, ledger: Ledger, pid: int, codec: Codec) -> None:
        self._ledger = ledger
        self._name = f"PID {pid} ({codec})"
        self._reader = READERS.get(codec)
        self._next: float | None = None
        self._rest = b""
        self._aligned = False
        self._damaged = False
        self.frame: SoundFrame | None = None
        """The last frame's header."""
        self.frames = 0
        self.first: int | None = None
        self.position: int | None = None

    def begin(self, stamps: Stamps, packet: int, *, key: bool) -> None:
        """Take the beginning of a PES packet; a key has no meaning in sound."""
        del key
        pts = stamps.pts
        if self._damaged:
            self._rest, self._aligned, self._damaged = b"", False, False
        if pts is None:
            return
        if self._next is not None:
            self._judge(pts, self._next, packet)
        elif self._reader is None and self.position is not None and pts <= self.position:
            self._ledger.note(Kind.DTS_ORDER, packet, f"{self._name}: the time stamps do not increase")
        self._next = float(pts) if self._reader is not None else None
        self.position = pts
        self.first = pts if self.first is None else self.first

    def _judge(self, pts: int, expected: float, packet: int) -> None:
        off = pts - expected
        if abs(off) <= TOLERANCE:
            return
        if off > 0:
            kind, text = Kind.SOUND_GAP, f"{off / 90:.1f} ms of sound are missing before this"
        else:
            kind, text = Kind.SOUND_OVERLAP, f"the sound comes {-off / 90:.1f} ms too early"
        self._ledger.note(kind, packet, f"{self._name}: {text}", gap=off / CLOCK_HZ)

    def end(self, payload: bytes, packet: int) -> None:
        """Count the frames of a PES packet; the last one may go on in the next."""
        if self._reader is None:
            return
        # A frame that began in the packet before has been counted there.
        counted = bool(self._rest)
        data, self._rest = self._rest + payload, b""
        at = 0
        if not self._aligned:
            at = self._align(data)
        while at + HEADER_BYTES <= len(data):
            frame = self._reader(data, at)
            if frame is None:
                self._stray(packet)
                return
            self._compare(frame, packet)
            if not counted:
                self._count(frame)
            counted = False
            if at + frame.size > len(data):
                break
            at += frame.size
        self._rest = data[at:]
        if 0 < len(self._rest) < HEADER_BYTES and self.frame is not None and not counted:
            self._count(self.frame)

    def lose(self) -> None:
        """Packets were lost: the next PES packet begins anew."""
        self._damaged = True

    def restart(self) -> None:
        """A new time base begins."""
        self._next = self.first = self.position = None

    def finish(self) -> None:
        """Nothing more comes, and what is open may go on elsewhere."""

    def _count(self, frame: SoundFrame) -> None:
        self.frames += 1
        if self._next is not None:
            self._next += frame.samples * CLOCK_HZ / frame.rate

    def _align(self, data: bytes) -> int:
        """Return where the first whole frame begins: a recording may start within one."""
        if self._reader is None:
            return 0
        for at in range(len(data) - HEADER_BYTES):
            frame = self._reader(data, at)
            after = at + frame.size if frame is not None else 0
            if frame is not None and (
                after + HEADER_BYTES > len(data) or self._reader(data, after) is not None
            ):
                self._aligned = True
                return at
        return len(data)

    def _stray(self, packet: int) -> None:
        """What should be a frame is none."""
        self._aligned = False
        self._next = None
        if not self._damaged:
            self._ledger.note(Kind.SOUND_FRAME, packet, f"{self._name}: bytes that are no frame of it")

    def _compare(self, frame: SoundFrame, packet: int) -> None:
        if not frame.samples:
            return  # it goes with the frame before it
        before, self.frame = self.frame, frame
        if before is None or before.fixed == frame.fixed:
            return
        if before.sounds_like == frame.sounds_like:
            self._ledger.note(
                Kind.PARAMETERS, packet, f"{self._name}: other frame headers", severity=Severity.WARNING
            )
            return
        text = f"{self._name}: {before.words} becomes {frame.words}"
        self._ledger.note(Kind.PARAMETERS, packet, text)
