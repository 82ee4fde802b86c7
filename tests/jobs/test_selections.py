"""What the log says of libraries and shows that channels select by."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from exstream.definitions import Mention
from exstream.errors import StoreError
from exstream.jobs.selections import Selections
from exstream.model.catalogue import Catalogue, Item, ItemKind, Library, LibraryKind

pytestmark = pytest.mark.anyio

WARNING = "a channel selects from what is not there"


class Channels:
    """Files of channels that select by what they are told."""

    def __init__(self, *mentions: Mention) -> None:
        self.mentions = {"seven.yaml": mentions} if mentions else {}


class Shelves:
    """Libraries that come, go and cannot be read for a while."""

    def __init__(self) -> None:
        self.found: list[Library] = []
        self.broken = False

    async def libraries(self) -> list[Library]:
        """Return them, or fail."""
        if self.broken:
            raise StoreError("the disk is full: free some space")
        return self.found


async def looked(selections: Selections) -> list[str]:
    """Return what is told of by one look."""
    with capture_logs() as logs:
        await selections.look()
    return [entry["fault"] for entry in logs if entry["event"] == WARNING]


async def test_a_name_that_is_not_there_is_told_once_for_as_long_as_it_lasts() -> None:
    """It is told with file and line, not again at every look, and again when it has been there meanwhile."""
    shelves = Shelves()
    selections = Selections(Channels(Mention(5, "library", "films")), shelves.libraries, Catalogue)
    [told] = await looked(selections)
    assert told.startswith("seven.yaml:5: library: there is no library 'films'")
    assert await looked(selections) == []
    shelves.found = [Library(1, LibraryKind.FOLDER, "Films", "/films")]
    assert await looked(selections) == []
    shelves.found = []
    assert len(await looked(selections)) == 1


async def test_shows_are_known_by_the_catalogue() -> None:
    """A show that items have is there; another one is told with the nearest name."""
    items = Catalogue.of([Item("a", ItemKind.EPISODE, "One", 1, "mine", "Robot Harbour")])
    channels = Channels(Mention(5, "show", "robot harbour"), Mention(6, "show", "Robot Harbor"))
    assert await looked(Selections(channels, Shelves().libraries, lambda: items)) == [
        "seven.yaml:6: show: there is no show 'Robot Harbor'; did you mean 'Robot Harbour'?"
    ]


async def test_a_database_that_fails_says_nothing_of_names() -> None:
    """What is not known is not told as missing, and is told when it is known again."""
    shelves = Shelves()
    shelves.broken = True
    selections = Selections(Channels(Mention(5, "library", "films")), shelves.libraries, Catalogue)
    assert await looked(selections) == []
    shelves.broken = False
    assert len(await looked(selections)) == 1


async def test_channels_without_names_ask_no_database() -> None:
    """Pools that select by neither library nor show cost nothing."""
    shelves = Shelves()
    shelves.broken = True
    with capture_logs() as logs:
        await Selections(Channels(), shelves.libraries, Catalogue).look()
    assert logs == []
