"""What the server does by itself once it is told to: scans and refreshes, with all that is heard of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from load.plex_server.asking import Switches
from load.plex_server.catalogue import Catalogue
from load.plex_server.model import Section
from load.plex_server.notices import Notices

Step = Callable[[], Any]


class Work:
    """Scans sections and refreshes entries, a moment after it was asked to."""

    def __init__(self, catalogue: Catalogue, notices: Notices, switches: Switches) -> None:
        self._catalogue = catalogue
        self._notices = notices
        self._switches = switches
        self._found: list[Step] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.scans: list[dict[str, str]] = []
        """The scans that were asked for: ``section`` and ``path``."""

    def at_next_scan(self, step: Step) -> None:
        """Keep what the next scan finds."""
        self._found.append(step)

    def scan(self, key: str, path: str = "") -> None:
        """Scan a section; of a ``path`` outside it nothing is heard, as nothing is there to scan."""
        section = self._catalogue.section(key)
        self.scans.append({"section": key, "path": path})
        roots = [root.rstrip("/\\") for _, root in section.locations]
        if not path or any(path == root or path.startswith((f"{root}/", f"{root}\\")) for root in roots):
            self._begin(self._scan(section))

    def refresh(self, key: str) -> None:
        """Refresh the metadata of an entry."""
        self._catalogue.entry(key)
        self._begin(self._refresh(int(key)))

    def _begin(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _scan(self, section: Section) -> None:
        section.refreshing = True
        context = {"librarySectionID": str(section.key)}
        number = self._notices.begin("library.update.section", f"Scanning {section.title}", "", context)
        await asyncio.sleep(self._switches.scan_seconds)
        found, self._found = self._found, []
        for step in found:
            step()
        section.refreshing = False
        if section.key in self._catalogue.sections:
            self._catalogue.scanned(section.key)
        self._notices.end(number)

    async def _refresh(self, key: int) -> None:
        context = {"key": f"/library/metadata/{key}", "accessible": True, "exists": True, "refreshed": True}
        number = self._notices.begin(
            "library.refresh.items", "Refreshing", "Refreshing local metadata", context
        )
        await asyncio.sleep(self._switches.scan_seconds)
        if key in self._catalogue.entries:
            if self._switches.refresh_moves:
                self._catalogue.change(key)
            else:
                self._catalogue.changed(self._catalogue.entry(key))
        self._notices.end(number)
