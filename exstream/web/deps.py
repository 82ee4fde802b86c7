"""What the sites are given by `exstream.app`, and the one rule on who may enter."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Protocol

from exstream.clock import Clock
from exstream.errors import NotThere
from exstream.guide.device import Device
from exstream.jobs.board import Board
from exstream.jobs.press import Press
from exstream.jobs.sources_seen import LibrarySeen, ServerSeen
from exstream.model.bad_file import BadFile
from exstream.model.catalogue import Catalogue, ItemKey
from exstream.model.channel import ChannelDefinition, ChannelId, ChannelNumber, Profile
from exstream.model.programme import Cue, Segment
from exstream.playout import player, tuners
from exstream.playout.fanout import Wire
from exstream.plex.api import Picture
from exstream.telemetry import Metrics

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NEAR: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)


class Session(Protocol):
    """One viewer of one channel; ``since_ms`` is UTC epoch milliseconds."""

    @property
    def id(self) -> str:
        """Name for `Tuners.stop`."""

    @property
    def channel(self) -> ChannelId:
        """What is watched."""

    @property
    def peer(self) -> str:
        """The viewer's address."""

    @property
    def agent(self) -> str:
        """What the viewer's program calls itself."""

    @property
    def tuner(self) -> int | None:
        """The HDHomeRun tuner it holds."""

    @property
    def kind(self) -> tuners.Kind:
        """How the channel is sent."""

    @property
    def viewer(self) -> str:
        """What the viewer calls itself; empty for most."""

    @property
    def joins(self) -> Iterable[tuners.Join]:
        """Where a movie's time last joined the wall's, the latest at the end."""

    @property
    def since_ms(self) -> int:
        """When it began."""

    @property
    def bytes_sent(self) -> int:
        """How much it was given."""

    @property
    def skips(self) -> int:
        """How often it was moved on because it read too slowly."""


class Viewer(Protocol):
    """A channel's transport stream, from a random-access point on, until the channel ends or it is stopped."""

    @property
    def tuner(self) -> int | None:
        """The HDHomeRun tuner it holds."""

    async def play(self, wire: Wire) -> None:
        """Write whole TS packets to ``wire`` until the stream ends; raises `ViewerStalled` when nothing is taken."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Give whole TS packets as they are released, to a reader with a pace of its own."""


class Tuners(Protocol):
    """Who watches what."""

    @property
    def tuner_count(self) -> int:
        """How many HDHomeRun tuners there are."""

    def tune(
        self, channel: ChannelId, *, peer: str, agent: str, tuner: int | None = None, counted: bool = False
    ) -> AbstractAsyncContextManager[Viewer]:
        """Join a channel; entering raises `UnknownChannel`, `NoTunerFree` or `TuneFailed` before any byte."""

    def attend(
        self, channel: ChannelId, *, peer: str, agent: str, kind: tuners.Kind, viewer: str = ""
    ) -> AbstractAsyncContextManager[tuple[tuners.Session, player.Player]]:
        """Count as a viewer who reads no stream; entering raises `UnknownChannel`."""

    def sent(self, session: tuners.Session, count: int, /) -> None:
        """Note that a viewer who attends was given ``count`` bytes."""

    def sessions(self) -> Sequence[Session]:
        """Everyone who watches."""

    def stop(self, session_id: str) -> bool:
        """End a session; False when there is none of that name."""

    def tuners_in_use(self) -> Mapping[int, Session]:
        """The taken HDHomeRun tuners."""


class Lineup(Protocol):
    """The channels that are on."""

    @property
    def faults(self) -> Sequence[str]:
        """What is wrong with the definitions, one sentence each."""

    @property
    def revision(self) -> int:
        """Changes with every change of a definition."""

    def enabled(self) -> Sequence[ChannelDefinition]:
        """The channels on air, sorted by number."""

    def by_id(self, channel_id: ChannelId, /) -> ChannelDefinition | None:
        """Find a channel by its identity."""

    def by_number(self, number: ChannelNumber, /) -> ChannelDefinition | None:
        """Find a channel by its number."""


