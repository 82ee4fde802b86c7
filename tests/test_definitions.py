"""Channels as users write them: what is understood, what is refused, and what stays on air."""

import os
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.definitions import Definitions, load_directory
from exstream.definitions.schema import (
    FILLER_KEYS,
    POOL_KEYS,
    PROGRAMME_KEYS,
    Report,
    channel_keys,
    read_definition,
)
from exstream.model.channel import ChannelDefinition, Order, Pool, Query
from tests.conftest import ROOT

PROFILES = ("480p25", "720p25", "1080p25")
WHOLE = """\
number: "102"
name: Robot Harbour
profile: 480p25
timezone: Europe/Berlin
group: Demo
logo: https://example.org/harbour.png
align: 30m
programmes:
  - pool: {kind: episode, show: Robot Harbour}
    order: chronological
    count: 2
  - name: old films
    pool:
      kind: [film, other]
      library: Films
      genre: [Drama, Comedy]
      title: [One, Two]
      years: 1980..1989
    order: shuffle
filler:
  pool: {kind: filler}
  order: shuffle
enabled: false
warm: yes
seed: winter
tags: [demo, robots]
"""
SHORT = """\
number: 7
name: Seven
profile: 720p25
programmes:
  - pool: {}
"""


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def load(folder: Path, last_good: Mapping[str, ChannelDefinition] | None = None) -> Definitions:
    return load_directory(folder, PROFILES, last_good or {}, "Europe/Paris")


def faults(content: str | bytes) -> list[str]:
    report = Report()
    encoded = content if isinstance(content, bytes) else content.encode()
    read_definition(encoded, "channel", PROFILES, "UTC", report)
    return [f"{line}: {sentence}" for line, sentence in report.faults]


def number_of(content: str) -> str:
    written = read_definition(content.encode(), "channel", PROFILES, "UTC", Report())
    assert written is not None
    return written.definition.number


def test_every_key_is_understood(tmp_path: Path) -> None:
    """A file with every key becomes the definition it says."""
    result = load(write(tmp_path, {"robot-harbour.yaml": WHOLE}))
    assert result.faults == ()
    assert result.channels == (
        ChannelDefinition(
            id="robot-harbour",
            number="102",
            name="Robot Harbour",
            profile="480p25",
            pools=(
                Pool("kind episode; show Robot Harbour", Query(("episode",), ("Robot Harbour",)), count=2),
                Pool(
                    "old films",
                    Query(
                        ("film", "other"), (), ("One", "Two"), ("Films",), ("Drama", "Comedy"), (1980, 1989)
                    ),
                    Order.SHUFFLE,
                ),
            ),
            filler=Pool("filler", Query(("filler",)), Order.SHUFFLE),
            align_minutes=30,
            timezone="Europe/Berlin",
            group="Demo",
            logo="https://example.org/harbour.png",
            enabled=False,
            warm=True,
            seed="winter",
            tags=("demo", "robots"),
        ),
    )
    assert dict(result.files) == {"robot-harbour.yaml": result.channels[0]}


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    """Five lines make a channel: id by the file's name, back to back, on the machine's time, enabled."""
    (channel,) = load(write(tmp_path, {"seven.yml": SHORT})).channels
    assert (channel.id, channel.number, channel.timezone) == ("seven", "7", "Europe/Paris")
    assert (channel.align_minutes, channel.enabled, channel.warm, channel.filler) == (0, True, False, None)
    assert channel.pools == (Pool("everything", Query()),)


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
    assert definition.definition.pools[0].query.years == years


