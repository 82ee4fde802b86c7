"""Bits of a parameter set, one after the other (ITU-T H.264, 7.2 and 9.1)."""

from __future__ import annotations


class Bits:
    """Reads ``data``, a NAL unit's payload with its emulation prevention; raises ValueError beyond its end."""

    def __init__(self, data: bytes) -> None:
        payload = data.replace(b"\x00\x00\x03", b"\x00\x00")
        self._value = int.from_bytes(payload, "big")
        self._left = 8 * len(payload)

    def take(self, count: int) -> int:
        """Return the next ``count`` bits as a number."""
        if count > self._left:
            raise ValueError("the parameter set is cut off")
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1)

    def unsigned(self) -> int:
        """Return an Exp-Golomb number, ue(v)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """Return a signed Exp-Golomb number, se(v)."""
        code = self.unsigned()
        return (code + 1) // 2 if code & 1 else -(code // 2)
