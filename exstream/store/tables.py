"""The tables. Instants are UTC epoch milliseconds; JSON columns hold what is never asked for in a query."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Named,
    PrimaryKeyConstraint,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
    false,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB

SCHEMA = "0003"
"""The newest revision in ``migrations/versions``: a database at this revision is current."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

_JSON: JSON[Any] = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class ServerColumns(TypedColumns):
    """One media server; ``number`` counts in the order they were added."""

    number = Column(Integer, primary_key=True)
    id: Named[str] = Column(Text, unique=True)
    name: Named[str] = Column(Text)
    url: Named[str] = Column(Text)
    token: Named[str] = Column(Text)
    """Sealed by the vault; empty where none is needed."""
    verify: Named[bool] = Column(Boolean)
    version: Named[str] = Column(Text)


class PathMappingColumns(TypedColumns):
    """Where a folder of a server lies on this machine."""

    id = Column(Integer, primary_key=True)
    server_id: Named[str] = Column(Text, ForeignKey("server.id", ondelete="CASCADE"))
    plex_path: Named[str] = Column(Text)
    local_path: Named[str] = Column(Text)


class LibraryColumns(TypedColumns):
    """One source of items, and how far it is known; ``section`` and what follows are of libraries of servers."""

    id = Column(Integer, primary_key=True)
    server_id: Named[str] = Column(Text)
    kind: Named[str] = Column(Text)
    name: Named[str] = Column(Text)
    path: Named[str] = Column(Text)
    section: Named[str] = Column(Text, server_default="")
    section_kind: Named[str] = Column(Text, server_default="")
    roots: Named[list[str]] = Column(_JSON, server_default="[]")
    enabled: Named[bool] = Column(Boolean, server_default=true())
    gone: Named[bool] = Column(Boolean, server_default=false())
    content_changed_at: Named[str] = Column(Text, server_default="")
    scanned_at: Named[int] = Column(BigInteger, server_default="0")
    full_at: Named[int] = Column(BigInteger, server_default="0")
    newest_added: Named[int] = Column(BigInteger, server_default="0")
    newest_stamp: Named[int] = Column(BigInteger, server_default="0")
    total: Named[int] = Column(Integer, server_default="0")
    shows: Named[int] = Column(Integer, server_default="0")
    pass_number: Named[int] = Column(Integer, server_default="0")
    pass_start: Named[int] = Column(Integer, server_default="0")
    pass_open: Named[bool] = Column(Boolean, server_default=false())
    held_back: Named[int] = Column(Integer, server_default="0")


class ItemColumns(TypedColumns):
    """One film, episode or clip. Its identity is per server: two servers may use the same rating key."""

    server_id: Named[str] = Column(Text)
    rating_key: Named[str] = Column(Text)
    library_id: Named[int] = Column(ForeignKey("library.id", ondelete="CASCADE"))
    kind: Named[str] = Column(Text)
    title: Named[str] = Column(Text)
    duration_ms: Named[int] = Column(BigInteger)
    show: Named[str] = Column(Text)
    season: Named[int | None] = Column(Integer)
    episode: Named[int | None] = Column(Integer)
    year: Named[int | None] = Column(Integer)
    summary: Named[str] = Column(Text)
    genres: Named[list[str]] = Column(_JSON)
    file_path: Named[str] = Column(Text)
    """Where the file is on this machine; empty when it is not."""
    plex_path: Named[str | None] = Column(Text)
    """The path as the server says it, before mapping; null for folders."""
    external_ids: Named[list[str]] = Column(_JSON, server_default="[]")
    media_duration_ms: Named[int | None] = Column(BigInteger)
    """What the container says; null, like ``media``, when the file was never probed."""
    media: Named[dict[str, Any] | None] = Column(_JSON)
    added_at: Named[int] = Column(BigInteger)
    updated_at: Named[int] = Column(BigInteger)
    missing: Named[bool] = Column(Boolean)
    show_key: Named[str] = Column(Text, server_default="")
    show_year: Named[int | None] = Column(Integer)
    album: Named[str] = Column(Text, server_default="")
    aired: Named[str] = Column(Text, server_default="")
    content_rating: Named[str] = Column(Text, server_default="")
    rating: Named[float | None] = Column(Double)
    views: Named[int] = Column(Integer, server_default="0")
    labels: Named[list[str]] = Column(_JSON, server_default="[]")
    people: Named[list[str]] = Column(_JSON, server_default="[]")
    artwork: Named[str] = Column(Text, server_default="")
    markers: Named[list[dict[str, Any]]] = Column(_JSON, server_default="[]")
    versions: Named[list[dict[str, Any]]] = Column(_JSON, server_default="[]")
    digest: Named[str] = Column(Text, server_default="")
    """Of what the server's listing said."""
    details: Named[str] = Column(Text, server_default="")
    """The digest as of which streams, markers and labels were read; empty: never."""
    stamp: Named[int] = Column(BigInteger, server_default="0")
    """The server's instant of the last change, in epoch seconds."""
    seen_pass: Named[int] = Column(Integer, server_default="0")
    """The last pass that has seen it."""
    missing_since: Named[int] = Column(BigInteger, server_default="0")
    """0 where it is not missing, and for folders."""
    deleted: Named[bool] = Column(Boolean, server_default=false())
    """It was missing for too long: kept so that it is known again, but out of the catalogue."""


