"""``exstream sync-all`` and ``exstream sync``: the catalogue brought up to date with Plex, before one's eyes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exstream.cli.invocation import AsJson, DataDir, DryRun, invocation, write_json
from exstream.cli.outcome import ExitCode, say, write
from exstream.cli.plex_access import turn
from exstream.cli.sync_servers import (
    Asked,
    DbPath,
    Debug,
    PageSize,
    PlexSection,
    PlexToken,
    PlexUrl,
    asked_for,
    chosen,
    opened,
    speaking,
)
from exstream.errors import OutboundError, Unreachable

if TYPE_CHECKING:
    from exstream.jobs.sync.plan import Wishes
    from exstream.jobs.sync.progress import Reporter
    from exstream.jobs.sync.statistics import Statistics
    from exstream.jobs.sync.sync import ServerSync
    from exstream.model.catalogue import ItemKey
    from exstream.model.server import Server
    from exstream.store.plex import PlexStore

_MOST_SHOWN = 20


def _called(title: str) -> str:
    """Read a title; raises BadParameter for one that says nothing: every item is called so."""
    if not title.strip():
        raise typer.BadParameter("it is empty: write what the film, show or artist is called")
    return title.strip()


Title = Annotated[
    str,
    typer.Option(
        "--title",
        metavar="T",
        parser=_called,
        help="What it is called, capitals aside.",
        show_default=False,
    ),
]
Year = Annotated[
    int | None, typer.Option("--year", metavar="Y", help="Only the one of this year.", show_default=False)
]
_Deep = Annotated[
    bool, typer.Option("--deep", help="Read and compare everything, whatever seems to be unchanged.")
]
_Force = Annotated[
    bool,
    typer.Option("--force", help="Believe the server even where more than a fifth of a library is gone."),
]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one server: what was done, or why nothing could be."""

    server: str
    id: str
    done: Statistics | None = None
    fault: OutboundError | None = None
    found: bool = True
    """Whether the server has what was asked for by its name."""


