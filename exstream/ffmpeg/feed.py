"""From an order to running bytes: one ffmpeg per order, its pipe is the feed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from exstream.errors import FeedError, UnreadableMedia
from exstream.ffmpeg.command import programme
from exstream.ffmpeg.copying import cheapest
from exstream.ffmpeg.process import Process, Processes
from exstream.ffmpeg.reachable import Reachable
from exstream.ffmpeg.reels import first_opened
from exstream.ffmpeg.remux import remux
from exstream.model.catalogue import Media
from exstream.model.programme import Order, Way

Probe = Callable[[str], Awaitable[Media]]
"""Finds out what a file holds; raises `UnreadableMedia`."""


class FfmpegFeed:
    """A running encoder that fulfils one order."""

    def __init__(self, order: Order, process: Process) -> None:
        self._order = order
        self._process = process

    @property
    def order(self) -> Order:
        """What was ordered."""
        return self._order

    @property
    def fd(self) -> int:
        """The non-blocking read end of its pipe; -1 once the feed is closed."""
        return self._process.fd

    @property
    def pid(self) -> int:
        """The encoder's process id."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """How the encoder ended; None while it runs."""
        return self._process.returncode

    @property
    def lost(self) -> str:
        """Why its source gave out; a file of this machine has no other reason than its own faults."""
        return ""

    def stderr(self) -> str:
        """Return the encoder's last words."""
        return self._process.stderr()

    def kill(self) -> None:
        """End the encoder at once; what it has written can still be read from ``fd``, to its end."""
        self._process.kill()

    async def close(self) -> None:
        """Stop the encoder; it is gone when this returns. Nobody may read ``fd`` once this is called."""
        await self._process.stop()


class FfmpegFeeds:
    """Opens feeds. ``probe`` is asked about local sources of which nothing is known yet."""

    def __init__(self, processes: Processes, probe: Probe) -> None:
        self._processes = processes
        self._probe = probe
        self._reachable = Reachable()

    async def open(self, order: Order) -> FfmpegFeed:
        """Start the encoder of ``order``, or raise `FeedError` when its file or the encoder cannot be used.

        It takes the cheapest clean way that the order allows, and says which on its own order.
        """
        location = order.source.location
        if location.startswith("/"):
            await self._reachable.check(first_opened(order))
            if order.source.media is None and not order.source.reels:
                order = await self._known(order)
        order = replace(order, way=_dearer(order.way, _cheapest(order)))
        try:
            argv = programme(order) if order.way is Way.TRANSCODE else remux(order)
        except ValueError as fault:
            raise FeedError(f"{location} cannot be played: {fault}") from fault
        process = await self._processes.start(argv, name=f"feed {_name(location)}")
        return FfmpegFeed(order, process)

    async def _known(self, order: Order) -> Order:
        try:
            media = await self._probe(order.source.location)
        except UnreadableMedia as fault:
            raise FeedError(str(fault)) from fault
        return replace(order, source=replace(order.source, media=media))


def _cheapest(order: Order) -> Way:
    """Return the cheapest clean way; several files that follow one another are encoded."""
    return Way.TRANSCODE if order.source.reels else cheapest(order.source.media, order.profile)


def _name(location: str) -> str:
    """Return what may be said of a location: the address of a part of the gateway is a secret."""
    return Path(location).name if location.startswith("/") else "from the gateway"


def _dearer(one: Way, other: Way) -> Way:
    return max(one, other, key=list(Way).index)
