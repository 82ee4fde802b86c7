"""``exstream doctor --fix``: what does not fit together in the catalogue, found, and put right after a backup."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from exstream.cli.outcome import ExitCode, say, write
from exstream.cli.plex_access import nothing_kept
from exstream.config import Settings
from exstream.model.server import Localise, Mapping, PlexLibrary, Server

if TYPE_CHECKING:
    from exstream.model.catalogue import Catalogue, Item, ItemKey
    from exstream.store.database import Database
    from exstream.store.repair import Orphan, Twin

_MOST_SHOWN = 10
_MOUNTS = ("/mnt", "/media", "/srv", "/data", "/volume1", "/volume2", "/run/media", "/Volumes")


@dataclass(frozen=True, slots=True)
class Unmapped:
    """Items below a folder of a server that no mapping leads to; ``local`` is where it lies here, "" if unknown."""

    server: Server
    root: str
    items: int
    local: str


@dataclass(slots=True)
class Findings:
    """Everything that was found."""

    relinked: dict[ItemKey, int] = field(default_factory=dict)
    """Items whose library is gone, with the number of the one that their file belongs to."""
    dropped: list[Orphan] = field(default_factory=list)
    """Those that belong to none."""
    strays: int = 0
    unmapped: list[Unmapped] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    """Files that are mapped, or lie in folders of this machine, and cannot be read."""
    twins: list[Twin] = field(default_factory=list)

    @property
    def mappings(self) -> list[Mapping]:
        """The mappings that are sure."""
        return [Mapping(each.server.id, each.root, each.local) for each in self.unmapped if each.local]

    def counts(self) -> dict[str, int]:
        """Return how many there are of each kind."""
        return {
            "missing library links": len(self.relinked) + len(self.dropped) + self.strays,
            "unmapped paths": sum(each.items for each in self.unmapped),
            "unreadable files": len(self.unreadable),
            "duplicate rows": len(self.twins),
        }

    @property
    def writes(self) -> bool:
        """Tell whether there is something to put right in the database."""
        return bool(self.relinked or self.dropped or self.strays or self.twins or self.mappings)


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was found, and where the database was copied to before it was changed."""

    found: Findings
    backup: Path | None
    dry_run: bool


def repair(settings: Settings, *, dry_run: bool) -> Repaired:
    """Look, and unless it is a rehearsal put right what can be. Raises StoreError."""
    if nothing_kept(settings):
        return Repaired(Findings(), None, dry_run)
    return asyncio.run(_repaired(settings, dry_run=dry_run))


async def _repaired(settings: Settings, *, dry_run: bool) -> Repaired:
    from exstream.clock import SystemClock
    from exstream.store.database import Database
    from exstream.store.turns import Turns

    database = Database(settings.database_url, pool_size=2, max_overflow=2)
    try:
        await database.open()
        if dry_run:
            return Repaired(await _found(settings, database), None, dry_run)
        clock = SystemClock()
        turns = Turns(settings.data_dir, clock)
        async with AsyncExitStack() as stack:
            for server in await _store(settings, database).servers():
                await stack.enter_async_context(turns.taken(server.id, waiting=_waiting))
            found = await _found(settings, database)
            backup = None
            if found.writes:
                backup = await _put_right(settings, database, found, clock.now_ms())
                turns.mark()
        return Repaired(found, backup, dry_run)
    finally:
        await database.dispose()


def _waiting() -> None:
    say("exstream: a synchronisation goes on: waiting until it is done")


def _store(settings: Settings, database: Database) -> Any:
    from exstream.store.plex import PlexStore
    from exstream.store.vault import Vault

    return PlexStore(database, Vault(settings.data_dir))


async def _put_right(settings: Settings, database: Database, found: Findings, now_ms: int) -> Path | None:
    from exstream.store.repair import RepairStore

    rows, store = RepairStore(database), _store(settings, database)
    backup = await rows.back_up(f"exstream-before-repair-{now_ms // 1_000}.db")
    await rows.relink(found.relinked)
    await rows.drop([*(each.key for each in found.dropped), *(twin.key for twin in found.twins)])
    await rows.drop_strays()
    for mapping in found.mappings:
        await store.add_mapping(mapping, _localise(mapping.server))
    return backup


def _localise(server: str) -> Localise:
    from exstream.plex.paths import Whereabouts

    return lambda mappings, roots: Whereabouts(server, mappings, roots, os.path.exists).local


async def _found(settings: Settings, database: Database) -> Findings:
    from exstream.plex.paths import root_of
    from exstream.store.catalogue import CatalogueStore
    from exstream.store.repair import RepairStore

    store, rows, shelf = _store(settings, database), RepairStore(database), CatalogueStore(database)
    found = Findings(strays=await rows.strays(), twins=list(await rows.twins()))
    servers = await store.servers()
    libraries = {server.id: await store.libraries(server.id) for server in servers}
    for orphan in await rows.orphans():
        home = _home(orphan.plex_path, libraries.get(orphan.server, ()), root_of)
        if home is None:
            found.dropped.append(orphan)
        else:
            found.relinked[orphan.key] = home
    catalogue = await shelf.load()
    found.unreadable = await asyncio.to_thread(_unreadable, catalogue)
    local = [each.path for each in await shelf.libraries() if each.server == "local"]
    for server in servers:
        mappings = await store.mappings(server.id)
        folders = list(_folders([*local, *(each.local_path for each in mappings)]))
        read = [each for each in libraries[server.id] if each.enabled and not each.gone]
        found.unmapped += await asyncio.to_thread(_unmapped, server, read, catalogue, folders)
    return found


