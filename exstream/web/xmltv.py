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
from exstream.model.channel import ChannelDefinition, ChannelId
from exstream.model.programme import Programme, Segment
from exstream.web.deps import Parts

DAY_MS = 86_400_000
BEHIND_MS = 6 * 3_600_000
"""How much of the past is in the guide at least, for players that show what was on."""
MAX_DAYS = 14
DOCUMENTS = 8
FRAGMENTS = 20_000
LEAST_DAYS = 3
LARGEST = 24_000_000
"""Bytes. Guides of 40 MB have hung players: one that nobody asked for by days ends with the day that reaches this."""

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


@dataclass(frozen=True, slots=True)
class Fragment:
    """One channel's programmes of one day."""

    compressed: bytes
    length: int
    """Bytes when not compressed."""


class GuideDocuments:
    """Makes guide documents off the event loop, with a cache that knows when one is out of date."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._documents: LRUCache[str, Document] = LRUCache(DOCUMENTS)
        self._fragments: LRUCache[tuple[object, ...], Fragment] = LRUCache(FRAGMENTS)
        self._making: dict[str, asyncio.Task[Document]] = {}

    async def document(self, base_url: str, days: int | None) -> Document:
        """Return the guide from today (UTC) for ``days`` days ahead, with addresses under ``base_url``.

        None is as far as the guide reaches, or as many days (`LEAST_DAYS` or more) as `LARGEST` holds.
        """
        now = self._parts.clock.now_ms()
        first = (now - BEHIND_MS) // DAY_MS
        end = -(-(now + (days or self._parts.options.guide_days) * DAY_MS) // DAY_MS)
        most = None if days else LARGEST
        etag = self._etag(base_url, first, end, most)
        made = self._documents.get(etag)
        if made is not None:
            return made
        making = self._making.get(etag)
        if making is None:
            making = asyncio.create_task(self._make(etag, base_url, range(first, end), most))
            self._making[etag] = making
            making.add_done_callback(lambda _: self._making.pop(etag, None))
        return await asyncio.shield(making)

    def _etag(self, base_url: str, first: int, end: int, most: int | None) -> str:
        channels = self._parts.lineup.enabled()
        revisions = [(channel.id, self._parts.timeline.revision(channel.id)) for channel in channels]
        facts = (
            base_url,
            first,
            end,
            most,
            self._parts.lineup.revision,
            self._parts.catalogue.current.version,
            revisions,
        )
        return blake2b(repr(facts).encode(), digest_size=12).hexdigest()

    async def _make(self, etag: str, base_url: str, days: range, most: int | None) -> Document:
        channels = self._parts.lineup.enabled()
        catalogue = self._parts.catalogue.current
        fragments: dict[ChannelId, list[Fragment]] = {channel.id: [] for channel in channels}
        size = 0
        for part in [days] if most is None else _parts(days):
            for channel in channels:
                found = await self._channel(channel, catalogue, part, opens=part.start == days.start)
                fragments[channel.id] += found
                size += sum(fragment.length for fragment in found)
            if most is not None and size >= most:
                break
        body = [fragment.compressed for found in fragments.values() for fragment in found]
        document = await asyncio.to_thread(_compressed, etag, channels, base_url, body)
        self._documents[etag] = document
        return document

    async def _channel(
        self, channel: ChannelDefinition, catalogue: Catalogue, days: range, *, opens: bool
    ) -> list[Fragment]:
        """Return some of the channel's days, making those that are not there yet.

        A programme belongs to the day it starts in; one that began earlier is on the first day of a guide it ``opens``.
        """
        stamp = (channel.id, self._parts.timeline.revision(channel.id), catalogue.version)
        keys = {day: (*stamp, day, opens and day == days.start) for day in days}
        found = {day: self._fragments.get(key) for day, key in keys.items()}
        missing = [day for day, fragment in found.items() if fragment is None]
        made: dict[int, Fragment] = {}
        if missing:
            rows = await self._parts.timeline.rows(
                channel.id, (days.start - 1) * DAY_MS, (days.stop + 1) * DAY_MS
            )
            made = await asyncio.to_thread(_made, rows, catalogue, missing, days.start if opens else None)
            for day, fragment in made.items():
                self._fragments[keys[day]] = fragment
        return [found[day] or made[day] for day in keys]


def _parts(days: range) -> Iterator[range]:
    """Cut a guide's days into the ones it has at least, and then one at a time."""
    least = min(days.start + LEAST_DAYS, days.stop)
    yield range(days.start, least)
    for day in range(least, days.stop):
        yield range(day, day + 1)


def _made(
    rows: Sequence[Segment], catalogue: Catalogue, days: Sequence[int], opening: int | None
) -> dict[int, Fragment]:
    """Return the fragments of ``days``; what began before the day ``opening`` and is still on stands there."""
    by_day: dict[int, list[Programme]] = {day: [] for day in days}
    for airing in programmes(rows):
        day = airing.starts // DAY_MS
        if opening is not None and day < opening and airing.ends > opening * DAY_MS:
            day = opening
        if day in by_day:
            by_day[day].append(airing)
    return {day: _fragment(airings, catalogue) for day, airings in by_day.items()}


def _fragment(airings: Sequence[Programme], catalogue: Catalogue) -> Fragment:
    text = "".join(xmltv.entries(airings, catalogue)).encode()
    return Fragment(zlib.compress(text, 1), len(text))


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
