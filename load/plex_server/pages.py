"""The addresses of a Plex Media Server, and what answers at each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from load.plex_server.answers import FORBIDDEN, NOT_FOUND, Answer, Container, html
from load.plex_server.asking import Ask, Switches
from load.plex_server.catalogue import Catalogue, NoSuchEntry
from load.plex_server.describe import tag_id
from load.plex_server.fields import directory, server_fields
from load.plex_server.listing import Listing
from load.plex_server.model import Fields
from load.plex_server.notices import Notices
from load.plex_server.parts import Parts
from load.plex_server.selection import FLAGS, TAGS
from load.plex_server.work import Work

Page = Callable[..., Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """An address. ``kind``: under what its requests are counted."""

    kind: str
    methods: str
    path: re.Pattern[str]
    page: Page
    owner: bool = False
    open: bool = False
    """No token is asked for."""


class Pages:
    """Everything below ``/`` of one server."""

    def __init__(
        self,
        catalogue: Catalogue,
        switches: Switches,
        notices: Notices,
        listing: Listing,
        parts: Parts,
        work: Work,
    ) -> None:
        self._catalogue = catalogue
        self._switches = switches
        self._notices = notices
        self._listing = listing
        self._work = work
        self._routes = tuple(
            Route(kind, methods, re.compile(f"{path}/?"), page, "owner" in marks, "open" in marks)
            for kind, methods, path, page, *marks in (
                *self._of_sections(listing),
                *self._of_entries(listing, parts),
            )
        )

    def _of_sections(self, lists: Listing) -> tuple[Any, ...]:
        section = r"/library/sections/(\d+)"
        return (
            ("identity", "GET", "/identity", self._identity, "open"),
            ("server", "GET", "", self._server),
            ("library", "GET", "/library", self._library),
            ("providers", "GET", "/media/providers", self._providers),
            ("sections", "GET", "/library/sections(?:/all)?", self._sections),
            ("section", "GET", section, self._section),
            ("list", "GET", f"{section}/all", lists.section),
            (
                "all",
                "GET",
                f"{section}/collections",
                lambda ask, key: lists.section(ask, key, "collection"),
            ),
            ("list", "GET", f"{section}/albums", lambda ask, key: lists.section(ask, key, "album")),
            ("list", "GET", f"{section}/allLeaves", self._leaves_of_section),
            ("scan", "GET POST", f"{section}/refresh", self._scan, "owner"),
            ("order", "PUT DELETE", f"{section}/(?:emptyTrash|analyze|refresh)", self._nothing, "owner"),
            ("choices", "GET", f"{section}/([a-zA-Z]+)", self._choices),
        )

    def _of_entries(self, lists: Listing, parts: Parts) -> tuple[Any, ...]:
        entry = r"/library/metadata/(\d+)"
        return (
            ("list", "GET", "/library/all", lists.everywhere),
            ("metadata", "GET", r"/library/metadata/([\d,]+)", lists.details),
            ("children", "GET", f"{entry}/children", lists.children),
            ("leaves", "GET", f"{entry}/(?:allLeaves|grandchildren)", lists.leaves),
            ("refresh", "PUT", f"{entry}/refresh", self._refresh, "owner"),
            ("order", "PUT", f"{entry}/analyze", self._nothing, "owner"),
            (
                "picture",
                "GET",
                rf"{entry}/(?:thumb|art|theme|banner)(?:/\d+)?",
                lambda ask, *_: parts.picture(ask),
            ),
            ("picture", "GET", "/photo/:/transcode", parts.picture),
            ("picture", "GET", r"/(?:library/[a-z]+|playlists)/\d+/(?:composite|thumb).*", parts.picture),
            ("details", "GET", r"/(?:library/collections|playlists)/(\d+)", lists.details),
            ("members", "GET", r"/library/collections/(\d+)/(?:children|items)", lists.of_grouping),
            ("members", "GET", r"/playlists/(\d+)/items", lists.of_grouping),
            ("playlists", "GET", "/playlists(?:/all)?", lists.playlists),
            ("search", "GET", "/hubs/search", lists.hubs),
            ("part", "GET", r"/library/parts/(\d+)/(\d+)/file\.[^/]+", parts.part),
            ("stream", "GET", r"/library/streams/(\d+)", parts.stream),
            ("activities", "GET", "/activities", self._activities, "owner"),
            ("sessions", "GET", "/(?:status|transcode)/sessions", self._empty),
            ("watched", "GET PUT", r"/:/(scrobble|unscrobble)", self._watched),
            ("timeline", "GET POST", r"/:/timeline", self._empty),
        )

    def route(self, ask: Ask) -> tuple[Route, tuple[str, ...]] | None:
        """Return what answers a request, with the keys in its address; HEAD is answered as GET is."""
        method = "GET" if ask.method == "HEAD" else ask.method
        for route in self._routes:
            if method in route.methods.split() and (found := route.path.fullmatch(ask.path)):
                return route, tuple(found.groups())
        return None

    def answer(self, ask: Ask, route: Route, keys: tuple[str, ...]) -> Answer:
        """Answer a request that is allowed to ask at all."""
        if route.owner and not ask.account.owner:
            return html(*FORBIDDEN)
        try:
            return route.page(ask, *keys)
        except NoSuchEntry:
            return html(*NOT_FOUND)

    def _tell(self, ask: Ask, fields: Fields) -> Answer:
        return Container(fields).answer(as_json=self._listing.as_json(ask))

    def _identity(self, ask: Ask) -> Answer:
        machine, version = self._catalogue.machine, self._switches.version
        told: Fields = {"size": 0, "apiVersion": "1.1.1", "claimed": True, "machineIdentifier": machine}
        return self._tell(ask, told | {"version": version})

    def _server(self, ask: Ask) -> Answer:
        fields = server_fields(
            self._catalogue.machine, self._switches.name, self._switches.version, self._catalogue.now
        )
        features = [
            "activities",
            "hubs",
            "identity",
            "library",
            "media",
            "playlists",
            "statistics",
            "updater",
        ]
        rows = [{"count": 1, "key": name, "title": name} for name in features]
        return self._tell(ask, {"size": len(rows)} | fields | {"Directory": rows})

    def _library(self, ask: Ask) -> Answer:
        rows = [{"key": "sections", "title": "Library Sections"}, {"key": "all", "title": "All"}]
        told: Fields = {
            "size": len(rows),
            "allowSync": False,
            "art": "/:/resources/library-art.png",
            "content": "",
        }
        told |= {"identifier": "com.plexapp.plugins.library", "title1": "Plex Library"}
        return self._tell(ask, told | {"Directory": rows})

    def _providers(self, ask: Ask) -> Answer:
        fields = server_fields(
            self._catalogue.machine, self._switches.name, self._switches.version, self._catalogue.now
        )
        rows = [
            {"id": str(section.key), "hubKey": f"/hubs/sections/{section.key}", "subtype": section.kind}
            | {name: value for name, value in directory(section).items() if name != "Location"}
            | {"key": f"/library/sections/{section.key}"}
            for section in self._catalogue.sections.values()
            if ask.account.sees(section.key)
        ]
        feature: Fields = {"key": "/library/sections", "type": "content", "Directory": rows}
        provider: Fields = {"identifier": "com.plexapp.plugins.library", "title": "Library"}
        provider |= {"types": "video,audio,photo", "protocols": "stream,download", "Feature": [feature]}
        return self._tell(ask, {"size": 1} | fields | {"MediaProvider": [provider]})

    def _sections(self, ask: Ask) -> Answer:
        shared = [section for section in self._catalogue.sections.values() if ask.account.sees(section.key)]
        rows = [directory(section) for section in shared]
        told: Fields = {"size": len(rows), "allowSync": False, "title1": "Plex Library"}
        return self._tell(ask, told | ({"Directory": rows} if rows else {}))

    def _section(self, ask: Ask, key: str) -> Answer:
        section = self._catalogue.section(key)
        if not ask.account.sees(section.key):
            raise NoSuchEntry(key)
        names = ("all", "unwatched", "newest", "recentlyAdded", "recentlyViewed", "onDeck")
        rows = [{"key": name, "title": name} for name in names]
        told: Fields = {
            "size": len(rows),
            "allowSync": False,
            "content": "secondary",
            "librarySectionID": section.key,
        }
        told |= {
            "identifier": "com.plexapp.plugins.library",
            "title1": section.title,
            "viewGroup": "secondary",
        }
        return self._tell(ask, told | {"Directory": rows})

    def _choices(self, ask: Ask, key: str, field: str) -> Answer:
        section = self._catalogue.section(key)
        if not ask.account.sees(section.key) or field not in {*TAGS, *FLAGS, "year"}:
            raise NoSuchEntry(field)
        entries = self._listing.select(key, [])
        if field == "year":
            values = sorted({str(entry.fields["year"]) for entry in entries if "year" in entry.fields})
            rows = [{"key": value, "title": value} for value in values]
        else:
            name = TAGS.get(field, "")
            tags = sorted({tag for entry in entries for tag in entry.tags.get(name, [])})
            rows = [{"key": str(tag_id(name, tag)), "title": tag} for tag in tags]
        told: Fields = {
            "size": len(rows),
            "allowSync": False,
            "content": "secondary",
            "title1": section.title,
        }
        return self._tell(ask, told | ({"Directory": rows} if rows else {}))

    def _leaves_of_section(self, ask: Ask, key: str) -> Answer:
        leaf = {"show": "episode", "artist": "track"}.get(self._catalogue.section(key).kind, "movie")
        return self._listing.section(ask, key, leaf)

    def _scan(self, ask: Ask, key: str) -> Answer:
        self._work.scan(key, ask.query.get("path", ""))
        return Answer()

    def _refresh(self, _: Ask, key: str) -> Answer:
        self._work.refresh(key)
        return Answer()

    def _watched(self, ask: Ask, verb: str) -> Answer:
        entry = self._catalogue.entry(ask.query.get("key", ""))
        views = int(entry.fields.get("viewCount", 0)) + 1 if verb == "scrobble" else 0
        self._catalogue.watch(entry.key, views=views)
        return Answer()

    def _activities(self, ask: Ask) -> Answer:
        rows = list(self._notices.activities.values())
        return self._tell(ask, {"size": len(rows)} | ({"Activity": rows} if rows else {}))

    def _empty(self, ask: Ask) -> Answer:
        return self._tell(ask, {"size": 0})

    def _nothing(self, *_: object) -> Answer:
        return Answer()
