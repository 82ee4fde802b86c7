"""Programme tables of a one-programme stream: PAT, PMT and SDT (ISO/IEC 13818-1, EN 300 468)."""

from __future__ import annotations

import numpy as np

from exstream.mpegts.packets import (
    AUDIO_PID,
    PACKET,
    PAT_PID,
    PMT_PID,
    SDT_PID,
    SYNC,
    VIDEO_PID,
    Packets,
)

H264 = 0x1B
AAC_ADTS = 0x0F
PROGRAMME = 1
STREAM_ID = 1
NAME_BYTES = 60
"""A service or provider name longer than this is cut, so that the SDT stays in one packet."""


def _crc_table() -> tuple[int, ...]:
    table = []
    for index in range(256):
        crc = index << 24
        for _ in range(8):
            crc = (crc << 1) ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1
        table.append(crc & 0xFFFFFFFF)
    return tuple(table)


_CRC_TABLE = _crc_table()


def crc32(data: bytes) -> int:
    """Return the MPEG-2 CRC of ``data``; over a whole section it is 0."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc << 8) & 0xFFFFFFFF ^ _CRC_TABLE[crc >> 24 ^ byte]
    return crc


def _section(pid: int, table: int, extension: int, body: bytes, *, private: bool = False) -> bytes:
    length = len(body) + 9
    head = bytes((table, (0xF0 if private else 0xB0) | length >> 8, length & 0xFF))
    section = head + extension.to_bytes(2, "big") + b"\xc1\x00\x00" + body
    section += crc32(section).to_bytes(4, "big")
    packet = bytes((SYNC, 0x40 | pid >> 8, pid & 0xFF, 0x10, 0x00)) + section
    return packet.ljust(PACKET, b"\xff")


def _text(name: str) -> bytes:
    """Return ``name`` as DVB text in UTF-8, cut at a character."""
    encoded = name.encode()[:NAME_BYTES].decode(errors="ignore").encode()
    return b"\x15" + encoded if encoded else b""


def tables(name: str, provider: str = "Exstream") -> Packets:
    """Return PAT, PMT and SDT as shape (3, 188) for H.264 video and AAC audio; continuity counters are 0."""
    pat = PROGRAMME.to_bytes(2, "big") + (0xE000 | PMT_PID).to_bytes(2, "big")
    streams = b"".join(
        bytes((kind,)) + (0xE000 | pid).to_bytes(2, "big") + b"\xf0\x00"
        for kind, pid in ((H264, VIDEO_PID), (AAC_ADTS, AUDIO_PID))
    )
    pmt = (0xE000 | VIDEO_PID).to_bytes(2, "big") + b"\xf0\x00" + streams
    service, owner = _text(name), _text(provider)
    descriptor = b"\x01" + bytes((len(owner),)) + owner + bytes((len(service),)) + service
    descriptor = b"\x48" + bytes((len(descriptor),)) + descriptor
    network = b"\xff\x01\xff"
    sdt = (
        network
        + PROGRAMME.to_bytes(2, "big")
        + b"\xfc"
        + (0x8000 | len(descriptor)).to_bytes(2, "big")
        + descriptor
    )
    rows = (
        _section(PAT_PID, 0x00, STREAM_ID, pat)
        + _section(PMT_PID, 0x02, PROGRAMME, pmt)
        + _section(SDT_PID, 0x42, STREAM_ID, sdt, private=True)
    )
    return np.frombuffer(rows, dtype=np.uint8).reshape(3, PACKET)
