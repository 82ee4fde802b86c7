"""Boxes: a length, four letters and what is in them."""

from __future__ import annotations


def box(kind: str, *parts: bytes) -> bytes:
    """Return the box ``kind`` around ``parts``."""
    body = b"".join(parts)
    return (len(body) + 8).to_bytes(4, "big") + kind.encode("ascii") + body


def full(kind: str, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    """Return a box that says its version and its flags."""
    return box(kind, (version << 24 | flags).to_bytes(4, "big"), *parts)


def words(*values: int) -> bytes:
    """Return numbers of 32 bits."""
    return b"".join(value.to_bytes(4, "big") for value in values)


def halves(*values: int) -> bytes:
    """Return numbers of 16 bits."""
    return b"".join(value.to_bytes(2, "big") for value in values)


def descriptor(tag: int, *parts: bytes) -> bytes:
    """Return an MPEG-4 descriptor of less than 128 bytes (ISO/IEC 14496-1, 8.3.3)."""
    body = b"".join(parts)
    return bytes((tag, len(body))) + body
