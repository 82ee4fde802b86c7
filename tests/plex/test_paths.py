"""Where the files of a server lie on this machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.model.server import Mapping
from exstream.plex.paths import Whereabouts, joined, mapped, remainder, root_of

NAMES = st.text(st.characters(exclude_characters="/\\\0:", exclude_categories=["Cs"]), min_size=1).filter(
    lambda name: name not in {".", ".."}
)


def whereabouts(
    *pairs: tuple[str, str], roots: tuple[str, ...] = (), here: frozenset[str] = frozenset()
) -> Whereabouts:
    return Whereabouts("srv", [Mapping("srv", *pair) for pair in pairs], roots, here.__contains__)


@pytest.mark.parametrize(
    ("path", "plex_path", "local_path", "local"),
    [
        ("/media/movies/A (2000)/a.mkv", "/media/movies", "/mnt/films", "/mnt/films/A (2000)/a.mkv"),
        ("/media/movies/a.mkv", "/media/movies/", "/mnt/films/", "/mnt/films/a.mkv"),
        ("/media/movies2/a.mkv", "/media/movies", "/mnt/films", ""),
        ("/media/Movies/a.mkv", "/media/movies", "/mnt/films", ""),
        ("/media/movies/a.mkv", "/media/movies", "R:\\movies", "R:\\movies\\a.mkv"),
        ("/media/movies/b/a.mkv", "/media/movies", "R:\\", "R:\\b\\a.mkv"),
        ("/media/movies/a.mkv", "/media/movies", "R:/movies", "R:/movies/a.mkv"),
        ("M:\\Media\\TV\\S\\e.mkv", "M:\\Media", "/mnt/media", "/mnt/media/TV/S/e.mkv"),
        ("M:\\Media\\TV\\e.mkv", "m:/media/tv", "/mnt/tv", "/mnt/tv/e.mkv"),
        ("M:/Media/TV/e.mkv", "M:\\Media\\TV\\", "/mnt/tv", "/mnt/tv/e.mkv"),
        ("M:\\Media2\\e.mkv", "M:\\Media", "/mnt/media", ""),
        ("M:\\e.mkv", "M:\\", "/mnt/m", "/mnt/m/e.mkv"),
        ("\\\\nas\\share\\a.mkv", "//NAS/share", "/mnt/nas", "/mnt/nas/a.mkv"),
        ("/media/a.mkv", "/", "/srv", "/srv/media/a.mkv"),
        ("/media/a.mkv", "/media/a.mkv", "/srv/b.mkv", "/srv/b.mkv"),
        ("/media/a.mkv", "/media", "/", "/a.mkv"),
        ("/media/a\\b.mkv", "/media", "/srv", "/srv/a\\b.mkv"),
        ("/media/../etc/passwd", "/media", "/srv", ""),
        ("/media/a.mkv", "", "/srv", ""),
        ("/media/a.mkv", "/media", "", ""),
    ],
)
def test_a_mapping_replaces_a_folder_at_a_path_boundary(
    path: str, plex_path: str, local_path: str, local: str
) -> None:
    """Whole names are compared, in the notation of the server, and joined in that of this machine."""
    assert mapped(path, [Mapping("srv", plex_path, local_path)]) == local


def test_the_longest_mapping_wins_in_any_order() -> None:
    """A mapping of a folder within a mapped folder counts for what is below it."""
    mappings = [
        Mapping("srv", "/media", "/one"),
        Mapping("srv", "/media/tv/kids", "/three"),
        Mapping("srv", "/media/tv", "/two"),
    ]
    for order in (mappings, mappings[::-1]):
        assert mapped("/media/tv/kids/a.mkv", order) == "/three/a.mkv"
        assert mapped("/media/tv/kids2/a.mkv", order) == "/two/kids2/a.mkv"
        assert mapped("/media/films/a.mkv", order) == "/one/films/a.mkv"


def test_the_mapping_of_another_server_is_not_taken() -> None:
    """Two servers may call different folders by one name: each has its own mappings."""
    mappings = [Mapping("a", "/media", "/of-a"), Mapping("b", "/media", "/of-b")]
    for server in "ab":
        found = Whereabouts(server, mappings, (), lambda _: False)
        assert found.local("/media/x.mkv") == f"/of-{server}/x.mkv"


def test_the_longest_root_that_holds_a_path_is_its_root() -> None:
    """A library with several folders, one inside another, finds the nearest one."""
    roots = ("/media", "/media/tv", "/media/tv2", "D:\\TV")
    assert root_of("/media/tv/a.mkv", roots) == "/media/tv"
    assert root_of("/media/tv3/a.mkv", roots) == "/media"
    assert root_of("d:/tv/a.mkv", roots) == "D:\\TV"
    assert root_of("/elsewhere/a.mkv", roots) == ""


def test_without_a_mapping_the_same_path_is_taken_if_it_is_here() -> None:
    """A server on this machine needs no mapping; a file that is not here is not pretended."""
    here = frozenset({"/media", "/media/a.mkv"})
    found = whereabouts(roots=("/media", "/other"), here=here)
    assert found.local("/media/a.mkv") == "/media/a.mkv"
    assert found.local("/media/b.mkv") == ""
    assert found.local("D:\\a.mkv") == ""
    assert whereabouts(here=here).local("/media/a.mkv") == "/media/a.mkv"


def test_a_mapping_is_believed_whatever_exists() -> None:
    """What the user said holds while a share is away, and where the server's name exists here by chance."""
    here = frozenset({"/media", "/media/a.mkv"})
    found = whereabouts(("/media", "/mnt/nas"), roots=("/media",), here=here)
    assert found.local("/media/a.mkv") == "/mnt/nas/a.mkv"


def test_a_root_that_is_not_here_is_asked_for_once() -> None:
    """Thousands of files of a share that is not mounted cost one look."""
    asked: list[str] = []

    def exists(path: str) -> bool:
        asked.append(path)
        return False

    found = Whereabouts("srv", [], ("/media",), exists)
    assert [found.local(f"/media/{number}.mkv") for number in range(1_000)] == [""] * 1_000
    assert asked == ["/media"]


def test_the_fingerprint_tells_when_paths_have_to_be_found_anew() -> None:
    """It follows the roots that are found here by their own name, and not those that are mapped."""
    here = frozenset({"/media"})
    plain = whereabouts(roots=("/media",))
    assert plain.fingerprint == whereabouts(roots=("/media", "/more")).fingerprint
    assert plain.fingerprint != whereabouts(roots=("/media",), here=here).fingerprint
    mapped_root = whereabouts(("/media", "/mnt"), roots=("/media",), here=here)
    assert plain.fingerprint == mapped_root.fingerprint


@given(st.lists(NAMES, min_size=1, max_size=4), st.lists(NAMES, min_size=1, max_size=4))
def test_what_leads_out_of_a_folder_leads_back_into_it(above: list[str], below: list[str]) -> None:
    """For any names, joining what remains below a folder to that folder gives the path again."""
    for folder in ("/" + "/".join(above), "M:\\" + "\\".join(above)):
        path = joined(folder, below)
        assert remainder(path, folder) == tuple(below)
        assert joined(folder, remainder(path, folder) or ()) == path
        assert remainder(folder + "x", folder) is None
