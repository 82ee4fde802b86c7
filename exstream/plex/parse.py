"""The tree of a Plex server's answer to records. Pure; one bad entry is left out and named, it spoils no other."""

from __future__ import annotations

import re
from collections.abc import Iterable

from exstream.errors import Misunderstood
from exstream.plex.files import media
from exstream.plex.records import Identity, Kind, MarkerRecord, Page, Record, Section
from exstream.plex.tree import EMPTY, LATEST, LONGEST, MOST, Tree, amount, number, text, trees, truth, whole

_KEY = re.compile(r"[0-9A-Za-z_.-]{1,64}")
_KINDS = {kind.value: kind for kind in Kind}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
PEOPLE = ("Role", "Director", "Writer")


def identity(tree: Tree) -> Identity:
    """Return which server speaks. Raises `Misunderstood` where none does."""
    machine = text(tree, "machineIdentifier")
    if not _KEY.fullmatch(machine):
        raise Misunderstood("the answer does not say which server it is from")
    return Identity(
        machine,
        text(tree, "version"),
        claimed=truth(tree, "claimed"),
        name=text(tree, "friendlyName"),
    )


def sections(tree: Tree) -> tuple[tuple[Section, ...], tuple[str, ...]]:
    """Return the libraries of a server, and a sentence for each that cannot be read.

    Raises `Misunderstood` where the answer is not about libraries at all.
    """
    if whole(tree, "size") is None and "Directory" not in tree:
        raise Misunderstood("the answer does not say which libraries there are")
    found: dict[str, Section] = {}
    faults: list[str] = []
    for place, directory in enumerate(trees(tree, "Directory")):
        key = text(directory, "key").rstrip("/").rpartition("/")[2]
        if not _KEY.fullmatch(key):
            faults.append(f'library {place} "{text(directory, "title")[:80]}" has no key')
            continue
        found.setdefault(key, _section(key, directory))
    return tuple(found.values()), tuple(faults)


def _section(key: str, tree: Tree) -> Section:
    return Section(
        key=key,
        kind=_KINDS.get(text(tree, "type").lower(), Kind.OTHER),
        title=text(tree, "title") or f"Library {key}",
        agent=text(tree, "agent"),
        uuid=text(tree, "uuid"),
        scanned_at=amount(tree, "scannedAt", most=LATEST),
        content_changed_at=text(tree, "contentChangedAt"),
        refreshing=truth(tree, "refreshing"),
        roots=_unique(text(location, "path") for location in trees(tree, "Location")),
    )


def total(tree: Tree) -> int | None:
    """Return how many entries the whole listing has; None where the server did not page it."""
    found = whole(tree, "totalSize", most=MOST)
    return found if found is not None and found >= 0 else None


def page(tree: Tree, otherwise: Kind = Kind.OTHER, *, start: int = 0) -> Page:
    """Return a portion of a listing that begins at entry ``start``; entries without a type are of kind ``otherwise``.

    Without a total of its own it ends the listing. Raises `Misunderstood` where the answer is no listing at all.
    """
    listed = tree.get("Metadata")
    if listed is None and whole(tree, "size") is None:
        raise Misunderstood("the answer is no listing: it holds neither entries nor their number")
    entries = listed if isinstance(listed, list) else [] if listed is None else [listed]
    records: list[Record] = []
    faults: list[str] = []
    for place, entry in enumerate(entries, start):
        branch = entry if isinstance(entry, dict) else EMPTY
        if _is_all_of_them(branch):
            continue
        try:
            records.append(record(branch, tree, otherwise))
        except Misunderstood as fault:
            faults.append(f"entry {place}: {fault}")
    whole_total = total(tree)
    return Page(
        tuple(records),
        received=len(entries),
        total=start + len(entries) if whole_total is None else whole_total,
        faults=tuple(faults),
    )


def _is_all_of_them(tree: Tree) -> bool:
    """Return whether an entry is the row "All episodes" of a show, which is none."""
    return "ratingKey" not in tree and text(tree, "key").endswith(("/allLeaves", "/grandchildren"))


