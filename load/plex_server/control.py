"""What a test may do to the server while it runs, by name, below ``/-/``."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from load.plex_server.answers import JSON, Answer
from load.plex_server.asking import Account, Switches
from load.plex_server.catalogue import Catalogue, NoSuchEntry
from load.plex_server.counters import Counters
from load.plex_server.faults import Faults
from load.plex_server.listing import Listing
from load.plex_server.model import Entry
from load.plex_server.notices import Notices
from load.plex_server.plextv import PlexTv
from load.plex_server.work import Work

Order = Callable[..., Any]


class Orders:
    """Takes orders: ``POST /-/do`` with ``{"do": name, "with": {...}}`` answers ``{"result": ...}`` or why not."""

    def __init__(
        self,
        catalogue: Catalogue,
        listing: Listing,
        work: Work,
        notices: Notices,
        switches: Switches,
        faults: Faults,
        counters: Counters,
        accounts: dict[str, Account],
        plex_tv: PlexTv,
    ) -> None:
        self._catalogue = catalogue
        self._listing = listing
        self._work = work
        self._switches = switches
        self._accounts = accounts
        self._plex_tv = plex_tv
        self._orders: dict[str, Order] = {
            "add": self._add,
            "entries": self._entries,
            "switch": self._switch,
            "allow": self._allow,
            "refuse": lambda token: accounts.pop(token, None) is not None,
            "empty": self._empty,
            "at_next_scan": self._at_next_scan,
            "scans": lambda: work.scans,
            "warm": listing.warm,
            "harm": faults.add,
            "heal": faults.lift,
            "hits": faults.hits,
            "counts": counters.told,
            "asked": counters.asked,
            "reset_counts": counters.reset,
            "tell": notices.tell,
            "tell_raw": notices.raw,
            "cut_lines": notices.cut,
            "listeners": lambda: notices.listeners,
            "approve": plex_tv.approve,
            "expire": plex_tv.expire,
            "pins": plex_tv.pins,
            "plex_tv": self._set_plex_tv,
            "resources": lambda: plex_tv.resources,
            **{
                name: getattr(catalogue, name)
                for name in [
                    "set_now",
                    "add_section",
                    "change_section",
                    "remove_section",
                    "change",
                    "describe",
                    "watch",
                    "remove",
                    "replace_file",
                    "add_version",
                    "remove_version",
                ]
            },
        }

    def learn(self, name: str, order: Order) -> None:
        """Take one more order."""
        self._orders[name] = order

    async def respond(self, path: str, body: bytes) -> Answer:
        """Answer ``/-/`` and ``path``."""
        if path != "do":
            return _answer(404, {"error": f"there is no /-/{path}"})
        asked = orjson.loads(body)
        order = self._orders.get(asked["do"])
        if order is None:
            return _answer(404, {"error": f"no such order: {asked['do']}"})
        try:
            result = order(**asked.get("with", {}))
            if inspect.isawaitable(result):
                result = await _awaited(result)
        except (NoSuchEntry, ValueError, TypeError, KeyError, IndexError) as wrong:
            return _answer(400, {"error": f"{asked['do']}: {wrong}"})
        return _answer(200, {"result": result})

    def _add(self, kind: str, title: str, *, section: int = 0, under: int | None = None, **spec: Any) -> int:
        parent = self._catalogue.entry(under) if under is not None else None
        if parent is not None:
            section = parent.section
        elif kind != "playlist":
            section = self._catalogue.section(section).key
        return self._catalogue.add(kind, section, title, parent=parent, **spec)

    def _entries(self, kind: str = "", section: int | None = None) -> list[dict[str, Any]]:
        return [
            _told(entry)
            for entry in self._catalogue.entries.values()
            if kind in {"", entry.kind} and section in {None, entry.section}
        ]

    def _switch(self, **switches: Any) -> None:
        for name, value in switches.items():
            if not hasattr(self._switches, name):
                raise ValueError(f"no such switch: {name}")
            setattr(self._switches, name, value)

    def _allow(self, token: str, **account: Any) -> None:
        self._accounts[token] = Account(**{"name": "somebody", **account})

    def _empty(self, section: int, *, empty: bool = True) -> None:
        self._catalogue.section(section).empty = empty
        self._catalogue.revision += 1

    def _at_next_scan(self, then: str, arguments: dict[str, Any]) -> None:
        found = self._orders[then]
        self._work.at_next_scan(lambda: found(**arguments))

    def _set_plex_tv(self, **settings: Any) -> None:
        for name, value in settings.items():
            if name not in {"pace", "limited", "resources"}:
                raise ValueError(f"plex.tv has no {name}")
            setattr(self._plex_tv, name, value)


def _told(entry: Entry) -> dict[str, Any]:
    return {
        "key": entry.key,
        "kind": entry.kind,
        "section": entry.section,
        "title": entry.fields["title"],
        "parent": entry.parent.key if entry.parent is not None else None,
        "fields": entry.fields,
        "parts": [
            {"id": part.id, "key": part.key, "file": part.file, "size": part.size, "disk": part.disk}
            for version in entry.versions
            for part in version.parts
        ],
    }


async def _awaited(result: Awaitable[Any]) -> Any:
    return await result


def _answer(status: int, tree: Any) -> Answer:
    return Answer(status, orjson.dumps(tree), JSON)
