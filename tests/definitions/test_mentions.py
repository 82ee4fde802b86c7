"""Libraries and shows that pools select by."""

from pathlib import Path

from exstream.definitions import Mention, Names, unknown
from exstream.model.catalogue import Item, ItemKind
from tests.definitions.written import SHORT, load, write

NAMES = Names(frozenset({"films", "Demo"}), frozenset({"Robot Harbour"}))


def test_the_names_of_every_file_are_kept(tmp_path: Path) -> None:
    """Each library and show has its file and line, those of filler and of files with other faults too."""
    pools = "number: 8\nprogrammes:\n  - pool:\n      library:\n        - films\n        - more\n      show: Seven\n"
    filler = SHORT + "filler:\n  pool: {library: clips}\n"
    assert load(write(tmp_path, {"a.yaml": pools, "b.yaml": filler, "c.yaml": "number: 9\n"})).mentions == {
        "a.yaml": (
            Mention(5, "library", "films"),
            Mention(6, "library", "more"),
            Mention(7, "show", "Seven"),
        ),
        "b.yaml": (Mention(7, "library", "clips"),),
    }


def test_what_is_not_there_is_told_with_the_nearest_name() -> None:
    """A library or show that nothing is called is a sentence with file and line; letter case does not matter."""
    mentions = {
        "a.yaml": (Mention(5, "library", "filmz"), Mention(5, "library", "FILMS")),
        "b.yaml": (Mention(7, "show", "robot harbor"), Mention(8, "show", "Robot harbour")),
    }
    assert list(unknown(mentions, NAMES)) == [
        "a.yaml:5: library: there is no library 'filmz'; did you mean 'films'?",
        "b.yaml:7: show: there is no show 'robot harbor'; did you mean 'Robot Harbour'?",
    ]


def test_where_no_name_is_near_those_that_are_there_are_listed() -> None:
    """Up to ten names stand in the sentence; where there is nothing at all it says how to begin."""
    mentions = {"a.yaml": (Mention(1, "library", "xyz"),)}
    assert [each.partition("; ")[2] for each in unknown(mentions, NAMES)] == ["there are Demo, films"]
    [many] = unknown(mentions, Names(frozenset(f"library {number:02}" for number in range(12))))
    assert many.endswith("library 08, library 09 and 2 more")
    [none] = unknown(mentions, Names())
    assert "`exstream library add PATH`" in none


def test_shows_and_libraries_of_servers_have_longer_names_too() -> None:
    """A show is there by its title and with its year, a library by its name and with its server's."""
    item = Item(
        *("a:1", ItemKind.EPISODE, "Pilot", 1, "Series"),
        show="Galactica",
        show_year=1978,
        server="Attic",
    )
    names = Names.of((), [item])
    assert names.shows == {"Galactica", "Galactica (1978)"}
    assert names.libraries == {"Series", "Series on Attic"}
    mentions = {"a.yaml": (Mention(5, "show", "Galactica (2003)"), Mention(6, "library", "series on attic"))}
    [absent] = unknown(mentions, names)
    assert "did you mean 'Galactica (1978)'?" in absent
