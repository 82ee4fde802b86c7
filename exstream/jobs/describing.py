"""Makes the item of a file: from its name, what is in it, and what lies beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from exstream.local.naming import Named, name_of, sidecar_subtitles
from exstream.local.nfo import LARGEST_BYTES, BadNfo, Nfo, read_nfo
from exstream.local.walk import FoundFile, Walk
from exstream.model.catalogue import Item, ItemKey, ItemKind, Library, Media, SubtitleStream

_OF_FILM, _OF_SHOW = "movie.nfo", "tvshow.nfo"


def key_of(library: Library, path: str) -> ItemKey:
    """Return the identity of the file at ``path`` below the folder of ``library``."""
    return f"local:{library.id}/{path}"


def notes_of(file: FoundFile, walk: Walk) -> tuple[FoundFile, ...]:
    """Return the NFO files and subtitles that speak of ``file``: its own, then its film's, then its show's."""
    path = PurePosixPath(file.path)
    folder = _folder(path)
    beside = walk.notes.get(folder, [])
    own = [note for note in beside if _name(note).startswith(f"{path.stem}.")]
    film = [note for note in beside if _name(note).lower() == _OF_FILM]
    # A show's note lies in its folder, its episodes there or one below.
    around = (folder, _folder(PurePosixPath(folder))) if folder else ("",)
    show = [note for above in around for note in walk.notes.get(above, []) if _name(note).lower() == _OF_SHOW]
    return (*own, *film, *show[:1])


def describe(
    library: Library, file: FoundFile, notes: Sequence[FoundFile], media: Media, added_at: int
) -> tuple[Item, list[str]]:
    """Return the item of ``file`` and a sentence for each of ``notes`` that could not be used. Reads the notes."""
    named = name_of(file.path)
    written, faults = _Written.read(library, notes)
    own = written.own or (written.film if named.kind is ItemKind.FILM else None)
    named = _corrected(named, own, written.show)
    said = [note for note in (own, written.show) if note]
    return Item(
        key_of(library, file.path),
        named.kind,
        named.title,
        media.duration_ms,
        library.name,
        show=named.show,
        season=named.season,
        episode=named.episode,
        year=named.year,
        summary=next((note.plot for note in said if note.plot), ""),
        genres=next((note.genres for note in said if note.genres), ()),
        path=str(Path(library.path, file.path)),
        media=replace(media, subtitles=(*media.subtitles, *_sidecars(library, file, notes))),
        added_at=added_at,
        updated_at=file.mtime_ns // 1_000_000,
    ), faults


@dataclass(frozen=True, slots=True)
class _Written:
    """What NFO files say about a file itself, about the film of its folder, and about its show."""

    own: Nfo | None = None
    film: Nfo | None = None
    show: Nfo | None = None

    @classmethod
    def read(cls, library: Library, notes: Sequence[FoundFile]) -> tuple[_Written, list[str]]:
        found: dict[str, Nfo] = {}
        faults = []
        for note in notes:
            if not note.path.lower().endswith(".nfo"):
                continue
            path = Path(library.path, note.path)
            place = {_OF_FILM: "film", _OF_SHOW: "show"}.get(path.name.lower(), "own")
            try:
                with path.open("rb") as file:
                    said = read_nfo(file.read(LARGEST_BYTES + 1))
            except BadNfo as fault:
                faults.append(f"{path} is ignored: {fault}")
            except OSError as fault:
                faults.append(f"{path} is ignored: {fault.strerror or fault}")
            else:
                if said and (said.kind == "tvshow") == (place == "show"):
                    found.setdefault(place, said)
        return cls(**found), faults


def _corrected(named: Named, own: Nfo | None, show: Nfo | None) -> Named:
    """Let what somebody wrote down win over the file's name."""
    if own:
        if own.kind == "movie" and named.kind is not ItemKind.FILLER:
            named = Named(ItemKind.FILM, named.title, year=named.year)
        elif own.kind == "episodedetails" and (own.show or named.show):
            named = replace(
                named,
                kind=ItemKind.EPISODE,
                show=own.show or named.show,
                season=named.season if own.season is None else own.season,
                episode=named.episode if own.episode is None else own.episode,
            )
        named = replace(named, title=own.title or named.title, year=own.year or named.year)
    if show and named.kind is ItemKind.EPISODE:
        named = replace(named, show=show.title or named.show, year=named.year or show.year)
    return named


def _sidecars(library: Library, file: FoundFile, notes: Sequence[FoundFile]) -> tuple[SubtitleStream, ...]:
    path = PurePosixPath(file.path)
    folder = Path(library.path, path.parent)
    found = sidecar_subtitles(path.stem, (_name(note) for note in notes))
    return tuple(replace(subtitle, path=str(folder / subtitle.path)) for subtitle in found)


def _name(note: FoundFile) -> str:
    return note.path.rpartition("/")[2]


def _folder(path: PurePosixPath) -> str:
    """Return the folder of ``path`` as a walk names it: "" is the root."""
    return "" if path.parent == PurePosixPath() else str(path.parent)
