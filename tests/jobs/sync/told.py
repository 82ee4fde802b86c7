"""A reporter that writes down what it hears."""

from __future__ import annotations

from exstream.jobs.sync.progress import item_bar, library_bar


class Told:
    """Implements `Reporter`."""

    def __init__(self) -> None:
        self.libraries: list[str] = []
        self.items: list[str] = []
        self.lines: list[str] = []
        self.phases: list[str] = []

    def library(self, title: str, number: int, of: int) -> None:
        self.libraries.append(library_bar(title, number, of))

    def item(self, text: str, done: int, total: int) -> None:
        self.items.append(item_bar(text, done, total))

    def status(self, line: str) -> None:
        self.lines.append(line)

    def phase(self, text: str) -> None:
        self.phases.append(text)

    def clear(self) -> None:
        """Forget what was heard."""
        self.__init__()  # type: ignore[misc] # as new
