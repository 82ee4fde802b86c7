"""One definition: what is understood, and what is refused in which words."""

from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.definitions.schema import (
    FILLER_KEYS,
    POOL_KEYS,
    PROGRAMME_KEYS,
    Report,
    channel_keys,
    read_definition,
)
from exstream.model.channel import COPY, Query
from tests.conftest import ROOT
from tests.definitions.written import PROFILES, SHORT, WHOLE, faults, number_of


@pytest.mark.parametrize("number", ["1984.1", "7", "010", "7.10", "10", "99999.999"])
def test_numbers_are_taken_as_written(number: str) -> None:
    """A number needs no quotes: 7.10 is not 7.1, and 010 is not eight."""
    assert number_of(SHORT.replace("7\n", f"{number}\n", 1)) == number
    assert number_of(SHORT.replace("7\n", f'"{number}"\n', 1)) == number


@pytest.mark.parametrize(
    ("written", "years"),
    [
        ("1984", (1984, 1984)),
        ("1980..1989", (1980, 1989)),
        ("1980 .. 1989", (1980, 1989)),
        ("[1980, 1989]", (1980, 1989)),
        ("1980..", (1980, 9_999)),
        ("..1989", (0, 1989)),
    ],
)
def test_years(written: str, years: tuple[int, int]) -> None:
    """One year, a span, or a span open at one end."""
    content = SHORT.replace("pool: {}", f"pool:\n      years: {written}")
    definition = read_definition(content.encode(), "channel", PROFILES, "UTC", Report())
    assert definition is not None
    assert definition.pools[0].query.years == years


def test_what_servers_tell_can_be_selected_by() -> None:
    """Each key of a pool restricts by what it says, and names the pool when nothing else does."""
    written = (
        "{artist: Anna, album: [One, Two], server: Attic, collection: Space, playlist: Evening, label: Night,"
        " people: Bo, rating: [PG, de/12], min_rating: 7.5, watched: no, aired: 1999..2003}"
    )
    content = SHORT.replace("pool: {}", f"pool: {written}")
    report = Report()
    definition = read_definition(content.encode(), "channel", PROFILES, "UTC", report)
    assert definition is not None, report.faults
    assert definition.pools[0].query == Query(
        artists=("Anna",),
        albums=("One", "Two"),
        servers=("Attic",),
        collections=("Space",),
        playlists=("Evening",),
        labels=("Night",),
        people=("Bo",),
        content_ratings=("PG", "de/12"),
        min_rating=7.5,
        watched=False,
        aired=(1999, 2003),
    )
    assert definition.pools[0].name == (
        "aired 1999..2003; album One, Two; artist Anna; collection Space; label Night; min_rating 7.5; people Bo;"
        " playlist Evening; rating PG, de/12; server Attic; watched false"
    )


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("min_rating: 11", "'11' is no rating: write a number from 0 to 10"),
        ("min_rating: -1", "'-1' is no rating"),
        ("min_rating: 7,5", "'7,5' is no rating"),
        ("watched: maybe", "'maybe' is neither true nor false"),
        ("aired: yesterday", "'yesterday' are no years"),
        ("colection: Space", "did you mean 'collection'?"),
    ],
)
def test_a_selection_that_cannot_be_meant(key: str, sentence: str) -> None:
    """What is written wrong is refused with what would be right."""
    content = SHORT.replace("pool: {}", f"pool:\n      {key}")
    report = Report()
    assert read_definition(content.encode(), "channel", PROFILES, "UTC", report) is None
    assert sentence in report.faults[0][1]


@pytest.mark.parametrize(
    ("written", "minutes"), [("30m", 30), ("1h", 60), ("1h 30m", 90), ("90m", 90), ("0m", 0), ("", 0)]
)
def test_grids(written: str, minutes: int) -> None:
    """Hours and minutes; nothing means back to back."""
    definition = read_definition(f"{SHORT}align: {written}\n".encode(), "channel", PROFILES, "UTC", Report())
    assert definition is not None
    assert definition.align_minutes == minutes


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "1: the file is empty; a channel needs number, name, profile and programmes"),
        ("# nothing\n", "1: the file is empty; a channel needs number, name, profile and programmes"),
        ("\ufeff\n~\n", "1: the file is empty; a channel needs number, name, profile and programmes"),
        ("- a\n- b\n", "1: the channel is written as keys and values here, such as 'name: value'"),
        ("number: 7\n\tname: x\n", "2: a tab stands before the text; indent with spaces"),
        (
            "number: 7\nname: [a, b\n",
            "3: this is no YAML: did not find expected ',' or ']' (while parsing a flow sequence)",
        ),
        (
            'number: "7\n',
            "2: this is no YAML: found unexpected end of stream (while scanning a quoted scalar)",
        ),
        ("number: 7\n---\nnumber: 8\n", "2: a second document begins; write one channel per file"),
        ("name: \x00\n", "1: there is a control character that YAML does not allow"),
        (b"number: 7\nname: caf\xe9\n", "2: this is not UTF-8 text; save the file as UTF-8"),
        ("number: 7".encode("utf-16"), "1: this is not UTF-8 text; save the file as UTF-8"),
        (
            "name: !!python/tuple [id]\n",
            "1: tags such as tag:yaml.org,2002:python/tuple are not used here; write the plain value",
        ),
        (
            "a: &x [1]\nb: *x\n",
            "1: anchors and aliases (& and *) are not used here; write the value out, or quote it",
        ),
        ("? [a]\n: b\n", "1: a key is a word, not a list or a mapping"),
        (
            "number: 7\nname:\nprofile: 480p25\nprogrammes: []\n",
            "4: programmes: a list of pools is wanted here, each beginning with '- pool:'",
        ),
    ],
)
def test_broken_files_are_explained(content: str | bytes, fault: str) -> None:
    """Whatever is wrong with the text itself is said in a sentence with its line."""
    assert fault in faults(content)


