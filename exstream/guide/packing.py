"""Documents of parts that are compressed apart from each other, once, and put together as they are.

The file is what every reader of gzip takes, a single member: each fragment is a run of deflate blocks that ends with a
byte and refers to nothing before it, so that any of them make a stream, one behind the other.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

LEVEL = 4
"""From here on every further hundredth of the size costs more time than the one before."""
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LAST_BLOCK = b"\x03\x00"
_MODULUS = 1 << 32


@dataclass(frozen=True, slots=True)
class Fragment:
    """A part of a document: deflate blocks, none of which is the last."""

    compressed: bytes
    length: int
    """Bytes when not compressed."""
    crc: int
    """CRC-32 of those bytes."""


def fragment(text: bytes) -> Fragment:
    """Compress a part of a document."""
    deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return Fragment(deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH), len(text), zlib.crc32(text))


def gzip_file(fragments: Iterable[Fragment]) -> bytes:
    """Return the file that the fragments make, in their order."""
    pieces, crc, length = [_HEADER], 0, 0
    for part in fragments:
        pieces.append(part.compressed)
        crc = _crc_of_both(crc, part)
        length += part.length
    trailer = crc.to_bytes(4, "little") + (length % _MODULUS).to_bytes(4, "little")
    return b"".join((*pieces, _LAST_BLOCK, trailer))


def _crc_of_both(before: int, part: Fragment) -> int:
    """Return the CRC of a text of which that is ``before``, with ``part`` behind it."""
    # What comes before acts on the sum alike, whatever follows it: nought bytes tell how.
    nought = bytes(part.length)
    return zlib.crc32(nought, before) ^ zlib.crc32(nought) ^ part.crc
