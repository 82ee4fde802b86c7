"""One Plex server, asked: the only place with its addresses, its parameters and its headers."""

from __future__ import annotations

import platform
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Self, TypeVar

import structlog

from exstream import __version__
from exstream.clock import Clock
from exstream.errors import Misunderstood, NotThere, SignInNeeded, TooMuch, Unreachable
from exstream.model.server import Server
from exstream.outbound import (
    NOTHING,
    PAGE,
    QUICK,
    Answer,
    Breaker,
    Call,
    Patience,
    Pool,
    Stretch,
)
from exstream.plex import notices, parse
from exstream.plex.exchange import Exchange
from exstream.plex.listing import Portion, listing
from exstream.plex.records import LIST_TYPES, Identity, Kind, Notice, Page, Record, Section
from exstream.plex.tree import Tree, whole

log = structlog.get_logger(__name__)

Meant = TypeVar("Meant")

PAGE_SIZE = 500
BATCH = 100
"""How many items are asked for at once in detail."""
PRODUCT = "Exstream"
PICTURE = Call(10.0, 30.0, 20 * 1024 * 1024)
REFUSAL_BYTES = 4096

# A reading that starts no analysis on the server and looks at no file there, and has nothing that nobody reads.
_QUIET = {"checkFiles": "0", "skipRefresh": "1"}
_LISTED = {**_QUIET, "includeGuids": "1", "excludeAllLeaves": "1"}
_DETAILED = {
    **_QUIET,
    "includeGuids": "1",
    "includeMarkers": "1",
    "includeChapters": "1",
    "includeExternalMedia": "1",
    "includeExtras": "0",
    "includeRelated": "0",
    "excludeAllLeaves": "1",
}
_START, _SIZE, _TOTAL = (
    "X-Plex-Container-Start",
    "X-Plex-Container-Size",
    "x-plex-container-total-size",
)
_STREAMS = ("/library/parts/", "/library/streams/")


@dataclass(frozen=True, slots=True)
class Picture:
    """An image, with its content type."""

    kind: str
    data: bytes


def greeting(client: str, token: str = "", device: str = "") -> dict[str, str]:
    """Return the headers that say who asks. ``client`` is the same for ever, ``device`` is a name people know.

    Raises `SignInNeeded` where ``token`` cannot be one, without showing it.
    """
    headers = {
        "Accept": "application/json",
        "X-Plex-Client-Identifier": client,
        "X-Plex-Product": PRODUCT,
        "X-Plex-Version": __version__,
        "X-Plex-Device-Name": _plain(device or platform.node()) or PRODUCT,
        "X-Plex-Platform": platform.system() or "Linux",
    }
    if token:
        if not (token.isascii() and token.isprintable() and " " not in token):
            raise SignInNeeded("the token has characters that no token has: sign in, or copy it again")
        headers["X-Plex-Token"] = token
    return headers


def _plain(name: str) -> str:
    return "".join(letter for letter in name if letter.isascii() and letter.isprintable()).strip()


