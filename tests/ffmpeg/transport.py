"""A small, independent reader of transport streams: every picture, audio frame and PCR with its time."""

from __future__ import annotations

from dataclasses import dataclass, field

VIDEO_PID = 0x100
AUDIO_PID = 0x101
_ADTS_HEADER = 7


@dataclass(slots=True)
class Pes:
    """One PES packet; times are 90 kHz ticks, ``position`` is the offset of its first byte in the stream."""

    position: int
    key: bool
    payload: bytearray = field(default_factory=bytearray)
    pts: int = -1
    dts: int = -1

    def take_header(self) -> None:
        """Move the times out of the header, so that the payload is elementary stream alone."""
        head = self.payload
        assert head[:3] == b"\x00\x00\x01", "a PES begins with its start code"
        flags = head[7] >> 6
        self.pts = _time(head[9:14]) if flags & 2 else -1
        self.dts = _time(head[14:19]) if flags == 3 else self.pts
        self.payload = head[9 + head[8] :]


@dataclass(frozen=True, slots=True)
class Recording:
    """What a stream holds."""

    pictures: list[Pes]
    sound: list[Pes]
    pcrs: list[tuple[int, int]]
    """(offset in the stream, 27 MHz ticks)."""

    @property
    def picture_times(self) -> list[int]:
        """The pictures' PTS in the order in which they are shown."""
        return sorted(pes.pts for pes in self.pictures)

    @property
    def key_times(self) -> list[int]:
        """The PTS of the key frames."""
        return [pes.pts for pes in self.pictures if pes.key]

    @property
    def frames(self) -> list[bytes]:
        """Every whole ADTS frame."""
        return adts_frames(b"".join(bytes(pes.payload) for pes in self.sound))


def record(data: bytes) -> Recording:
    """Read ``data``: whole 188-byte packets with pictures on 0x100 and sound on 0x101."""
    assert len(data) % 188 == 0, "whole packets"
    found: dict[int, list[Pes]] = {VIDEO_PID: [], AUDIO_PID: []}
    pcrs: list[tuple[int, int]] = []
    for offset in range(0, len(data), 188):
        packet = data[offset : offset + 188]
        assert packet[0] == 0x47, "a packet begins with 0x47"
        pid = (packet[1] & 0x1F) << 8 | packet[2]
        start, key = 4, False
        if packet[3] & 0x20:
            start = 5 + packet[4]
            key = packet[4] > 0 and bool(packet[5] & 0x40)
            if packet[4] > 0 and packet[5] & 0x10:
                base = int.from_bytes(packet[6:10], "big") << 1 | packet[10] >> 7
                pcrs.append((offset, base * 300 + ((packet[10] & 1) << 8 | packet[11])))
        if pid in found and packet[3] & 0x10:
            if packet[1] & 0x40:
                found[pid].append(Pes(offset, key))
            found[pid][-1].payload += packet[start:]
    for pes in (*found[VIDEO_PID], *found[AUDIO_PID]):
        pes.take_header()
    return Recording(found[VIDEO_PID], found[AUDIO_PID], pcrs)


def adts_frames(data: bytes) -> list[bytes]:
    """Cut ``data`` into ADTS frames."""
    frames, at = [], 0
    while at + _ADTS_HEADER <= len(data):
        assert data[at] == 0xFF, "an ADTS frame begins with its sync word"
        assert data[at + 1] >> 4 == 0xF, "an ADTS frame begins with its sync word"
        length = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        frames.append(data[at : at + length])
        at += length
    return frames


def nal_units(annexb: bytes) -> list[bytes]:
    """Cut an H.264 byte stream into its NAL units, without start codes."""
    units = annexb.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01").split(b"\x00\x00\x01")
    return [unit for unit in units[1:] if unit]


def parameter_sets(pictures: list[Pes]) -> set[tuple[bytes, ...]]:
    """Return the distinct (SPS, PPS) that key frames carry; a key frame without them adds an empty tuple."""
    return {
        tuple(unit for unit in nal_units(bytes(pes.payload)) if unit[0] & 0x1F in {7, 8})
        for pes in pictures
        if pes.key
    }


def _time(field_: bytes | bytearray) -> int:
    return (
        (field_[0] >> 1 & 7) << 30
        | field_[1] << 22
        | (field_[2] >> 1) << 15
        | field_[3] << 7
        | field_[4] >> 1
    )
