"""The first schema: libraries, items, published timelines, as-run."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "library",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("server_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_library"),
        sa.UniqueConstraint("server_id", "path", name="uq_library_server_id_path"),
    )
    op.create_table(
        "item",
        sa.Column("server_id", sa.Text(), nullable=False),
        sa.Column("rating_key", sa.Text(), nullable=False),
        sa.Column("library_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), nullable=False),
        sa.Column("show", sa.Text(), nullable=False),
        sa.Column("season", sa.Integer(), nullable=True),
        sa.Column("episode", sa.Integer(), nullable=True),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("genres", json, nullable=False),
        sa.Column("file_path", sa.Text(), nullable=False),
        sa.Column("plex_path", sa.Text(), nullable=True),
        sa.Column("external_ids", json, server_default="{}", nullable=False),
        sa.Column("media_duration_ms", sa.BigInteger(), nullable=True),
        sa.Column("media", json, nullable=True),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("missing", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["library_id"], ["library.id"], name="fk_item_library_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("server_id", "rating_key", name="pk_item"),
    )
    op.create_index("ix_item_library_id", "item", ["library_id"])
    op.create_table(
        "timeline_day",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("starts", sa.BigInteger(), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=False),
        sa.Column("cursors", json, nullable=False),
        sa.PrimaryKeyConstraint("channel", "day", name="pk_timeline_day"),
    )
    op.create_table(
        "segment",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("starts", sa.BigInteger(), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=True),
        sa.Column("item_offset", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "starts", name="pk_segment"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "asrun",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("starts", sa.BigInteger(), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=True),
        sa.Column("item_offset", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_asrun"),
    )
    op.create_index("ix_asrun_channel_started", "asrun", ["channel", "started"])


def downgrade() -> None:
    for table in ("asrun", "segment", "timeline_day", "item", "library"):
        op.drop_table(table)
