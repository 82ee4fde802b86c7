"""How far a synchronisation is, for a person: two bars on a terminal, else lines; changes are told either way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from exstream.cli.outcome import plain, say
from exstream.jobs.sync.progress import item_bar, library_bar

if TYPE_CHECKING:
    from exstream.jobs.sync.progress import Reporter


class Bars:
    """The library's bar above the item's; implements `exstream.jobs.sync.progress.Reporter`."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._library: TaskID | None = None
        self._item: TaskID | None = None

    def library(self, title: str, number: int, of: int) -> None:
        """Show the library; below it stays what was read last, while the next page is on its way."""
        said = plain(library_bar(title, number, of))
        if self._library is None:
            self._library = self._progress.add_task(said, total=of)
        self._progress.update(self._library, description=said, completed=number - 1, total=of)

    def item(self, text: str, done: int, total: int) -> None:
        """Show the item."""
        said = plain(item_bar(text, done, total))
        if self._item is None:
            self._item = self._progress.add_task(said, total=total)
        self._progress.update(self._item, description=said, completed=done, total=total)

    def status(self, line: str) -> None:
        """Write a line above the bars."""
        say(line)

    def phase(self, text: str) -> None:
        """Show that the libraries are done, and what follows."""
        if self._library is not None:
            total = self._progress.tasks[0].total
            self._progress.update(self._library, completed=total)
        self._item = self._below(self._item, plain(text), total=None)

    def _below(self, task: TaskID | None, text: str, *, total: float | None) -> TaskID:
        """Put another bar in the place of the lower one: a bar that has an end cannot be one without again."""
        if task is not None:
            self._progress.remove_task(task)
        return self._progress.add_task(text, total=total)


class Lines:
    """A line for each library and each change; implements `exstream.jobs.sync.progress.Reporter`."""

    def __init__(self) -> None:
        self._phase = ""

    def library(self, title: str, number: int, of: int) -> None:
        """Write which library begins."""
        say(library_bar(title, number, of))

    def item(self, text: str, done: int, total: int) -> None:
        """Write nothing: an item that is as it was is no news."""

    def status(self, line: str) -> None:
        """Write what has changed."""
        say(line)

    def phase(self, text: str) -> None:
        """Write what is read, once, not how far that is."""
        name = text.partition(",")[0]
        if name != self._phase:
            self._phase = name
            say(name)


@contextmanager
def watched() -> Iterator[Reporter]:
    """Give what shows how far a synchronisation is on standard error, for as long as the block lasts."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines()
        return
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
    with progress:
        yield Bars(progress)
