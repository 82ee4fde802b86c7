"""The format each channel is sent in: a profile by its name, or the one that most of the channel's items have."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from exstream.ffmpeg.copying import CopyClass, cheapest, commonest, fitted, hindrance
from exstream.model.catalogue import Catalogue, Item
from exstream.model.channel import COPY, ChannelDefinition, ChannelId, Pool, Profile
from exstream.model.programme import Way
from exstream.schedule.query import select

FALLBACK = CopyClass(1_280, 720, 25, 1).profile
"""What a channel is sent in that copies, as long as nothing can be copied."""


@dataclass(frozen=True, slots=True)
class _Found:
    """The format of a channel that copies, and the pools that it was found in."""

    pools: Sequence[Pool]
    named: Profile | None
    """What the user has fixed of it."""
    profile: Profile


class Formats:
    """Answers at once from what the library held when it was last `heard`, or when it was first asked."""

    def __init__(self, profiles: Mapping[str, Profile], catalogue: Callable[[], Catalogue]) -> None:
        self._profiles = profiles
        self._catalogue = catalogue
        self._found: dict[ChannelId, _Found] = {}
        self._taken: dict[ChannelId, Profile] = {}

    def of(self, channel: ChannelDefinition) -> Profile:
        """Return the format in which ``channel`` would go on air now."""
        # A definition that is kept from before may name a profile that is gone by now.
        named = None if channel.profile == COPY else self._profiles.get(channel.profile, FALLBACK)
        if named is not None and not named.copy:
            return named
        found = self._found.get(channel.id)
        if found is None or (found.pools, found.named) != (channel.pools, named):
            found = _Found(channel.pools, named, copied(channel.pools, self._catalogue(), named))
            self._found[channel.id] = found
        return found.profile

    def take(self, channel: ChannelDefinition) -> Profile:
        """Return the format in which ``channel`` goes on air, and keep it in mind."""
        self._taken[channel.id] = self.of(channel)
        return self._taken[channel.id]

    def is_outdated(self, channel: ChannelDefinition) -> bool:
        """Tell whether ``channel`` went on air in another format than it would now."""
        return self._taken.get(channel.id, self.of(channel)) != self.of(channel)

    async def heard(self, catalogue: Catalogue) -> None:
        """Look anew what most items have: what the catalogue's holder calls."""
        for channel, found in tuple(self._found.items()):
            profile = await asyncio.to_thread(copied, found.pools, catalogue, found.named)
            self._found[channel] = _Found(found.pools, found.named, profile)


def copied(pools: Sequence[Pool], catalogue: Catalogue, named: Profile | None = None) -> Profile:
    """Return the format that most hours of ``pools`` can be sent in as they are, or ``named`` fitted to them."""
    media = [item.media for item in _items(pools, catalogue)]
    if named is None:
        found = commonest(media)
        named = found.profile if found is not None else FALLBACK
    return fitted(named, media)


def shares(pools: Sequence[Pool], profile: Profile, catalogue: Catalogue) -> Mapping[Way, int]:
    """Return for how many milliseconds of ``pools`` each way is the cheapest into ``profile``."""
    found = Counter(dict.fromkeys(Way, 0))
    for item in _items(pools, catalogue):
        found[cheapest(item.media, profile)] += item.duration_ms
    return found


def hindrances(pools: Sequence[Pool], profile: Profile, catalogue: Catalogue) -> Mapping[str, list[Item]]:
    """Return the items of ``pools`` that are encoded whole in ``profile``, by what keeps them from being copied."""
    found: dict[str, list[Item]] = {}
    for item in _items(pools, catalogue):
        if why := hindrance(item.media, profile):
            found.setdefault(why, []).append(item)
    return found


def _items(pools: Sequence[Pool], catalogue: Catalogue) -> list[Item]:
    """Return what ``pools`` can air, each item once."""
    return list({item.key: item for pool in pools for item in select(pool.query, catalogue)}.values())
