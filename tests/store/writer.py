"""A program that writes to a database until it is killed, or until the disk is full.

Arguments: the address, what to write (``days`` or ``items``), and how many bytes a file may have (0: any number). It
says ``begun`` before its first write.
"""

import asyncio
import resource
import sys
from dataclasses import replace
from itertools import count

from exstream.errors import StoreError
from exstream.model.catalogue import LibraryKind
from exstream.store.catalogue import CatalogueStore
from exstream.store.database import Database
from exstream.store.schedules import ScheduleStore
from tests.store.samples import ITEMS, day_of_rows, episode


async def write_days(database: Database) -> None:
    """Publish day after day of 500 rows."""
    store = ScheduleStore(database)
    latest = await store.latest("one")
    print("begun", flush=True)
    for number in count(0 if latest is None else int(latest.cursors["main"].cycle) + 1):
        await store.append(day_of_rows(number=number, rows=500))


async def write_items(database: Database) -> None:
    """Give all items another title, again and again: the title's number is the same in all of them."""
    store = CatalogueStore(database)
    library = await store.add_library(LibraryKind.FOLDER, "Series", "/media")
    before = next(iter((await store.load()).items.values()), None)
    print("begun", flush=True)
    for title in count(0 if before is None else int(before.title) + 1):
        await store.apply(library.id, [replace(episode(number), title=str(title)) for number in range(ITEMS)])


async def main(address: str, what: str, limit: int) -> None:
    """Write until the end; a database that refuses ends it with the sentence."""
    database = Database(address)
    try:
        await database.open()
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        await {"days": write_days, "items": write_items}[what](database)
    except StoreError as error:
        print(f"refused: {error}", flush=True)
    finally:
        await database.dispose()


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
