"""The XMLTV document: put together from fragments per channel and day, once for all who ask at the same time."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from cachetools import LRUCache

from exstream.guide import xmltv
from exstream.guide.programmes import programmes
from exstream.model.catalogue import Catalogue
from exstream.model.channel import ChannelDefinition
from exstream.model.programme import Programme, Segment
from exstream.web.deps import Parts

DAY_MS = 86_400_000
BEHIND_MS = 6 * 3_600_000
"""How much of the past is in the guide at least, for players that show what was on."""
MAX_DAYS = 14
DOCUMENTS = 8
FRAGMENTS = 20_000

_GZIP = 31  # zlib's window bits for a gzip file
_PIECE = 262_144


@dataclass(frozen=True, slots=True)
class Document:
    """A finished guide: kept compressed, because it is mostly asked for compressed and ten times smaller."""

    etag: str
    compressed: bytes
    length: int
    """Bytes when not compressed."""

    def pieces(self) -> Iterator[bytes]:
        """Give the document uncompressed, piece by piece."""
        inflate = zlib.decompressobj(_GZIP)
        rest = self.compressed
        while rest:
            yield inflate.decompress(rest, _PIECE)
            rest = inflate.unconsumed_tail
        yield inflate.flush()


class GuideDocuments:
    """Makes guide documents off the event loop, with a cache that knows when one is out of date."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._documents: LRUCache[str, Document] = LRUCache(DOCUMENTS)
        self._fragments: LRUCache[tuple[object, ...], bytes] = LRUCache(FRAGMENTS)
        self._making: dict[str, asyncio.Task[Document]] = {}

    async def document(self, base_url: str, days: int) -> Document:
        """Return the guide from today (UTC) for ``days`` days ahead, with addresses under ``base_url``."""
        now = self._parts.clock.now_ms()
        first = (now - BEHIND_MS) // DAY_MS
        end = -(-(now + days * DAY_MS) // DAY_MS)
        etag = self._etag(base_url, first, end)
        made = self._documents.get(etag)
        if made is not None:
            return made
        making = self._making.get(etag)
        if making is None:
            making = asyncio.create_task(self._make(etag, base_url, first, end))
            self._making[etag] = making
            making.add_done_callback(lambda _: self._making.pop(etag, None))
        return await asyncio.shield(making)

    def _etag(self, base_url: str, first: int, end: int) -> str:
        channels = self._parts.lineup.enabled()
        revisions = [(channel.id, self._parts.timeline.revision(channel.id)) for channel in channels]
        facts = (
            base_url,
            first,
            end,
            self._parts.lineup.revision,
            self._parts.catalogue.current.version,
            revisions,
        )
        return blake2b(repr(facts).encode(), digest_size=12).hexdigest()

    async def _make(self, etag: str, base_url: str, first: int, end: int) -> Document:
        channels = self._parts.lineup.enabled()
        catalogue = self._parts.catalogue.current
        parts: list[bytes] = []
        for channel in channels:
            parts += await self._channel(channel, catalogue, first, end)
        document = await asyncio.to_thread(_compressed, etag, channels, base_url, parts)
        self._documents[etag] = document
        return document

    async def _channel(
        self, channel: ChannelDefinition, catalogue: Catalogue, first: int, end: int
    ) -> list[bytes]:
        """Return the channel's days as compressed fragments, making those that are not there yet.

        A programme belongs to the day it starts in; one that began before the first day opens it.
        """
        revision = self._parts.timeline.revision(channel.id)
        stamp = (channel.id, revision, catalogue.version)
        keys = {day: (*stamp, day, day == first) for day in range(first, end)}
        found = {day: self._fragments.get(key) for day, key in keys.items()}
        missing = [day for day, fragment in found.items() if fragment is None]
        made: dict[int, bytes] = {}
        if missing:
            rows = await self._parts.timeline.rows(channel.id, (first - 1) * DAY_MS, (end + 1) * DAY_MS)
            made = await asyncio.to_thread(_fragments, rows, catalogue, missing, first, end)
            for day, fragment in made.items():
                self._fragments[keys[day]] = fragment
        return [found[day] or made[day] for day in keys]


def _by_day(airings: Sequence[Programme], first: int, end: int) -> dict[int, list[Programme]]:
    days: dict[int, list[Programme]] = {day: [] for day in range(first, end)}
    for airing in airings:
        if airing.ends > first * DAY_MS and airing.starts < end * DAY_MS:
            days[max(first, airing.starts // DAY_MS)].append(airing)
    return days


def _fragments(
    rows: Sequence[Segment], catalogue: Catalogue, days: Sequence[int], first: int, end: int
) -> dict[int, bytes]:
    by_day = _by_day(programmes(rows), first, end)
    return {day: _fragment(by_day[day], catalogue) for day in days}


def _fragment(airings: Sequence[Programme], catalogue: Catalogue) -> bytes:
    return zlib.compress("".join(xmltv.entries(airings, catalogue)).encode(), 1)


def _compressed(
    etag: str, channels: Sequence[ChannelDefinition], base_url: str, fragments: Sequence[bytes]
) -> Document:
    deflate = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
    out: list[bytes] = []
    length = 0
    for piece in _whole(channels, base_url, fragments):
        length += len(piece)
        out.append(deflate.compress(piece))
    out.append(deflate.flush())
    return Document(etag, b"".join(out), length)


def _whole(
    channels: Sequence[ChannelDefinition], base_url: str, fragments: Sequence[bytes]
) -> Iterator[bytes]:
    yield xmltv.header(channels, base_url).encode()
    for fragment in fragments:
        yield zlib.decompress(fragment)
    yield xmltv.footer().encode()