@pytest.mark.parametrize(
    ("written", "minutes"), [("30m", 30), ("1h", 60), ("1h 30m", 90), ("90m", 90), ("0m", 0), ("", 0)]
)
def test_grids(written: str, minutes: int) -> None:
    """Hours and minutes; nothing means back to back."""
    definition = read_definition(f"{SHORT}align: {written}\n".encode(), "channel", PROFILES, "UTC", Report())
    assert definition is not None
    assert definition.definition.align_minutes == minutes


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    """Each fault comes with its file, its line and the nearest word that would be right."""
    broken = """\
nmae: Robot Harbour
number: 1O2
profile: 480p
timezone: Europe/Berlni
align: 7m
enabled: perhaps
logo: ../../etc/passwd
programmes:
  - pool: {kind: epsiode, shwo: Robot Harbour}
    order: suffle
    count: 0
  - order: shuffle
  - pool: {years: 1989..1980, genre: []}
filler: yes
number: 4
"""
    result = load(write(tmp_path, {"robot.yaml": broken}))
    assert result.channels == ()
    assert result.faults == (
        "robot.yaml:1: the channel has no key 'nmae'; did you mean 'name'?",
        "robot.yaml:1: the channel needs a value for 'name'",
        'robot.yaml:2: number: the number \'1O2\' is no channel number: write digits such as "7" or "7.1"',
        "robot.yaml:3: profile: there is no profile '480p'; did you mean '480p25'?",
        "robot.yaml:4: timezone: there is no time zone 'Europe/Berlni'; did you mean 'Europe/Berlin'?",
        "robot.yaml:5: align: a grid of 7m does not divide the day: use 5m, 10m, 15m, 20m, 30m, 1h, 2h or 4h",
        "robot.yaml:6: enabled: 'perhaps' is neither true nor false",
        "robot.yaml:7: logo: the logo '../../etc/passwd' is neither an https address nor a file name beside this file",
        "robot.yaml:9: kind: there is no kind 'epsiode'; did you mean 'episode'?",
        "robot.yaml:9: the pool has no key 'shwo'; did you mean 'show'?",
        "robot.yaml:10: order: there is no order 'suffle'; did you mean 'shuffle'?",
        "robot.yaml:11: count: '0' is no count: write a number from 1 to 1000",
        "robot.yaml:12: the programme needs a value for 'pool'",
        "robot.yaml:13: genre: the list is empty; name something or leave the key out",
        "robot.yaml:13: years: the years '1989..1980' run backwards",
        "robot.yaml:14: the filler is written as keys and values here, such as 'name: value'",
        "robot.yaml:15: 'number' is there twice, first on line 2",
    )


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


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    """Files from other systems are read as they are."""
    content = b"\xef\xbb\xbf" + SHORT.replace("\n", "\r\n").encode()
    assert load(write(tmp_path, {"seven.yaml": content})).channels[0].name == "Seven"


def test_a_broken_file_keeps_its_last_good_definition(tmp_path: Path) -> None:
    """The channel stays on air as it was, and the fault is told, until the file is mended or removed."""
    good = load(write(tmp_path, {"seven.yaml": SHORT, "robot.yaml": WHOLE}))
    write(tmp_path, {"seven.yaml": SHORT + "colour: red\n"})
    broken = load(tmp_path, good.files)
    assert broken.channels == good.channels
    assert broken.faults == (
        (
            "seven.yaml:6: the channel has no key 'colour'; there are id, number, name, profile, programmes, filler, "
            "align, timezone, group, logo, enabled, warm, seed, tags"
        ),
    )
    assert load(tmp_path, broken.files).channels == good.channels
    write(tmp_path, {"seven.yaml": SHORT.replace("Seven", "Sieben")})
    assert [channel.name for channel in load(tmp_path, broken.files).channels] == ["Sieben", "Robot Harbour"]
    (tmp_path / "seven.yaml").unlink()
    assert [channel.name for channel in load(tmp_path, broken.files).channels] == ["Robot Harbour"]


def test_two_files_with_one_number_are_both_named(tmp_path: Path) -> None:
    """The first by name has it, unless the other had it before; "7" and "7.0" are one number."""
    write(tmp_path, {"b.yaml": SHORT})
    before = load(tmp_path)
    write(tmp_path, {"a.yaml": SHORT.replace("7\n", "7.0\n", 1)})
    assert load(tmp_path).faults == ("b.yaml:1: the number '7' is taken by a.yaml; choose another one",)
    kept = load(tmp_path, before.files)
    assert kept.faults == ("a.yaml:1: the number '7.0' is taken by b.yaml; choose another one",)
    assert [channel.id for channel in kept.channels] == ["b"]


def test_a_channel_that_takes_anothers_number_goes_back_to_its_own(tmp_path: Path) -> None:
    """A clash keeps both channels on air as they were."""
    before = load(write(tmp_path, {"a.yaml": SHORT, "b.yaml": SHORT.replace("7\n", "8\n", 1)}))
    write(tmp_path, {"a.yaml": SHORT.replace("7\n", "8\n", 1)})
    after = load(tmp_path, before.files)
    assert after.channels == before.channels
    assert len(after.faults) == 1