def _home(path: str, libraries: Sequence[PlexLibrary], root_of: Any) -> int | None:
    """Return the number of the library whose folder holds ``path``, the longest one where several do."""
    roots = {root: library.library.id for library in libraries for root in library.roots}
    return roots.get(root_of(path, roots)) if path else None


def _unreadable(catalogue: Catalogue) -> list[str]:
    paths = dict.fromkeys(item.path for item in catalogue.items.values() if item.path and not item.missing)
    return [path for path in paths if not os.access(path, os.R_OK)]


def _unmapped(
    server: Server, libraries: Sequence[PlexLibrary], catalogue: Catalogue, folders: Sequence[str]
) -> list[Unmapped]:
    from exstream.plex.paths import root_of
    from exstream.plex.placing import placed, sampled

    roots = list(dict.fromkeys(root for library in libraries for root in library.roots))
    below: dict[str, list[tuple[str, int]]] = {}
    counts: Counter[str] = Counter()
    for item in catalogue.items.values():
        if item.key.rpartition(":")[0] != server.id or item.missing or is_here(item):
            continue
        for part in item.versions[0].parts if item.versions else ():
            if root := root_of(part.path, roots):
                below.setdefault(root, []).append((part.path, part.size))
        if item.versions and (root := root_of(item.versions[0].parts[0].path, roots)):
            counts[root] += 1
    return [
        Unmapped(server, root, counts[root], placed(root, sampled(sorted(files)), folders, _size))
        for root, files in below.items()
    ]


def is_here(item: Item) -> bool:
    """Tell whether a file of ``item`` is said to lie on this machine."""
    return bool(item.path) or any(part.file for version in item.versions for part in version.parts)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size if os.access(path, os.R_OK) else -1  # noqa: PTH116 -- of many, fast
    except OSError:
        return -1


def _folders(known: Sequence[str]) -> Iterator[str]:
    """Yield folders of this machine that may hold media: what is known to, what lies beside it, and mounts."""
    import psutil

    for path in known:
        yield from (path, str(Path(path).parent))
    yield from (part.mountpoint for part in psutil.disk_partitions(all=True) if _may_hold(part.mountpoint))
    for mount in _MOUNTS:
        yield mount
        yield from _children(Path(mount))
    yield from (str(Path.home()), str(Path.home() / "Videos"))


def _may_hold(mountpoint: str) -> bool:
    system = ("/proc", "/sys", "/dev", "/run/", "/boot", "/etc")
    return mountpoint != "/" and not mountpoint.startswith(system)


def _children(folder: Path) -> list[str]:
    try:
        return sorted(str(each) for each in folder.iterdir() if each.is_dir())
    except OSError:
        return []


def verdict(done: Repaired) -> ExitCode:
    """Return the exit code: files that are mapped and cannot be read are left to the user."""
    return ExitCode.PARTIAL if done.found.unreadable else ExitCode.OK


def as_json(done: Repaired) -> dict[str, Any]:
    """Return a repair for a script."""
    found = done.found
    return {
        "dry_run": done.dry_run,
        "backup": str(done.backup) if done.backup else None,
        "counts": found.counts(),
        "relinked": len(found.relinked),
        "dropped": [each.key for each in found.dropped],
        "strays": found.strays,
        "duplicates": [{"dropped": each.key, "kept": each.kept} for each in found.twins],
        "unmapped": [
            {
                "server": each.server.name,
                "plex_path": each.root,
                "items": each.items,
                "local_path": each.local or None,
            }
            for each in found.unmapped
        ],
        "unreadable": found.unreadable,
    }


def write_repair(done: Repaired) -> None:
    """Tell a person what was found, and what became of it."""
    found, would = done.found, "would be " if done.dry_run else ""
    for kind, count in found.counts().items():
        write(f"{kind:<22} {count:>7}")
    if found.relinked:
        write(f"{len(found.relinked)} items {would}put back into the library that their file belongs to")
    if found.dropped or found.strays:
        count = len(found.dropped) + found.strays
        write(
            f"{count} rows that belong to no library {would}dropped; a synchronisation brings back what there is"
        )
    for twin in found.twins[:_MOST_SHOWN]:
        write(f"{twin.title}: {twin.key}, which came back as {twin.kept}, {would}dropped")
    _write_places(found, would)
    for path in found.unreadable[:_MOST_SHOWN]:
        write(f"{path} cannot be read: connect its disk, or give this user the right to read it")
    if len(found.unreadable) > _MOST_SHOWN:
        write(f"... and {len(found.unreadable) - _MOST_SHOWN} more; --json lists them all")
    if done.backup:
        write(f"the database as it was before is in {done.backup}")
    elif done.dry_run and found.writes:
        write("nothing was changed: without --dry-run it is, after a backup")


def _write_places(found: Findings, would: str) -> None:
    for each in found.unmapped:
        if each.local:
            write(f"{each.server.name}: {each.root} {would}mapped to {each.local} ({each.items} items)")
        else:
            write(
                f"{each.server.name}: {each.root} is not found here: its {each.items} items come from the server;"
                f" `exstream plex map add {quote(each.root)} FOLDER` tells where it lies"
            )
