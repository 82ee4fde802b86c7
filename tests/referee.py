"""An independent look at a transport stream: its own parser, nothing of the product's."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

WRAP = 1 << 33


def ticks_since(later: int, earlier: int) -> int:
    """Return the signed difference of two 33-bit stamps."""
    difference = (later - earlier) % WRAP
    return difference - WRAP if difference >= WRAP // 2 else difference


@dataclass
class Report:
    """What was found; ``faults`` is empty for a clean stream. Times in 90 kHz ticks."""

    faults: list[str] = field(default_factory=list)
    video: list[int] = field(default_factory=list)
    """PTS in order of the stream."""
    keys: list[int] = field(default_factory=list)
    audio: list[tuple[int, int]] = field(default_factory=list)
    """PTS and number of frames of every audio PES packet."""
    pcr: list[tuple[int, int]] = field(default_factory=list)
    """Packet number and PCR base."""
    pids: set[int] = field(default_factory=set)


def _stamp(b: bytes) -> int:
    return (b[0] >> 1 & 7) << 30 | b[1] << 22 | (b[2] >> 1) << 15 | b[3] << 7 | b[4] >> 1


class _Stream:
    def __init__(self, picture: float, report: Report) -> None:
        self.picture = picture
        self.report = report
        self.counters: dict[int, int] = {}
        self.dts: dict[int, int] = {}
        self.audio = bytearray()
        self.audio_pts: int | None = None
        self.audio_clock: int | None = None
        self.next_audio: int | None = None
        self.tables: dict[int, int] = {}

    def fault(self, at: int, text: str) -> None:
        self.report.faults.append(f"packet {at}: {text}")

    def packet(self, at: int, p: bytes) -> None:
        if p[0] != 0x47:
            self.fault(at, "no sync byte")
            return
        pid = (p[1] & 0x1F) << 8 | p[2]
        self.report.pids.add(pid)
        if p[1] & 0x80:
            self.fault(at, "transport error indicator")
        has_payload, body = bool(p[3] & 0x10), 4
        if p[3] & 0x20:
            body += 1 + p[4]
            self.adaptation(at, p)
        before = self.counters.get(pid)
        if before is not None and (before + has_payload) & 15 != p[3] & 15:
            self.fault(at, f"continuity of PID {pid}: {before} then {p[3] & 15}")
        self.counters[pid] = p[3] & 15
        if pid in (0, 0x1000) and self.report.pcr:
            self.table(at, pid)
        if pid == 0x100 and p[1] & 0x40:
            self.picture_start(at, p, body)
        if pid == 0x101:
            if p[1] & 0x40:
                self.end_audio(at)
                self.audio_pts = _stamp(p[body + 9 : body + 14])
                body += 9 + p[body + 8]
            self.audio += p[body:]
            self.audio_clock = self.report.pcr[-1][1] if self.report.pcr else None

    def adaptation(self, at: int, p: bytes) -> None:
        if p[4] and p[5] & 0x80:
            self.fault(at, "discontinuity indicator")
        if p[4] and p[5] & 0x10:
            self.clock(at, p[6] << 25 | p[7] << 17 | p[8] << 9 | p[9] << 1 | p[10] >> 7)

    def table(self, at: int, pid: int) -> None:
        now = self.report.pcr[-1][1]
        if pid in self.tables and ticks_since(now, self.tables[pid]) > 45_000:
            self.fault(at, f"table {pid} after {ticks_since(now, self.tables[pid]) / 90:.0f} ms")
        self.tables[pid] = now

    def clock(self, at: int, pcr: int) -> None:
        if self.report.pcr:
            gap = ticks_since(pcr, self.report.pcr[-1][1])
            if not 0 < gap <= 3_600:
                self.fault(at, f"PCR step of {gap / 90:.1f} ms")
        self.report.pcr.append((at, pcr))

    def picture_start(self, at: int, p: bytes, body: int) -> None:
        if p[body : body + 3] != b"\x00\x00\x01":
            self.fault(at, "no PES start")
            return
        pts = _stamp(p[body + 9 : body + 14])
        dts = _stamp(p[body + 14 : body + 19]) if p[body + 7] & 0x40 else pts
        if 0x100 in self.dts and not 0 < ticks_since(dts, self.dts[0x100]) <= self.picture + 1:
            self.fault(at, f"DTS step of {ticks_since(dts, self.dts[0x100])} ticks")
        self.dts[0x100] = dts
        if self.report.pcr and ticks_since(dts, self.report.pcr[-1][1]) < 0:
            self.fault(at, "picture later than its decode time")
        self.report.video.append(pts)
        if p[3] & 0x20 and p[4] and p[5] & 0x40:
            self.report.keys.append(pts)

    def end_audio(self, at: int) -> None:
        if self.audio_pts is None:
            return
        frames, place, data = 0, 0, self.audio
        while place + 7 <= len(data) and data[place] == 0xFF:
            frames += 1
            place += (data[place + 3] & 3) << 11 | data[place + 4] << 3 | data[place + 5] >> 5
        if place != len(data):
            self.fault(at, f"audio PES of {len(data)} bytes holds frames up to {place}")
        if self.next_audio is not None and self.audio_pts != self.next_audio:
            self.fault(at, f"audio step of {ticks_since(self.audio_pts, self.next_audio)} ticks")
        if self.audio_clock is not None and ticks_since(self.audio_pts, self.audio_clock) < 0:
            self.fault(at, "audio later than its time")
        self.next_audio = (self.audio_pts + frames * 1_920) % WRAP
        self.report.audio.append((self.audio_pts, frames))
        self.audio.clear()


def examine(data: bytes, picture: float = 3_600.0) -> Report:
    """Parse ``data`` (whole packets) with pictures of ``picture`` ticks and return what was found."""
    report = Report()
    stream = _Stream(picture, report)
    if len(data) % 188:
        report.faults.append(f"{len(data) % 188} bytes beyond the last packet")
    for at in range(len(data) // 188):
        stream.packet(at, data[at * 188 : at * 188 + 188])
    # The last reordered pictures may still be under way at the end of a recording: leave them out of the gap check.
    origin = report.video[0] if report.video else 0
    order = sorted(ticks_since(pts, origin) for pts in report.video)
    for earlier, later in pairwise(order[:-3]):
        if abs(later - earlier - picture) > 1:
            report.faults.append(f"picture step of {later - earlier} ticks at {earlier / 90_000:.3f} s")
    return report


def decode_faults(ffmpeg: str, path: Path) -> str:
    """Return what ffmpeg complains about when it decodes ``path``."""
    done = subprocess.run(
        [
            ffmpeg,
            "-hide_banner",
            "-nostdin",
            "-v",
            "warning",
            "-i",
            str(path),
            "-fps_mode",
            "passthrough",
            "-f",
            "null",
            "-",
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.stderr.strip() + ("" if done.returncode == 0 else f"\nexit {done.returncode}")