class Timeline(Protocol):
    """The published timeline."""

    def cue(self, channel_id: ChannelId, at_ms: int, /) -> Cue:
        """What is on at ``at_ms``."""

    async def rows(self, channel_id: ChannelId, start_ms: int, end_ms: int, /) -> Sequence[Segment]:
        """The rows that overlap the interval, in order."""

    async def rows_of(
        self, channels: Sequence[ChannelId], start_ms: int, end_ms: int, /
    ) -> Mapping[ChannelId, Sequence[Segment]]:
        """The rows of each of ``channels`` that overlap the interval, in order."""

    def revision(self, channel_id: ChannelId, /) -> int:
        """Changes with every row that is published or replanned."""


class CatalogueHolder(Protocol):
    """The library as it is now."""

    @property
    def current(self) -> Catalogue:
        """The newest snapshot."""


class Formats(Protocol):
    """What each channel is sent in."""

    def of(self, channel: ChannelDefinition, /) -> Profile:
        """Return the format in which the channel would go on air now."""


class Sources(Protocol):
    """Where the catalogue comes from; what asks the store raises StoreError."""

    async def libraries(self) -> Sequence[LibrarySeen]:
        """The libraries."""

    async def servers(self) -> Sequence[ServerSeen]:
        """The media servers."""

    def concerns(self) -> Sequence[str]:
        """What is wrong with servers now, one sentence each."""


class Pictures(Protocol):
    """Pictures of items."""

    async def of(self, key: ItemKey, /) -> Picture:
        """Return the picture of an item; raises `OutboundError`."""


class NoPictures:
    """There are none."""

    async def of(self, key: ItemKey, /) -> Picture:
        """Raise `NotThere`."""
        raise NotThere(f"there is no picture of {key}")


class NoSources:
    """Nothing but what is in the catalogue."""

    async def libraries(self) -> Sequence[LibrarySeen]:
        """Return no library."""
        return ()

    async def servers(self) -> Sequence[ServerSeen]:
        """Return no server."""
        return ()

    def concerns(self) -> Sequence[str]:
        """Return that all is well."""
        return ()


@dataclass(frozen=True, slots=True)
class WebOptions:
    """The sites' settings."""

    iptv_port: int = 8411
    hdhr_port: int = 5004
    channels_dir: Path | None = None
    """Where logo files lie, beside the definitions."""
    base_url: str = ""
    """Fixed address of the IPTV site, with its path, such as ``https://tv.example.org/tv``; empty: as requests say."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks whose ``X-Forwarded-*`` headers are believed."""
    timezone: str = ""
    """In which times are written for browsers without scripts; empty: the machine's."""
    metrics_token: str = field(default="", repr=False)
    guide_days: int = 7


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything the sites stand on."""

    tuners: Tuners
    lineup: Lineup
    timeline: Timeline
    catalogue: CatalogueHolder
    board: Board
    metrics: Metrics
    clock: Clock
    ready: Callable[[], Sequence[str]]
    """What is missing for `/readyz`; empty when ready."""
    device: Device
    formats: Formats
    options: WebOptions = field(default_factory=WebOptions)
    bad_files: Callable[[], Sequence[BadFile]] = tuple
    """The files that are set aside."""
    press: Press = field(default_factory=Press)
    """Makes the guide's fragments."""
    sources: Sources = field(default_factory=NoSources)
    pictures: Pictures = field(default_factory=NoPictures)

    def find(self, name: str) -> ChannelDefinition | None:
        """Return the enabled channel called ``name``, an id or else a number."""
        channel = self.lineup.by_id(name) or self.lineup.by_number(name)
        return channel if channel is not None and channel.enabled else None


def is_near(host: str) -> bool:
    """Tell whether a socket's address may enter: loopback and private networks, whatever the headers say."""
    address = plain_address(host)
    return address is not None and within(address, _NEAR)


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Return ``texts`` as networks; raises ValueError on what is neither an address nor a network."""
    return tuple(ip_network(text, strict=False) for text in texts)


def within(address: Address, among: Sequence[Network]) -> bool:
    """Tell whether ``address`` lies in one of the networks."""
    return any(address.version == network.version and address in network for network in among)


def plain_address(host: str) -> Address | None:
    """Return a socket's host as an address, IPv4 out of its IPv6 mapping; None when it is no address."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
