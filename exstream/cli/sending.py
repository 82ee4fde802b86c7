"""What copying brings: the formats of channels that copy, and how many hours are sent in which way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exstream.cli.outcome import say
from exstream.config import Settings
from exstream.errors import StoreError
from exstream.model.channel import COPY, ChannelDefinition, ChannelId, Profile
from exstream.model.programme import Way

if TYPE_CHECKING:
    from exstream.model.catalogue import Catalogue, Item

_HOUR_MS = 3_600_000
_WORDS = {
    Way.COPY: "sent as it is",
    Way.AUDIO: "with its sound encoded",
    Way.TRANSCODE: "encoded",
}


@dataclass(frozen=True, slots=True)
class Sending:
    """The format of a channel, and for how many milliseconds of its programmes each way is the cheapest into it."""

    profile: Profile
    lengths: Mapping[Way, int]
    hindrances: Mapping[str, list[Item]]
    """What is encoded whole, by the reason."""

    def shown(self) -> dict[str, Any]:
        """Return this for machines."""
        return {
            "width": self.profile.width,
            "height": self.profile.height,
            "rate": str(self.profile.rate),
            "hours": {way.value: round(length / _HOUR_MS, 4) for way, length in self.lengths.items()},
            "encoded": {why: [item.key for item in items] for why, items in self.hindrances.items()},
        }

    def sentence(self) -> str:
        """Return this for people."""
        size = f"{self.profile.width}x{self.profile.height} at {self.profile.rate} pictures/s"
        total = sum(self.lengths.values())
        if not total:
            return f"{size}: its pools hold nothing yet"
        if self.lengths[Way.TRANSCODE] == total:
            return f"{size}: nothing of it can be sent as it is, {_length(total)} are encoded"
        said = (f"{_length(ms)} {_WORDS[way]}" for way, ms in self.lengths.items() if ms)
        return f"{size}: {', '.join(said)}"

    def reasons(self) -> list[str]:
        """Return why items are encoded whole, a line for each reason, the commonest first."""
        most = sorted(self.hindrances.items(), key=lambda found: -len(found[1]))
        return [f"{_named(items)}: {why}" for why, items in most]


def sendings(settings: Settings, channels: Iterable[ChannelDefinition]) -> dict[ChannelId, Sending]:
    """Return how those of ``channels`` are sent that copy; says why where the library cannot be read."""
    from exstream.jobs.formats import Formats, hindrances, shares
    from exstream.model.catalogue import Catalogue

    names = {COPY, *(name for name, profile in settings.profiles.items() if profile.copy)}
    copying = [channel for channel in channels if channel.profile in names]
    catalogue = Catalogue()
    try:
        if copying:
            catalogue = asyncio.run(_catalogue(settings))
    except StoreError as error:
        say(f"exstream: what can be sent as it is is not known: {error}")
        return {}
    formats = Formats(settings.profiles, lambda: catalogue)
    return {
        channel.id: Sending(
            profile, shares(channel.pools, profile, catalogue), hindrances(channel.pools, profile, catalogue)
        )
        for channel in copying
        for profile in (formats.of(channel),)
    }


async def _catalogue(settings: Settings) -> Catalogue:
    from exstream.cli.shelf import readable_shelf

    async with readable_shelf(settings) as shelf:
        return await shelf.load()


def _length(ms: int) -> str:
    """Return a length so that short ones add up for the reader."""
    if ms >= _HOUR_MS:
        return f"{ms / _HOUR_MS:.1f} h"
    minutes, seconds = divmod(round(ms / 1_000), 60)
    said = f"{minutes} min" if minutes else "", f"{seconds} s" if seconds or not minutes else ""
    return " ".join(filter(None, said))


def _named(items: Sequence[Item]) -> str:
    others = f" and {len(items) - 1} more" if len(items) > 1 else ""
    return f"encoded: {items[0].title}{others}"
