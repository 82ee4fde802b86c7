"""``exstream discover``: what the Plex servers have of a title, before any of it is taken in."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer

from exstream.cli.invocation import AsJson, DataDir, invocation, write_json
from exstream.cli.outcome import ExitCode, say, write
from exstream.cli.sync import Outcome, Title, Year, verdict
from exstream.cli.sync_servers import (
    Asked,
    DbPath,
    Debug,
    PlexSection,
    PlexToken,
    PlexUrl,
    asked_for,
    chosen,
    opened,
    speaking,
)
from exstream.errors import OutboundError

if TYPE_CHECKING:
    from exstream.jobs.sync.search import Found
    from exstream.model.server import Server
    from exstream.store.plex import PlexStore


def discover(
    context: typer.Context,
    title: Title,
    year: Year = None,
    debug: Debug = False,
    db_path: DbPath = None,
    plex_url: PlexUrl = None,
    plex_token: PlexToken = None,
    plex_section: PlexSection = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List films, shows and artists of a title on all Plex servers; changes nothing."""
    asked = asked_for(
        invocation(context),
        data_dir=data_dir,
        db_path=db_path,
        plex_url=plex_url,
        plex_token=plex_token,
        plex_section=plex_section,
        debug=debug,
    )
    found, outcomes = asyncio.run(_discovered(asked, title, year))
    if as_json:
        write_json(found)
    else:
        _write(found, f"{title} ({year})" if year else title)
    for each in outcomes:
        if each.fault is not None:
            say(f"exstream: {each.server}: {each.fault}")
    code = verdict(outcomes)
    raise typer.Exit(ExitCode.FAILURE if code is ExitCode.OK and not found else code)


async def _discovered(
    asked: Asked, title: str, year: int | None
) -> tuple[list[dict[str, Any]], list[Outcome]]:
    found: list[dict[str, Any]] = []
    async with opened(asked, dry_run=True) as store:
        meant = await chosen(asked, store, dry_run=True)
        outcomes = [] if meant.absent is None else [Outcome(asked.url, "", fault=meant.absent)]
        for server in meant.servers:
            try:
                hits = await _on(server, asked, store, title, year)
            except OutboundError as fault:
                outcomes.append(Outcome(server.name, server.id, fault=fault))
            else:
                outcomes.append(Outcome(server.name, server.id))
                found += [_shown(hit, server) for hit in hits]
    return sorted(found, key=lambda each: (each["year"] or 0, each["server"], each["rating_key"])), outcomes


async def _on(server: Server, asked: Asked, store: PlexStore, title: str, year: int | None) -> list[Found]:
    """Return what ``server`` has of that title, in all of its libraries, those that are off too."""
    from exstream.clock import SystemClock
    from exstream.jobs.sync.means import Means
    from exstream.jobs.sync.rehearsal import Rehearsal
    from exstream.jobs.sync.search import found
    from exstream.jobs.sync.sync import ServerSync

    section = asked.settings.plex_section
    async with speaking(asked.settings, server) as asking:
        means = Means(server, asking, store, SystemClock())
        rehearsal = replace(means, shelves=Rehearsal(store))
        _, libraries = await ServerSync(means).libraries(rehearsal)
        if section:
            libraries = [each for each in libraries if section in {each.section, each.library.name}]
        return await found(asking, libraries, title, year)


def _shown(hit: Found, server: Server) -> dict[str, Any]:
    from exstream.plex.guids import own_ids

    record = hit.record
    return {
        "title": record.title,
        "year": record.year,
        "kind": record.kind.value,
        "episodes": record.leaf_count or None,
        "ids": list(own_ids(record.guid, record.guids)),
        "library": hit.library.library.name,
        "server": server.name,
        "server_id": server.id,
        "rating_key": record.key,
    }


def _write(found: list[dict[str, Any]], wanted: str) -> None:
    if not found:
        write(f"No server has anything called {wanted}.")
    width = max((len(each["title"]) for each in found), default=0)
    for each in found:
        held = {"show": "episodes", "artist": "tracks"}.get(each["kind"])
        count = f"{each['episodes']} {held}" if held and each["episodes"] else each["kind"]
        ids = " ".join(each["ids"]) or "no ids"
        write(
            f"{each['title']:<{width}}  {each['year'] or '????'}  {count:<13}  {ids}"
            f"  ({each['library']} on {each['server']})"
        )
