"""The body of an answer, unpacked no further than it may grow."""

from __future__ import annotations

import zlib

from exstream.errors import Misunderstood

MIB = 1024 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class Unpacked:
    """Collects the body that ``address`` sends in ``encoding`` (gzip or none), up to ``most`` bytes.

    Every method raises `Misunderstood`.
    """

    def __init__(self, address: str, encoding: str, most: int) -> None:
        encoding = encoding.strip().lower()
        if encoding not in {"", "identity", "gzip", "x-gzip"}:
            raise Misunderstood(
                f"{address} packs its answer in a way that was not asked for: {encoding[:20]}"
            )
        self._address = address
        self._most = most
        self._size = 0
        self._pieces: list[bytes] = []
        self._packed = zlib.decompressobj(_GZIP) if "gzip" in encoding else None

    def take(self, data: bytes) -> None:
        """Add the next bytes as they came."""
        if self._packed is not None:
            try:
                data = self._packed.decompress(data, self._most - self._size + 1)
            except zlib.error as fault:
                raise Misunderstood(f"{self._address} sends an answer that cannot be unpacked") from fault
        self._size += len(data)
        if self._size > self._most:
            raise Misunderstood(
                f"{self._address} sends more than {self._most / MIB:.3g} MiB where far less is expected"
            )
        self._pieces.append(data)

    def whole(self) -> bytes:
        """Return everything, now that the last bytes have come."""
        if self._packed is not None and self._size and not self._packed.eof:
            raise Misunderstood(f"{self._address} sends a packed answer without its end")
        return b"".join(self._pieces)
