"""The XMLTV document: put together from fragments per channel and day, once for all who ask at the same time."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from cachetools import LRUCache

from exstream.guide import packing, xmltv
from exstream.guide.packing import Fragment
from exstream.guide.press import DAY_MS, Sheet
from exstream.guide.xmltv import Edition
from exstream.model.channel import ChannelDefinition, ChannelId
from exstream.web.deps import Parts

BEHIND_MS = 6 * 3_600_000
"""How much of the past is in the guide at least, for players that show what was on."""
MAX_DAYS = 14
DOCUMENTS = 8
FRAGMENTS = 20_000
LEAST_DAYS = 3
MANY = 24
"""From so many missing channel days on, a guide is made by a process of its own."""
TOGETHER = 4
"""How many channels' rows are read, and made fragments of, in one go."""
AT_ONCE = 3
"""How many such lots are under way: one is read, one is written to the process, one is made."""
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
        edition = Edition(self._parts.catalogue.current, base_url)
        fragments: dict[ChannelId, list[Fragment]] = {channel.id: [] for channel in channels}
        size = 0
        for part in [days] if most is None else _parts(days):
            found = await self._part(channels, edition, part, opens=part.start == days.start)
            for channel, made in found.items():
                fragments[channel] += made
                size += sum(fragment.length for fragment in made)
            if most is not None and size >= most:
                break
        body = [fragment for found in fragments.values() for fragment in found]
        document = await asyncio.to_thread(_whole, etag, channels, base_url, body)
        self._documents[etag] = document
        return document

    async def _part(
        self, channels: Sequence[ChannelDefinition], edition: Edition, days: range, *, opens: bool
    ) -> dict[ChannelId, list[Fragment]]:
        """Return some days of every channel, making those that are not there yet.

        A programme belongs to the day it starts in; one that began earlier is on the first day of a guide it ``opens``.
        """
        keys = {channel.id: self._keys(channel.id, edition, days, opens=opens) for channel in channels}
        found = {
            channel: {day: self._fragments.get(key) for day, key in days_of.items()}
            for channel, days_of in keys.items()
        }
        missing = {
            channel: [day for day, fragment in days_of.items() if fragment is None]
            for channel, days_of in found.items()
        }
        many = sum(map(len, missing.values())) >= MANY
        gate = asyncio.Semaphore(AT_ONCE)

        async def make(some: Sequence[ChannelId]) -> None:
            async with gate:
                rows = await self._parts.timeline.rows_of(
                    some, (days.start - 1) * DAY_MS, (days.stop + 1) * DAY_MS
                )
                sheets = [Sheet(rows[channel], missing[channel]) for channel in some]
                opening = days.start if opens else None
                made = await self._parts.press.fragments(sheets, edition, opening, many=many)
            for channel, by_day in zip(some, made, strict=True):
                for day, fragment in by_day.items():
                    found[channel][day] = self._fragments[keys[channel][day]] = fragment

        wanted = [channel for channel, days_of in missing.items() if days_of]
        await asyncio.gather(*(make(wanted[at : at + TOGETHER]) for at in range(0, len(wanted), TOGETHER)))
        return {
            channel: [fragment for fragment in days_of.values() if fragment is not None]
            for channel, days_of in found.items()
        }

    def _keys(
        self, channel: ChannelId, edition: Edition, days: range, *, opens: bool
    ) -> dict[int, tuple[object, ...]]:
        stamp = (channel, self._parts.timeline.revision(channel), edition.catalogue.version)
        return {day: (*stamp, edition.base_url, day, opens and day == days.start) for day in days}


def _parts(days: range) -> Iterator[range]:
    """Cut a guide's days into the ones it has at least, and then one at a time."""
    least = min(days.start + LEAST_DAYS, days.stop)
    yield range(days.start, least)
    for day in range(least, days.stop):
        yield range(day, day + 1)


def _whole(
    etag: str, channels: Sequence[ChannelDefinition], base_url: str, body: Sequence[Fragment]
) -> Document:
    header = packing.fragment(xmltv.header(channels, base_url).encode())
    footer = packing.fragment(xmltv.footer().encode())
    fragments = [header, *body, footer]
    return Document(etag, packing.gzip_file(fragments), sum(fragment.length for fragment in fragments))