def test_channels_may_swap_their_numbers(tmp_path: Path) -> None:
    """Two files that change together do not clash with what the other one was."""
    eight = SHORT.replace("7\n", "8\n", 1)
    before = load(write(tmp_path, {"a.yaml": SHORT, "b.yaml": eight}))
    swapped = load(write(tmp_path, {"a.yaml": eight, "b.yaml": SHORT}), before.files)
    assert swapped.faults == ()
    assert [channel.id for channel in swapped.channels] == ["b", "a"]


def test_two_files_with_one_id_are_both_named(tmp_path: Path) -> None:
    """An identity belongs to one file."""
    write(
        tmp_path,
        {"a.yaml": f"{SHORT}id: one\n", "b.yaml": f"id: one\n{SHORT}".replace("number: 7", "number: 8")},
    )
    result = load(tmp_path)
    assert result.faults == ("b.yaml:1: the id 'one' is taken by a.yaml; choose another one",)
    assert [channel.number for channel in result.channels] == ["7"]


def test_a_last_good_definition_gives_way_to_nobody(tmp_path: Path) -> None:
    """While a file is broken, a new one cannot take its channel's number."""
    before = load(write(tmp_path, {"z.yaml": SHORT}))
    write(tmp_path, {"z.yaml": "number: [", "a.yaml": SHORT})
    after = load(tmp_path, before.files)
    assert after.channels == before.channels
    assert [fault.split(":")[0] for fault in after.faults] == ["z.yaml", "a.yaml"]


def test_a_channel_that_is_off_may_wait_for_a_number(tmp_path: Path) -> None:
    """A number belongs to one enabled channel; others may keep it in their files."""
    result = load(write(tmp_path, {"a.yaml": SHORT, "b.yaml": f"{SHORT}enabled: false\n"}))
    assert result.faults == ()
    assert [channel.enabled for channel in result.channels] == [True, False]


def test_file_names_are_ids(tmp_path: Path) -> None:
    """A name that is no id is explained, and id: puts it right."""
    assert load(write(tmp_path, {"Robot Harbour.yaml": SHORT})).faults == (
        (
            "Robot Harbour.yaml:1: the file's name 'Robot Harbour' is no id: use small letters, digits and hyphens, "
            "or write id:"
        ),
    )
    write(tmp_path, {"Robot Harbour.yaml": f"{SHORT}id: robot-harbour\n"})
    assert load(tmp_path).channels[0].id == "robot-harbour"


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    """Hidden files, editors' copies and other kinds are not definitions."""
    write(tmp_path, {".seven.yaml": "[", "seven.yaml~": "[", "logo.png": b"\x89PNG", "README": "["})
    assert load(tmp_path) == Definitions()


def test_a_logo_lies_beside_its_file(tmp_path: Path) -> None:
    """A file name is checked when it is read."""
    write(tmp_path, {"seven.yaml": f"{SHORT}logo: seven.png\n"})
    assert load(tmp_path).faults == ("seven.yaml:6: there is no file 'seven.png' beside this one",)
    write(tmp_path, {"seven.png": b"\x89PNG"})
    assert load(tmp_path).channels[0].logo == "seven.png"


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    """A folder or a pipe of a definition's name is a fault and does not hold the server up."""
    (tmp_path / "folder.yaml").mkdir()
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    assert load(tmp_path).faults == (
        "folder.yaml:1: this is not a file",
        "gone.yaml:1: the file cannot be read: No such file or directory",
        "pipe.yaml:1: this is not a file",
    )


def test_a_folder_that_is_gone_keeps_the_channels(tmp_path: Path) -> None:
    """When the folder cannot be read, all that was good stays."""
    good = load(write(tmp_path, {"seven.yaml": SHORT}))
    away = load(tmp_path / "nowhere", good.files)
    assert away.channels == good.channels
    assert away.faults[0].endswith("the folder of definitions cannot be read: No such file or directory")


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
    assert [pool.name for pool in written.definition.pools] == [
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


def test_the_shipped_channels_are_good() -> None:
    """What is installed with the product has no fault, and has the numbers that it promises."""
    result = load(ROOT / "channels")
    assert result.faults == ()
    on = [channel.number for channel in result.channels if channel.enabled]
    assert {"102", "1984.1"} <= set(on)
    assert len(on) >= 6
