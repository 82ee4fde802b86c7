"""Media servers: how to get at them, their libraries, shows, collections and playlists, and all that they tell."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    _make_servers()
    for column in _library_columns():
        op.add_column("library", column)
    # Nothing wrote external ids before this revision; from now on their order counts.
    op.drop_column("item", "external_ids")
    for column in _item_columns():
        op.add_column("item", column)
    _make_shows()
    _make_groupings()


def downgrade() -> None:
    # What came from servers has no place in the older schema: the next synchronisation would bring it back.
    op.execute("DELETE FROM item WHERE library_id IN (SELECT id FROM library WHERE kind = 'plex')")
    op.execute("DELETE FROM library WHERE kind = 'plex'")
    for table in ("grouping_member", "grouping", "show", "path_mapping", "server"):
        op.drop_table(table)
    # Column by column: a copy of the table, which is how Alembic's batches do it on SQLite, takes its items along.
    for column in _item_columns():
        op.drop_column("item", column.name)
    op.add_column("item", sa.Column("external_ids", json, server_default="{}", nullable=False))
    for column in _library_columns():
        op.drop_column("library", column.name)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _whole(name: str, kind: type[sa.Integer] = sa.Integer) -> sa.Column[int]:
    return sa.Column(name, kind(), server_default="0", nullable=False)


def _list(name: str) -> sa.Column[object]:
    return sa.Column(name, json, server_default="[]", nullable=False)


def _switch(name: str, *, on: bool = False) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.true() if on else sa.false(), nullable=False)


def _library_columns() -> list[sa.Column[object]]:
    return [
        _text("section"),
        _text("section_kind"),
        _list("roots"),
        _switch("enabled", on=True),
        _switch("gone"),
        _text("content_changed_at"),
        _whole("scanned_at", sa.BigInteger),
        _whole("full_at", sa.BigInteger),
        _whole("newest_added", sa.BigInteger),
        _whole("newest_stamp", sa.BigInteger),
        _whole("total"),
        _whole("shows"),
        _whole("pass_number"),
        _whole("pass_start"),
        _switch("pass_open"),
        _whole("held_back"),
    ]


def _item_columns() -> list[sa.Column[object]]:
    return [
        _list("external_ids"),
        _text("show_key"),
        sa.Column("show_year", sa.Integer(), nullable=True),
        _text("album"),
        _text("aired"),
        _text("content_rating"),
        sa.Column("rating", sa.Double(), nullable=True),
        _whole("views"),
        _list("labels"),
        _list("people"),
        _text("artwork"),
        _list("markers"),
        _list("versions"),
        _text("digest"),
        _text("details"),
        _whole("stamp", sa.BigInteger),
        _whole("seen_pass"),
        _whole("missing_since", sa.BigInteger),
        _switch("deleted"),
    ]


def _make_servers() -> None:
    op.create_table(
        "server",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("verify", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_server"),
        sa.UniqueConstraint("id", name="uq_server_id"),
    )
    op.create_table(
        "path_mapping",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("server_id", sa.Text(), nullable=False),
        sa.Column("plex_path", sa.Text(), nullable=False),
        sa.Column("local_path", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["server_id"], ["server.id"], name="fk_path_mapping_server_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_path_mapping"),
        sa.UniqueConstraint("server_id", "plex_path", name="uq_path_mapping_server_id_plex_path"),
    )


def _make_shows() -> None:
    op.create_table(
        "show",
        sa.Column("server_id", sa.Text(), nullable=False),
        sa.Column("rating_key", sa.Text(), nullable=False),
        sa.Column("library_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("external_ids", json, nullable=False),
        sa.Column("leaf_count", sa.Integer(), nullable=False),
        sa.Column("child_count", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("genres", json, nullable=False),
        sa.Column("content_rating", sa.Text(), nullable=False),
        sa.Column("artwork", sa.Text(), nullable=False),
        sa.Column("stamp", sa.BigInteger(), nullable=False),
        sa.Column("labels", json, nullable=False),
        sa.ForeignKeyConstraint(
            ["library_id"], ["library.id"], name="fk_show_library_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("server_id", "rating_key", name="pk_show"),
    )
    op.create_index("ix_show_library_id", "show", ["library_id"])


def _make_groupings() -> None:
    op.create_table(
        "grouping",
        sa.Column("server_id", sa.Text(), nullable=False),
        sa.Column("rating_key", sa.Text(), nullable=False),
        sa.Column("library_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("smart", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["library_id"], ["library.id"], name="fk_grouping_library_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("server_id", "rating_key", name="pk_grouping"),
    )
    op.create_index("ix_grouping_library_id", "grouping", ["library_id"])
    op.create_table(
        "grouping_member",
        sa.Column("server_id", sa.Text(), nullable=False),
        sa.Column("rating_key", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["server_id", "rating_key"],
            ["grouping.server_id", "grouping.rating_key"],
            name="fk_grouping_member_server_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("server_id", "rating_key", "position", name="pk_grouping_member"),
        sqlite_with_rowid=False,
    )
