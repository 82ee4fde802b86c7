"""The cards of every format in use, in memory before a channel needs them."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from exstream.errors import ConfigurationError, TuneFailed
from exstream.jobs.cards import BLACK, OFF_AIR, STARTING, TROUBLE, CardMaker
from exstream.jobs.formats import Formats
from exstream.model.channel import ChannelDefinition, Profile
from exstream.mpegts.card import Card
from exstream.playout.cards import Cards

log = structlog.get_logger(__name__)


class CardRack:
    """Cards by the format that they are made for; ``formats`` says which channel is sent in which."""

    def __init__(self, maker: CardMaker, formats: Formats) -> None:
        self._maker = maker
        self._formats = formats
        self._cards: dict[Profile, Cards] = {}

    async def fill(self, channels: Iterable[ChannelDefinition]) -> None:
        """Make the cards of the channels' formats; one that cannot be made is reported, and the others are."""
        for profile in self._wanted(channels):
            await self._make(profile)

    def missing(self, channels: Iterable[ChannelDefinition]) -> list[str]:
        """Return the names of the profiles whose cards are not made yet."""
        return [profile.name for profile in self._wanted(channels)]

    async def of(self, profile: Profile) -> Cards:
        """Return the cards of a format, made now if need be; raises `TuneFailed` when they cannot be made."""
        if profile not in self._cards:
            await self._make(profile)
        cards = self._cards.get(profile)
        if cards is None:
            raise TuneFailed(f"profile {profile.name} has no cards: the log says why")
        return cards

    def _wanted(self, channels: Iterable[ChannelDefinition]) -> list[Profile]:
        formats = {self._formats.of(channel) for channel in channels}
        return sorted(formats - self._cards.keys(), key=lambda profile: profile.name)

    async def _make(self, profile: Profile) -> None:
        try:
            made = await self._maker.cards(profile)
            cards = {word: Card.of(picture, made.silence) for word, picture in made.pictures.items()}
        except (ConfigurationError, ValueError) as fault:
            log.warning(
                "a profile has no cards, so its channels stay off air",
                profile=profile.name,
                reason=str(fault),
            )
            return
        self._cards[profile] = Cards(cards[STARTING], cards[OFF_AIR], cards[TROUBLE], cards[BLACK])
