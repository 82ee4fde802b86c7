"""The tables. Instants are UTC epoch milliseconds; JSON columns hold what is never asked for in a query."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Named,
    PrimaryKeyConstraint,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

SCHEMA = "0002"
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


class LibraryColumns(TypedColumns):
    """One source of items."""

    id = Column(Integer, primary_key=True)
    server_id: Named[str] = Column(Text)
    kind: Named[str] = Column(Text)
    name: Named[str] = Column(Text)
    path: Named[str] = Column(Text)


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
    external_ids: Named[dict[str, str]] = Column(_JSON, server_default="{}")
    media_duration_ms: Named[int | None] = Column(BigInteger)
    """What the container says; null, like ``media``, when the file was never probed."""
    media: Named[dict[str, Any] | None] = Column(_JSON)
    added_at: Named[int] = Column(BigInteger)
    updated_at: Named[int] = Column(BigInteger)
    missing: Named[bool] = Column(Boolean)


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


library = Table("library", metadata, LibraryColumns, UniqueConstraint("server_id", "path"))
item = Table(
    "item",
    metadata,
    ItemColumns,
    PrimaryKeyConstraint("server_id", "rating_key"),
    Index(None, "library_id"),
)
day = Table("timeline_day", metadata, DayColumns, PrimaryKeyConstraint("channel", "day"))
segment = Table(
    "segment", metadata, SegmentColumns, PrimaryKeyConstraint("channel", "starts"), sqlite_with_rowid=False
)
asrun = Table("asrun", metadata, AsRunColumns, Index(None, "channel", "started"), Index(None, "ended"))
bad_file = Table("bad_file", metadata, BadFileColumns)
