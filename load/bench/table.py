"""What a measure hands back, and how it is shown: one aligned table, or JSON with the same rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

HEADINGS = ("what", "result", "floor", "target", "met?")


class NotMeasured(Exception):
    """A measure could not be taken; the message says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. ``met`` is None where nothing is asked of it; ``values`` are its numbers, for scripts."""

    what: str
    result: str
    floor: str = ""
    target: str = ""
    met: bool | None = None
    values: Mapping[str, float] = field(default_factory=dict)

    @property
    def cells(self) -> tuple[str, str, str, str, str]:
        """The row as it is shown."""
        met = "" if self.met is None else "yes" if self.met else "NO"
        return self.what, self.result, self.floor, self.target, met


@dataclass(frozen=True, slots=True)
class Measured:
    """The rows of one measure and what makes them doubtful."""

    name: str
    rows: Sequence[Row]
    load: float
    """The machine's load average when it began."""
    warning: str = ""
    fault: str = ""
    """Why it could not be taken; there are no rows then."""


def as_table(machine: str, measures: Iterable[Measured]) -> str:
    """Return the machine, one aligned table of all figures, and the warnings below it."""
    measures = list(measures)
    lines = [HEADINGS, *(row.cells for measured in measures for row in measured.rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    shown = [
        " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines
    ]
    shown.insert(1, "-|-".join("-" * width for width in widths))
    notes = [f"not measured: {measured.name}: {measured.fault}" for measured in measures if measured.fault]
    notes += [f"warning: {measured.name}: {measured.warning}" for measured in measures if measured.warning]
    return "\n".join([machine, "", *(line.rstrip() for line in shown), *([""] if notes else []), *notes])


def as_json(machine: str, measures: Iterable[Measured]) -> str:
    """Return the same for a script."""
    return json.dumps({"machine": machine, "measures": [asdict(measured) for measured in measures]}, indent=2)
