"""Good streams are clean; a good stream with one thing wrong shows exactly that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from exstream.mpegts.conformance import Depth, Kind, check
from exstream.mpegts.packets import PACKET, pcr_packet, read_pcr
from exstream.mpegts.psi import crc32
from tests import material
from tests.mpegts.recordings import (
    AUDIO,
    PCR_MS,
    PMT,
    VIDEO,
    Harm,
    Packets,
    body_of,
    clocked,
    cut,
    has_pcr,
    moved_pcr,
    moved_stamps,
    patched,
    pid_of,
    recounted,
    spliced,
    starts,
    unit,
    without_pcr,
)
from tests.referee import examine

MIDDLE = 5.0
"""Seconds into the recording at which it is harmed."""


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Packets:
    """Return a spliced recording of 25 pictures a second."""
    return cut(spliced(tmp_path_factory.mktemp("good"), material.SMALL))


def row_at(packets: Packets, seconds: float = MIDDLE) -> int:
    return next(row for row, now in enumerate(clocked(packets)) if now >= seconds)


def with_packet(packets: Packets, row: int, *replacement: bytes) -> Packets:
    return [*packets[:row], *replacement, *packets[row + 1 :]]


def inner_row(packets: Packets) -> int:
    """Return the row of a packet in the middle of a picture."""
    at = row_at(packets)
    return next(
        row
        for row in range(at, len(packets))
        if all(pid_of(each) == VIDEO and not each[1] & 0x40 for each in packets[row - 1 : row + 3])
    )


def second_half(packets: Packets, pid: int) -> int:
    """Return the row of the first start on ``pid`` after the middle; on pictures, of a key frame."""
    at = row_at(packets)
    return next(
        row
        for row in starts(packets, pid)
        if row >= at and (pid != VIDEO or (packets[row][3] & 0x20 and packets[row][5] & 0x40))
    )


def lost_packet(packets: Packets) -> Packets:
    return with_packet(packets, inner_row(packets))


def sent_three_times(packets: Packets) -> Packets:
    row = inner_row(packets)
    return with_packet(packets, row, *[packets[row]] * 3)


def wrong_sync_byte(packets: Packets) -> Packets:
    row = inner_row(packets)
    return with_packet(packets, row, patched(packets[row], 0, b"\x46"))


def two_wrong_sync_bytes(packets: Packets) -> Packets:
    row = inner_row(packets)
    once = with_packet(packets, row, patched(packets[row], 0, b"\x46"))
    return with_packet(once, row + 1, patched(packets[row + 1], 0, b"\x48"))


def strange_bytes(packets: Packets) -> Packets:
    row = inner_row(packets)
    return with_packet(packets, row, packets[row], b"\x00" * 100)


def lost_byte(packets: Packets) -> Packets:
    row = inner_row(packets)
    return with_packet(packets, row, packets[row][:100] + packets[row][101:])


def marked_as_damaged(packets: Packets) -> Packets:
    row = inner_row(packets)
    return with_packet(packets, row, patched(packets[row], 1, bytes((packets[row][1] | 0x80,))))


def without_tables(pid: int) -> Harm:
    def harm(packets: Packets) -> Packets:
        times = clocked(packets)
        kept = [
            packet
            for packet, now in zip(packets, times, strict=True)
            if pid_of(packet) != pid or not MIDDLE < now < MIDDLE + 0.6
        ]
        return recounted(kept)

    return harm


def wrong_crc(packets: Packets) -> Packets:
    row = next(row for row in starts(packets, PMT) if row > row_at(packets))
    return with_packet(packets, row, patched(packets[row], 20, bytes((packets[row][20] ^ 1,))))


def unsent_stream(packets: Packets) -> Packets:
    """The PMT names a second sound that never comes."""

    def named(packet: bytes) -> bytes:
        section = bytearray(packet[5 : 5 + 3 + packet[7]][:-4]) + b"\x0f\xe1\x02\xf0\x00"
        section[2] += 5
        whole = bytes(section) + crc32(bytes(section)).to_bytes(4, "big")
        return (packet[:5] + whole).ljust(PACKET, b"\xff")

    return [named(packet) if pid_of(packet) == PMT else packet for packet in packets]


def few_references(packets: Packets) -> Packets:
    """Two references in a row, of those that come every 20 ms, are taken out."""
    rows = [row for row in range(row_at(packets), len(packets)) if has_pcr(packets[row])]
    values = [read_pcr(packets[row][6:12]) for row in rows]
    place = next(at for at in range(len(rows)) if values[at + 3] - values[at] == 60 * PCR_MS)
    gone = rows[place + 1 : place + 3]
    return [without_pcr(packet) if row in gone else packet for row, packet in enumerate(packets)]


def stepped_clock(ms: float) -> Harm:
    def harm(packets: Packets) -> Packets:
        at = row_at(packets)
        return [moved_pcr(packet, ms if row >= at else 0) for row, packet in enumerate(packets)]

    return harm


def no_time_stamps(packets: Packets) -> Packets:
    times = clocked(packets)

    def bare(packet: bytes) -> bytes:
        return patched(packet, body_of(packet) + 7, b"\x00")

    rows = {row for row in starts(packets, VIDEO) if MIDDLE < times[row] < MIDDLE + 0.8}
    return [bare(packet) if row in rows else packet for row, packet in enumerate(packets)]


def late_sound(packets: Packets) -> Packets:
    """All sound arrives 0.6 s later than it did."""
    fresh: Packets = []
    waiting: list[tuple[float, bytes]] = []
    for packet, now in zip(packets, clocked(packets), strict=True):
        while waiting and waiting[0][0] <= now - 0.6:
            fresh.append(waiting.pop(0)[1])
        if pid_of(packet) == AUDIO:
            waiting.append((now, packet))
        else:
            fresh.append(packet)
    return fresh


def lost_sound(packets: Packets) -> Packets:
    number = len(starts(packets, AUDIO)) // 2
    gone = set(unit(packets, AUDIO, number))
    return recounted([packet for row, packet in enumerate(packets) if row not in gone])


def damaged_sound(packets: Packets) -> Packets:
    row = second_half(packets, AUDIO)
    body = body_of(packets[row])
    return with_packet(packets, row, patched(packets[row], body + 9 + packets[row][body + 8], b"\x00"))


def moved_from(pid: int, ms: float) -> Harm:
    """All time stamps on a PID, from the middle on, are moved."""

    def harm(packets: Packets) -> Packets:
        first = second_half(packets, pid)
        rows = {row for row in starts(packets, pid) if row >= first}
        return [moved_stamps(packet, ms) if row in rows else packet for row, packet in enumerate(packets)]

    return harm


def sound_apart(packets: Packets) -> Packets:
    rows = set(starts(packets, AUDIO))
    return [moved_stamps(packet, 900) if row in rows else packet for row, packet in enumerate(packets)]


def lost_picture(packets: Packets) -> Packets:
    number = len(starts(packets, VIDEO)) // 2
    rows = unit(packets, VIDEO, number)
    reference = pcr_packet(VIDEO, read_pcr(packets[rows[0]][6:12]))
    kept = [packet for row, packet in enumerate(packets) if row not in rows[1:]]
    return recounted(with_packet(kept, rows[0], reference))


def moved_decode_time(ms: float) -> Harm:
    def harm(packets: Packets) -> Packets:
        at = row_at(packets)
        row = next(
            row
            for row in starts(packets, VIDEO)
            if row > at and packets[row][body_of(packets[row]) + 7] & 0x40
        )
        return with_packet(packets, row, moved_stamps(packets[row], dts_ms=ms))

    return harm


def no_pes_packet(packets: Packets) -> Packets:
    row = starts(packets, VIDEO)[-1]
    return with_packet(packets, row, patched(packets[row], body_of(packets[row]), b"\x47\x47\x47"))


def mono_for_a_moment(packets: Packets) -> Packets:
    row = second_half(packets, AUDIO)
    body = body_of(packets[row])
    at = body + 9 + packets[row][body + 8] + 3
    return with_packet(packets, row, patched(packets[row], at, bytes((packets[row][at] & 0x3F | 0x40,))))


HARMS: dict[str, tuple[Harm, Kind]] = {
    "a packet lost": (lost_packet, Kind.CONTINUITY),
    "a packet sent three times": (sent_three_times, Kind.CONTINUITY),
    "a wrong sync byte": (wrong_sync_byte, Kind.SYNC_BYTE),
    "two wrong sync bytes": (two_wrong_sync_bytes, Kind.SYNC_LOSS),
    "strange bytes": (strange_bytes, Kind.SYNC_LOSS),
    "a byte lost": (lost_byte, Kind.SYNC_LOSS),
    "a packet marked as damaged": (marked_as_damaged, Kind.TRANSPORT),
    "no PAT for 600 ms": (without_tables(0), Kind.PAT),
    "no PMT for 600 ms": (without_tables(PMT), Kind.PMT),
    "a wrong CRC": (wrong_crc, Kind.CRC),
    "a stream that never comes": (unsent_stream, Kind.PID),
    "60 ms between references": (few_references, Kind.PCR_REPETITION),
    "the clock jumps": (stepped_clock(150), Kind.PCR_DISCONTINUITY),
    "the clock goes back": (stepped_clock(-60), Kind.PCR_DISCONTINUITY),
    "no PTS for 800 ms": (no_time_stamps, Kind.PTS_REPETITION),
    "late sound": (late_sound, Kind.LATE),
    "sound lost": (lost_sound, Kind.SOUND_GAP),
    "sound too early": (moved_from(AUDIO, -10), Kind.SOUND_OVERLAP),
    "damaged sound": (damaged_sound, Kind.SOUND_FRAME),
    "sound far from the pictures": (sound_apart, Kind.EDGES),
    "a picture lost": (lost_picture, Kind.PICTURE_GAP),
    "half a picture too late": (moved_from(VIDEO, 20), Kind.PICTURE_GAP),
    "half a picture too early": (moved_from(VIDEO, -20), Kind.PICTURE_OVERLAP),
    "decode times go back": (moved_decode_time(-100), Kind.DTS_ORDER),
    "decoded after shown": (moved_decode_time(130), Kind.DTS_AFTER_PTS),
    "no PES packet": (no_pes_packet, Kind.PES),
    "mono for a moment": (mono_for_a_moment, Kind.PARAMETERS),
}
BEYOND_THE_REFEREE = {
    *(
        "a packet sent three times",
        "strange bytes",
        "a byte lost",
        "a wrong CRC",
        "a stream that never comes",
    ),
    *("no PTS for 800 ms", "sound far from the pictures", "decoded after shown", "mono for a moment"),
}
"""What the referee has no eye for, or cannot read at all."""


@pytest.mark.parametrize("depth", Depth, ids=lambda depth: depth.name)
def test_a_good_stream_is_clean(good: Packets, depth: Depth) -> None:
    """Items, cards and an item cut off in the middle have no finding, and everything in them is counted."""
    data = b"".join(good)
    report = check(data, depth)
    referee = examine(data)

    assert report.told() == []
    assert not report.warnings
    pictures, sound = report.streams
    assert (pictures.units, pictures.keys, pictures.rate) == (len(referee.video), len(referee.keys), 25)
    # The referee counts a PES packet when the next one begins.
    assert 0 < sound.units - sum(frames for _, frames in referee.audio) < 10
    assert sound.format == "2 channels at 48000 Hz"
    assert pictures.format == ("320x180 4:2:0 8 bit" if depth is Depth.FULL else "")


@pytest.mark.parametrize("name", HARMS)
def test_one_harm_is_found_and_nothing_else(good: Packets, name: str) -> None:
    """A stream broken in one way shows exactly that way, with its place; the independent referee sees it too."""
    harm, kind = HARMS[name]
    data = b"".join(harm(list(good)))
    report = check(data)

    assert report.kinds == {kind}, report.told()
    found = report.examples[kind][0]
    assert found.seconds <= report.seconds
    assert 0 < found.packet <= len(good)
    if name not in BEYOND_THE_REFEREE:
        assert examine(data).faults != []


def test_a_packet_may_be_sent_twice(good: Packets) -> None:
    """A packet may come a second time, and nothing in it counts twice."""
    row = starts(good, VIDEO)[40]
    inner = inner_row(good)
    twice = with_packet(with_packet(good, inner, good[inner], good[inner]), row, good[row], good[row])

    assert check(b"".join(twice)).told() == []


def stuffed(packet: bytes, payload: bytes, *, start: bool) -> bytes:
    """Return a packet with ``payload`` and the fields of ``packet``; what is left is stuffing."""
    fields = packet[5 : 5 + packet[4]] if start and packet[3] & 0x20 and packet[4] else b"\x00"
    fields = fields.ljust(PACKET - 5 - len(payload), b"\xff")
    second = packet[1] & 0xBF | (0x40 if start else 0)
    return bytes((0x47, second, packet[2], 0x30, len(fields))) + fields + payload


@pytest.mark.parametrize("depth", Depth, ids=lambda depth: depth.name)
@pytest.mark.parametrize("size", [1, 6, 12])
def test_a_header_may_go_on_in_the_next_packet(good: Packets, depth: Depth, size: int) -> None:
    """A PES header of which only the first bytes fit into a packet is read as any other."""
    split: Packets = []
    rows = set(starts(good, VIDEO)[20:60])
    for row, packet in enumerate(good):
        if row not in rows:
            split.append(packet)
            continue
        payload = packet[body_of(packet) :]
        split.append(stuffed(packet, payload[:size], start=True))
        split.append(stuffed(packet, payload[size:], start=False))
    report = check(b"".join(recounted(split)), depth)

    assert report.told() == []
    assert report.pictures is not None
    assert report.pictures.units == len(starts(good, VIDEO))


@pytest.mark.parametrize("ms", [150, -60, 5_000_000], ids=str)
def test_an_announced_discontinuity_is_none(good: Packets, ms: float) -> None:
    """Where the discontinuity indicator stands, clock, time stamps and counters may begin anew."""
    first = second_half(good, VIDEO)

    def moved(row: int, packet: bytes) -> bytes:
        if row < first:
            return packet
        packet = moved_pcr(packet, ms)
        if row == first:
            packet = patched(packet, 5, bytes((packet[5] | 0x80,)))
        if packet[1] & 0x40 and pid_of(packet) in {VIDEO, AUDIO}:
            packet = moved_stamps(packet, ms)
        return packet

    assert check(b"".join(moved(row, packet) for row, packet in enumerate(good))).told() == []


def test_other_parameters_of_the_same_size_are_a_warning(good: Packets) -> None:
    """A key frame whose SPS has another level is told as a warning, there and back: the stream is clean."""
    row = second_half(good, VIDEO)
    level = good[row].index(b"\x00\x00\x01\x67") + 6
    report = check(b"".join(with_packet(good, row, patched(good[row], level, b"\x33"))))

    assert report.clean
    assert report.warnings == {Kind.PARAMETERS: 2}


def test_pictures_of_another_size_are_an_error(tmp_path: Path) -> None:
    """Where the size changes under way, it is said from what to what."""
    small = spliced(tmp_path, material.SMALL)
    wide = spliced(tmp_path, replace(material.SMALL, width=480, height=270))
    report = check(b"".join(recounted(cut(small + wide))))

    assert any("320x180" in text and "480x270" in text for text in report.told())
