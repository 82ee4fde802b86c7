"""The guide document, judged by its DTD and by readers."""

import os
import subprocess
from itertools import pairwise
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from exstream.guide.programmes import programmes
from exstream.guide.xmltv import Edition, document, entries, footer, header
from exstream.model.catalogue import Catalogue, Item, ItemKind
from exstream.model.channel import ChannelDefinition
from exstream.model.programme import Programme
from exstream.schedule.planner import plan_day
from tests import programs
from tests.schedule import libraries
from tests.schedule.test_planner import DAY, film, instant

DTD = Path("/usr/share/xmltv/xmltv.dtd")
BASE = "http://192.168.1.5:8411"
CHANNEL = ChannelDefinition("robot-harbour", "102", "Robot & Harbour", "480p25", ())
NOON = instant("2026-11-21T12:00:00", "UTC")
HOUR = 3_600_000

texts = st.text(max_size=40)
items = st.builds(
    Item,
    key=st.just("local:1"),
    kind=st.sampled_from(ItemKind),
    title=texts,
    duration_ms=st.integers(1, 10_000_000),
    library=st.just("Demo"),
    show=texts,
    season=st.none() | st.integers(-1, 2_030),
    episode=st.none() | st.integers(-1, 5_000),
    year=st.none() | st.integers(0, 20_000),
    summary=texts,
    genres=st.lists(texts, max_size=3).map(tuple),
    aired=st.dates().map(str) | texts,
    content_rating=st.sampled_from(["TV-14", "PG-13", "de/16", "NR", "/", "x/"]) | texts,
    rating=st.none() | st.floats(0, 10),
    artwork=st.sampled_from(["", "/library/metadata/1/thumb/5"]),
)


def parse(text: str) -> etree._Element:
    return etree.fromstring(text.encode())


def whole(programme: Programme, *known: Item) -> str:
    return "".join(document([CHANNEL], {CHANNEL.id: [programme]}, Edition(Catalogue.of(known), BASE)))


def entry(item: Item, title: str = "Title") -> etree._Element:
    found = parse(whole(Programme(CHANNEL.id, NOON, NOON + HOUR, title, item.key), item)).find("programme")
    assert found is not None
    return found


def told(element: etree._Element) -> list[tuple[str, str | None]]:
    return [(child.tag, child.text) for child in element]


def week() -> str:
    """Return the guide of three channels over two days, as the planner makes them."""
    library = Catalogue.of(
        [*(libraries.episode(number) for number in range(1, 9)), film(95, "Nord & Süd"), libraries.filler(45)]
    )
    harbour = libraries.channel(align=30, fillers=True)
    films = ChannelDefinition("films", "1984.1", "Films", "480p25", (libraries.FILMS,))
    empty = ChannelDefinition("1", "1", "Nothing", "480p25", ())
    guide = {}
    for definition in (harbour, films, empty):
        first = plan_day(definition, library, DAY, None, {})
        guide[definition.id] = programmes(first.segments)
    return "".join(document([harbour, films, empty], guide, Edition(library, BASE)))


@pytest.fixture(scope="module")
def dtd() -> etree.DTD:
    if not DTD.exists():
        programs.missing("the DTD of XMLTV is not installed (Debian: xmltv-util)")
    return etree.DTD(str(DTD))


@given(item=items, title=texts)
def test_any_text_makes_a_valid_document(dtd: etree.DTD, item: Item, title: str) -> None:
    """Whatever a library says, the document is well formed and follows the DTD, its titles not empty."""
    text = whole(Programme(CHANNEL.id, NOON, NOON + HOUR, title, item.key), item)
    root = parse(text)
    assert dtd.validate(root), dtd.error_log
    assert (root.findtext("programme/title") or "").strip()


def test_a_planned_guide_is_valid(dtd: etree.DTD) -> None:
    """What the planner publishes makes a valid document."""
    assert dtd.validate(parse(week())), dtd.error_log


