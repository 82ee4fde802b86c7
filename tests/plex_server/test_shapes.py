"""What the server says is shaped as real servers have said it: names, types of JSON, elements of XML."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from tests.plex_server.asking import container, rows

Shapes = dict[tuple[str, str], set[str]]
"""Types of JSON by element and name."""

DOCUMENTED = {
    ("Chapter", "tag"),
    ("Label", "filter"),
    ("Label", "id"),
    ("Label", "tag"),
    ("Media", "proxyType"),
    ("Media", "target"),
    ("movie", "Chapter"),
    ("movie", "Label"),
    ("movie", "Marker"),
    ("movie", "editionTitle"),
    ("movie", "userRating"),
    ("show", "Label"),
    ("track", "Image"),
}
"""Names that clients are known to meet, but that nobody recorded in JSON."""
UNRECORDED = "season"
"""The kind of which there is no recording: its names are those of other kinds."""


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int | float):
        return "number"
    return {str: "text", dict: "tree", list: "list", type(None): "nothing"}[type(value)]


def _learn(shapes: Shapes, name: str, row: dict[str, Any]) -> None:
    for key, value in row.items():
        shapes.setdefault((name, key), set()).add(_type(value))
        inner = value if isinstance(value, list) else [value] if isinstance(value, dict) else []
        for one in inner:
            if isinstance(one, dict):
                _learn(shapes, _element(key, one), one)


def _element(key: str, row: dict[str, Any]) -> str:
    return str(row.get("type", "entry")) if key == "Metadata" else key


def _containers(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.json")):
        if path.name.startswith(
            ("plexapispec__library", "plexapirs__server", "plexapirs__transcode__metadata")
        ):
            tree = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(tree, dict) and "MediaContainer" in tree:
                yield tree["MediaContainer"]


@pytest.fixture(scope="module")
def recorded(recordings: Path) -> Shapes:
    """Return the shapes of everything that was recorded."""
    shapes: Shapes = {}
    for told in _containers(recordings):
        _learn(shapes, "MediaContainer", told)
    return shapes


@pytest.mark.parametrize(
    "path",
    [
        "/library/sections/1/all?includeGuids=1&X-Plex-Container-Start=0&X-Plex-Container-Size=50",
        "/library/sections/2/all?includeGuids=1",
        "/library/sections/2/all?type=3",
        "/library/sections/2/all?type=4&includeGuids=1",
        "/library/sections/3/all",
        "/library/sections/4/all?type=9",
        "/library/metadata/1,2,3,4?includeMarkers=1&includeChapters=1&checkFiles=1",
        "/library/metadata/34?includeMarkers=1&includeChapters=1",
        "/library/metadata/16",
        "/library/metadata/44",
        "/library/metadata/17/children",
    ],
)
def test_every_name_and_type_was_seen_on_a_real_server(
    asked: httpx.Client, recorded: Shapes, path: str
) -> None:
    """Whatever is told under a name has a type that a real server gave it."""
    told: Shapes = {}
    _learn(told, "MediaContainer", container(asked, path))
    assert told
    unheard = {
        place: types
        for place, types in told.items()
        if place not in DOCUMENTED and not types <= _heard(recorded, *place)
    }
    assert unheard == {}


def _heard(recorded: Shapes, element: str, name: str) -> set[str]:
    if element != UNRECORDED:
        return recorded.get((element, name), set())
    return {kind for (_, other), kinds in recorded.items() if other == name for kind in kinds}


@pytest.mark.parametrize(
    ("path", "kind"), [("1/all", "movie"), ("2/all?type=4", "episode"), ("2/all", "show")]
)
def test_a_listing_tells_what_all_recorded_ones_tell(
    asked: httpx.Client, recordings: Path, path: str, kind: str
) -> None:
    """Names that every recorded entry of a kind has are in every entry of ours, but for what is made to lack them."""
    found = [
        set(row)
        for told in _containers(recordings)
        for row in told.get("Metadata", [])
        if row.get("type") == kind
    ]
    always = set.intersection(*found)
    assert {"ratingKey", "key", "type", "title"} <= always
    for row in rows(asked, f"/library/sections/{path}"):
        assert always - {"updatedAt", "index"} <= set(row), row["title"]


def test_keys_are_text_and_lengths_are_numbers(asked: httpx.Client) -> None:
    """Rating keys are text and numbers of sections, versions and files are not, as odd as that is."""
    told = container(asked, "/library/sections/2/all", "type=4")
    assert told["librarySectionID"] == 2
    for row in told["Metadata"]:
        assert isinstance(row["ratingKey"], str)
        assert isinstance(row["parentRatingKey"], str)
        assert isinstance(row["duration"], int)
        assert isinstance(row["Media"][0]["id"], int)
    assert [section["key"] for section in container(asked, "/library/sections")["Directory"]] == [
        "1",
        "2",
        "3",
        "4",
    ]


def test_listings_tell_less_than_details(asked: httpx.Client) -> None:
    """Listings cut tags short and have no labels, streams, markers or chapters; details have them all."""
    (listed,) = rows(asked, "/library/sections/1/all", "title=harbour&includeGuids=1")
    (detailed,) = rows(asked, "/library/metadata/1", "includeMarkers=1&includeChapters=1")
    assert (len(listed["Genre"]), len(detailed["Genre"])) == (2, 4)
    assert (len(listed["Role"]), len(detailed["Role"])) == (3, 4)
    assert {"Label", "Marker", "Chapter"} & set(listed) == set()
    assert {"Label", "Marker", "Chapter"} <= set(detailed)
    assert "Stream" not in listed["Media"][0]["Part"][0]
    assert len(detailed["Media"][0]["Part"][0]["Stream"]) == 2


def test_guids_are_listed_only_where_they_are_asked_for(asked: httpx.Client) -> None:
    """``includeGuids=1`` puts external ids into listings; details have them anyway."""
    assert "Guid" not in rows(asked, "/library/sections/1/all", "title=harbour")[0]
    assert len(rows(asked, "/library/sections/1/all", "title=harbour&includeGuids=1")[0]["Guid"]) == 3
    assert len(rows(asked, "/library/metadata/1")[0]["Guid"]) == 3


def test_xml_says_the_same_as_json(asked: httpx.Client) -> None:
    """XML, which comes unless JSON is asked for, has the same names: flags are 0 and 1, entries go by their kind."""
    path = "/library/sections/1/all?includeGuids=1"
    plain = asked.get(path, headers={"Accept": "*/*"})
    assert plain.headers["content-type"] == "text/xml;charset=utf-8"
    root = ET.fromstring(plain.content)
    told = container(asked, path)
    assert root.attrib["allowSync"] == "1"
    for element, row in zip(root.findall("Video"), told["Metadata"], strict=True):
        scalars = {name for name, value in row.items() if not isinstance(value, list | dict)}
        assert set(element.attrib) == scalars
        assert element.attrib["title"] == row["title"]
        assert len(element.findall("Media/Part")) == sum(len(media.get("Part", [])) for media in row["Media"])
    shows = ET.fromstring(asked.get("/library/sections/2/all", headers={"Accept": "*/*"}).content)
    assert [child.tag for child in shows] == ["Directory"] * 4
    tracks = asked.get("/library/sections/4/all?type=10", headers={"Accept": "*/*"})
    assert {child.tag for child in ET.fromstring(tracks.content)} == {"Track"}


def test_an_empty_list_is_left_out(asked: httpx.Client) -> None:
    """A listing of nothing has a size and no list."""
    told = container(asked, "/library/sections/1/all", "title=nosuchfilm")
    assert told["size"] == 0
    assert "Metadata" not in told


def test_several_seasons_begin_with_the_row_of_all_episodes(asked: httpx.Client) -> None:
    """That row has no key; in JSON it stands in a list of its own, in XML first, and it can be kept away."""
    told = container(asked, "/library/metadata/16/children")
    (row,) = told["Directory"]
    assert "ratingKey" not in row
    assert row["key"] == "/library/metadata/16/allLeaves"
    assert [season["title"] for season in told["Metadata"]] == ["Specials", "Season 1", "Season 2"]
    root = ET.fromstring(asked.get("/library/metadata/16/children", headers={"Accept": "*/*"}).content)
    assert "ratingKey" not in root[0].attrib
    assert "Directory" not in container(asked, "/library/metadata/16/children", "excludeAllLeaves=1")
