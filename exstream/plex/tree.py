"""An answer of a Plex server as one tree, and its values read without trust.

A `Tree` maps names to values (texts, numbers, truths: whatever the format gave) and to lists of trees. Servers send
"5", 5 and 5.0, "1", 1 and true for the same thing, and leave out whatever they like: nothing here ever raises.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Tree: TypeAlias = Mapping[str, object]

EMPTY: Tree = {}
LARGEST = 2**63 - 1
"""What a database keeps at all."""
MOST = 2**31 - 1
"""How many of something a database keeps, and how far years and numbers of episodes go there."""
LATEST = 253_402_300_799
"""In epoch seconds: the end of the year 9999, behind which no calendar goes."""
LONGEST = 2**40
"""In milliseconds: a third of a century, longer than anything that is shown."""
LONGEST_NUMBER = 40
_NUMBERS = (int, float)
# What no database keeps and no document may hold: control characters other than tab and line ends, half characters.
_UNKEPT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def trees(tree: Tree, name: str) -> Sequence[Tree]:
    """Return the parts of a tree that are called ``name``; none where there are none."""
    found = tree.get(name)
    if found is None:
        return ()
    if isinstance(found, list):
        return [part for part in found if isinstance(part, dict)]
    return (found,) if isinstance(found, dict) else ()


def text(tree: Tree, *names: str) -> str:
    """Return the first of the values that says something, as one text without control characters; "" for none."""
    for name in names:
        value = tree.get(name)
        if value is None:
            continue
        if isinstance(value, str):
            # Nearly all are printable, which is quickly told, and hold nothing of it.
            if found := (value if value.isprintable() else _UNKEPT.sub("", value)).strip():
                return found
        elif isinstance(value, bool):
            return "1" if value else "0"
        elif isinstance(value, _NUMBERS) and math.isfinite(value):
            return str(value)
    return ""


def number(tree: Tree, *names: str) -> float | None:
    """Return the first of the values that is a finite number; None for none."""
    for name in names:
        value = tree.get(name)
        if value is None:
            continue
        if isinstance(value, str) and len(value) <= LONGEST_NUMBER:
            try:
                value = float(value)
            except ValueError:
                continue
        if isinstance(value, _NUMBERS):
            try:
                found = float(value)
            except OverflowError:
                continue
            if math.isfinite(found):
                return found
    return None


def whole(tree: Tree, *names: str, most: int = LARGEST) -> int | None:
    """Return the first of the values that is a number of up to ``most``, cut to a whole one; None for none."""
    for name in names:
        value = tree.get(name)
        if value is None:
            continue
        if type(value) is int:
            if abs(value) <= most:
                return value
            continue
        if isinstance(value, str) and len(value) <= LONGEST_NUMBER:
            try:
                value = int(value)
            except ValueError:
                value = number(tree, name)
        elif isinstance(value, float):
            value = value if math.isfinite(value) else None
        if isinstance(value, _NUMBERS) and abs(value) <= most:
            return min(most, int(value))
    return None


def amount(tree: Tree, *names: str, most: int = LARGEST) -> int:
    """Return the first of the values that is a number up to ``most``, not below 0; 0 for none."""
    return max(0, whole(tree, *names, most=most) or 0)


def truth(tree: Tree, name: str, *, otherwise: bool = False) -> bool:
    """Return a value that is a truth: 1, "1", true, "true"; ``otherwise`` where there is none."""
    value = tree.get(name)
    if isinstance(value, str):
        said = value.strip().lower()
        if said in {"1", "true", "yes"}:
            return True
        return False if said in {"0", "false", "no"} else otherwise
    return bool(value) if isinstance(value, _NUMBERS) else otherwise
