"""A question to a Plex server and its answer: asked again with patience, never while it is known to be down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from random import Random
from typing import TypeVar

import structlog

from exstream.clock import Clock
from exstream.errors import Busy, Misunderstood, OutboundError, SignInNeeded, Unreachable
from exstream.outbound import (
    NOTHING,
    QUICK,
    Answer,
    Breaker,
    Call,
    Patience,
    Pool,
    patiently,
    retry_after,
)
from exstream.plex.answers import read
from exstream.plex.refusals import refusal
from exstream.plex.tree import Tree

log = structlog.get_logger(__name__)

Meant = TypeVar("Meant")
ASIDE_BYTES = 32 * 1024
"""An answer larger than this is read in a thread: the loop has viewers to serve."""


class Exchange:
    """Asks one server, and calls ``sent`` before each request.

    Every method raises `OutboundError`: see its tree for what to do next.
    """

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        patience: Patience,
        breaker: Breaker,
        chance: Random,
        sent: Callable[[], None],
    ) -> None:
        self.address = pool.address
        self._pool = pool
        self._clock = clock
        self._patience = patience
        self._breaker = breaker
        self._chance = chance
        self._sent = sent
        self._trouble = f"{pool.address} has not answered several times"
        """What kept the server from answering when it was asked last."""

    async def meaning(
        self,
        meant: Callable[[Tree, Answer], Meant],
        path: str,
        params: Mapping[str, str] = NOTHING,
        *,
        headers: Mapping[str, str] = NOTHING,
        call: Call = QUICK,
        final: tuple[type[Unreachable], ...] = (),
        anyone: bool = False,
    ) -> Meant:
        """Return what ``meant`` makes of the tree of an answer; one of ``final`` is not asked again.

        ``anyone``: the question needs no token, so its answer says nothing of the token.
        """
        answer = await self.answer(path, params, headers=headers, call=call, final=final, anyone=anyone)

        def understood() -> Meant:
            parsed = read(answer.body, answer.kind)
            log.debug("answer of the server", path=path, format=parsed.format, bytes=len(answer.body))
            return meant(parsed.tree, answer)

        try:
            if len(answer.body) > ASIDE_BYTES:
                return await asyncio.to_thread(understood)
            return understood()
        except Misunderstood as fault:
            raise Misunderstood(f"{self.address}: {fault}") from fault

    async def answer(
        self,
        path: str,
        params: Mapping[str, str] = NOTHING,
        *,
        headers: Mapping[str, str] = NOTHING,
        call: Call = QUICK,
        final: tuple[type[Unreachable], ...] = (),
        anyone: bool = False,
    ) -> Answer:
        """Return a good answer as it came."""

        async def once() -> Answer:
            return await self._once(path, params, headers, call, anyone=anyone)

        return await patiently(once, self._patience, self._clock, self._chance, final=final)

    async def _once(
        self,
        path: str,
        params: Mapping[str, str],
        headers: Mapping[str, str],
        call: Call,
        *,
        anyone: bool,
    ) -> Answer:
        aside = anyone and self._breaker.refused
        if not aside:
            self._admit()
        self._sent()
        try:
            answer = await self._pool.get(path, params, headers=headers, call=call)
        except Unreachable as error:
            self._failed(error)
            raise
        fault = self.refused(answer.status, answer.headers, answer.body)
        if not aside:
            self._report(answer.status, fault)
        if fault is not None:
            raise fault
        return answer

    def refused(self, status: int, headers: Mapping[str, str], body: bytes) -> OutboundError | None:
        """Return what a status says that gives nothing; None for a good one."""
        wait = retry_after(headers.get("retry-after", ""), self._clock.now_ms())
        return refusal(self.address, status, body, wait)

    def _admit(self) -> None:
        wait = self._breaker.admit(self._clock.air())
        if wait <= 0:
            return
        if self._breaker.refused:
            raise SignInNeeded(
                f"{self.address} does not accept the token it was given: sign in again with `exstream plex login`"
            )
        raise Busy(f"{self._trouble}; it is left alone for {wait:.0f} s", wait)

    def _report(self, status: int, fault: OutboundError | None) -> None:
        """Tell the breaker how it went. A server that stumbles over one question (500) does answer."""
        if isinstance(fault, SignInNeeded):
            self._breaker.refuse(self._clock.air())
        elif isinstance(fault, Unreachable) and status != 500:
            self._failed(fault)
        else:
            self._breaker.answered()

    def _failed(self, fault: Unreachable) -> None:
        self._breaker.failed(self._clock.air())
        self._trouble = str(fault)
