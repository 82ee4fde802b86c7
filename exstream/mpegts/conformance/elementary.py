"""One PID with pictures or sound: its PES packets put together, their stamps on one line, and when they arrive."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from exstream.model.grid import CLOCK_HZ
from exstream.mpegts.conformance.codecs import Codec
from exstream.mpegts.conformance.findings import Kind, Ledger
from exstream.mpegts.conformance.references import References, signed
from exstream.mpegts.packets import read_stamp

LONGEST_SILENCE = 1.0
"""Seconds after which a PID that the PMT names is missing."""
LONGEST_PTS = 0.7
"""Seconds between two time stamps (TR 101 290, 2.5)."""
START_CODE = b"\x00\x00\x01"


class Stamps(NamedTuple):
    """When a PES packet is shown and decoded, in 90 kHz ticks that do not wrap; None where it does not say."""

    pts: int | None
    dts: int | None


class Track(Protocol):
    """What is carried on the PID."""

    def begin(self, stamps: Stamps, packet: int, *, key: bool) -> None:
        """A PES packet begins in transport packet ``packet``."""

    def end(self, payload: bytes, packet: int) -> None:
        """It has ended; ``payload`` is what was to be kept of it, ``packet`` where it began."""

    def lose(self) -> None:
        """Packets were lost: what comes does not continue what was there."""

    def restart(self) -> None:
        """The stream says itself that a new time base begins."""

    def finish(self) -> None:
        """Nothing more comes."""


class Elementary:
    """Reads the PES packets of ``pid`` and tells ``track`` what they are; keeps ``keep`` bytes of each."""

    def __init__(
        self, pid: int, codec: Codec, track: Track, references: References, ledger: Ledger, keep: int
    ) -> None:
        self.pid = pid
        self.codec = codec
        self._track = track
        self._references = references
        self._ledger = ledger
        self._keep = keep
        self._heard = self._stamped = references.elapsed
        self._missing = False
        self._head = b""
        self._packet = 0
        self._key = False
        self._pieces: list[bytes] | None = None
        self._kept = 0
        self._line: int | None = None
        self._due: int | None = None

    @property
    def reads_header(self) -> bool:
        """Whether the header of a PES packet goes on in the next packets of the PID."""
        return bool(self._head)

    def take(self, payload: bytes, packet: int, *, start: bool, key: bool) -> None:
        """Take the payload of one packet."""
        self._heard, self._missing = self._references.elapsed, False
        if start:
            self._end()
            self._packet, self._key = packet, key
            self._open(payload)
        elif self._head:
            self._open(self._head + payload)
        elif self._pieces is not None:
            self._add(payload)
        self._arrive(packet)

    def tick(self, packet: int) -> None:
        """Tell when nothing has come for too long."""
        if not self._missing and self._references.elapsed - self._heard > LONGEST_SILENCE:
            self._missing = True
            self._ledger.note(
                Kind.PID, packet, f"PID {self.pid} ({self.codec}): nothing for {LONGEST_SILENCE:.0f} s"
            )

    def lose(self) -> None:
        """Packets were lost."""
        self._track.lose()

    def restart(self) -> None:
        """A new time base begins."""
        self._line = self._due = None
        self._track.restart()

    def finish(self) -> None:
        """Nothing more comes: what is open ends here."""
        self._end()
        self._track.finish()

    def _open(self, head: bytes) -> None:
        """Read the header of a PES packet, when it is whole."""
        self._head = b""
        if head[:3] != START_CODE[: len(head)] or (len(head) > 6 and head[6] & 0xC0 != 0x80):
            self._ledger.note(Kind.PES, self._packet, f"PID {self.pid}: a unit starts that is no PES packet")
            return
        if len(head) < 9 or len(head) < 9 + head[8]:
            self._head = head
            return
        self._track.begin(self._stamps(head), self._packet, key=self._key)
        self._pieces, self._kept = [], 0
        self._add(head[9 + head[8] :])

    def _stamps(self, head: bytes) -> Stamps:
        flags = head[7] >> 6
        if flags < 2 or head[8] < (10 if flags == 3 else 5):
            self._due = None
            return Stamps(None, None)
        elapsed = self._references.elapsed
        if elapsed - self._stamped > LONGEST_PTS:
            self._ledger.note(
                Kind.PTS_REPETITION,
                self._packet,
                f"PID {self.pid} ({self.codec}): {(elapsed - self._stamped) * 1000:.0f} ms without a time stamp",
            )
        self._stamped = elapsed
        pts = self._straight(read_stamp(head[9:14]))
        dts = self._straight(read_stamp(head[14:19])) if flags == 3 else pts
        self._line = self._due = dts
        return Stamps(pts, dts)

    def _straight(self, stamp: int) -> int:
        """Return a 33-bit stamp on a line that does not wrap."""
        if self._line is None:
            return stamp
        return self._line + signed(stamp - self._line)

    def _arrive(self, packet: int) -> None:
        """Tell when the clock says that this packet should have been decoded already."""
        clock = self._references.ticks
        if self._due is None or clock is None:
            return
        late = signed(clock - self._due)
        if late > 0:
            self._due = None
            self._ledger.note(
                Kind.LATE,
                packet,
                f"PID {self.pid} ({self.codec}): arrives {late / CLOCK_HZ * 1000:.1f} ms after its decode time",
            )

    def _add(self, payload: bytes) -> None:
        if self._pieces is not None and self._kept < self._keep:
            self._pieces.append(payload)
            self._kept += len(payload)

    def _end(self) -> None:
        if self._pieces is not None:
            self._track.end(b"".join(self._pieces), self._packet)
        self._pieces = None
        self._head = b""
