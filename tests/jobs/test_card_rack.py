"""The rack of cards."""

from __future__ import annotations

import dataclasses

import pytest

from exstream.errors import ConfigurationError, TuneFailed
from exstream.jobs.card_rack import CardRack
from exstream.jobs.cards import BLACK, OFF_AIR, STARTING, TROUBLE, CardMaker, CardSet
from exstream.jobs.formats import Formats
from exstream.model.catalogue import Catalogue
from exstream.model.channel import ChannelDefinition, Profile
from tests import material

pytestmark = pytest.mark.anyio


class Maker(CardMaker):
    """A maker that cannot make the cards of some profiles."""

    def __init__(self, *refused: str) -> None:
        self.refused = set(refused)
        self.made: list[str] = []

    async def cards(self, profile: Profile) -> CardSet:
        """Return the grey card for everything, or refuse."""
        self.made.append(profile.name)
        if profile.name in self.refused:
            raise ConfigurationError("the cards cannot be encoded: set EXSTREAM_FFMPEG to another ffmpeg")
        card = material.plain_card(material.SMALL)
        pictures = dict.fromkeys((STARTING, OFF_AIR, TROUBLE, BLACK), b"".join(card.units))
        return CardSet(pictures, card.silence)


def channel(profile: str) -> ChannelDefinition:
    """Return a channel of that profile."""
    return ChannelDefinition(profile, "1", profile, profile, ())


async def test_a_profile_without_cards_does_not_keep_the_others_off_the_air() -> None:
    """The cards that can be made are made once; a channel of the other profile is refused until its cards are."""
    maker = Maker("small")
    profiles = {profile.name: profile for profile in (material.SMALL, material.FAST)}
    rack = CardRack(maker, Formats(profiles, Catalogue))
    channels = (channel("small"), channel("fast"))
    await rack.fill(channels)
    await rack.of(material.FAST)

    assert rack.missing(channels) == ["small"]
    with pytest.raises(TuneFailed, match="no cards"):
        await rack.of(material.SMALL)
    assert maker.made.count("fast") == 1

    maker.refused.clear()
    await rack.of(material.SMALL)
    assert rack.missing(channels) == []


async def test_two_formats_of_one_name_have_cards_of_their_own() -> None:
    """What counts is the format: a channel that copies may have another one tomorrow."""
    maker = Maker()
    rack = CardRack(maker, Formats({}, Catalogue))
    larger = dataclasses.replace(material.SMALL, width=640)
    assert await rack.of(material.SMALL) is await rack.of(material.SMALL)
    await rack.of(larger)
    assert maker.made == ["small", "small"]
