"""Lists: pages of a section, children of a show, members of a collection, several entries by their keys."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from load.plex_server.answers import Answer, Container
from load.plex_server.asking import Ask, Switches, pairs_of
from load.plex_server.catalogue import Catalogue, NoSuchEntry
from load.plex_server.describe import Describer, Form
from load.plex_server.fields import LIBRARY, meta_of, section_fields
from load.plex_server.model import KINDS, LEVELS, Entry, Fields, Section
from load.plex_server.selection import chosen, ordered

_HOISTED = [
    "parentRatingKey",
    "parentKey",
    "parentGuid",
    "parentTitle",
    "parentThumb",
    "parentIndex",
    "grandparentRatingKey",
    "grandparentKey",
    "grandparentGuid",
    "grandparentTitle",
    "grandparentThumb",
]


class Listing:
    """Chooses entries, puts them in order, and answers a page of them."""

    def __init__(self, catalogue: Catalogue, switches: Switches) -> None:
        self._catalogue = catalogue
        self._switches = switches
        self._describer = Describer(catalogue, self.members)
        self._known: dict[object, list[Entry]] = {}
        self._known_at = -1

    # -- choosing --

    def members(self, entry: Entry) -> list[Entry]:
        """Return what a collection or a playlist holds; that of a smart one is found anew each time."""
        if content := entry.fields.get("content"):
            target = urlsplit(str(content))
            section = target.path.partition("/sections/")[2].partition("/")[0]
            return self.select(section, pairs_of(target.query.encode()))
        entries = self._catalogue.entries
        return [entries[key] for key in entry.members if key in entries]

    def select(self, section: str, pairs: Sequence[tuple[str, str]], kind: str = "") -> list[Entry]:
        """Return what a listing of ``section`` (empty: of all) holds, in order."""
        if self._known_at != self._catalogue.revision:
            self._known.clear()
            self._known_at = self._catalogue.revision
        named = tuple(pair for pair in pairs if not pair[0].startswith(("X-Plex-", "include", "exclude")))
        asked = (section, named, kind)
        if asked not in self._known:
            self._known[asked] = self._select(section, dict(named), named, kind)
        return self._known[asked]

    def _select(
        self, section: str, query: dict[str, str], pairs: Sequence[tuple[str, str]], kind: str
    ) -> list[Entry]:
        kinds = [KINDS[int(number)] for number in query.get("type", "").split(",") if number.isdecimal()]
        if section:
            shelf = self._catalogue.section(section)
            kinds = [kind] if kind else kinds or [LEVELS[shelf.kind][0]]
            entries = (
                [] if shelf.empty else [e for one in kinds for e in self._catalogue.shelf(shelf.key, one)]
            )
        else:
            entries = [e for one in kinds or ["movie"] for e in self._catalogue.everything(one)]
        return ordered(chosen(entries, pairs, self._catalogue.now), query.get("sort") or "titleSort")

    # -- answering --

    def section(self, ask: Ask, key: str, kind: str = "") -> Answer:
        """Answer a page of a section."""
        section = self._visible(ask, key)
        entries = self.select(key, ask.pairs, kind)
        fields = LIBRARY | section_fields(section) | {"content": "secondary"}
        if ask.flag("includeMeta"):
            fields["Meta"] = meta_of(section, ask.query.get("type", ""))
        return self._page(ask, entries, fields, Form(self.as_json(ask), guids=ask.flag("includeGuids")))

    def everywhere(self, ask: Ask) -> Answer:
        """Answer a page of all sections."""
        entries = [entry for entry in self.select("", ask.pairs) if ask.account.sees(entry.section)]
        return self._page(
            ask, entries, dict(LIBRARY), Form(self.as_json(ask), guids=ask.flag("includeGuids"))
        )

    def details(self, ask: Ask, keys: str) -> Answer:
        """Answer entries with everything: those that are gone are left out, and 404 if all are."""
        found = []
        for key in keys.split(","):
            entry = self._catalogue.entries.get(int(key)) if key.isdecimal() else None
            if entry is not None and ask.account.sees(entry.section):
                found.append(entry)
        if not found:
            raise NoSuchEntry(f"none of {keys} is there")
        form = Form(
            self.as_json(ask),
            detail=True,
            guids=True,
            markers=ask.flag("includeMarkers"),
            chapters=ask.flag("includeChapters"),
            files=ask.flag("checkFiles"),
            without=_excluded(ask),
        )
        section = self._catalogue.sections.get(found[0].section)
        place = section_fields(section, short=True) if section is not None else {}
        return self._container({"size": len(found)} | LIBRARY | place, found, form)

    def children(self, ask: Ask, key: str) -> Answer:
        """Answer what is right below an entry; several seasons begin with the row of all episodes."""
        entry = self._entry(ask, key)
        if entry.kind in {"collection", "playlist"}:
            return self.of_grouping(ask, key)
        fields = LIBRARY | section_fields(self._catalogue.section(entry.section), short=True) | _above(entry)
        if entry.kind == "show" and len(entry.children) > 1 and not ask.flag("excludeAllLeaves"):
            fields["Directory"] = [_all_episodes(entry)]
        children = sorted(entry.children, key=lambda child: int(child.fields.get("index", 0)))
        return self._below(ask, children, fields)

    def leaves(self, ask: Ask, key: str) -> Answer:
        """Answer all episodes or tracks below an entry."""
        entry = self._entry(ask, key)
        fields = LIBRARY | section_fields(self._catalogue.section(entry.section), short=True) | _above(entry)
        return self._below(ask, sorted(entry.leaves(), key=_place), fields)

    def _below(self, ask: Ask, entries: list[Entry], fields: Fields) -> Answer:
        without = frozenset[str]()
        if self._switches.hoisting and entries:
            rows = [self._describer.row(entry, Form(as_json=True)) for entry in entries]
            shared = {name: rows[0][name] for name in _HOISTED if name in rows[0]}
            shared = {
                name: value for name, value in shared.items() if all(r.get(name) == value for r in rows)
            }
            fields, without = fields | shared, frozenset(shared)
        form = Form(self.as_json(ask), guids=ask.flag("includeGuids"), without=without)
        return self._page(ask, entries, fields, form)

    def of_grouping(self, ask: Ask, key: str) -> Answer:
        """Answer what a collection or a playlist holds."""
        grouping = self._entry(ask, key)
        fields: Fields = {"allowSync": True, "identifier": "com.plexapp.plugins.library"}
        if grouping.kind == "playlist":
            fields = {"composite": f"/playlists/{key}/composite/{grouping.stamp}", "ratingKey": key}
            fields |= {name: grouping.fields[name] for name in ("playlistType", "smart", "title", "duration")
                       if name in grouping.fields}  # fmt: skip
        entries = [entry for entry in self.members(grouping) if ask.account.sees(entry.section)]
        return self._page(ask, entries, fields, Form(self.as_json(ask), guids=ask.flag("includeGuids")))

    def playlists(self, ask: Ask) -> Answer:
        """Answer the playlists."""
        wanted = ask.query.get("playlistType")
        entries = [
            entry
            for entry in self._catalogue.everything("playlist")
            if wanted is None or entry.fields.get("playlistType") == wanted
        ]
        return self._page(ask, entries, {}, Form(self.as_json(ask)))

    def hubs(self, ask: Ask) -> Answer:
        """Answer a search over all libraries, grouped by kind."""
        rows = []
        for kind in ("movie", "show", "episode", "artist", "album", "track"):
            form = Form(as_json=True)
            found = [entry for entry in self._matching(ask, kind) if ask.account.sees(entry.section)]
            told = [self._describer.row(entry, form) for entry in found[: int(ask.query.get("limit", "3"))]]
            hub: Fields = {
                "title": f"{kind.title()}s",
                "type": kind,
                "hubIdentifier": kind,
                "context": f"hub.search.{kind}",
            }
            hub |= {"size": len(told), "more": len(told) < len(found), "style": "shelf"}
            rows.append(hub | ({"Metadata": told} if told else {}))
        return Container({"size": len(rows), "Hub": rows}).answer(as_json=self.as_json(ask))

    def _matching(self, ask: Ask, kind: str) -> list[Entry]:
        words = ask.query.get("query", "").casefold()
        return [
            e for e in self._catalogue.everything(kind) if words in str(e.fields.get("title", "")).casefold()
        ]

    # -- pages --

    def _page(self, ask: Ask, entries: list[Entry], fields: Fields, form: Form) -> Answer:
        start, size = ask.number("Container-Start"), ask.number("Container-Size")
        limit = ask.query.get("limit", "")
        entries = entries[: int(limit)] if limit.isdecimal() else entries
        if start is None and size is None:
            return self._container({"size": len(entries)} | fields, entries, form)
        offset, total = start or 0, len(entries) + self._switches.count_by
        size = len(entries) if size is None else size
        page = entries[
            offset : offset + (min(size, self._switches.page_limit) if self._switches.page_limit else size)
        ]
        told = {"size": len(page), "totalSize": total, "offset": offset} | fields
        headers = {"X-Plex-Container-Start": str(offset), "X-Plex-Container-Total-Size": str(total)}
        return self._container(told, page, form, headers)

    def _container(
        self,
        fields: Fields,
        entries: list[Entry],
        form: Form,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        rows = [self._describer.entry(entry, form) for entry in entries]
        return Container(fields, rows, headers or {}).answer(as_json=form.as_json)

    def warm(self) -> None:
        """Write down beforehand what a first reading of everything will ask for."""
        for entry in self._catalogue.entries.values():
            if entry.kind not in {"collection", "playlist"}:
                self._describer.entry(entry, Form(as_json=True, guids=True))

    def as_json(self, ask: Ask) -> bool:
        """Tell whether the answer is to be JSON."""
        return ask.wants_json and not self._switches.always_xml

    def _visible(self, ask: Ask, key: str) -> Section:
        section = self._catalogue.section(key)
        if not ask.account.sees(section.key):
            raise NoSuchEntry(f"section {key} is not shared with {ask.account.name}")
        return section

    def _entry(self, ask: Ask, key: str) -> Entry:
        entry = self._catalogue.entry(key)
        if not ask.account.sees(entry.section) and entry.kind != "playlist":
            raise NoSuchEntry(f"{key} is not shared with {ask.account.name}")
        return entry


def _place(leaf: Entry) -> tuple[int, int]:
    season = leaf.parent.fields.get("index", 0) if leaf.parent is not None else 0
    return int(season), int(leaf.fields.get("index", 0))


def _excluded(ask: Ask) -> frozenset[str]:
    named = f"{ask.query.get('excludeFields', '')},{ask.query.get('excludeElements', '')}"
    return frozenset(name for name in named.split(",") if name)


def _above(entry: Entry) -> Fields:
    fields: Fields = {
        "key": str(entry.key),
        "viewGroup": {"show": "season", "artist": "album"}.get(entry.kind, "episode"),
    }
    fields |= {
        "title1": entry.fields.get("title", ""),
        "thumb": f"/library/metadata/{entry.key}/thumb/{entry.stamp}",
    }
    if entry.kind in {"show", "artist"}:
        return fields | {"parentTitle": entry.fields.get("title", "")}
    fields |= {"title2": entry.fields.get("title", ""), "parentTitle": entry.fields.get("title", "")}
    if "index" in entry.fields:
        fields["parentIndex"] = entry.fields["index"]
    if entry.parent is not None:
        above = entry.parent
        fields |= {"title1": above.fields["title"], "grandparentTitle": above.fields["title"]}
        fields["grandparentRatingKey"] = above.key
    return fields


def _all_episodes(show: Entry) -> Fields:
    leaves = tuple(show.leaves())
    return {
        "leafCount": len(leaves),
        "thumb": f"/library/metadata/{show.key}/thumb/{show.stamp}",
        "viewedLeafCount": sum(1 for leaf in leaves if leaf.fields.get("viewCount")),
        "key": f"/library/metadata/{show.key}/allLeaves",
        "title": "All episodes",
    }
