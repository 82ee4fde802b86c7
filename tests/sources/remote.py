"""Files of a media server in another process, read through a gateway that is really served."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from exstream.clock import SystemClock
from exstream.model.catalogue import Catalogue, Item, ItemKey, Media
from exstream.model.server import Server
from exstream.outbound import ONCE
from exstream.plex.api import PlexServer
from exstream.plex.items import Surroundings, item_of
from exstream.plex.records import Kind
from exstream.sources.gateway import Gateway
from exstream.sources.switchboard import Switchboard
from exstream.web.media import MediaSite
from exstream.web.servers import Servers, Site
from exstream.web.sockets import LOOPBACK, listen_here
from load.plex_server import PlexServer as Fake


@dataclass
class Counted:
    """Figures of a gateway."""

    bytes: Counter[str] = field(default_factory=Counter)
    resumes: Counter[str] = field(default_factory=Counter)

    def read(self, server: str, count: int) -> None:
        """Count bytes."""
        self.bytes[server] += count

    def resumed(self, server: str) -> None:
        """Count a resumption."""
        self.resumes[server] += 1


class Nobody:
    """Viewers of a site that has none."""

    def sessions(self) -> Sequence[object]:
        """Return nobody."""
        return ()

    def stop(self, session: str) -> bool:
        """Stop nobody."""
        return False


@dataclass
class Remote:
    """A server, its client, and the gateway to its files."""

    fake: Fake
    client: PlexServer
    gateway: Gateway
    counts: Counted

    async def items(
        self, *, local: Callable[[str], str] = lambda _path: "", media: Callable[[Path], Media] | None = None
    ) -> list[Item]:
        """Return its films with their details; ``media`` looks into their files instead of believing the server."""
        around = Surroundings(self.fake.machine, "Films", local)
        records = [record async for page in self.client.pages("1", Kind.MOVIE) for record in page.records]
        details = await self.client.details([record.key for record in records])
        found = [item for record in details if (item := item_of(record, around, None))]
        found = [replace(item, server="Fake") for item in found]
        return [_looked_into(item, media) for item in found] if media else found


def _looked_into(item: Item, media: Callable[[Path], Media]) -> Item:
    versions = tuple(
        replace(version, parts=tuple(replace(part, media=media(Path(part.path))) for part in version.parts))
        for version in item.versions
    )
    first = versions[0].parts
    known = first[0].media if len(first) == 1 else item.media
    return replace(item, versions=versions, media=known)


@asynccontextmanager
async def remote(fake: Fake) -> AsyncIterator[Remote]:
    """Connect ``fake`` for as long as the block lasts."""
    clock, counts = SystemClock(), Counted()
    server = Server(fake.machine, "Fake", fake.url, fake.token)
    switchboard = Switchboard(lambda each: PlexServer(each, "installation-1", clock, patience=ONCE))
    with listen_here() as listening:
        base = f"http://{LOOPBACK}:{listening.getsockname()[1]}"
        gateway = Gateway(switchboard.of, clock, base, counts)
        site = Site(MediaSite(gateway), listening, waited_for=False)
        servers = Servers([site], Nobody(), clock)  # type: ignore[arg-type] # nobody watches a gateway
        serving = asyncio.create_task(servers.serve())
        try:
            async with switchboard.connect(server) as client:
                yield Remote(fake, client, gateway, counts)
        finally:
            servers.stop()
            await serving


def holder(items: Collection[Item]) -> Callable[[], Catalogue]:
    """Return what gives a catalogue of ``items``."""
    catalogue = Catalogue.of(items)
    return lambda: catalogue


def bytes_of(path: Path, size: int) -> bytes:
    """Write a file of chance and return what is in it."""
    data = os.urandom(size)
    path.write_bytes(data)
    return data


def key_of(items: Collection[Item], title: str) -> ItemKey:
    """Return the key of the only item of a title."""
    (found,) = (item.key for item in items if item.title == title)
    return found
