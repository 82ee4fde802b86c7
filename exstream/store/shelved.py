"""Items of servers as rows: what the listing tells, and what only details tell, which is not lost between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from exstream.model.server import Shelved
from exstream.store import versions
from exstream.store.items import file_values
from exstream.store.keeping import Key, Values

_OF_DETAILS = ("labels", "markers", "people", "genres")
"""What a listing leaves out or cuts short."""


def rows(
    library_id: int, items: Mapping[Key, Shelved], known: Mapping[Key, Values], pass_number: int
) -> dict[Key, Values]:
    """Return all columns of ``items``; what is ``known`` was seen in this pass too, which is no difference."""
    for row in known.values():
        row["seen_pass"] = pass_number
    return {key: values(library_id, each, known.get(key), pass_number) for key, each in items.items()}


def values(library_id: int, shelved: Shelved, known: Mapping[str, Any] | None, pass_number: int) -> Values:
    """Return all columns of an item; ``known`` are those of the row as it is.

    Where it comes without details, those that are known stay, and what is known of a file stays with the file.
    """
    item = shelved.item
    files = versions.written(item.versions)
    found: Values = {
        **file_values(library_id, item),
        "plex_path": item.versions[0].parts[0].path if item.versions else "",
        "external_ids": list(item.external_ids),
        "show_key": item.show_key,
        "show_year": item.show_year,
        "album": item.album,
        "aired": item.aired,
        "content_rating": item.content_rating,
        "rating": item.rating,
        "views": item.views,
        "labels": list(item.labels),
        "people": list(item.people),
        "artwork": item.artwork,
        "markers": versions.markers_written(item.markers),
        "versions": files,
        "digest": shelved.digest,
        "details": shelved.digest if shelved.detailed else "",
        "stamp": shelved.stamp,
        "seen_pass": pass_number,
        "missing_since": 0,
        "deleted": False,
        "missing": False,
    }
    if known is not None:
        _keep_media(files, known["versions"])
        if not shelved.detailed and known["details"]:
            found |= {name: known[name] for name in (*_OF_DETAILS, "details")}
    if files:  # what is in them is kept with them
        found |= {"media_duration_ms": None, "media": None}
    return found


def _keep_media(files: Sequence[Values], known: Sequence[Values]) -> None:
    """Put what is known of the same files into ``files``, where nothing is or less was looked for."""
    before = {
        (part["key"], part["size"]): part for version in known for part in version["parts"] if "media" in part
    }
    for part in (part for version in files for part in version["parts"]):
        old = before.get((part["key"], part["size"]))
        if old is not None and ("media" not in part or _probed(old) > _probed(part)):
            part["media"], part["media_ms"] = old["media"], old["media_ms"]


def _probed(part: Values) -> int:
    found: int = orjson.loads(part["media"]).get("probed", 0)
    return found
