"""The cards of every profile in use, in memory before a channel needs them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from exstream.jobs.cards import OFF_AIR, STARTING, TROUBLE, CardMaker
from exstream.model.channel import ChannelDefinition, Profile
from exstream.mpegts.card import Card
from exstream.playout.cards import Cards


class CardRack:
    """Cards by the name of their profile."""

    def __init__(self, maker: CardMaker, profiles: Mapping[str, Profile]) -> None:
        self._maker = maker
        self._profiles = profiles
        self._cards: dict[str, Cards] = {}

    async def fill(self, channels: Iterable[ChannelDefinition]) -> None:
        """Make the cards of the channels' profiles. Raises `ConfigurationError`."""
        for name in self.missing(channels):
            made = await self._maker.cards(self._profiles[name])
            cards = {word: Card.of(picture, made.silence) for word, picture in made.pictures.items()}
            self._cards[name] = Cards(cards[STARTING], cards[OFF_AIR], cards[TROUBLE])

    def missing(self, channels: Iterable[ChannelDefinition]) -> list[str]:
        """Return the profiles whose cards are not made yet."""
        return sorted({channel.profile for channel in channels} - self._cards.keys())

    async def of(self, channel: ChannelDefinition) -> Cards:
        """Return the cards of a channel, made now if need be."""
        await self.fill((channel,))
        return self._cards[channel.profile]
