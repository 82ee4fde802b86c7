"""One library under way: records are compared with what is kept, and what differs is written, a page at a time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import structlog

from exstream.errors import Misunderstood, NotThere
from exstream.jobs.sync.means import Means
from exstream.jobs.sync.plan import READ_KINDS
from exstream.jobs.sync.progress import KIND_WORDS, change_line, entry_name, word_of
from exstream.jobs.sync.statistics import Statistics
from exstream.model.catalogue import Item, ItemKey
from exstream.model.server import Known, PlexLibrary, Shelved, Show, SyncState, Taken
from exstream.plex.items import ITEM_KINDS, Surroundings, digest_of, item_of, key_of, rating_key_of
from exstream.plex.records import Record

BATCH = 100
"""How many items' details are asked for at once."""
MARGIN_SECONDS = 300
"""The clock of a server may be so far behind ours."""

NOTHING_KNOWN: Mapping[ItemKey, Known] = MappingProxyType({})

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Sifted:
    """What a comparison of records with what is kept found."""

    listed: dict[ItemKey, Record] = field(default_factory=dict)
    """The items among them, each once."""
    new: dict[ItemKey, Shelved] = field(default_factory=dict)
    changed: dict[ItemKey, Shelved] = field(default_factory=dict)
    """As the listing tells them: their details are to be read before they are written."""