def test_the_validator_of_xmltv_accepts_it(tmp_path: Path) -> None:
    """The reference implementation finds nothing to say about ids, times, numbers and texts."""
    validator = programs.require_program("tv_validate_file")
    guide = tmp_path / "guide.xml"
    guide.write_text(week(), encoding="utf-8")
    environment = {**os.environ, "XMLTV_SUPPLEMENT": str(DTD.parent)}
    done = subprocess.run(
        [validator, str(guide)], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_element_has_a_line_of_its_own() -> None:
    """A reader that loses the element after a short one on the same line loses nothing."""
    for line in week().splitlines()[2:]:
        text = line.strip()
        assert text.count("<") == 1 or (text.count("<") == 2 and text.count("</") == 1), line


def test_what_a_server_knows_of_an_item() -> None:
    """When it was first shown, its picture at this server's address, for whom it is, and how good it is said to be."""
    element = entry(
        Item(
            "den:7",
            ItemKind.FILM,
            "Film",
            HOUR,
            "Films",
            year=1984,
            aired="1984-03-09",
            content_rating="PG-13",
            rating=7.25,
            artwork="/library/metadata/7/thumb/5",
        )
    )
    picture, rating = element.find("icon"), element.find("rating")
    assert picture is not None
    assert rating is not None
    assert element.findtext("date") == "19840309"
    assert picture.get("src") == f"{BASE}/iptv/artwork/den:7"
    assert (rating.get("system"), rating.findtext("value")) == ("MPAA", "PG-13")
    assert element.findtext("star-rating/value") == "7.2/10"


@pytest.mark.parametrize(
    ("said", "system", "value"),
    [
        ("TV-14", "VCHIP", "TV-14"),
        ("R", "MPAA", "R"),
        ("de/16", "DE", "16"),
        ("Passed", None, "Passed"),
        ("NR", None, None),
        ("gb/NR", None, None),
        ("", None, None),
    ],
)
def test_a_rating_is_of_the_system_that_gave_it(said: str, system: str | None, value: str | None) -> None:
    """Of the one for television or films in the United States, of a country, or of nobody that is known."""
    rating = entry(Item("den:7", ItemKind.FILM, "Film", HOUR, "Films", content_rating=said)).find("rating")
    told = (None, None) if rating is None else (rating.get("system"), rating.findtext("value"))
    assert told == (system, value)


def test_an_episode() -> None:
    """Show above, title below, numbers for people and for programs, and the words readers look for."""
    item = Item(
        "local:1",
        ItemKind.EPISODE,
        "The <Quay>",
        1_320_000,
        "Demo",
        "Robot Harbour",
        season=2,
        episode=5,
        year=1984,
        summary="Fog.\n\nA ship & a robot.",
        genres=("Drama", "series"),
    )
    element = entry(item)
    assert [element.get(name) for name in ("start", "stop", "channel")] == [
        "20261121120000 +0000",
        "20261121130000 +0000",
        "robot-harbour.exstream",
    ]
    assert told(element) == [
        ("title", "Robot Harbour"),
        ("sub-title", "The <Quay>"),
        ("desc", "Fog. A ship & a robot."),
        ("date", "1984"),
        ("category", "Series"),
        ("category", "Drama"),
        ("length", "1320"),
        ("episode-num", "S02E05"),
        ("episode-num", "1.4.0/1"),
        ("previously-shown", None),
    ]
    assert [number.get("system") for number in element.findall("episode-num")] == ["onscreen", "xmltv_ns"]


@pytest.mark.parametrize(
    ("season", "episode", "written"),
    [
        (0, 3, ["S00E03", ".2.0/1"]),
        (None, 12, ["E12", ".11.0/1"]),
        (3, None, ["S03", "2..0/1"]),
        (2024, 1012, ["S2024E1012", "2023.1011.0/1"]),
        (None, None, []),
    ],
)
def test_numbers_that_are_not_there_are_left_open(
    season: int | None, episode: int | None, written: list[str]
) -> None:
    """Nothing is made up: a missing season or episode stays empty."""
    item = Item("local:1", ItemKind.EPISODE, "T", 60_000, "Demo", "Show", season=season, episode=episode)
    assert [number.text for number in entry(item).findall("episode-num")] == written


def test_a_film() -> None:
    """The word that makes players show it as a film, no number, and not new."""
    element = entry(Item("local:1", ItemKind.FILM, "Norden", 5_400_000, "Films", year=1999))
    assert told(element) == [
        ("title", "Norden"),
        ("date", "1999"),
        ("category", "Movie"),
        ("length", "5400"),
        ("previously-shown", None),
    ]


def test_an_item_that_is_gone_is_told_by_its_row() -> None:
    """The title that was published stays in the guide."""
    text = whole(Programme(CHANNEL.id, NOON, NOON + HOUR, "Lost & Found", "local:gone"))
    assert parse(text).findtext("programme/title") == "Lost & Found"


def test_channels_are_listed_by_number_with_names_that_clients_match() -> None:
    """One display-name is the number and nothing else: tuners have no other link to the guide."""
    other = ChannelDefinition("nine", "9", "Nine", "480p25", (), logo="https://example.org/9.png?a=1&b=2")
    root = parse(header([CHANNEL, other], BASE) + footer())
    channels = root.findall("channel")
    assert [channel.get("id") for channel in channels] == ["nine.exstream", "robot-harbour.exstream"]
    names = [name.text for name in channels[1].findall("display-name")]
    assert names == ["102", "Robot & Harbour", "102 Robot & Harbour"]
    icons = [channel.find("icon") for channel in channels]
    assert [icon.get("src") for icon in icons if icon is not None] == [
        "https://example.org/9.png?a=1&b=2",
        f"{BASE}/iptv/logos/robot-harbour.png",
    ]


@given(st.lists(st.integers(0, 10_000_000), min_size=2, max_size=30, unique=True).map(sorted))
def test_whole_seconds_leave_no_gap_and_no_overlap(edges: list[int]) -> None:
    """However the milliseconds fall, each programme stops when the next one starts, and none lasts no time."""
    rows = [Programme(CHANNEL.id, NOON + starts, NOON + ends, "T") for starts, ends in pairwise(edges)]
    elements = parse(
        header([CHANNEL], BASE) + "".join(entries(rows, Edition(Catalogue(), BASE))) + footer()
    ).findall("programme")
    times = [(element.get("start"), element.get("stop")) for element in elements]
    assert all(before[1] == after[0] for before, after in pairwise(times))
    assert all(start != stop for start, stop in times)


def test_a_hundred_thousand_programmes_take_little_time() -> None:
    """A year of many channels is written within two seconds (it is given thrice the time, for slow hosts)."""
    library = [libraries.episode(number) for number in range(2_000)]
    catalogue = Catalogue.of(library)
    rows = [
        Programme(
            CHANNEL.id, NOON + number * 60_000, NOON + (number + 1) * 60_000, "T", library[number % 2_000].key
        )
        for number in range(100_000)
    ]
    starts = process_time()
    size = sum(len(text) for text in entries(rows, Edition(catalogue, BASE)))
    assert process_time() - starts < 6
    assert size > 10_000_000