class PlexServer:
    """Asks ``server``; implements `exstream.jobs.sync.ports.PlexAsking`.

    ``client`` is this installation's identifier, ``page_size`` how many entries a page has at most, ``at_once`` how
    many answers are waited for at a time and ``connections`` how many stay open. Close it with `aclose`.
    """

    def __init__(
        self,
        server: Server,
        client: str,
        clock: Clock,
        *,
        page_size: int = PAGE_SIZE,
        batch: int = BATCH,
        at_once: int = 3,
        connections: int = 8,
        device: str = "",
        patience: Patience = Patience(),
        page_call: Call = PAGE,
        chance: Random | None = None,
    ) -> None:
        self.server = server
        self._clock = clock
        self._headers = greeting(client, server.token, device)
        self._page_size = page_size
        self._batch = batch
        self._page_call = page_call
        self._chance = chance or Random()  # noqa: S311 -- when to ask again is no secret
        self.breaker = Breaker()
        self.pool = Pool(
            server.url,
            headers=self._headers,
            connections=connections,
            at_once=at_once,
            verify=server.verify,
        )
        self.requests = 0
        """How many requests were sent so far, those that were repeated included; streams do not count."""
        self._exchange = Exchange(self.pool, clock, patience, self.breaker, self._chance, self._sent)

    def _sent(self) -> None:
        self.requests += 1

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        await self.pool.aclose()

    async def identity(self) -> Identity:
        """Return which server answers; needs no token."""
        return await self._exchange.meaning(_of(parse.identity), "/identity", anyone=True)

    async def about(self) -> Identity:
        """Return which server answers, with its friendly name."""
        return await self._exchange.meaning(_of(parse.identity), "/")

    async def sections(self) -> Sequence[Section]:
        """Return its libraries; one that cannot be read is logged."""
        found, faults = await self._exchange.meaning(_of(parse.sections), "/library/sections")
        self._tell("/library/sections", faults)
        return found

    async def count(self, section: str, kind: Kind) -> int:
        """Return how many entries of ``kind`` a library has."""
        path, params = self._all(section, kind)
        portion = await self._portion(path, params, kind, 0, 0, QUICK)
        return portion.page.total

    def pages(
        self,
        section: str,
        kind: Kind,
        *,
        start: int = 0,
        sort: str = "addedAt:asc",
        filters: Mapping[str, str] = NOTHING,
    ) -> AsyncIterator[Page]:
        """Yield a listing from entry ``start`` on, in pages of adaptive size; ends after the last one.

        A filter is written without its last sign: ``{"addedAt>>": "1700000000"}``. Servers pass by, without a word,
        filters they do not know: look at what comes.
        """
        path, params = self._all(section, kind)
        return self._listing(path, {**params, "sort": sort, **filters}, kind, start)

    async def details(self, keys: Sequence[str]) -> Sequence[Record]:
        """Return items with streams, markers, chapters and labels; those that are gone are left out.

        Of those that the server has and cannot tell there is a record that names the fault.
        """
        found: list[Record] = []
        waiting = [list(keys[place : place + self._batch]) for place in range(0, len(keys), self._batch)]
        while waiting:
            batch = waiting.pop(0)
            try:
                found += await self._details(batch)
            except TooMuch as fault:
                if len(batch) > 1:
                    half = len(batch) // 2
                    waiting[:0] = [batch[:half], batch[half:]]
                else:
                    found.append(Record(batch[0], Kind.OTHER, "", fault=str(fault)))
        return found

    async def _details(self, batch: Sequence[str]) -> Sequence[Record]:
        path = f"/library/metadata/{','.join(batch)}"
        try:
            page = await self._exchange.meaning(
                _of(parse.page),
                path,
                _DETAILED,
                call=self._page_call,
                final=(TooMuch,) if len(batch) > 1 else (),
            )
        except NotThere:
            return ()
        if not page.faults:
            return page.records
        self._tell(path, page.faults)
        # Of which items these entries were is not known: each that did not come may be one of them.
        untold = [key for key in batch if key not in {record.key for record in page.records}]
        return (*page.records, *(Record(key, Kind.OTHER, "", fault=page.faults[0]) for key in untold))

    async def leaves(self, key: str) -> Sequence[Record]:
        """Return all episodes or tracks of a show or artist."""
        return await self._whole(f"/library/metadata/{key}/allLeaves", _LISTED, Kind.EPISODE)

    async def collections(self, section: str) -> Sequence[Record]:
        """Return the collections of a library."""
        return await self._whole(f"/library/sections/{section}/collections", _QUIET, Kind.COLLECTION)

    async def playlists(self) -> Sequence[Record]:
        """Return the playlists of the token's user."""
        return await self._whole("/playlists", NOTHING, Kind.PLAYLIST)

    async def members(self, kind: Kind, key: str) -> Sequence[Record]:
        """Return the members of a collection or playlist, in order."""
        path = f"/playlists/{key}/items" if kind is Kind.PLAYLIST else f"/library/collections/{key}/children"
        return await self._whole(path, _QUIET, Kind.OTHER)

    def notices(self) -> AsyncGenerator[Notice, None]:
        """Yield what happens, for as long as it is read (close it then); connects again by itself.

        Raises `SignInNeeded` and `NotAllowed`.
        """
        return notices.listen(
            self.server.url,
            "/:/websockets/notifications?filters=timeline,activity",
            self._headers,
            self._clock,
            verify=self.server.verify,
            chance=self._chance,
        )

    async def artwork(self, path: str) -> Picture:
        """Return the image at ``path``, which an entry names as its ``thumb`` or ``art``."""
        if not path.startswith("/") or path.startswith("//"):
            raise NotThere(f"{self.pool.address} has no image at {path[:80]}")
        answer = await self._exchange.answer(path, headers={"Accept": "image/*"}, call=PICTURE)
        if not answer.kind.startswith("image/") or not answer.body:
            raise Misunderstood(f"{self.pool.address}: what came for {path[:80]} is no image")
        return Picture(answer.kind, answer.body)

    @asynccontextmanager
    async def part(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[Stretch]:
        """Give the bytes of a file, by the ``key`` of its part or subtitle, from ``start`` on.

        Its status is 206, 200 where the file comes from its beginning all the same, or 416 where it ends before
        ``start``. Raises `OutboundError` for everything else; asks once.
        """
        if not key.startswith(_STREAMS):
            raise NotThere(f"{self.pool.address} has no file at {key[:80]}")
        async with self.pool.open_range(key, start, end) as stretch:
            if stretch.status not in {200, 206, 416}:
                raise await self._refused(stretch)
            yield stretch

    async def _refused(self, stretch: Stretch) -> Exception:
        body = b""
        try:
            async for data in stretch.bytes():
                body += data
                if len(body) >= REFUSAL_BYTES:
                    break
        except Unreachable:
            body = b""
        fault = self._exchange.refused(stretch.status, stretch.headers, body)
        return fault or Misunderstood(
            f"{self.pool.address} answers with status {stretch.status} where a file is"
        )

    def _all(self, section: str, kind: Kind) -> tuple[str, dict[str, str]]:
        number = LIST_TYPES.get(kind)
        return f"/library/sections/{section}/all", {
            **_LISTED,
            **({} if number is None else {"type": str(number)}),
        }

    async def _whole(self, path: str, params: Mapping[str, str], kind: Kind) -> Sequence[Record]:
        found: list[Record] = []
        async for page in self._listing(path, params, kind, 0):
            found += page.records
            self._tell(path, page.faults)
        return found

    def _listing(self, path: str, params: Mapping[str, str], kind: Kind, start: int) -> AsyncIterator[Page]:
        async def ask(start: int, size: int, *, hurried: bool) -> Portion:
            final = (TooMuch,) if hurried else ()
            return await self._portion(path, params, kind, start, size, self._page_call, final)

        return listing(ask, self._page_size, start)

    async def _portion(
        self,
        path: str,
        params: Mapping[str, str],
        kind: Kind,
        start: int,
        size: int,
        call: Call,
        final: tuple[type[Unreachable], ...] = (),
    ) -> Portion:
        def meant(tree: Tree, answer: Answer) -> Portion:
            if parse.total(tree) is None and (by_header := answer.headers.get(_TOTAL)) is not None:
                tree = {**tree, "totalSize": by_header}
            page = parse.page(tree, kind, start=start)
            return Portion(page, counted=parse.total(tree) is not None, offset=whole(tree, "offset"))

        where = {_START: str(start), _SIZE: str(size)}
        return await self._exchange.meaning(meant, path, params, headers=where, call=call, final=final)

    def _tell(self, path: str, faults: Sequence[str]) -> None:
        for fault in faults:
            log.warning("an entry was left out", server=self.server.name, path=path, why=fault)


def _of(read: Callable[[Tree], Meant]) -> Callable[[Tree, Answer], Meant]:
    return lambda tree, _answer: read(tree)
