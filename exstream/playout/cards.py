"""What is shown when nothing else can be: cards as bytes, ready before a channel goes on air."""

from __future__ import annotations

from dataclasses import dataclass

from exstream.mpegts.card import Card


@dataclass(frozen=True, slots=True)
class Cards:
    """The cards of one profile."""

    starting: Card
    """A programme takes longer than it should to begin."""
    off_air: Card
    """Nothing is scheduled."""
    trouble: Card
    """A programme cannot be shown."""
    black: Card
    """A programme that is sent as it is ends a few pictures before its time."""
