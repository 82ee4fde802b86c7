"""Titles looked for on a server, and one of them brought up to date by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from exstream.jobs.sync.ports import PlexAsking
from exstream.jobs.sync.reading import Reading
from exstream.jobs.sync.shows import take_shows
from exstream.jobs.sync.vanished import lose_of_show
from exstream.model.server import PlexLibrary
from exstream.plex.items import key_of
from exstream.plex.records import Kind, Record


@dataclass(frozen=True, slots=True)
class Found:
    """A film, series or artist of a title."""

    library: PlexLibrary
    record: Record


async def found(
    asking: PlexAsking, libraries: Sequence[PlexLibrary], title: str, year: int | None = None
) -> list[Found]:
    """Return what is called ``title``, capitals aside, of ``year`` if one is given, the oldest first.

    The server's filter finds more than that, or everything where it is passed by: what comes is looked at.
    """
    hits: list[Found] = []
    for library in libraries:
        kind = {"movie": Kind.MOVIE, "show": Kind.SHOW, "artist": Kind.ARTIST}.get(library.kind)
        if kind is None or library.gone:
            continue
        hits += [
            Found(library, record)
            async for record in _called(asking, library.section, kind, title)
            if year is None or record.year == year
        ]
    return sorted(hits, key=lambda hit: (hit.record.year or 0, hit.library.library.id, hit.record.key))


async def _called(asking: PlexAsking, section: str, kind: Kind, title: str) -> AsyncIterator[Record]:
    async for page in asking.pages(section, kind, filters={"title": title}):
        for record in page.records:
            if title.casefold() in {record.title.casefold(), record.original_title.casefold()}:
                yield record


async def sync_found(reading: Reading, records: Sequence[Record], *, force: bool = False) -> None:
    """Bring ``records`` of one library up to date, and all that belongs to those that are shows.

    Episodes that are gone are believed to be, unless they are too many; by ``force`` they are then, too.
    """
    shows = [record for record in records if record.kind in {Kind.SHOW, Kind.ARTIST}]
    films = [record for record in records if record not in shows]
    if films:
        await reading.take(films, reading.state, total=len(films))
    await take_shows(reading, shows)
    for show in shows:
        key = key_of(reading.around.server, show.key)
        sifted = await reading.take(await reading.means.asking.leaves(show.key), reading.state)
        if not await lose_of_show(reading, key, sifted.listed, force=force):
            reading.fault(
                f"much of {show.title} is not there any more: it is kept until a later look says the same, "
                "or with --force"
            )
    await reading.settle()
    # The figures are those of all libraries that were read before, too.
    reading.statistics.total = reading.statistics.processed + reading.statistics.skipped
