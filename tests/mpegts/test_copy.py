"""Items that are sent as they are: real files, cut, joined and filled, judged by an independent referee."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exstream.ffmpeg.command import programme
from exstream.ffmpeg.copying import cheapest
from exstream.ffmpeg.remux import remux
from exstream.model.catalogue import Source
from exstream.model.channel import Profile
from exstream.model.grid import CLOCK_HZ, Rate, Span
from exstream.model.programme import Order, Way
from exstream.mpegts.conformance import Checker, Severity
from exstream.mpegts.intake import Intake
from exstream.mpegts.psi import tables
from exstream.mpegts.splice import Spliced, Splicer
from tests import copyable, material
from tests.referee import Report, decode_faults, examine

FAR = 1 << 60
FILM = "24000/1001"
WRAP_SECONDS = (1 << 33) / CLOCK_HZ


class Deck:
    """Puts files on air one after the other, as they are where that is clean."""

    def __init__(self, profile: Profile, start: float = 1_800_000_000) -> None:
        self.profile = profile
        self.card = material.plain_card(profile)
        first = profile.rate.picture_at(round(start * 1000))
        self.splicer = Splicer(profile.rate, tables("Deck"), first, profile.reorder)
        self.stream = b""
        self.blank: list[int] = []
        """How many pictures of each item were not its own."""

    def order(self, path: Path, seconds: float, offset: float = 0.0) -> Order:
        """Return the order for the next item."""
        media = copyable.known(path)
        first = self.splicer.picture
        span = Span(first, first + self.profile.rate.picture_at(round(seconds * 1000)))
        way = cheapest(media, self.profile)
        return Order(Source(str(path), media), span, round(offset * 1000), self.profile, way)

    def play(
        self, order: Order, *, size: int | None = None, chunk: int = 50_000, cover: bool = True
    ) -> Intake:
        """Put ``order`` on air, ``size`` bytes of it as if it was killed there, and ``cover`` the rest of its span."""
        argv = programme(order) if order.way is Way.TRANSCODE else remux(order)
        data = material.run(*argv)[:size]
        intake = Intake(self.profile.rate, order.span, way=order.way, reorder=self.profile.reorder)
        for at in range(0, len(data), chunk):
            intake.feed(data[at : at + chunk])
            self._drain(intake, ended=False)
        if size is None:
            self._drain(intake, ended=True)
        self.blank.append(order.span.end - self.splicer.picture)
        if cover:
            self._add(self.splicer.cover(self.card, order.span.end))
        return intake

    def item(self, path: Path, seconds: float, offset: float = 0.0) -> Way:
        """Play a file; return the way it took."""
        order = self.order(path, seconds, offset)
        self.play(order)
        return order.way

    def report(self) -> Report:
        """Return what the referee finds."""
        rate = self.profile.rate
        return examine(self.stream, CLOCK_HZ * rate.den / rate.num)

    def _drain(self, intake: Intake, *, ended: bool) -> None:
        while (spliced := self.splicer.take(intake, FAR, self.card, ended=ended)) is not None:
            self._add(spliced)

    def _add(self, spliced: Spliced) -> None:
        self.stream += spliced.data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the files are."""
    return tmp_path_factory.mktemp("copy")


@pytest.mark.parametrize("rate", ["25", FILM, "50"])
def test_unlike_files_join_without_a_seam(folder: Path, rate: str) -> None:
    """Files are copied, get other sound, or are encoded, each by what it is; the stream is one, and decodes cleanly."""
    place = folder / rate.replace("/", "-")
    place.mkdir()
    num, _, den = rate.partition("/")
    deck = Deck(copyable.profile(Rate(int(num), int(den or 1))))
    ways = {name: deck.item(copyable.make(place, name, rate=rate), 8) for name in copyable.RECIPES}
    path = place / "joined.ts"
    path.write_bytes(deck.stream)

    assert deck.report().faults == []
    assert decode_faults(material.FFMPEG, path) == ""
    assert ways == {
        **dict.fromkeys(("pyramid.mp4", "pyramid.mkv", "plain.mkv", "recorded.ts", "mute.mp4"), Way.COPY),
        **dict.fromkeys(("surround.mkv", "surround.ts"), Way.AUDIO),
        "old.avi": Way.TRANSCODE,
    }
    assert max(deck.blank) <= 2


@pytest.mark.parametrize("name", ["pyramid.mp4", "pyramid.mkv", "recorded.ts", "surround.mkv", "surround.ts"])
def test_a_cut_in_the_middle_is_clean(folder: Path, name: str) -> None:
    """An item that ends before its file does is cut at a closed group of pictures, its sound at its last frame."""
    deck = Deck(copyable.profile())
    path = copyable.make(folder, name)
    for seconds in (2.0, 3.04, 3.08, 3.12, 3.16):
        deck.item(path, seconds)
    deck.item(copyable.make(folder, "plain.mkv"), 2)
    recorded = folder / f"cut-{name}.ts"
    recorded.write_bytes(deck.stream)

    report = deck.report()
    assert report.faults == []
    assert decode_faults(material.FFMPEG, recorded) == ""
    assert max(deck.blank) <= 4


