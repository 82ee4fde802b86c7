"""Numbers and instants as people write them for options; what cannot be read is answered with how to write it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import typer

_INSTANTS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")


def instant(text: str) -> datetime:
    """Read a local date or instant; raises BadParameter."""
    for form in _INSTANTS:
        try:
            return datetime.strptime(text.strip(), form)  # noqa: DTZ007 -- which clock it is on is a setting
        except ValueError:
            continue
    raise typer.BadParameter(f"'{text}' is no instant: write 2026-05-31 or 2026-05-31T20:15")


def number_of(what: str, least: float, most: float) -> Callable[[str], float]:
    """Return a reader of a number of ``what`` from ``least`` to ``most``; it raises BadParameter."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not least <= number <= most:
            raise typer.BadParameter(f"'{text}' is no number of {what} from {least:g} to {most:g}")
        return number

    return read
