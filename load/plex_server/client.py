"""A server that runs, seen by a test: where it is, and what may be done to it. Calls take a millisecond or two."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from load.plex_server.faults import LOGIN_PAGE, MAINTENANCE
from load.plex_server.model import Fields


@dataclass(frozen=True)
class PlexServer:
    """Addresses and tokens of a server, and its control."""

    url: str
    plex_tv: str
    """The address that stands for plex.tv, and where the control is even while ``url`` refuses connections."""
    machine: str
    token: str = field(repr=False)
    shared_token: str = field(repr=False)
    account_token: str = field(repr=False)
    """Counts at plex.tv alone."""
    pid: int = 0

    def do(self, order: str, **arguments: Any) -> Any:
        """Give an order and return its result; raises ValueError with the reason if it was not taken."""
        body = json.dumps({"do": order, "with": arguments}).encode()
        request = urllib.request.Request(f"{self.plex_tv}/-/do", body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["result"]
        except urllib.error.HTTPError as refused:
            with refused:
                raise ValueError(json.load(refused)["error"]) from None

    # -- the library --

    def add_section(
        self, kind: str, title: str, *locations: str, personal: bool = False, **fields: Any
    ) -> int:
        """Make a library (movie, show, artist, photo; ``personal``: other videos) and return its key."""
        return int(
            self.do(
                "add_section", kind=kind, title=title, locations=list(locations), personal=personal, **fields
            )
        )

    def add(self, kind: str, title: str, **spec: Any) -> int:
        """Make an entry in ``section`` or ``under`` another, and return its rating key.

        ``versions=[{"parts": [{"file", "size", "duration", "disk", "stamp", "streams"}], "width", ...}]``, ``guid``,
        ``guids``, ``tags={"Genre": [...]}``, ``markers``, ``chapters``, ``members``; the rest are Plex's attributes.
        """
        return int(self.do("add", kind=kind, title=title, **spec))

    def change(self, key: int, *, moves: bool = True, **fields: Any) -> None:
        """Edit attributes of an entry; ``updatedAt`` stays where it is unless it ``moves``."""
        self.do("change", key=key, moves=moves, **fields)

    def describe(self, key: int, *, moves: bool = True, **parts: Any) -> None:
        """Replace ``guid``, ``guids``, ``tags``, ``markers``, ``chapters`` or ``members`` of an entry."""
        self.do("describe", key=key, moves=moves, **parts)

    def watch(self, key: int, views: int = 1, offset: int | None = None) -> None:
        """Set how often an entry was watched."""
        self.do("watch", key=key, views=views, offset=offset)

    def remove(self, key: int) -> None:
        """Remove an entry and what is below it."""
        self.do("remove", key=key)

    def replace_file(self, key: int, *, version: int = 0, part: int = 0, **changes: Any) -> None:
        """Put another file (size, file, duration, disk, stamp, streams) in the place of one."""
        self.do("replace_file", key=key, version=version, part=part, **changes)

    def add_version(self, key: int, **version: Any) -> int:
        """Give an entry one more version."""
        return int(self.do("add_version", key=key, **version))

    def remove_section(self, key: int) -> None:
        """Remove a library."""
        self.do("remove_section", key=key)

    def turn_empty(self, section: int, *, empty: bool = True) -> None:
        """Let a library answer as if it held nothing, or as it is again."""
        self.do("empty", section=section, empty=empty)

    def entries(self, kind: str = "", section: int | None = None) -> list[Fields]:
        """Return entries: key, kind, section, title, parent, fields and parts."""
        found: list[Fields] = self.do("entries", kind=kind, section=section)
        return found

    def find(self, title: str, kind: str = "") -> Fields:
        """Return the only entry of a title."""
        (found,) = (entry for entry in self.entries(kind) if entry["title"] == title)
        return found

    def at_next_scan(self, order: str, **arguments: Any) -> None:
        """Keep an order (``add``, ``remove``, ...) until the next scan finds it."""
        self.do("at_next_scan", then=order, arguments=arguments)

    def set_now(self, now: int | None) -> None:
        """Hold its clock at an epoch second; None lets it go again."""
        self.do("set_now", now=now)

    def switch(self, **switches: Any) -> None:
        """Change how it behaves: see `load.plex_server.asking.Switches`."""
        self.do("switch", **switches)

    # -- who may ask --

    def allow(self, token: str, **account: Any) -> None:
        """Accept a token: ``owner``, ``sections``, ``downloads``."""
        self.do("allow", token=token, **account)

    def refuse(self, token: str) -> None:
        """Accept a token no more."""
        self.do("refuse", token=token)

    # -- harm --

    def harm(self, kind: str, path: str = "", **rule: Any) -> int:
        """Put a fault in force (see `load.plex_server.faults.Rule`) and return its number."""
        return int(self.do("harm", kind=kind, path=path, **rule))

    def heal(self, number: int | None = None) -> None:
        """Lift a fault, or all."""
        self.do("heal", number=number)

    def hits(self, number: int) -> int:
        """Return how many requests a fault has met."""
        return int(self.do("hits", number=number))

    def maintenance(self, path: str = "", **rule: Any) -> int:
        """Answer 503 as a server does that starts: in XML, whatever was asked for."""
        return self.harm(
            "status", path, status=503, body=MAINTENANCE, content_type="text/xml;charset=utf-8", **rule
        )

    def login_page(self, path: str = "", **rule: Any) -> int:
        """Answer 200 with the page of a proxy that wants a password."""
        return self.harm("status", path, status=200, body=LOGIN_PAGE, content_type="text/html", **rule)

    def nothing(self, path: str = "", **rule: Any) -> int:
        """Answer 200 with an empty body."""
        return self.harm("status", path, status=200, body="", content_type="application/json", **rule)

    def stop_listening(self) -> None:
        """Drop every connection and refuse new ones."""
        self.do("stop_listening")

    def listen_again(self) -> None:
        """Accept connections again, on the same port."""
        self.do("listen")

    # -- what it tells --

    def tell(self, kind: str, **content: Any) -> None:
        """Tell the listeners something: ``tell("timeline", TimelineEntry=[{...}])``."""
        self.do("tell", kind=kind, **content)

    def listeners(self) -> int:
        """Return how many listen."""
        return int(self.do("listeners"))

    def cut_lines(self) -> None:
        """Close every line."""
        self.do("cut_lines")

    # -- what was asked --

    def counts(self) -> Fields:
        """Return ``kinds`` (requests, bytes, seconds by kind of path; ``all``: their sum), ``open``, ``most_open``."""
        told: Fields = self.do("counts")
        return told

    @property
    def requests(self) -> int:
        """How many requests there were since the counters were reset."""
        return int(self.counts()["kinds"]["all"]["requests"])

    def asked(self) -> list[Fields]:
        """Return the latest requests: kind, method, path, query, headers, status, bytes."""
        told: list[Fields] = self.do("asked")
        return told

    def reset_counts(self) -> None:
        """Count anew."""
        self.do("reset_counts")

    def warm(self) -> None:
        """Write every entry down beforehand, so that a benchmark measures who asks."""
        self.do("warm")

    # -- plex.tv --

    def approve(self, code: str = "", **token: str) -> None:
        """Confirm a PIN."""
        self.do("approve", code=code, **token)

    def expire(self, code: str = "") -> None:
        """Let a PIN run out."""
        self.do("expire", code=code)

    def set_plex_tv(self, **settings: Any) -> None:
        """Set ``pace`` (seconds between two polls), ``limited`` (so many requests get 429) or ``resources``."""
        self.do("plex_tv", **settings)

    def on_disk(self, key: int) -> Path:
        """Return where the first file of an entry lies."""
        (entry,) = (entry for entry in self.entries() if entry["key"] == key)
        return Path(entry["parts"][0]["disk"])