def test_copy_is_a_profile_everywhere() -> None:
    """Whatever the settings hold, a channel may be sent in its items' own format; a slip of the pen is led there."""
    report = Report()
    written = read_definition(WHOLE.replace("480p25", "copy").encode(), "channel", ("480p25",), "UTC", report)
    assert written is not None, report.faults
    assert written.profile == COPY
    assert "there is no profile 'copie'; did you mean 'copy'?" in " ".join(
        faults(WHOLE.replace("480p25", "copie"))
    )
    assert "there are 1080p25, 480p25, 720p25, copy" in " ".join(faults(WHOLE.replace("480p25", "xyz")))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a: &a [x]\n" + "\n".join(f"{b}: &{b} [*{a}, *{a}]" for a, b in pairwise("abcdefghi")), "aliases"),
        ("[" * 100_000, "nested more than 12 deep"),
        ("{a: " * 60_000, "nested more than 12 deep"),
        ("- " * 50_000 + "x", "nested more than 12 deep"),
        ("x" * 10_000_000, "larger than 256 KiB"),
        ("a: [" + "1," * 20_000 + "]", "more than 10000 values"),
        ("\n".join(f"k{number}: 1" for number in range(20_000)), "more than 10000 values"),
        ("name: " + "x" * 250_000, "longer than 200 characters"),
        ("? " * 80_000, "nested more than 12 deep"),
    ],
    ids=["aliases", "lists", "mappings", "blocks", "bytes", "values", "keys", "text", "keys of keys"],
)
def test_poisoned_files_are_refused_quickly(content: str, words: str) -> None:
    """A file made to blow the reader up is refused within a second and named for what it is."""
    starts = process_time()
    assert any(words in fault for fault in faults(content))
    assert process_time() - starts < 1


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_any_content_is_a_definition_or_faults(content: str | bytes) -> None:
    """No content raises an error, and none is refused without a reason."""
    report = Report()
    encoded = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    written = read_definition(encoded, "channel", PROFILES, "UTC", report)
    assert (written is None) == bool(report.faults)


@given(st.integers(0, len(WHOLE)), st.integers(0, len(WHOLE)), st.text(max_size=5))
def test_half_written_and_damaged_files(start: int, end: int, inserted: str) -> None:
    """A definition with any piece cut out or put in is understood or refused, never a failure."""
    content = WHOLE[:start] + inserted + WHOLE[end:]
    report = Report()
    written = read_definition(content.encode("utf-8", "surrogatepass"), "c", PROFILES, "UTC", report)
    assert (written is None) == bool(report.faults)
    assert all(1 <= line <= content.count("\n") + 2 for line, _ in report.faults)


@pytest.mark.parametrize(
    "zone", ["../../etc/passwd", "Europe", "/etc/localtime", "Mars/Olympus", "posixrules\u0001"]
)
def test_odd_time_zones_are_refused(zone: str) -> None:
    """A time zone is a name, never a path."""
    assert faults(f'{SHORT}timezone: "{zone}"\n')


def test_equal_pools_have_names_of_their_own() -> None:
    """Pools are told apart by name; the same selection twice is counted."""
    content = SHORT + "  - pool: {}\n  - {pool: {}, name: 'everything #2'}\n"
    written = read_definition(content.encode(), "channel", PROFILES, "UTC", Report())
    assert written is not None
    assert [pool.name for pool in written.pools] == [
        "everything",
        "everything #3",
        "everything #2",
    ]


@pytest.mark.parametrize(
    "lines",
    [
        "  - {pool: {}, name: a}\n  - {pool: {}, name: a}\n",
        "  - {pool: {}, name: '@turn'}\n",
        "  - {pool: {}, name: filler}\nfiller: {pool: {}}\n",
    ],
)
def test_names_of_pools_that_clash_are_refused(lines: str) -> None:
    """Two pools, or a pool and the filler, do not share a place in their orders."""
    assert faults(SHORT + lines)


def test_the_documentation_names_every_key() -> None:
    """docs/channels.md has a row for each key of each table, and its example is a good definition."""
    text = (ROOT / "docs" / "channels.md").read_text()
    for keys in (channel_keys(PROFILES), FILLER_KEYS, PROGRAMME_KEYS, POOL_KEYS):
        for key in keys:
            assert f"| `{key.name}` |" in text
    example = text.split("```yaml\n", 1)[1].split("```", 1)[0]
    assert faults(example) == []
