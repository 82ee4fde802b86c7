"""The check on streams of all kinds: any codec, any multiplexer, any pieces, and over the wrap of the clock."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exstream.model.channel import Profile
from exstream.model.grid import Rate
from exstream.mpegts.conformance import Checker, Depth, Finding, Kind, check
from exstream.mpegts.packets import PACKET
from tests import material
from tests.mpegts.recordings import (
    PICTURES,
    VIDEO,
    Packets,
    cut,
    has_pcr,
    moved_pcr,
    patched,
    pid_of,
    recounted,
    spliced,
    starts,
    unit,
)
from tests.referee import examine


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for recordings."""
    return tmp_path_factory.mktemp("streams")


@cache
def spliced_once(folder: Path) -> bytes:
    """Return a recording, made once."""
    return spliced(folder, material.SMALL)


@pytest.fixture(scope="module")
def harmed(folder: Path) -> bytes:
    """Return a recording with many things wrong, at its ends too."""
    packets = cut(spliced(folder, material.SMALL))
    gone = {700, 701, *unit(packets, VIDEO, 60), *unit(packets, VIDEO, 61)}
    kept: Packets = [packet for row, packet in enumerate(packets) if row not in gone]
    kept[900] = patched(kept[900], 0, b"\x00")
    kept[1_100:1_101] = [kept[1_100]] * 4
    kept[1_500] = b"\x00" * 1_000
    kept[2_000] = patched(kept[2_000], 1, bytes((kept[2_000][1] | 0x80,)))
    kept[2_100:] = [moved_pcr(packet, 300) for packet in kept[2_100:]]
    return b"\x00" * 333 + b"".join(kept) + b"\x47"


def found(data: bytes, sizes: list[int], depth: Depth = Depth.FULL) -> list[Finding]:
    """Check ``data`` in pieces of ``sizes``, over and over; return the findings in a fixed order."""
    checker, findings, at, turn = Checker(depth), list[Finding](), 0, 0
    while at < len(data):
        findings += checker.feed(data[at : at + sizes[turn % len(sizes)]])
        at += sizes[turn % len(sizes)]
        turn += 1
    findings += checker.finish()
    return sorted(findings, key=lambda finding: (finding.packet, finding.kind, finding.text))


@settings(max_examples=25)
@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=5))
def test_pieces_of_any_size_give_the_same_findings(harmed: bytes, sizes: list[int]) -> None:
    """How the bytes are cut has no influence on what is found, where, and when."""
    sizes = [size if sum(sizes) > 2_000 else size + 400 for size in sizes]
    assert found(harmed, sizes) == found(harmed, [len(harmed)])


def test_single_bytes_give_the_same_findings(harmed: bytes) -> None:
    """Even byte by byte the findings are the same, at either depth."""
    piece = harmed[:290_000]
    for depth in Depth:
        whole = found(piece, [len(piece)], depth)
        assert found(piece, [1], depth) == whole
        assert len({finding.kind for finding in whole}) > 2


@pytest.mark.parametrize("profile", [material.SMALL, material.CINEMA, material.FAST], ids=lambda p: p.name)
@pytest.mark.parametrize(
    "before",
    [1, 30, PICTURES, 2 * PICTURES + 9],
    ids=["at the start", "in an item", "at a join", "in a card"],
)
def test_the_wrap_of_the_clock_is_no_finding(folder: Path, profile: Profile, before: int) -> None:
    """Where 33 bits end, in an item, at a join or in a card, nothing is found, and the referee agrees."""
    data = spliced(folder, profile, before_wrap=before)
    report = check(data)
    pictures = examine(data, 90_000 * profile.rate.den / profile.rate.num)

    assert report.told() == []
    assert pictures.faults == []
    assert max(pictures.video) - min(pictures.video) > 1 << 32
    assert report.pictures is not None
    assert report.pictures.rate == pytest.approx(profile.rate.num / profile.rate.den)


def test_a_viewer_may_join_anywhere(folder: Path) -> None:
    """A recording that begins at any packet, in any picture or sound frame, has no finding."""
    packets = cut(spliced(folder, material.SMALL))
    for first in range(100, 900, 53):
        assert check(b"".join(packets[first:])).told() == []


def test_a_rate_that_is_given_is_held_against_the_stream(folder: Path) -> None:
    """A stream of 25 pictures a second is full of overlaps for whoever expects 23.976."""
    data = spliced(folder, material.SMALL)
    assert check(data, rate=Rate(25)).told() == []
    assert check(data, rate=Rate(24_000, 1_001)).kinds == {Kind.PICTURE_OVERLAP}


CODECS = {
    "H.264 and AAC": ("libx264", "aac", "48000", "H.264", "AAC"),
    "H.264 and AAC at 44.1 kHz": ("libx264", "aac", "44100", "H.264", "AAC"),
    "HEVC and E-AC-3": ("libx265", "eac3", "48000", "HEVC", "E-AC-3"),
    "MPEG-2 and AC-3": ("mpeg2video", "ac3", "48000", "MPEG-2", "AC-3"),
    "MPEG-2 and AC-3 at 44.1 kHz": ("mpeg2video", "ac3", "44100", "MPEG-2", "AC-3"),
    "H.264 and MP2": ("libx264", "mp2", "48000", "H.264", "MPEG audio"),
    "H.264 and MP3": ("libx264", "libmp3lame", "44100", "H.264", "MPEG audio"),
}


