"""The line on which the server tells what happens: timeline entries, activities, and who listens."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from typing import Any

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from load.plex_server.model import NUMBERS, Entry, Fields

CREATED, PROCESSED, DELETED = 0, 5, 9
_BURST = 3
"""How many times an item is told to be processed: thumbnails are made one by one."""


class Notices:
    """Tells every listener; whoever comes later hears nothing of what was before."""

    def __init__(self) -> None:
        self._listeners: dict[int, tuple[asyncio.Queue[bytes | None], frozenset[str]]] = {}
        self._numbers = itertools.count()
        self.activities: dict[str, Fields] = {}
        """What goes on now."""

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    async def listen(self, socket: WebSocket, filters: str) -> None:
        """Tell one listener until it goes, or is cut off."""
        await socket.accept()
        number, queue = next(self._numbers), asyncio.Queue[bytes | None]()
        self._listeners[number] = queue, frozenset(name for name in filters.split(",") if name)
        closed = asyncio.create_task(_until_closed(socket))
        try:
            while True:
                told = asyncio.create_task(queue.get())
                await asyncio.wait({told, closed}, return_when=asyncio.FIRST_COMPLETED)
                if not told.done():
                    told.cancel()
                    return
                message = told.result()
                if message is None:
                    await socket.close(1011)
                    return
                await socket.send_text(message.decode())
        except WebSocketDisconnect:
            return
        finally:
            closed.cancel()
            del self._listeners[number]

    def cut(self) -> None:
        """Close every line."""
        for queue, _ in self._listeners.values():
            queue.put_nowait(None)

    def tell(self, kind: str, **content: Any) -> None:
        """Tell all who listen to ``kind``; the content is as Plex names it (``TimelineEntry=[...]``)."""
        message = orjson.dumps({"NotificationContainer": {"type": kind, "size": 1, **content}})
        for queue, filters in self._listeners.values():
            if not filters or kind in filters:
                queue.put_nowait(message)

    def raw(self, message: str) -> None:
        """Tell something that may be no message at all."""
        for queue, _ in self._listeners.values():
            queue.put_nowait(message.encode())

    def entry(self, happened: str, entry: Entry) -> None:
        """Tell that an entry was ``created``, ``changed`` or ``deleted``."""
        if happened == "deleted":
            self._timeline(entry, DELETED, "deleted")
            return
        if happened == "created":
            self._timeline(entry, CREATED, "created")
        for _ in range(_BURST):
            self._timeline(entry, PROCESSED, "created" if happened == "created" else None)

    def _timeline(self, entry: Entry, state: int, metadata: str | None) -> None:
        if not self._listeners:
            return
        row: Fields = {
            "identifier": "com.plexapp.plugins.library",
            "sectionID": str(entry.section),
            "itemID": str(entry.key),
            "type": NUMBERS.get(entry.kind, -1),
            "title": entry.fields.get("title", ""),
            "state": state,
            "updatedAt": entry.stamp,
        }
        if entry.parent is not None:
            row["parentItemID"], row["rootItemID"] = (
                str(entry.parent.key),
                str(list(entry.ancestry())[-1].key),
            )
        if metadata is not None:
            row["metadataState"] = metadata
        elif state == PROCESSED:
            row["mediaState"] = "thumbnailing"
        self.tell("timeline", TimelineEntry=[row])

    def begin(self, kind: str, title: str, subtitle: str, context: Fields) -> str:
        """Tell that an activity began, and return its identifier."""
        number = str(uuid.uuid4())
        activity: Fields = {
            "uuid": number,
            "type": kind,
            "cancellable": False,
            "userID": 1,
            "title": title,
            "subtitle": subtitle,
            "progress": 0,
            "Context": context,
        }
        self.activities[number] = activity
        self._activity("started", activity)
        return number

    def end(self, number: str) -> None:
        """Tell that an activity ended."""
        activity = self.activities.pop(number)
        self._activity("updated", activity | {"progress": 50})
        self._activity("ended", activity | {"progress": 100})

    def _activity(self, event: str, activity: Fields) -> None:
        row = {"event": event, "uuid": activity["uuid"], "Activity": activity}
        self.tell("activity", ActivityNotification=[row])


async def _until_closed(socket: WebSocket) -> None:
    try:
        while True:
            await socket.receive_text()
    except (WebSocketDisconnect, RuntimeError, KeyError):
        return
