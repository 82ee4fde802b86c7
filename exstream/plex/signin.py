"""Signing in at plex.tv, and the best way to each server of an account.

The token of an account is used to ask for its servers and then forgotten: every server has a token of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from exstream.clock import Clock
from exstream.errors import Busy, NotThere, OutboundError, SignInNeeded, Unreachable
from exstream.plex.account import Account, Offered, Waiting, read_account, read_servers, read_waiting
from exstream.plex.preferences import token_of
from exstream.plex.records import Identity

POLL_SECONDS = 2.5
"""plex.tv refuses who asks more often than about once a second."""
LONGEST_PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class PlexTv:
    """Where plex.tv answers."""

    accounts: str = "https://plex.tv"
    resources: str = "https://clients.plex.tv"
    page: str = "https://app.plex.tv"


class Web(Protocol):
    """Asks one address."""

    async def __call__(self, method: str, url: str, headers: Mapping[str, str]) -> bytes:
        """Return the body of a good answer; raises `OutboundError`: see its tree for what to do next."""


Identify = Callable[[str], Awaitable[Identity]]
"""Asks an address, without a token, which server answers there; raises `OutboundError`."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A sign-in that waits for its user."""

    id: str
    code: str
    page: str
    """The address to open in a browser."""
    ends: float
    """Until when, in air time."""


@dataclass(frozen=True, slots=True)
class Reached:
    """An address at which the server answers that was looked for."""

    url: str
    identity: Identity


class SignIn:
    """Speaks to plex.tv as the application that ``headers`` introduce."""

    def __init__(
        self, web: Web, headers: Mapping[str, str], clock: Clock, plex_tv: PlexTv | None = None
    ) -> None:
        self._web = web
        self._headers = {**headers, "Accept": "application/json"}
        self._clock = clock
        self._at = plex_tv or PlexTv()

    async def begin(self) -> Pin:
        """Return a new sign-in; raises `OutboundError`."""
        url = f"{self._at.accounts}/api/v2/pins?strong=true"
        pin = read_waiting(await self._web("POST", url, self._headers))
        return Pin(pin.id, pin.code, self._page(pin.code), self._clock.air() + pin.lifetime)

    def _page(self, code: str) -> str:
        said = {
            "clientID": self._headers.get("X-Plex-Client-Identifier", ""),
            "code": code,
            "context[device][product]": self._headers.get("X-Plex-Product", ""),
            "context[device][deviceName]": self._headers.get("X-Plex-Device-Name", ""),
        }
        fields = "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in said.items() if value)
        return f"{self._at.page}/auth#?{fields}"

    async def wait(self, pin: Pin) -> str:
        """Return the account's token as soon as the user has signed in.

        Raises `SignInNeeded` when the time is over. Where plex.tv does not answer it is asked again until then.
        """
        pause = POLL_SECONDS
        while self._clock.air() + pause < pin.ends:
            await self._clock.sleep(pause)
            try:
                token = (await self._state(pin)).token
            except NotThere:
                break
            except Busy as busy:
                pause = min(max(busy.retry_after or 0.0, pause * 2), LONGEST_PAUSE)
            except Unreachable:
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                if token:
                    return token_of(token)
                pause = POLL_SECONDS
        raise SignInNeeded(
            "nobody has signed in while the code was good: run the command again for a new one"
        )

    async def _state(self, pin: Pin) -> Waiting:
        url = f"{self._at.accounts}/api/v2/pins/{pin.id}"
        return read_waiting(await self._web("GET", url, self._headers))

    async def account(self, token: str) -> Account:
        """Return whose ``token`` it is; raises `SignInNeeded` where it is none, or not any more."""
        return read_account(await self._web("GET", f"{self._at.accounts}/api/v2/user", self._with(token)))

    async def servers(self, token: str) -> list[Offered]:
        """Return the servers of the account, its own first; raises `OutboundError`."""
        query = "includeHttps=1&includeRelay=1&includeIPv6=1"
        url = f"{self._at.resources}/api/v2/resources?{query}"
        return read_servers(await self._web("GET", url, self._with(token)))

    def _with(self, token: str) -> Mapping[str, str]:
        return {**self._headers, "X-Plex-Token": token}


async def best_way(machine: str, addresses: Sequence[str], identify: Identify) -> Reached:
    """Return the first of ``addresses`` at which ``machine`` answers; all are asked at the same time.

    An empty ``machine`` is any server. Raises `Unreachable`, with what each address says, where there is none.
    """
    asked = [asyncio.ensure_future(identify(address)) for address in addresses]
    refusals = []
    try:
        for address, answer in zip(addresses, asked, strict=True):
            try:
                identity = await answer
            except OutboundError as error:
                refusals.append(str(error))
                continue
            if machine in {"", identity.machine}:
                return Reached(address, identity)
            refusals.append(f"{address} is another server")
    finally:
        for answer in asked:
            answer.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
    tried = "".join(f"\n  {refusal}" for refusal in refusals) or " it names no address"
    raise Unreachable(f"the server does not answer at any of its addresses:{tried}")