def record(tree: Tree, container: Tree = EMPTY, otherwise: Kind = Kind.OTHER) -> Record:
    """Return one entry; what all entries have in common stands in its ``container``.

    Raises `Misunderstood` where it has no rating key.
    """
    key = text(tree, "ratingKey")
    if not _KEY.fullmatch(key):
        name = text(tree, "title", "key")[:80]
        raise Misunderstood(f'"{name}" has no rating key' if name else "it has neither rating key nor title")
    versions = media(tree)
    length = amount(tree, "duration", most=LONGEST) or max(
        (each.duration for each in versions if not each.deleted), default=0
    )
    return Record(
        key=key,
        kind=_kind(tree, otherwise),
        title=text(tree, "title"),
        subtype=text(tree, "subtype", "playlistType"),
        sort_title=text(tree, "titleSort", "sortTitle"),
        original_title=text(tree, "originalTitle"),
        edition=text(tree, "editionTitle"),
        summary=text(tree, "summary"),
        year=whole(tree, "year", most=MOST),
        aired=_date(tree),
        duration=length,
        studio=text(tree, "studio"),
        content_rating=text(tree, "contentRating"),
        rating=number(tree, "rating"),
        audience_rating=number(tree, "audienceRating"),
        added_at=amount(tree, "addedAt", most=LATEST),
        updated_at=_instant(tree),
        views=amount(tree, "viewCount", most=MOST),
        index=whole(tree, "index", most=MOST),
        parent_index=_of_either(tree, container, "parentIndex"),
        parent_key=_key(tree, container, "parentRatingKey", "parentKey"),
        parent_title=text(tree, "parentTitle") or text(container, "parentTitle"),
        grandparent_key=_key(tree, container, "grandparentRatingKey", "grandparentKey"),
        grandparent_title=text(tree, "grandparentTitle") or text(container, "grandparentTitle"),
        section=_section_of(tree, container),
        leaf_count=amount(tree, "leafCount", most=MOST),
        child_count=amount(tree, "childCount", most=MOST),
        guid=text(tree, "guid"),
        guids=_unique(text(each, "id") for each in trees(tree, "Guid")),
        genres=tags(tree, "Genre"),
        labels=tags(tree, "Label"),
        collections=tags(tree, "Collection"),
        people=tags(tree, *PEOPLE),
        thumb=text(tree, "thumb", "composite"),
        art=text(tree, "art"),
        smart=truth(tree, "smart"),
        deleted_at=amount(tree, "deletedAt", most=LATEST),
        media=versions,
        markers=markers(tree, length),
    )


def _kind(tree: Tree, otherwise: Kind) -> Kind:
    said = text(tree, "type").lower()
    if said in _KINDS:
        return _KINDS[said]
    if said:
        return Kind.OTHER
    return Kind.PLAYLIST if "playlistType" in tree else otherwise


def _date(tree: Tree) -> str:
    found = _DATE.match(text(tree, "originallyAvailableAt"))
    return found[0] if found else ""


def _instant(tree: Tree) -> int | None:
    found = whole(tree, "updatedAt", most=LATEST)
    return found if found is not None and found > 0 else None


def _of_either(tree: Tree, container: Tree, name: str) -> int | None:
    found = whole(tree, name, most=MOST)
    return whole(container, name, most=MOST) if found is None else found


def _key(tree: Tree, container: Tree, name: str, path: str) -> str:
    """Return a rating key of a parent, which older servers tell by its address only."""
    for branch in (tree, container):
        if key := text(branch, name) or _last_of(text(branch, path)):
            return key if _KEY.fullmatch(key) else ""
    return ""


def _last_of(path: str) -> str:
    return path.removesuffix("/children").rpartition("/")[2] if path.startswith("/library/metadata/") else ""


def _section_of(tree: Tree, container: Tree) -> str:
    names = ("librarySectionID", "librarySectionId")
    return text(tree, *names) or text(container, *names)


def tags(tree: Tree, *names: str) -> tuple[str, ...]:
    """Return the tags of the elements called ``names``, in their order, each once."""
    return _unique(text(each, "tag") for name in names for each in trees(tree, name))


def markers(tree: Tree, length: int = 0) -> tuple[MarkerRecord, ...]:
    """Return the markers, then the chapters, each by its start; several may share one id on the server.

    A chapter without an end lasts to the next one, or to the end at ``length`` milliseconds.
    """
    marked = [
        (text(each, "type").lower(), amount(each, "startTimeOffset"), whole(each, "endTimeOffset"), "")
        for each in trees(tree, "Marker")
    ]
    found: dict[tuple[str, int], MarkerRecord] = {}
    for kind, starts, ends, title in [*sorted(marked, key=lambda each: each[1]), *_chapters(tree, length)]:
        if kind and ends is not None and ends > starts:
            found.setdefault((kind, starts), MarkerRecord(kind, starts, ends, title))
    return tuple(found.values())


def _chapters(tree: Tree, length: int) -> list[tuple[str, int, int | None, str]]:
    listed = sorted(trees(tree, "Chapter"), key=lambda each: amount(each, "startTimeOffset"))
    starts = [amount(each, "startTimeOffset") for each in listed]
    return [
        ("chapter", begin, whole(each, "endTimeOffset") or end, text(each, "tag", "title"))
        for each, begin, end in zip(listed, starts, [*starts[1:], length], strict=False)
    ]


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in texts if each))
