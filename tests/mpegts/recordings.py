"""Spliced recordings of real encodings, and small harms to be done to them, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from exstream.model.channel import Profile
from exstream.model.grid import CLOCK_HZ, Span
from exstream.mpegts.intake import Intake
from exstream.mpegts.packets import PACKET, pcr_field, read_pcr, read_stamp, stamp
from exstream.mpegts.psi import tables
from exstream.mpegts.splice import Spliced, Splicer
from tests import material

PICTURES = 75
VIDEO, AUDIO, PMT = 0x100, 0x101, 0x1000
PCR_MS = 27_000
TICKS_MS = 90

Packets = list[bytes]
Harm = Callable[[Packets], Packets]


def spliced(folder: Path, profile: Profile, *, before_wrap: int | None = None) -> bytes:
    """Return items, cards and an item cut off in the middle as one stream.

    It begins on a day in 2025, or so many pictures before the 33-bit clock wraps.
    """
    start = profile.rate.picture_near(1_760_000_000 * CLOCK_HZ)
    if before_wrap is not None:
        start = profile.rate.picture_near(2 << 33) - before_wrap
    clip = folder / "clip.mp4"
    if not clip.exists():
        material.clip(folder)
    data = material.encoding(clip, profile, Span(start, start + PICTURES))
    splicer = Splicer(profile.rate, tables("Recorder"), start)
    card = material.plain_card(profile)
    pieces: list[Spliced] = []
    for size, cards in ((None, 0), (None, 30), (90_001, 7), (None, 0)):
        intake = Intake(profile.rate, Span(splicer.picture, splicer.picture + PICTURES))
        intake.feed(data[:size])
        while (piece := splicer.take(intake, 1 << 60, card, ended=size is None)) is not None:
            pieces.append(piece)
        if cards:
            pieces.append(splicer.cover(card, splicer.picture + cards))
    return b"".join(piece.data for piece in pieces)


def cut(data: bytes) -> Packets:
    """Cut a stream into packets."""
    return [data[at : at + PACKET] for at in range(0, len(data), PACKET)]


def pid_of(packet: bytes) -> int:
    """Return the PID of a packet."""
    return (packet[1] & 0x1F) << 8 | packet[2]


def body_of(packet: bytes) -> int:
    """Return where a packet's payload begins."""
    return 4 + (1 + packet[4] if packet[3] & 0x20 else 0)


def starts(packets: Packets, pid: int) -> list[int]:
    """Return the rows at which something starts on ``pid``."""
    return [row for row, packet in enumerate(packets) if pid_of(packet) == pid and packet[1] & 0x40]


def unit(packets: Packets, pid: int, number: int) -> list[int]:
    """Return the rows of the PES packet ``number`` of ``pid``."""
    first, end = starts(packets, pid)[number : number + 2]
    return [row for row in range(first, end) if pid_of(packets[row]) == pid and packets[row][3] & 0x10]


def patched(packet: bytes, at: int, new: bytes) -> bytes:
    """Return ``packet`` with other bytes from ``at`` on."""
    return packet[:at] + new + packet[at + len(new) :]


def recounted(packets: Packets) -> Packets:
    """Return the packets with continuity counters that are right."""
    last: dict[int, int] = {}
    fresh = []
    for packet in packets:
        counter = (last.get(pid_of(packet), 15) + bool(packet[3] & 0x10)) & 15
        last[pid_of(packet)] = counter
        fresh.append(patched(packet, 3, bytes((packet[3] & 0xF0 | counter,))))
    return fresh


def has_pcr(packet: bytes) -> bool:
    """Tell whether there is a clock reference in a packet."""
    return bool(packet[3] & 0x20 and packet[4] and packet[5] & 0x10)


def clocked(packets: Packets) -> list[float]:
    """Return the last PCR at every packet, in seconds since the first one."""
    first: int | None = None
    now = 0.0
    times = []
    for packet in packets:
        if has_pcr(packet):
            value = read_pcr(packet[6:12])
            first = value if first is None else first
            now = (value - first) / 27e6
        times.append(now)
    return times


def moved_pcr(packet: bytes, ms: float) -> bytes:
    """Return ``packet`` with its clock reference moved, where it has one."""
    if not has_pcr(packet):
        return packet
    return patched(packet, 6, pcr_field(read_pcr(packet[6:12]) + round(ms * PCR_MS)))


def without_pcr(packet: bytes) -> bytes:
    """Return ``packet`` with stuffing where its clock reference was."""
    return patched(packet, 5, bytes((packet[5] & ~0x10,)) + b"\xff" * 6)


def moved_stamps(packet: bytes, ms: float = 0.0, *, dts_ms: float | None = None) -> bytes:
    """Return the start of a PES packet with PTS and DTS moved by ``ms``; by ``dts_ms`` the DTS alone."""
    body = body_of(packet)
    both = bool(packet[body + 7] & 0x40)
    if dts_ms is None:
        packet = _moved(packet, body + 9, 3 if both else 2, ms)
    if both:
        packet = _moved(packet, body + 14, 1, ms if dts_ms is None else dts_ms)
    return packet


def _moved(packet: bytes, at: int, prefix: int, ms: float) -> bytes:
    return patched(packet, at, stamp(prefix, read_stamp(packet[at : at + 5]) + round(ms * TICKS_MS)))
