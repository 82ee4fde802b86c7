"""The API, version 1: what is on, who watches, what the server is busy with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import AwareDatetime

from exstream.model.channel import ChannelDefinition
from exstream.web import shapes
from exstream.web.addresses import Addresses
from exstream.web.airings import Airing, airings, now_and_next
from exstream.web.deps import Parts
from exstream.web.sources import add_sources

PREFIX = "/api/v1"
GUIDE_HOURS = 6
GUIDE_MAX_DAYS = 14

_NOT_FOUND: dict[int | str, dict[str, Any]] = {
    404: {"model": shapes.Problem, "description": "There is none of that name."}
}


def router(parts: Parts, addresses: Addresses) -> APIRouter:
    """Return the API's routes."""
    api = APIRouter(prefix=PREFIX)
    _channels(api, parts, addresses)
    _guide(api, parts)
    _viewers(api, parts)
    _condition(api, parts)
    add_sources(api, parts)
    return api


def _channels(api: APIRouter, parts: Parts, addresses: Addresses) -> None:
    @api.get("/channels", tags=["channels"])
    async def channels(request: Request) -> list[shapes.Channel]:
        """List the channels that are on, sorted by number."""
        base = addresses.base(request.scope)
        return [_described(parts, channel, base) for channel in parts.lineup.enabled()]

    @api.get("/channels/{channel}", tags=["channels"], responses=_NOT_FOUND)
    async def channel(channel: str, request: Request) -> shapes.Channel:
        """Describe one channel, by id or number."""
        return _described(parts, _existing(parts, channel), addresses.base(request.scope))


def _guide(api: APIRouter, parts: Parts) -> None:
    @api.get("/now", tags=["guide"])
    async def now() -> list[shapes.NowAndNext]:
        """Tell what is on and what follows, on every channel."""
        return [
            shapes.NowAndNext.of(channel.id, await now_and_next(parts, channel.id))
            for channel in parts.lineup.enabled()
        ]

    @api.get("/channels/{channel}/now", tags=["guide"], responses=_NOT_FOUND)
    async def channel_now(
        channel: str,
        at: Annotated[
            AwareDatetime | None,
            Query(description="Default: now. A player that shows the past asks for its own instant."),
        ] = None,
    ) -> shapes.NowAndNext:
        """Tell what is on and what follows, on one channel, now or at another instant."""
        found = _existing(parts, channel)
        pair = await now_and_next(parts, found.id, None if at is None else _milliseconds(at))
        return shapes.NowAndNext.of(found.id, pair)

    @api.get("/guide", tags=["guide"], responses=_NOT_FOUND)
    async def guide(
        channel: Annotated[str, Query(description="A channel's id or number.")],
        start: Annotated[
            AwareDatetime | None, Query(alias="from", description="Default: now. Give the offset from UTC.")
        ] = None,
        end: Annotated[
            AwareDatetime | None, Query(alias="to", description=f"Default: {GUIDE_HOURS} hours after `from`.")
        ] = None,
    ) -> list[shapes.Programme]:
        """List the programmes of a channel that overlap an interval."""
        first = start or datetime.fromtimestamp(parts.clock.now_ms() / 1000, UTC)
        last = end or first + min(timedelta(hours=GUIDE_HOURS), datetime.max.replace(tzinfo=UTC) - first)
        if not timedelta(0) < last - first <= timedelta(days=GUIDE_MAX_DAYS):
            raise HTTPException(
                422, f"'to' must be after 'from', and at most {GUIDE_MAX_DAYS} days after it."
            )
        found: list[Airing] = await airings(
            parts, _existing(parts, channel).id, _milliseconds(first), _milliseconds(last)
        )
        return [shapes.Programme.of(programme) for programme in found]


def _viewers(api: APIRouter, parts: Parts) -> None:
    @api.get("/sessions", tags=["viewers"])
    async def sessions() -> list[shapes.Session]:
        """List everyone who watches."""
        return [shapes.Session.of(session) for session in parts.tuners.sessions()]

    @api.get("/sessions/{session}", tags=["viewers"], responses=_NOT_FOUND)
    async def session(session: str) -> shapes.Session:
        """Describe somebody's watching, by its id or by the name that a movie's viewer gave itself in `?viewer=`."""
        everyone = parts.tuners.sessions()
        found = [each for each in everyone if each.id == session]
        found = found or [each for each in everyone if each.viewer == session]
        if not found:
            raise HTTPException(404, "There is no such session; it may have ended already.")
        return shapes.Session.of(found[-1])

    @api.delete("/sessions/{session}", tags=["viewers"], status_code=204, responses=_NOT_FOUND)
    async def stop(session: str) -> None:
        """End somebody's watching."""
        if not parts.tuners.stop(session):
            raise HTTPException(404, "There is no such session; it may have ended already.")


def _condition(api: APIRouter, parts: Parts) -> None:
    @api.get("/jobs", tags=["condition"])
    async def jobs() -> list[shapes.Job]:
        """List the background jobs: those that run, then the last that ended."""
        return [shapes.Job.of(job) for job in parts.board.jobs()]

    @api.get("/faults", tags=["condition"])
    async def faults() -> list[str]:
        """List what is wrong with the channel definitions; the last good ones stay on air."""
        return list(parts.lineup.faults)

    @api.get("/bad-files", tags=["condition"])
    async def bad_files() -> list[shapes.BadFile]:
        """List the files that are set aside because they could not be played, the latest first."""
        return [shapes.BadFile.of(file) for file in parts.bad_files()]


def _described(parts: Parts, channel: ChannelDefinition, base_url: str) -> shapes.Channel:
    return shapes.Channel.of(channel, parts.formats.of(channel), base_url)


def _existing(parts: Parts, name: str) -> ChannelDefinition:
    channel = parts.find(name)
    if channel is None:
        raise HTTPException(404, "There is no such channel, or it is switched off.")
    return channel


def _milliseconds(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)