class Reading:
    """The reading of one library. ``known`` and ``shows`` follow what is written.

    ``known`` holds the items that were looked up so far: most readings find nothing to do and need a few of them only.
    """

    def __init__(
        self,
        means: Means,
        library: PlexLibrary,
        around: Surroundings,
        shows: dict[ItemKey, Show],
        statistics: Statistics,
        *,
        deep: bool = False,
        known: Mapping[ItemKey, Known] = NOTHING_KNOWN,
    ) -> None:
        self.means = means
        self.library = library
        self.around = around
        self.known = dict(known)
        self._all_known = False
        self.shows = shows
        self.statistics = statistics
        self.deep = deep
        self.state = library.state
        self.item_kind, self.show_kind = READ_KINDS[library.kind]
        self.changed_shows: Counter[ItemKey] = Counter()
        """How many items of each show were new in this reading."""
        self._began = self.now
        self.grown = 0
        """How many more items are there by now than when this reading began."""
        self.newest_added = self.newest_stamp = 0
        """The largest ``addedAt`` and ``updatedAt`` that came."""
        self.unreadable: set[ItemKey] = set()
        """What the server could not tell when it was asked: it is not known to be gone."""
        self._counts: Counter[ItemKey] = Counter()

    @property
    def id(self) -> int:
        """Return the library's number."""
        return self.library.library.id

    @property
    def now(self) -> int:
        """Return the instant in epoch seconds."""
        return self.means.clock.now_ms() // 1_000

    @property
    def present(self) -> int:
        """Return how many items are kept that are not missing, once all are looked up."""
        return sum(not known.missing_since for known in self.known.values())

    async def look_up(self, keys: Iterable[ItemKey]) -> None:
        """Have those of ``keys`` that are kept among the ``known``."""
        unknown = [] if self._all_known else [key for key in keys if key not in self.known]
        if unknown:
            self.known |= await self.means.shelves.known(self.id, unknown)

    async def look_up_all(self) -> None:
        """Have all items that are kept among the ``known``."""
        if not self._all_known:
            self.known = {**await self.means.shelves.known(self.id), **self.known}
            self._all_known = True

    async def take(self, records: Sequence[Record], state: SyncState, *, total: int = 0) -> Sifted:
        """Write what is new or has changed among ``records``, and ``state`` with it, in one transaction.

        ``total`` is the number of all entries, for the bar of a library without shows.
        """
        await self.look_up({key_of(self.around.server, record.key) for record in records})
        sifted = await asyncio.to_thread(self._sift, records)
        items = [*sifted.new.values(), *await self._detailed(sifted)]
        taken = await self.means.shelves.take_items(self.id, items, sifted.listed, state)
        self.state = state
        self._note(items, sifted.listed)
        self._report(sifted, items, taken, total)
        if taken.added or taken.updated:
            await self.means.committed()
        return sifted

    def _sift(self, records: Sequence[Record]) -> Sifted:
        """Compare ``records`` with what is kept. Runs in a thread: nothing else may change ``known`` meanwhile."""
        sifted = Sifted()
        for record in records:
            key = key_of(self.around.server, record.key)
            if record.kind not in ITEM_KINDS or key in sifted.listed:
                continue
            known, show = self.known.get(key), self._show_of(record)
            digest = digest_of(record, self.around, show)
            sifted.listed[key] = record
            self._date(record)
            anew = self.deep or known is None or known.digest != digest
            if anew and (item := item_of(record, self.around, show)):
                new = known is None or known.deleted
                (sifted.new if new else sifted.changed)[key] = Shelved(item, digest, record.stamp)
            log.debug(
                "an item is read anew" if anew else "an item is as it was",
                server=self.means.server.name,
                item=key,
                title=record.title,
                stamps=f"{record.stamp} vs {known.stamp if known else None}",
            )
        return sifted

    def _date(self, record: Record) -> None:
        """Take note of instants up to some minutes before this reading began.

        What happens while it goes on may be seen or not: the next reading has to ask for it. An instant in the future
        would hide everything until then.
        """
        latest = self._began - MARGIN_SECONDS
        if self.newest_added < record.added_at <= latest:
            self.newest_added = record.added_at
        if self.newest_stamp < (record.updated_at or 0) <= latest:
            self.newest_stamp = record.updated_at or 0

    def _show_of(self, record: Record) -> Show | None:
        return self.shows.get(key_of(self.around.server, record.grandparent_key))

    async def _detailed(self, sifted: Sifted) -> list[Shelved]:
        """Return the changed items with their details; one that has none is taken as it was listed."""
        found = dict(sifted.changed)
        for batch in batched(list(sifted.changed), BATCH):
            for record in await self.details(batch):
                key = key_of(self.around.server, record.key)
                item = await asyncio.to_thread(item_of, record, self.around, self._show_of(record))
                if item and key in found:
                    listed = sifted.changed[key]
                    found[key] = Shelved(item, listed.digest, listed.stamp, detailed=True)
        return list(found.values())

    async def details(self, keys: Sequence[ItemKey]) -> list[Record]:
        """Return the details of ``keys``; those that are gone are left out, and those that the server cannot tell.

        The latter are named, and not known to be gone. An answer that says nothing is asked for by halves.
        """
        try:
            records = await self.means.asking.details([rating_key_of(key) for key in keys])
        except NotThere:
            return []
        except Misunderstood as fault:
            if len(keys) == 1:
                self._unreadable(keys[0], str(fault))
                return []
            middle = len(keys) // 2
            return [*await self.details(keys[:middle]), *await self.details(keys[middle:])]
        for record in records:
            if record.fault:
                self._unreadable(key_of(self.around.server, record.key), record.fault)
        return [record for record in records if not record.fault]

    def _unreadable(self, key: ItemKey, why: str) -> None:
        self.unreadable.add(key)
        self.fault(f"{key} cannot be read: {why}")

    async def fill(self, keys: Sequence[ItemKey]) -> int:
        """Read the details of items that were only listed so far, write them, and return how many there were."""
        records = await self.details(keys)
        shelved = await asyncio.to_thread(self._filled, records)
        taken = await self.means.shelves.take_items(self.id, shelved, (), self.state)
        self._note(shelved, ())
        self.statistics.writes += taken.writes
        if taken.updated:
            await self.means.committed()
        return len(shelved)

    def _filled(self, records: Sequence[Record]) -> list[Shelved]:
        found = []
        for record in records:
            key = key_of(self.around.server, record.key)
            item = item_of(record, self.around, self._show_of(record))
            if item and (known := self.known.get(key)):
                # As of the listing: a change since then is found by the next one.
                found.append(Shelved(item, known.digest, known.stamp, detailed=True))
        return found

    async def settle(self) -> None:
        """Keep how many items the server has now, after some of them were read by themselves."""
        if self.grown:
            self.state = replace(self.state, total=max(0, self.state.total + self.grown))
            self.grown = 0
            await self.means.shelves.keep_state(self.id, self.state)

    async def miss(self, keys: Collection[ItemKey]) -> None:
        """Mark items as missing, each with a line that names the server."""
        if not keys:
            return
        now = self.means.clock.now_ms()
        taken = await self.means.shelves.miss(self.id, keys, now)
        self.statistics.take(taken)
        word = KIND_WORDS[self.library.kind]
        for key in taken.removed:
            title = self.known[key].title or rating_key_of(key)
            self.known[key] = replace(self.known[key], missing_since=now)
            self.grown -= 1
            self.means.reporter.status(change_line("Removed", word, title))
            log.info(
                "an item is not on its server any more",
                server=self.means.server.name,
                server_id=self.means.server.id,
                library=self.library.library.name,
                item=key,
                title=title,
            )
        if taken.removed:
            await self.means.committed()

    def fault(self, text: str) -> None:
        """Keep a sentence for the user."""
        where = f"{self.means.server.name}, {self.library.library.name}"
        log.warning("not everything in a library can be used", server=self.means.server.name, reason=text)
        self.statistics.faults.append(f"{where}: {text}")

    def _note(self, items: Sequence[Shelved], seen: Collection[ItemKey]) -> None:
        """Let ``known`` follow what was written."""
        for shelved in items:
            key = shelved.item.key
            before = self.known.get(key)
            if before is None:
                self.changed_shows[shelved.item.show_key] += 1
            self.grown += before is None or before.missing_since > 0
            details = shelved.digest if shelved.detailed else before.details if before else ""
            self.known[key] = Known(
                shelved.digest,
                details,
                stamp=shelved.stamp,
                title=shelved.item.title,
                show_key=shelved.item.show_key,
            )
        for key in seen:
            if self.known[key].missing_since:
                self.known[key] = replace(self.known[key], missing_since=0, deleted=False)
                self.grown += 1

    def _report(self, sifted: Sifted, items: Sequence[Shelved], taken: Taken, total: int) -> None:
        self.statistics.take(taken)
        self.statistics.processed += len(items)
        self.statistics.skipped += len(sifted.listed) - len(items)
        for record in sifted.listed.values():
            show = key_of(self.around.server, record.grandparent_key)
            self._counts[show] += 1
            of = self.shows[show].leaf_count if show in self.shows else total
            self.means.reporter.item(entry_name(record), self._counts[show], max(of, self._counts[show]))
        named = {shelved.item.key: shelved.item for shelved in items}
        for verb, keys in (("Added", taken.added), ("Updated", taken.updated)):
            for key in keys:
                line = change_line(verb, *self._named(key, named.get(key)))
                self.means.reporter.status(line)

    def _named(self, key: ItemKey, item: Item | None) -> tuple[str, str]:
        if item:
            return word_of(item), item.title
        return KIND_WORDS[self.library.kind], self.known[key].title or rating_key_of(key)


def batched(keys: Sequence[ItemKey], size: int) -> Iterator[Sequence[ItemKey]]:
    """Yield ``keys`` in portions of ``size``."""
    for start in range(0, len(keys), size):
        yield keys[start : start + size]
