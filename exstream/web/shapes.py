"""What the API's answers look like. Instants are RFC 3339 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Self
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from exstream.guide.lineup import artwork_url
from exstream.jobs import board, sources_seen
from exstream.model import bad_file
from exstream.model.channel import ChannelDefinition, Profile
from exstream.model.programme import Way
from exstream.playout.tuners import Kind
from exstream.web import deps
from exstream.web.airings import Airing


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class Problem(_Shape):
    """What went wrong, after RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


class Format(_Shape):
    """What a channel's stream is made of; bit rates are in kbit/s, ``rate`` is pictures per second."""

    profile: str
    width: int
    height: int
    rate: str
    video_kbps: int
    audio_kbps: int

    @classmethod
    def of(cls, profile: Profile) -> Self:
        """Describe ``profile``."""
        return cls(
            profile=profile.name,
            width=profile.width,
            height=profile.height,
            rate=str(profile.rate),
            video_kbps=profile.video_kbps,
            audio_kbps=profile.audio_kbps,
        )


class Channel(_Shape):
    """A channel that is on."""

    id: str
    number: str
    name: str
    group: str
    tags: tuple[str, ...]
    format: Format
    stream_url: str
    hls_url: str
    mp4_url: str
    logo_url: str

    @classmethod
    def of(cls, channel: ChannelDefinition, profile: Profile, base_url: str) -> Self:
        """Describe ``channel`` with addresses under ``base_url``."""
        return cls(
            id=channel.id,
            number=channel.number,
            name=channel.name,
            group=channel.group,
            tags=channel.tags,
            format=Format.of(profile),
            stream_url=f"{base_url}/iptv/channel/{quote(channel.id)}.ts",
            hls_url=f"{base_url}/iptv/channel/{quote(channel.id)}.m3u8",
            mp4_url=f"{base_url}/iptv/channel/{quote(channel.id)}.mp4",
            logo_url=f"{base_url}/iptv/logos/{quote(channel.id)}.png",
        )


class Programme(_Shape):
    """A programme of the guide."""

    channel: str
    starts: datetime
    ends: datetime
    title: str
    subtitle: str
    season: int | None
    episode: int | None
    year: int | None
    summary: str
    genres: tuple[str, ...]
    picture: str | None = Field(
        description="where its poster or still is, below the server's base address; null where there is none"
    )
    kind: str | None = Field(
        description="episode, film, filler or other; null where no item of the library is on"
    )
    way: Way | None = Field(
        description="how the item is brought into the channel's format: sent as it is (copy), with its sound "
        "encoded (audio), or all encoded (transcode); null on cards"
    )

    @classmethod
    def of(cls, airing: Airing) -> Self:
        """Describe ``airing``."""
        return cls(
            channel=airing.channel,
            starts=instant(airing.starts),
            ends=instant(airing.ends),
            title=airing.title,
            subtitle=airing.subtitle,
            season=airing.season,
            episode=airing.episode,
            year=airing.year,
            summary=airing.summary,
            genres=airing.genres,
            picture=artwork_url(airing.picture, "") if airing.picture else None,
            kind=airing.kind,
            way=airing.way,
        )


class NowAndNext(_Shape):
    """What is on a channel and what follows; null where nothing is published."""

    channel: str
    now: Programme | None
    next: Programme | None

    @classmethod
    def of(cls, channel: str, pair: tuple[Airing | None, Airing | None]) -> Self:
        """Describe ``pair`` on ``channel``."""
        now, following = (Programme.of(airing) if airing is not None else None for airing in pair)
        return cls(channel=channel, now=now, next=following)


class Join(_Shape):
    """Where a movie's time joins the channel's."""

    at: float = Field(description="seconds since the movie's beginning, as players count them")
    instant: datetime = Field(description="when the picture at that time was due; from there on time runs on")


class Session(_Shape):
    """Somebody who watches a channel."""

    id: str
    channel: str
    peer: str
    agent: str
    tuner: int | None
    kind: Kind = Field(description="how the channel is sent: as MPEG-TS, HLS or MP4")
    since: datetime
    bytes_sent: int
    skips: int = Field(description="how often the viewer was moved on because it read too slowly")
    joins: tuple[Join, ...] = Field(
        description="for MP4: which instants the movie shows, the latest join at the end; else empty"
    )

    @classmethod
    def of(cls, session: deps.Session) -> Self:
        """Describe ``session``."""
        return cls(
            id=session.id,
            channel=session.channel,
            peer=session.peer,
            agent=session.agent,
            tuner=session.tuner,
            kind=session.kind,
            since=instant(session.since_ms),
            bytes_sent=session.bytes_sent,
            skips=session.skips,
            joins=tuple(Join(at=join.at, instant=instant(join.instant_ms)) for join in session.joins),
        )


class Job(_Shape):
    """One run of a background job."""

    id: int
    name: str
    state: str
    done: int
    total: int
    message: str
    started: datetime
    finished: datetime | None

    @classmethod
    def of(cls, job: board.Job) -> Self:
        """Describe ``job``."""
        return cls(
            id=job.id,
            name=job.name,
            state=job.state,
            done=job.done,
            total=job.total,
            message=job.message,
            started=instant(job.started),
            finished=instant(job.finished) if job.finished else None,
        )


class BadFile(_Shape):
    """A file that is not played until it changes, its library is scanned, or a day has passed."""

    path: str
    reason: str = Field(description="the last words of the encoder that failed last")
    failures: int
    first: datetime
    last: datetime

    @classmethod
    def of(cls, file: bad_file.BadFile) -> Self:
        """Describe ``file``."""
        return cls(
            path=file.path,
            reason=file.reason,
            failures=file.failures,
            first=instant(file.first_at),
            last=instant(file.last_at),
        )


class Library(_Shape):
    """A library: a folder of this machine, or one of a media server."""

    name: str
    kind: str = Field(description="demo, folder or plex")
    holds: str = Field(description="movie, show or artist, in the server's word; empty for folders")
    server: str = Field(description="the server's name; empty for folders")
    section: str = Field(description="its key on the server; empty for folders")
    enabled: bool
    gone: bool = Field(description="its server has no such library any more")
    items: int
    missing: int = Field(description="items that are not there any more, and keep their place for a while")
    synced: datetime | None = Field(description="when it was last read whole")
    fault: str

    @classmethod
    def of(cls, library: sources_seen.LibrarySeen) -> Self:
        """Describe ``library``."""
        return cls(
            name=library.name,
            kind=library.kind,
            holds=library.holds,
            server=library.server,
            section=library.section,
            enabled=library.enabled,
            gone=library.gone,
            items=library.items,
            missing=library.missing,
            synced=instant(library.synced_ms) if library.synced_ms else None,
            fault=library.fault,
        )


class MediaServer(_Shape):
    """A media server."""

    id: str
    name: str
    url: str
    version: str
    sign_in_needed: bool
    fault: str = Field(description="why it could not be read when it was asked last; empty where it could")

    @classmethod
    def of(cls, server: sources_seen.ServerSeen) -> Self:
        """Describe ``server``."""
        return cls(
            id=server.id,
            name=server.name,
            url=server.url,
            version=server.version,
            sign_in_needed=server.sign_in,
            fault=server.fault,
        )


def instant(ms: int) -> datetime:
    """Return UTC epoch milliseconds as a datetime."""
    return datetime.fromtimestamp(ms / 1000, UTC)
