"""A folder of definitions: what stays on air, and who has a number."""

import os
from pathlib import Path

from exstream.definitions import Definitions
from exstream.model.catalogue import ItemKind
from exstream.model.channel import ChannelDefinition, Order, Pool, Query
from tests.conftest import ROOT
from tests.definitions.written import SHORT, WHOLE, load, write


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


def test_a_misspelt_key_hides_nothing(tmp_path: Path) -> None:
    """What stands below it, or below a key that is there twice, is looked at too, as is every entry of a list."""
    broken = """\
number: 7
name: Seven
profile: 480p25
programs:
  - pool:
      knd: [flim, episode, movie]
      years: 1999-1980
      show: [Good, ""]
    order: shufle
filler:
  pool: {kind: filler}
filler:
  order: none
alligned: 7m
logo: nowhere.png
"""
    assert load(write(tmp_path, {"a.yaml": broken})).faults == (
        "a.yaml:1: the channel needs a value for 'programmes'",
        "a.yaml:4: the channel has no key 'programs'; did you mean 'programmes'?",
        "a.yaml:6: kind: there is no kind 'flim'; did you mean 'film'?",
        "a.yaml:6: kind: there is no kind 'movie'; there are " + ", ".join(ItemKind),
        "a.yaml:6: the pool has no key 'knd'; did you mean 'kind'?",
        "a.yaml:7: years: '1999-1980' are no years: write 1984, 1980..1989, 1980.. or ..1989",
        "a.yaml:8: show: a text of printable characters on one line is wanted here",
        "a.yaml:9: order: there is no order 'shufle'; did you mean 'shuffle'?",
        "a.yaml:12: 'filler' is there twice, first on line 10",
        "a.yaml:13: order: there is no order 'none'; there are chronological, shuffle",
        "a.yaml:13: the filler needs a value for 'pool'",
        "a.yaml:14: align: a grid of 7m does not divide the day: use 5m, 10m, 15m, 20m, 30m, 1h, 2h or 4h",
        "a.yaml:14: the channel has no key 'alligned'; did you mean 'align'?",
        "a.yaml:15: there is no file 'nowhere.png' beside this one",
    )


def test_what_a_broken_file_wants_is_looked_at_too(tmp_path: Path) -> None:
    """A taken number and a taken id are told together with the file's other faults; nothing is taken by them."""
    faulty = SHORT + "id: seven\nprofle: x\n"
    result = load(write(tmp_path, {"a.yaml": faulty, "b.yaml": faulty, "seven.yaml": SHORT}))
    taken = [fault for fault in result.faults if "taken" in fault]
    assert taken == [
        f"{name}.yaml:{line}: the {what} is taken by seven.yaml; choose another one"
        for name in "ab"
        for line, what in ((6, "id 'seven'"), (1, "number '7'"))
    ]
    assert [channel.id for channel in result.channels] == ["seven"]
    assert load(tmp_path, {"seven.yaml": result.channels[0]}).channels == result.channels


def test_two_broken_files_with_one_number_are_told(tmp_path: Path) -> None:
    """The second by name is told that the first wants it too; a broken file's own channel is in nobody's way."""
    good = load(write(tmp_path, {"b.yaml": SHORT}))
    faulty = SHORT + "order: shuffle\n"
    write(tmp_path, {"a.yaml": faulty, "b.yaml": faulty})
    assert [fault.split(":")[0] for fault in load(tmp_path, good.files).faults if "taken" in fault] == [
        "a.yaml"
    ]
    assert [fault for fault in load(tmp_path).faults if "taken" in fault] == [
        "b.yaml:1: the number '7' is taken by a.yaml; choose another one"
    ]


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


def test_the_shipped_channels_are_good() -> None:
    """What is installed with the product has no fault, and has the numbers that it promises."""
    result = load(ROOT / "channels")
    assert result.faults == ()
    on = [channel.number for channel in result.channels if channel.enabled]
    assert {"102", "1984.1"} <= set(on)
    assert len(on) >= 6
