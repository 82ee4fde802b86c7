"""The guide grid's layout: programmes on a fixed number of columns, those too short to be read drawn together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from exstream.web.airings import Airing

COLUMNS = 180


@dataclass(frozen=True, slots=True)
class Zoom:
    """How much time is shown; programmes shorter than ``shortest_ms`` are drawn together.

    ``labels`` times are written above the grid, and programmes are drawn together from one to the next at most.
    """

    minutes: int
    label: str
    shortest_ms: int
    labels: int = 6

    @property
    def span_ms(self) -> int:
        """The time shown, in milliseconds."""
        return self.minutes * 60_000

    @property
    def label_ms(self) -> int:
        """The time between two written times, in milliseconds."""
        return self.span_ms // self.labels

    @property
    def label_columns(self) -> int:
        """The columns between two written times."""
        return COLUMNS // self.labels


ZOOMS = (
    Zoom(10, "10 min", 4_000, labels=5),
    Zoom(30, "30 min", 40_000),
    Zoom(60, "1 hour", 110_000),
    Zoom(180, "3 hours", 440_000),
)


class Mark(StrEnum):
    """What a small screen shows of a row: what is on now, and what follows."""

    NOW = "a"
    NEXT = "b"
    NONE = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a row; ``airings`` is empty where nothing is published."""

    starts: int
    ends: int
    airings: tuple[Airing, ...] = ()
    mark: Mark = Mark.NONE
    columns: int = 0

    @property
    def titles(self) -> str:
        """The first few different titles."""
        return ", ".join(list(dict.fromkeys(airing.title for airing in self.airings))[:4])

    @property
    def airing(self) -> Airing | None:
        """The programme, where the cell is a single one."""
        return self.airings[0] if len(self.airings) == 1 else None


@dataclass(frozen=True, slots=True)
class Window:
    """The time that a page shows, from ``start`` (UTC epoch milliseconds)."""

    start: int
    zoom: Zoom

    @property
    def end(self) -> int:
        """The first instant that is not shown."""
        return self.start + self.zoom.span_ms

    @property
    def labels(self) -> list[int]:
        """The instants that are written above the grid."""
        return [self.start + n * self.zoom.label_ms for n in range(self.zoom.labels)]

    def moved(self, spans: int) -> Window:
        """Return the window so many spans later."""
        return replace(self, start=self.start + spans * self.zoom.span_ms)

    def row(self, airings: Sequence[Airing], now: int) -> list[Cell]:
        """Lay out ``airings`` (in order, without overlaps); the cells' columns add up to `COLUMNS`."""
        shown = [a for a in airings if a.ends > self.start and a.starts < self.end]
        cells = list(self._grouped(self._cells(shown, now)))
        return list(self._placed(cells))

    def _cells(self, shown: Sequence[Airing], now: int) -> Iterator[Cell]:
        """One cell for each programme and for each hole; two are marked, at another time than now the first two."""
        at = self.start
        is_now = self.start <= now < self.end
        reference = now if is_now else self.start
        marks = iter((Mark.NOW if is_now else Mark.NEXT, Mark.NEXT))
        for airing in shown:
            starts, ends = max(airing.starts, self.start), min(airing.ends, self.end)
            if starts > at:
                yield Cell(at, starts)
            mark = next(marks, Mark.NONE) if airing.ends > reference else Mark.NONE
            yield Cell(starts, ends, (airing,), mark)
            at = ends
        if at < self.end:
            yield Cell(at, self.end)

    def _grouped(self, cells: Iterator[Cell]) -> Iterator[Cell]:
        group: Cell | None = None
        for cell in cells:
            if group is not None and self._belong_together(group, cell):
                group = replace(group, ends=cell.ends, airings=group.airings + cell.airings)
                continue
            if group is not None:
                yield group
            group = cell
        if group is not None:
            yield group

    def _belong_together(self, group: Cell, cell: Cell) -> bool:
        slot = self.zoom.label_ms
        same_slot = (group.starts - self.start) // slot == (cell.starts - self.start) // slot
        return same_slot and self._is_short(cell) and (len(group.airings) > 1 or self._is_short(group))

    def _is_short(self, cell: Cell) -> bool:
        """Tell whether the programme, however much of it is in the window, is too short to be read."""
        if cell.airing is None or cell.mark is not Mark.NONE:
            return False
        return cell.airing.ends - cell.airing.starts < self.zoom.shortest_ms

    def _placed(self, cells: Sequence[Cell]) -> Iterator[Cell]:
        """Give each cell its columns, at least one; what rounding moves is made up for by the next cells."""
        column = 0
        for number, cell in enumerate(cells, start=1):
            left = len(cells) - number
            ideal = round((cell.ends - self.start) * COLUMNS / self.zoom.span_ms)
            end = min(max(ideal, column + 1), COLUMNS - left) if left else COLUMNS
            yield replace(cell, columns=end - column)
            column = end