def encoded(video: str, sound: str, hertz: str, *options: str, rate: str = "25") -> bytes:
    """Return six seconds as ffmpeg's own multiplexer writes them."""
    return material.run(
        *("-v", "error", "-f", "lavfi", "-i", f"testsrc2=s=320x180:r={rate}:d=6"),
        *("-f", "lavfi", "-i", f"sine=f=440:r={hertz}:d=6", "-pix_fmt", "yuv420p", "-ac", "2"),
        *("-c:v", video, "-g", "25", "-c:a", sound, "-ar", hertz),
        *(("-x265-params", "log-level=error") if video == "libx265" else ()),
        *("-muxdelay", "0.5", "-pcr_period", "20", *options, "-f", "mpegts", "-"),
    )


@pytest.mark.parametrize("name", CODECS)
def test_other_codecs_are_understood(name: str) -> None:
    """Frames of every usual sound codec are counted to the sample, pictures of every usual codec are measured."""
    video, sound, hertz, picture_codec, sound_codec = CODECS[name]
    data = encoded(video, sound, hertz)
    report = check(data)

    assert report.told() == []
    pictures, heard = report.streams
    assert (pictures.codec, pictures.format, pictures.rate) == (picture_codec, "320x180 4:2:0 8 bit", 25)
    assert (heard.codec, heard.format) == (sound_codec, f"2 channels at {hertz} Hz")
    assert pictures.units == 150


@pytest.mark.parametrize("name", CODECS)
def test_a_lost_sound_packet_is_a_gap_in_every_codec(name: str) -> None:
    """Where a PES packet of sound is taken out, its length in time is missing."""
    packets = cut(encoded(*CODECS[name][:3]))
    gone = unit(packets, 0x101, 8)
    report = check(b"".join(recounted([each for row, each in enumerate(packets) if row not in gone])))

    assert report.kinds - {Kind.SOUND_FRAME} == {Kind.SOUND_GAP}, report.told()
    assert report.examples[Kind.SOUND_GAP][0].gap > 0.02


@pytest.mark.parametrize("rate", ["24000/1001", "24", "30000/1001", "50", "60000/1001"])
def test_the_rate_is_found(rate: str) -> None:
    """The exact rate is found from the time stamps."""
    report = check(encoded("libx264", "aac", "48000", "-preset", "ultrafast", rate=rate))
    num, _, den = rate.partition("/")

    assert report.pictures is not None
    assert report.pictures.rate == pytest.approx(int(num) / int(den or 1), rel=1e-9)
    assert report.kinds <= {Kind.PCR_REPETITION}


def test_a_reference_off_a_constant_rate_is_found() -> None:
    """In a multiplex of constant rate a clock reference that is 20 µs wrong is inaccurate; without it, none is."""
    packets = cut(encoded("libx264", "aac", "48000", "-muxrate", "2M"))
    rows = [row for row, packet in enumerate(packets) if has_pcr(packet)]
    harmed = list(packets)
    harmed[rows[120]] = moved_pcr(harmed[rows[120]], 0.02)

    assert check(b"".join(packets)).told() == []
    report = check(b"".join(harmed))
    assert report.kinds == {Kind.PCR_ACCURACY}
    assert [finding.packet for finding in report.examples[Kind.PCR_ACCURACY]] == [rows[120]]


def test_a_stream_without_tables_or_clock_says_so(folder: Path) -> None:
    """What is missing from the whole stream is told at its end, however short it is."""
    packets = cut(spliced(folder, material.SMALL))[:300]
    bare = [packet for packet in packets if pid_of(packet) not in {0, 0x1000} and not has_pcr(packet)]

    assert check(b"".join(bare)).kinds >= {Kind.PAT, Kind.PMT, Kind.PCR_REPETITION}
    assert starts(bare, VIDEO) == []


@settings(max_examples=25)
@given(st.integers(), st.integers(200, 2_000))
def test_damage_of_any_kind_is_judged_without_a_fault_of_ours(folder: Path, seed: int, count: int) -> None:
    """Whatever bytes are changed, taken out or put in, the check goes on to the end and leaves no byte out."""
    data, randomness = bytearray(spliced_once(folder)), Random(seed)
    for _ in range(count):
        at = randomness.randrange(len(data))
        data[at : at + randomness.randrange(3)] = randomness.randbytes(randomness.randrange(3))
    report = check(bytes(data))

    assert not report.clean
    assert report.packets * PACKET + report.skipped == len(data)


@pytest.mark.parametrize("data", [b"", b"<html>" * 1_000, bytes(10_000)], ids=["nothing", "text", "zeros"])
def test_what_is_no_transport_stream_has_no_packets(data: bytes) -> None:
    """Bytes that are no transport stream are skipped, all of them."""
    report = check(data)
    assert (report.packets, report.skipped, report.streams) == (0, len(data), ())