def sync_all(
    context: typer.Context,
    deep: _Deep = False,
    force: _Force = False,
    dry_run: DryRun = False,
    page_size: PageSize = None,
    debug: Debug = False,
    db_path: DbPath = None,
    plex_url: PlexUrl = None,
    plex_token: PlexToken = None,
    plex_section: PlexSection = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Bring the catalogue up to date with the libraries of all Plex servers; what is unchanged is skipped."""
    from exstream.jobs.sync.plan import Wishes

    asked = asked_for(
        invocation(context),
        data_dir=data_dir,
        db_path=db_path,
        plex_url=plex_url,
        plex_token=plex_token,
        plex_section=plex_section,
        page_size=page_size,
        debug=debug,
    )
    wishes = Wishes(deep, force, dry_run, asked.settings.plex_section)
    _report(_run(asked, wishes, "", None), wishes, as_json=as_json)


def _meant(outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """Leave out the servers that have no such thing where another one has it."""
    somewhere = any(each.done is not None and each.found for each in outcomes)
    return [each for each in outcomes if each.found] if somewhere else outcomes


def sync(
    context: typer.Context,
    title: Title,
    year: Year = None,
    deep: _Deep = False,
    force: _Force = False,
    dry_run: DryRun = False,
    page_size: PageSize = None,
    debug: Debug = False,
    db_path: DbPath = None,
    plex_url: PlexUrl = None,
    plex_token: PlexToken = None,
    plex_section: PlexSection = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Bring one title up to date: a film, or all episodes of the shows of that name."""
    from exstream.jobs.sync.plan import Wishes

    asked = asked_for(
        invocation(context),
        data_dir=data_dir,
        db_path=db_path,
        plex_url=plex_url,
        plex_token=plex_token,
        plex_section=plex_section,
        page_size=page_size,
        debug=debug,
    )
    wishes = Wishes(deep, force, dry_run, asked.settings.plex_section)
    _report(_run(asked, wishes, title, year), wishes, as_json=as_json)


def _run(asked: Asked, wishes: Wishes, title: str, year: int | None) -> list[Outcome]:
    from exstream.cli.sync_bars import watched

    try:
        with watched() as reporter:
            return asyncio.run(_synced(asked, wishes, title, year, reporter))
    except KeyboardInterrupt:
        if not wishes.dry_run:
            say("exstream: what was read is kept: the next synchronisation goes on from here")
        raise


async def _synced(
    asked: Asked, wishes: Wishes, title: str, year: int | None, reporter: Reporter
) -> list[Outcome]:
    async with opened(asked, dry_run=wishes.dry_run) as store:
        found = await chosen(asked, store, dry_run=wishes.dry_run)
        outcomes = [] if found.absent is None else [Outcome(asked.url, "", fault=found.absent)]
        for server in found.servers:
            if len(found.servers) > 1:
                say(f"{server.name}:")
            try:
                outcomes.append(await _brought_up(asked, server, store, wishes, title, year, reporter))
            except OutboundError as fault:
                outcomes.append(Outcome(server.name, server.id, fault=fault))
        return outcomes


async def _brought_up(
    asked: Asked,
    server: Server,
    store: PlexStore,
    wishes: Wishes,
    title: str,
    year: int | None,
    reporter: Reporter,
) -> Outcome:
    """Bring one server up to date when it is this program's turn; tell the server that runs of it."""
    from exstream.clock import SystemClock
    from exstream.jobs.sync.means import Means
    from exstream.jobs.sync.sync import ServerSync
    from exstream.plex.items import Choice

    clock, settings = SystemClock(), asked.settings
    read: list[str] = []
    async with speaking(settings, server) as asking:
        means = Means(
            server,
            asking,
            store,
            clock,
            reporter,
            Choice(settings.plex_versions),
            finished=lambda _server, library, _done: read.append(library.section),
        )
        sync = ServerSync(means)
        if wishes.dry_run:
            done = await (sync.titled(title, year, wishes) if title else sync.run(wishes))
        else:
            async with turn(settings, server):
                done = await _written(sync, store, wishes, title, year)
    if wishes.section and not title and not read:
        done.faults.append(f"{server.name} has no library {wishes.section}: `exstream plex libraries list`")
    found = bool(done.total if title else read or not wishes.section)
    return Outcome(server.name, server.id, done, found=found)


async def _written(
    sync: ServerSync, store: PlexStore, wishes: Wishes, title: str, year: int | None
) -> Statistics:
    """Read what is wanted and its details; with a title, not the details that others still lack."""
    if not title:
        done = await sync.run(wishes)
        await sync.details(statistics=done)
        return done
    before = await _undetailed(sync, store)
    done = await sync.titled(title, year, wishes)
    await sync.details(lambda keys: [key for key in keys if key not in before], statistics=done)
    return done


async def _undetailed(sync: ServerSync, store: PlexStore) -> set[ItemKey]:
    libraries = await store.libraries(sync.means.server.id)
    return {key for library in libraries for key in await store.unfilled(library.library.id)}


def _report(all_outcomes: Sequence[Outcome], wishes: Wishes, *, as_json: bool) -> None:
    outcomes = _meant(all_outcomes)
    if as_json:
        write_json([_shown(each, wishes) for each in outcomes])
    else:
        for each in outcomes:
            _tell(each)
            if each.done is not None and each.found:
                _write(each.server, each.done, wishes)
    raise typer.Exit(verdict(outcomes))


def verdict(outcomes: Sequence[Outcome]) -> ExitCode:
    """Return the exit code: 3 where no server answers, 1 where none could be read, 2 where not all could."""
    faults = [each.fault for each in outcomes if each.fault is not None]
    if not any(each.found for each in outcomes):
        return ExitCode.FAILURE
    if not faults:
        partial = any(each.done is not None and each.done.faults for each in outcomes)
        return ExitCode.PARTIAL if partial else ExitCode.OK
    if len(faults) < len(outcomes):
        return ExitCode.PARTIAL
    down = all(isinstance(fault, Unreachable) for fault in faults)
    return ExitCode.UNREACHABLE if down else ExitCode.FAILURE


def _tell(outcome: Outcome) -> None:
    """Say what could not be done."""
    if outcome.fault is not None:
        say(f"exstream: {outcome.server}: {outcome.fault}")
        return
    faults = outcome.done.faults if outcome.done is not None else []
    for fault in faults[:_MOST_SHOWN]:
        say(f"exstream: {fault}")
    if len(faults) > _MOST_SHOWN:
        say(f"exstream: and {len(faults) - _MOST_SHOWN} more; --json lists them all")


def _write(server: str, done: Statistics, wishes: Wishes) -> None:
    """Write what was done."""
    rehearsed = " (dry run: nothing was written)" if wishes.dry_run else ""
    write(f"{server}{rehearsed}")
    for name, value in _figures(done).items():
        write(f"  {name:<15} {value:>9}")


def _figures(done: Statistics) -> dict[str, str]:
    counts = {
        "total": done.total,
        "processed": done.processed,
        "skipped": done.skipped,
        "added": done.added,
        "updated": done.updated,
        "removed": done.removed,
        **({"held back": done.held_back} if done.held_back else {}),
        "requests": done.requests,
        "database writes": done.writes,
    }
    return {**{name: str(count) for name, count in counts.items()}, "seconds": f"{done.seconds:.1f}"}


def _shown(outcome: Outcome, wishes: Wishes) -> dict[str, Any]:
    known = {"server": outcome.server, "server_id": outcome.id, "dry_run": wishes.dry_run}
    if outcome.done is None:
        return {**known, "fault": str(outcome.fault)}
    done = replace(outcome.done, seconds=round(outcome.done.seconds, 3))
    return {**known, "fault": None, **asdict(done)}