class ShowColumns(TypedColumns):
    """One series or artist of a server."""

    server_id: Named[str] = Column(Text)
    rating_key: Named[str] = Column(Text)
    library_id: Named[int] = Column(ForeignKey("library.id", ondelete="CASCADE"))
    title: Named[str] = Column(Text)
    year: Named[int | None] = Column(Integer)
    external_ids: Named[list[str]] = Column(_JSON)
    leaf_count: Named[int] = Column(Integer)
    child_count: Named[int] = Column(Integer)
    digest: Named[str] = Column(Text)
    summary: Named[str] = Column(Text)
    genres: Named[list[str]] = Column(_JSON)
    content_rating: Named[str] = Column(Text)
    artwork: Named[str] = Column(Text)
    stamp: Named[int] = Column(BigInteger)
    labels: Named[list[str]] = Column(_JSON)


class GroupingColumns(TypedColumns):
    """One collection or playlist of a server."""

    server_id: Named[str] = Column(Text)
    rating_key: Named[str] = Column(Text)
    library_id: Named[int] = Column(ForeignKey("library.id", ondelete="CASCADE"))
    kind: Named[str] = Column(Text)
    title: Named[str] = Column(Text)
    smart: Named[bool] = Column(Boolean)
    digest: Named[str] = Column(Text)


class GroupingMemberColumns(TypedColumns):
    """One member of a collection or playlist: the rating key of an item or a show of the same server."""

    server_id: Named[str] = Column(Text)
    rating_key: Named[str] = Column(Text)
    position: Named[int] = Column(Integer)
    member: Named[str] = Column(Text)


class DayColumns(TypedColumns):
    """One published broadcast day: its span, and the cursors the next day starts from."""

    channel: Named[str] = Column(Text)
    day: Named[str] = Column(Text)
    """Local civil date, ISO 8601."""
    starts: Named[int] = Column(BigInteger)
    ends: Named[int] = Column(BigInteger)
    cursors: Named[dict[str, list[Any]]] = Column(_JSON)


class SegmentColumns(TypedColumns):
    """One row of the published timeline, append-only inside the horizon."""

    channel: Named[str] = Column(Text)
    starts: Named[int] = Column(BigInteger)
    ends: Named[int] = Column(BigInteger)
    kind: Named[str] = Column(Text)
    item: Named[str | None] = Column(Text)
    item_offset: Named[int] = Column(BigInteger)
    title: Named[str] = Column(Text)


class AsRunColumns(TypedColumns):
    """What really aired: the segment as it was published, and how it went."""

    id = Column(Integer, primary_key=True)
    channel: Named[str] = Column(Text)
    starts: Named[int] = Column(BigInteger)
    ends: Named[int] = Column(BigInteger)
    kind: Named[str] = Column(Text)
    item: Named[str | None] = Column(Text)
    item_offset: Named[int] = Column(BigInteger)
    title: Named[str] = Column(Text)
    started: Named[int] = Column(BigInteger)
    ended: Named[int] = Column(BigInteger)
    outcome: Named[str] = Column(Text)
    reason: Named[str] = Column(Text)
    drift_ms: Named[int | None] = Column(Integer)
    """Null where none of its own pictures aired, and before the second schema."""
    means: Named[str] = Column(Text, server_default="")
    pictures: Named[int] = Column(Integer, server_default="0")
    cards: Named[int] = Column(Integer, server_default="0")
    setbacks: Named[list[dict[str, Any]]] = Column(_JSON, server_default="[]")
    failures: Named[int] = Column(Integer, server_default="0")


class BadFileColumns(TypedColumns):
    """A file that is set aside because its encoders failed again and again."""

    path: Named[str] = Column(Text, primary_key=True)
    reason: Named[str] = Column(Text)
    failures: Named[int] = Column(Integer)
    first_at: Named[int] = Column(BigInteger)
    last_at: Named[int] = Column(BigInteger)
    size: Named[int] = Column(BigInteger)
    mtime_ns: Named[int] = Column(BigInteger)


server = Table("server", metadata, ServerColumns)
path_mapping = Table("path_mapping", metadata, PathMappingColumns, UniqueConstraint("server_id", "plex_path"))
library = Table("library", metadata, LibraryColumns, UniqueConstraint("server_id", "path"))
item = Table(
    "item",
    metadata,
    ItemColumns,
    PrimaryKeyConstraint("server_id", "rating_key"),
    Index(None, "library_id"),
)
show = Table(
    "show",
    metadata,
    ShowColumns,
    PrimaryKeyConstraint("server_id", "rating_key"),
    Index(None, "library_id"),
)
grouping = Table(
    "grouping",
    metadata,
    GroupingColumns,
    PrimaryKeyConstraint("server_id", "rating_key"),
    Index(None, "library_id"),
)
grouping_member = Table(
    "grouping_member",
    metadata,
    GroupingMemberColumns,
    PrimaryKeyConstraint("server_id", "rating_key", "position"),
    ForeignKeyConstraint(
        ["server_id", "rating_key"], ["grouping.server_id", "grouping.rating_key"], ondelete="CASCADE"
    ),
    sqlite_with_rowid=False,
)
day = Table("timeline_day", metadata, DayColumns, PrimaryKeyConstraint("channel", "day"))
segment = Table(
    "segment", metadata, SegmentColumns, PrimaryKeyConstraint("channel", "starts"), sqlite_with_rowid=False
)
asrun = Table("asrun", metadata, AsRunColumns, Index(None, "channel", "started"), Index(None, "ended"))
bad_file = Table("bad_file", metadata, BadFileColumns)
