"""The cards of every profile in use, in memory before a channel needs them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import structlog

from exstream.errors import ConfigurationError, TuneFailed
from exstream.jobs.cards import BLACK, OFF_AIR, STARTING, TROUBLE, CardMaker
from exstream.model.channel import ChannelDefinition, Profile
from exstream.mpegts.card import Card
from exstream.playout.cards import Cards

log = structlog.get_logger(__name__)


class CardRack:
    """Cards by the name of their profile."""

    def __init__(self, maker: CardMaker, profiles: Mapping[str, Profile]) -> None:
        self._maker = maker
        self._profiles = profiles
        self._cards: dict[str, Cards] = {}

    async def fill(self, channels: Iterable[ChannelDefinition]) -> None:
        """Make the cards of the channels' profiles; one that cannot be made is reported, and the others are."""
        for name in self.missing(channels):
            try:
                made = await self._maker.cards(self._profiles[name])
                cards = {word: Card.of(picture, made.silence) for word, picture in made.pictures.items()}
            except (ConfigurationError, ValueError) as fault:
                log.warning(
                    "a profile has no cards, so its channels stay off air", profile=name, reason=str(fault)
                )
                continue
            self._cards[name] = Cards(cards[STARTING], cards[OFF_AIR], cards[TROUBLE], cards[BLACK])

    def missing(self, channels: Iterable[ChannelDefinition]) -> list[str]:
        """Return the profiles whose cards are not made yet."""
        return sorted({channel.profile for channel in channels} - self._cards.keys())

    async def of(self, channel: ChannelDefinition) -> Cards:
        """Return the cards of a channel, made now if need be; raises `TuneFailed` when they cannot be made."""
        await self.fill((channel,))
        cards = self._cards.get(channel.profile)
        if cards is None:
            raise TuneFailed(f"{channel.name} has no cards: the log says why")
        return cards
