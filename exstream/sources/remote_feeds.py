"""Feeds and probes of files on servers: lent when they begin, taken back when they end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Protocol

from exstream.errors import (
    FeedError,
    FileUnavailable,
    OutboundError,
    UnreadableMedia,
)
from exstream.ffmpeg.reels import reel_at
from exstream.model.catalogue import ItemKey, Media, Reel, Source
from exstream.model.programme import Order
from exstream.playout.ports import Feed
from exstream.sources.capabilities import Loan, is_remote
from exstream.sources.gateway import Gateway

Probe = Callable[[str], Awaitable[Media]]
"""Finds out what is in the file at a path or a loopback URL; raises `UnreadableMedia`."""


class KillableFeed(Feed, Protocol):
    """A feed whose encoder can be ended without closing its pipe."""

    def kill(self) -> None:
        """End the encoder at once; what it has written can still be read."""


class KillableFeeds(Protocol):
    """Where feeds come from, that of a source which was lost can be ended."""

    async def open(self, order: Order) -> KillableFeed:
        """Start a feed, or raise `FeedError`."""


class LentFeed:
    """A feed of files that were lent for it. It tells of their stable locations alone."""

    def __init__(self, feed: KillableFeed, source: Source, loans: Sequence[Loan], gateway: Gateway) -> None:
        self._feed = feed
        self._loans = loans
        self._gateway = gateway
        media = source.media or feed.order.source.media
        self._order = replace(feed.order, source=replace(source, media=media))
        for loan in loans:
            # Before the encoder sees an end that is none, and fills what is left with black.
            loan.on_fault = feed.kill
        if any(loan.fault for loan in loans):
            feed.kill()

    @property
    def order(self) -> Order:
        """What was ordered, with the way that it takes."""
        return self._order

    @property
    def fd(self) -> int:
        """The read end of its pipe."""
        return self._feed.fd

    @property
    def returncode(self) -> int | None:
        """How the encoder ended; None while it runs."""
        return self._feed.returncode

    @property
    def lost(self) -> str:
        """Why its source gave out, where nothing but another one or time helps; empty otherwise."""
        return next((loan.fault for loan in self._loans if loan.lost), "")

    def stderr(self) -> str:
        """Return the encoder's last words."""
        words = self._feed.stderr()
        for loan in self._loans:
            words = self._gateway.hidden(words, loan)
        return words

    async def close(self) -> None:
        """Stop the encoder and take back what was lent for it."""
        try:
            await self._feed.close()
        finally:
            await _take_back(self._gateway, self._loans)


class RemoteFeeds:
    """Opens feeds; those of files on servers through ``gateway``. ``probe`` looks into files nobody knows yet."""

    def __init__(self, feeds: KillableFeeds, gateway: Gateway, probe: Probe) -> None:
        self._feeds = feeds
        self._gateway = gateway
        self._probe = probe

    async def open(self, order: Order) -> Feed:
        """Start a feed, or raise `FeedError`; `FileUnavailable` when its server does not give its file."""
        source = order.source
        if not is_remote(source.location):
            return await self._feeds.open(order)
        loans = _lend(self._gateway, source)
        try:
            feed = await self._opened(order, loans)
        except BaseException:
            await _take_back(self._gateway, loans)
            raise
        return LentFeed(feed, source, loans, self._gateway)

    async def _opened(self, order: Order, loans: Sequence[Loan]) -> KillableFeed:
        first = loans[reel_at(order.source, order.offset_ms)]
        try:
            await self._gateway.prepare(first)
            lent = _moved(order.source, [self._gateway.url(loan) for loan in loans])
            if lent.media is None:
                lent = replace(lent, media=await self._probe(lent.location))
            return await self._feeds.open(replace(order, source=lent))
        except OutboundError as fault:
            raise FileUnavailable(f"{first.location} cannot be read: {fault}") from fault
        except UnreadableMedia as fault:
            raise FeedError(self._gateway.hidden(str(fault), first)) from None
        except FileUnavailable as fault:
            raise FileUnavailable(self._gateway.hidden(str(fault), first)) from None
        except FeedError as fault:
            raise FeedError(self._gateway.hidden(str(fault), first)) from None


class RemoteProbe:
    """Looks into files: those on servers through ``gateway``."""

    def __init__(self, probe: Probe, gateway: Gateway) -> None:
        self._probe = probe
        self._gateway = gateway

    async def probe(self, location: str, item: ItemKey = "") -> Media:
        """Return what is in the file at a path or on a server; raises `UnreadableMedia`, or `OutboundError`."""
        if not is_remote(location):
            return await self._probe(location)
        loan = self._gateway.lend(location, item)
        try:
            await self._gateway.prepare(loan)
            return await self._probe(self._gateway.url(loan))
        except UnreadableMedia as fault:
            raise UnreadableMedia(self._gateway.hidden(str(fault), loan)) from None
        finally:
            await self._gateway.take_back(loan)


def _lend(gateway: Gateway, source: Source) -> list[Loan]:
    places = [reel.location for reel in source.reels] or [source.location]
    return [gateway.lend(location, source.item, place) for place, location in enumerate(places)]


def _moved(source: Source, urls: Sequence[str]) -> Source:
    """Return ``source`` with its files at ``urls``."""
    reels = tuple(
        Reel(url, reel.duration_ms, reel.media) for url, reel in zip(urls, source.reels, strict=False)
    )
    return replace(source, location=urls[0], reels=reels)


async def _take_back(gateway: Gateway, loans: Sequence[Loan]) -> None:
    for loan in loans:
        await asyncio.shield(gateway.take_back(loan))
