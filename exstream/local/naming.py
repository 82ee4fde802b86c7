"""What a file is, judged by its path below the library's folder: the names that Plex, Kodi and Jellyfin read.

A rule that does not fit is passed over, and what fits none is a video of its own: no name is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from exstream.local.languages import language_code
from exstream.model.catalogue import ItemKind, SubtitleStream

FILLER_FOLDERS = frozenset(
    {"filler", "fillers", "bumper", "bumpers", "interstitials", "trailers", "commercials", "idents"}
)
"""Folders whose files are for the gaps between programmes, in any letter case."""
SPECIALS = frozenset({"specials", "special", "season 0", "season 00"})
EXTRAS = frozenset(
    {
        "extras",
        "featurettes",
        "behind the scenes",
        "deleted scenes",
        "interviews",
        "scenes",
        "shorts",
        "other",
    }
)
"""Folders beside a film or a season whose files are neither."""
SUBTITLE_CODECS = {
    "srt": "subrip",
    "ass": "ass",
    "ssa": "ssa",
    "vtt": "webvtt",
    "sub": "microdvd",
    "idx": "dvd_subtitle",
}
"""Sidecar subtitles by suffix."""

_YEAR = r"(?:19|20)[0-9]{2}"
_SEASON_FOLDER = re.compile(
    r"(?:season|series|staffel|saison|temporada|s)[ ._-]*([0-9]{1,4})(?![0-9]).*", re.IGNORECASE
)
_NUMBERED = (
    re.compile(  # s01e02, S01E02-E03, S01 E02-03
        r"(?<![a-z0-9])s(?P<season>[0-9]{1,4})[ ._-]*e(?P<first>[0-9]{1,4})"
        r"(?P<more>(?:[ ._]?-?[ ._]?e[0-9]{1,4}|-[0-9]{1,3}(?![0-9p]))*)",
        re.IGNORECASE,
    ),
    re.compile(  # 1x02, 1x02-03
        r"(?<![a-z0-9])(?P<season>[0-9]{1,2})x(?P<first>[0-9]{2,3})"
        r"(?P<more>(?:-?x[0-9]{2,3}|-[0-9]{2,3})*)(?![0-9])",
        re.IGNORECASE,
    ),
)
_ABSOLUTE = re.compile(r"(?P<show>.*?\S) - (?P<first>[0-9]{1,4})(?:v[0-9])?(?= - |\s*[\[(]|\s*$)(?P<more>)")
_IN_SEASON = re.compile(  # Episode 2, 02 - Title, Show 02
    r"(?:(?P<show>.*?\S)[ ._-]+)?(?:e|ep|episode|folge)?[ ._-]*(?P<first>[0-9]{1,3})(?P<more>)(?![0-9a-z])",
    re.IGNORECASE,
)
_HAS_YEAR = re.compile(rf"[(\[]{_YEAR}[)\]]|- {_YEAR}$")
_BRACKETED_YEAR = re.compile(rf"(?P<title>.*\S)[ ._]*[(\[](?P<year>{_YEAR})[)\]](?P<rest>.*)", re.DOTALL)
_BARE_YEAR = re.compile(rf"(?P<title>.*[^ ._])[ ._]+(?P<year>{_YEAR})(?P<rest>[ ._].*)", re.DOTALL)
_TAG = re.compile(
    r"(?<![a-z0-9])(?:(?:480|576|720|1080|1440|2160)[pi]|4k|uhd|hdr(?:10)?|[xh][ .]?26[45]|hevc|xvid|divx|web-?dl|"
    r"web-?rip|blu-?ray|b[dr]-?rip|dvd-?rip|hdtv|remux|ac3|e-?ac-?3|dts(?:-hd)?|ddp?[ .]?5[ .]1|10-?bit)(?![a-z0-9])",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"\[[^\]]*\]|\{[^}]*\}")
_EDGES = " ._-–—"
_FORCED = frozenset({"forced", "foreign"})
_ABOUT_SUBTITLES = _FORCED | {"sdh", "cc", "hi", "default", "full"}


@dataclass(frozen=True, slots=True)
class Named:
    """What a path says about its file; ``title`` is never empty."""

    kind: ItemKind
    title: str
    show: str = ""
    season: int | None = None
    episode: int | None = None
    last_episode: int | None = None
    """The last one of a file that holds several."""
    year: int | None = None


def name_of(path: str) -> Named:
    """Return what the file at ``path`` (relative, with slashes) is."""
    *folders, name = [part for part in path.split("/") if part] or [path]
    stem = name.rpartition(".")[0] or name
    folded = {folder.casefold() for folder in folders}
    if folded & FILLER_FOLDERS or stem.casefold().endswith("-trailer"):
        return Named(ItemKind.FILLER, _title(stem))
    if folders and folders[-1].casefold() in EXTRAS:
        return Named(ItemKind.OTHER, _title(stem))
    return _episode(folders, stem) or _film(folders, stem) or Named(ItemKind.OTHER, _title(stem))


def sidecar_subtitles(stem: str, names: Iterable[str]) -> tuple[SubtitleStream, ...]:
    """Return the subtitle files among ``names`` that belong to the video ``stem``, in the order of their names.

    ``Name.srt``, ``Name.en.srt``, ``Name.en.forced.ass``; a ``.sub`` with an ``.idx`` beside it is told by the latter.
    """
    present = sorted(names)
    found = []
    for name in present:
        rest, _, suffix = name.rpartition(".")
        codec = SUBTITLE_CODECS.get(suffix.lower())
        if codec is None or not (rest == stem or rest.startswith(f"{stem}.")):
            continue
        if suffix.lower() == "sub" and f"{rest}.idx" in present:
            continue
        words = [word.casefold() for word in rest[len(stem) :].split(".") if word]
        if not all(word in _ABOUT_SUBTITLES or language_code(word) for word in words):
            continue  # another video's, whose stem is longer than ours
        languages = [code for word in words if (code := language_code(word))]
        forced = not _FORCED.isdisjoint(words)
        found.append(
            SubtitleStream(codec, language=languages[0] if languages else "", forced=forced, path=name)
        )
    return tuple(found)


def _episode(folders: list[str], stem: str) -> Named | None:
    season, above = _season(folders)
    match = next((found for pattern in _NUMBERED if (found := pattern.search(stem))), None)
    if match:
        season = int(match["season"])
        written = stem[: match.start()]
    elif (match := _ABSOLUTE.match(stem)) and not _HAS_YEAR.search(stem):
        written = match["show"]
        season = 1 if season is None else season
    elif season is not None and (match := _IN_SEASON.match(stem)):
        written = match["show"] or ""
    else:
        return None
    show, year = _show(above, written)
    if not show:
        return None
    first = int(match["first"])
    last = max([first, *map(int, re.findall(r"[0-9]+", match["more"]))])
    title = _tidy(stem[match.end() :]) or f"Episode {first}"
    return Named(ItemKind.EPISODE, title, show, season, first, last if last > first else None, year)


def _season(folders: list[str]) -> tuple[int | None, list[str]]:
    """Return the season that the innermost folder names, and the folders above it."""
    if not folders:
        return None, folders
    innermost = folders[-1].strip().casefold()
    if innermost in SPECIALS:
        return 0, folders[:-1]
    match = _SEASON_FOLDER.fullmatch(innermost)
    return (int(match[1]), folders[:-1]) if match else (None, folders)


def _show(folders: list[str], written: str) -> tuple[str, int | None]:
    """Return a show's title and year, by its folder; by the file's own name when there is none."""
    title = folders[-1] if folders else written
    match = _BRACKETED_YEAR.fullmatch(title)
    if match:
        return _tidy(match["title"]), int(match["year"])
    return _tidy(title) or _tidy(written), None


def _film(folders: list[str], stem: str) -> Named | None:
    match = _BRACKETED_YEAR.fullmatch(stem)
    if match is None and folders:
        match = _BRACKETED_YEAR.fullmatch(folders[-1])
    if match is None:
        tag = _TAG.search(stem)
        match = _BARE_YEAR.fullmatch(stem[: tag.start()]) if tag else None
    title = _tidy(match["title"]) if match else ""
    return Named(ItemKind.FILM, title, year=int(match["year"])) if match and title else None


def _title(stem: str) -> str:
    return _tidy(stem) or stem.strip() or "Untitled"


def _tidy(text: str) -> str:
    """Return ``text`` without release tags and brackets; dots and underscores are spaces where there are none."""
    text = _BRACKETS.sub(" ", text)
    tag = _TAG.search(text)
    if tag:
        text = text[: tag.start()].rstrip(_EDGES + "([")
    text = text.strip(_EDGES)
    if " " not in text:
        text = re.sub(r"[._]+", " ", text)
    return " ".join(text.split()).strip(_EDGES)
