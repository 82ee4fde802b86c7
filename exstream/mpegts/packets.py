"""Transport packets as numpy rows of 188 bytes (ISO/IEC 13818-1, 2.4.3), and the time stamps inside them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PACKET = 188
SYNC = 0x47
PAT_PID = 0x0000
SDT_PID = 0x0011
PMT_PID = 0x1000
VIDEO_PID = 0x0100
AUDIO_PID = 0x0101
NULL_PID = 0x1FFF
PTS_WRAP = 1 << 33
PCR_WRAP = PTS_WRAP * 300

Packets = NDArray[np.uint8]
"""Shape (n, 188)."""


@dataclass(frozen=True, slots=True)
class Headers:
    """The header fields of n packets, a vector each."""

    pid: NDArray[np.int32]
    starts: NDArray[np.bool_]
    """payload_unit_start_indicator."""
    payload: NDArray[np.bool_]
    """The packet carries payload, so its continuity counter advances."""
    adaptation: NDArray[np.int32]
    """Length of the adaptation field with its length byte; 0 without one."""
    flags: NDArray[np.uint8]
    """The adaptation field's flags; 0 without one."""

    @classmethod
    def of(cls, packets: Packets) -> Headers:
        """Read the headers of ``packets``."""
        head = packets[:, :4].copy().view(np.dtype(">u4"))[:, 0].astype(np.int32)
        length = np.where(head & 0x20, packets[:, 4] + np.int32(1), np.int32(0))
        return cls(
            pid=head >> 8 & 0x1FFF,
            starts=(head & 0x400000) != 0,
            payload=(head & 0x10) != 0,
            adaptation=length,
            flags=np.where(length > 1, packets[:, 5], np.uint8(0)),
        )

    def of_rows(self, rows: NDArray[np.intp]) -> Headers:
        """Return the headers of the packets in ``rows``."""
        return Headers(
            self.pid[rows], self.starts[rows], self.payload[rows], self.adaptation[rows], self.flags[rows]
        )

    @property
    def has_pcr(self) -> NDArray[np.bool_]:
        """Which packets carry a programme clock reference."""
        return (self.flags & 0x10).astype(np.bool_)

    @property
    def random_access(self) -> NDArray[np.bool_]:
        """Which packets start a random-access point."""
        return (self.flags & 0x40).astype(np.bool_)


def aligned(data: bytes) -> tuple[Packets, bytes]:
    """Return the whole packets of ``data``, which starts at one, as a view that cannot be written, and the rest."""
    whole = len(data) - len(data) % PACKET
    return np.frombuffer(data, dtype=np.uint8, count=whole).reshape(-1, PACKET), data[whole:]


def read_stamp(field: bytes | memoryview) -> int:
    """Return the 33-bit PTS or DTS of a five-byte field."""
    return (
        ((field[0] >> 1) & 0x07) << 30
        | field[1] << 22
        | (field[2] >> 1) << 15
        | field[3] << 7
        | field[4] >> 1
    )


def stamp(prefix: int, ticks: int) -> bytes:
    """Return the five-byte field for ``ticks`` modulo 2^33; ``prefix`` is 2 (PTS alone), 3 (PTS of two) or 1 (DTS)."""
    ticks %= PTS_WRAP
    return bytes(
        (
            prefix << 4 | (ticks >> 30) << 1 | 1,
            (ticks >> 22) & 0xFF,
            (ticks >> 14) & 0xFE | 1,
            (ticks >> 7) & 0xFF,
            (ticks << 1) & 0xFE | 1,
        )
    )


def read_pcr(field: bytes) -> int:
    """Return the PCR of a six-byte field in 27 MHz units."""
    base = field[0] << 25 | field[1] << 17 | field[2] << 9 | field[3] << 1 | field[4] >> 7
    return base * 300 + ((field[4] & 1) << 8 | field[5])


def pcr_field(value: int) -> bytes:
    """Return the six-byte field for ``value`` (27 MHz) modulo the wrap."""
    base, extension = divmod(value % PCR_WRAP, 300)
    return bytes(
        (
            (base >> 25) & 0xFF,
            (base >> 17) & 0xFF,
            (base >> 9) & 0xFF,
            (base >> 1) & 0xFF,
            (base & 1) << 7 | 0x7E | extension >> 8,
            extension & 0xFF,
        )
    )


def forget_pcr(packet: memoryview) -> None:
    """Turn the PCR of one packet into stuffing, in place."""
    packet[5] &= 0xEF
    packet[6:12] = b"\xff" * 6


def pcr_packet(pid: int, value: int, counter: int = 0) -> bytes:
    """Return a packet with nothing but a PCR; ``counter`` is that of the packet of its PID before it."""
    head = bytes((SYNC, pid >> 8, pid & 0xFF, 0x20 | counter, PACKET - 5, 0x10)) + pcr_field(value)
    return head.ljust(PACKET, b"\xff")


def packetise(pid: int, pes: bytes, *, pcr: int | None = None, random_access: bool = False) -> Packets:
    """Cut one PES packet into transport packets, continuity counters left at 0.

    ``pcr`` (27 MHz) and the random-access flag go into the first packet.
    """
    rows: list[bytes] = []
    position = 0
    while position < len(pes):
        first = position == 0
        flags = (0x10 if pcr is not None else 0) | (0x40 if random_access else 0) if first else 0
        field = bytes((flags,)) + (pcr_field(pcr) if pcr is not None else b"") if flags else b""
        room = PACKET - 4 - (1 + len(field) if field else 0)
        piece = pes[position : position + room]
        position += len(piece)
        stuffing = room - len(piece)
        if stuffing and not field:
            # A field of length 0 is one byte; a longer one starts with its flags.
            field = b"" if stuffing == 1 else b"\x00" + b"\xff" * (stuffing - 2)
            adaptation = bytes((stuffing - 1,)) + field
        elif field:
            adaptation = bytes((len(field) + stuffing,)) + field + b"\xff" * stuffing
        else:
            adaptation = b""
        head = bytes((SYNC, (0x40 if first else 0) | pid >> 8, pid & 0xFF, 0x30 if adaptation else 0x10))
        rows.append(head + adaptation + piece)
    return np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(-1, PACKET).copy()


def pes_packet(stream_id: int, payload: bytes, pts: int, dts: int | None = None) -> bytes:
    """Return a PES packet around ``payload``; video of any length may have no length of its own."""
    stamps = stamp(2, pts) if dts is None or dts == pts else stamp(3, pts) + stamp(1, dts)
    header = bytes((0x80, 0x80 if len(stamps) == 5 else 0xC0, len(stamps))) + stamps
    length = len(header) + len(payload)
    video = 0xE0 <= stream_id <= 0xEF
    return (
        b"\x00\x00\x01" + bytes((stream_id,)) + (0 if video else length).to_bytes(2, "big") + header + payload
    )