@pytest.mark.parametrize("name", ["pyramid.mp4", "pyramid.mkv", "recorded.ts", "surround.mkv", "surround.ts"])
def test_who_tunes_in_gets_the_key_frame_before(folder: Path, name: str) -> None:
    """A stream that begins in the middle of an item begins with a key frame before that place, in picture and sound."""
    deck = Deck(copyable.profile())
    wanted = deck.splicer.picture
    path = copyable.make(folder, name)
    deck.item(path, 2, offset=5.48)
    recorded = folder / f"tuned-{name}.ts"
    recorded.write_bytes(deck.stream)

    report = deck.report()
    assert report.faults == []
    assert decode_faults(material.FFMPEG, recorded) == ""
    first, start = report.video[0], deck.profile.rate.ticks_at(wanted) % (1 << 33)
    assert report.keys[0] == first <= start
    sound, _ = report.audio[0]
    assert abs(sound - first) < CLOCK_HZ / 20
    assert deck.blank[0] <= 3
    assert loud(recorded)


def loud(path: Path) -> bool:
    """Tell whether there is a tone from the first tenth of a second on."""
    samples = material.run("-v", "error", "-i", str(path), "-t", "0.3", "-ac", "1", "-f", "s16le", "pipe:1")
    tail = samples[len(samples) // 2 :]
    return (
        max(abs(int.from_bytes(tail[at : at + 2], "little", signed=True)) for at in range(0, len(tail), 2))
        > 500
    )


@pytest.mark.parametrize("missing", [0.7, 4])
@pytest.mark.parametrize("mended", [False, True], ids=["black", "encoded"])
def test_sound_without_pictures_does_not_run_ahead(folder: Path, missing: float, mended: bool) -> None:
    """Where the pictures of a copied item end before its sound, black or an encoder can go on without a fault."""
    path = folder / f"longer-{missing}.mkv"
    both = ("-i", str(copyable.make(folder, "plain.mkv")))
    maps = ("-map", "0:v", "-map", "1:a", "-c", "copy")
    material.run("-y", "-v", "error", "-t", str(8 - missing), *both, *both, *maps, str(path))
    deck = Deck(copyable.profile())
    order = replace(deck.order(path, 8), way=Way.COPY)
    deck.play(order, cover=not mended)
    if mended:
        deck.play(replace(order, span=Span(deck.splicer.picture, order.span.end), way=Way.TRANSCODE))
    deck.item(copyable.make(folder, "plain.mkv"), 3)

    checker = Checker(rate=deck.profile.rate)
    found = [*checker.feed(deck.stream), *checker.finish()]
    assert deck.report().faults == []
    assert [finding for finding in found if finding.severity is Severity.ERROR] == []
    assert not mended or deck.blank[1] == 0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_copied_feed_cut_off_anywhere_leaves_no_seam(folder: Path, data: st.DataObject) -> None:
    """However a feed dies and in whatever pieces its bytes come, card and next item follow without a fault."""
    name = data.draw(st.sampled_from(["pyramid.mkv", "plain.mkv", "surround.ts"]))
    deck = Deck(copyable.profile())
    order = deck.order(copyable.make(folder, name), 4)
    deck.play(order, size=data.draw(st.integers(0, 150_000)), chunk=data.draw(st.integers(100, 60_000)))
    deck.item(copyable.make(folder, "plain.mkv"), 2)

    assert deck.report().faults == []


@pytest.mark.parametrize("before", [1.0, 3.0, 0.2], ids=["in an item", "at a join", "at the start"])
def test_the_33_bit_clock_wraps_in_copied_items(folder: Path, before: float) -> None:
    """The stamps run over 2^33 inside an item and at a join as anywhere."""
    deck = Deck(copyable.profile(), start=1_000 * WRAP_SECONDS - before)
    for name in ("pyramid.mp4", "recorded.ts", "surround.mkv"):
        deck.item(copyable.make(folder, name), 3)

    report = deck.report()
    assert report.faults == []
    assert min(report.video) < CLOCK_HZ * 9 < max(report.video)


@pytest.mark.parametrize(
    ("filter_", "why"),
    [
        ("select='not(eq(n,60))'", "pictures are missing"),
        ("setpts='if(gt(N,80),N-0.6,N)/25/TB'", "it shows two pictures at one time"),
    ],
)
def test_a_hole_in_the_pictures_is_told(folder: Path, filter_: str, why: str) -> None:
    """A file whose pictures do not run evenly is not copied; taken for one that is, it ends with a reason."""
    path = folder / "hole.mkv"
    material.run(
        *("-y", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=8"),
        *("-f", "lavfi", "-i", "sine=r=48000:d=8", "-vf", filter_, "-fps_mode", "passthrough"),
        *(*copyable.H264, "-bf", "0", "-g", "100", *copyable.AAC, str(path)),
    )
    whole = copyable.known(copyable.make(folder, "plain.mkv"))
    deck = Deck(copyable.profile())
    order = Order(
        Source(str(path), whole), Span(deck.splicer.picture, deck.splicer.picture + 150), 0, deck.profile
    )
    intake = deck.play(order)

    assert intake.fault == why
    assert deck.report().faults == []
    assert cheapest(copyable.known(path), deck.profile) is Way.TRANSCODE
