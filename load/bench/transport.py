"""A viewer's look at a transport stream: its clock, and when a key frame has arrived whole. A parser of its own."""

from __future__ import annotations

from typing import NamedTuple

PACKET = 188
VIDEO_PID = 0x100
CLOCK_HZ = 90_000
_WRAP = 1 << 33
_IDR = 5


class KeyFrame(NamedTuple):
    """A key frame that is whole, as the next picture has begun; ``pts`` in 90 kHz ticks."""

    pts: int
    at_byte: int
    """How many bytes of the stream had come when it was whole."""


class Picture(NamedTuple):
    """A picture that is whole; ``pts`` in 90 kHz ticks, its size in bytes."""

    pts: int
    size: int


class Transport:
    """Counts bytes, follows the clock references, and finds whole key frames."""

    def __init__(self) -> None:
        self.received = 0
        self.clock = 0.0
        """Seconds of media since the first clock reference."""
        self.clock_byte = 0
        """The byte of the last clock reference."""
        self.keys: list[KeyFrame] = []
        self.pictures: list[Picture] = []
        """All of them in order of the stream."""
        self._reference: int | None = None
        self._rest = b""
        self._picture = bytearray()
        self._pts = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream, which began at a packet."""
        start = self.received - len(self._rest)
        self.received += len(data)
        data = self._rest + data
        whole = len(data) - len(data) % PACKET
        self._rest = data[whole:]
        for at in range(0, whole, PACKET):
            self._packet(data[at : at + PACKET], start + at)

    def _packet(self, packet: bytes, at: int) -> None:
        if packet[0] != 0x47:
            raise ValueError(f"byte {at} of the stream is no sync byte")
        if (packet[1] & 0x1F) << 8 | packet[2] != VIDEO_PID:
            return
        body = 4
        if packet[3] & 0x20:
            body += 1 + packet[4]
            if packet[4] and packet[5] & 0x10:
                self._refer(packet[6:12], at)
        if packet[1] & 0x40:
            self._finish(at)
            self._pts = _stamp(packet[body + 9 : body + 14])
            body += 9 + packet[body + 8]
        if packet[3] & 0x10:
            self._picture += packet[body:]

    def _refer(self, field: bytes, at: int) -> None:
        ticks = field[0] << 25 | field[1] << 17 | field[2] << 9 | field[3] << 1 | field[4] >> 7
        if self._reference is not None:
            self.clock += (ticks - self._reference) % _WRAP / CLOCK_HZ
        self._reference = ticks
        self.clock_byte = at

    def _finish(self, at: int) -> None:
        """The picture so far is whole."""
        if _is_key(bytes(self._picture)):
            self.keys.append(KeyFrame(self._pts, at))
        if self._picture:
            self.pictures.append(Picture(self._pts, len(self._picture)))
        self._picture.clear()


def _is_key(picture: bytes) -> bool:
    """Tell whether an access unit holds a slice of an IDR picture."""
    at = picture.find(b"\0\0\1")
    while 0 <= at < len(picture) - 3:
        kind = picture[at + 3] & 0x1F
        if kind <= _IDR and kind:
            return kind == _IDR
        at = picture.find(b"\0\0\1", at + 3)
    return False


def _stamp(field: bytes) -> int:
    return (field[0] >> 1 & 7) << 30 | field[1] << 22 | (field[2] >> 1) << 15 | field[3] << 7 | field[4] >> 1
