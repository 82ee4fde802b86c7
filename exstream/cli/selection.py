"""Libraries and shows that channels select by and that are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exstream.cli.outcome import say
from exstream.config import Settings
from exstream.errors import StoreError

if TYPE_CHECKING:
    from exstream.definitions import Definitions, Names


async def misnamed(settings: Settings, found: Definitions) -> list[str]:
    """Return a sentence for each such name, with file and line; says why where the library cannot be read.

    Before the first start nothing is known, and nothing is wrong.
    """
    from exstream.definitions import unknown

    if not found.mentions:
        return []
    try:
        names = await _names(settings)
    except StoreError as error:
        say(f"exstream: whether libraries and shows are there is not known: {error}")
        return []
    return [] if names is None else list(unknown(found.mentions, names))


async def _names(settings: Settings) -> Names | None:
    from exstream.cli.shelf import sqlite_file, writable_shelf
    from exstream.definitions import Names
    from exstream.jobs.demo import NAME
    from exstream.jobs.demo_manifest import CLIPS

    file = sqlite_file(settings.database_url)
    if file is not None and not file.exists():
        return None
    async with writable_shelf(settings) as shelf:
        names = Names.of(await shelf.switched_on(), (await shelf.load()).items.values())
    if not settings.demo:
        return names
    # The first start makes the demo library.
    return Names(names.libraries | {NAME}, names.shows | {clip.show for clip in CLIPS if clip.show})
