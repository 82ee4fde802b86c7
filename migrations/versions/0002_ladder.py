"""What failed and what stood in, in the as-run log; files that are set aside."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("asrun") as asrun:
        asrun.add_column(sa.Column("drift_ms", sa.Integer(), nullable=True))
        asrun.add_column(sa.Column("means", sa.Text(), server_default="", nullable=False))
        asrun.add_column(sa.Column("pictures", sa.Integer(), server_default="0", nullable=False))
        asrun.add_column(sa.Column("cards", sa.Integer(), server_default="0", nullable=False))
        asrun.add_column(sa.Column("setbacks", json, server_default="[]", nullable=False))
        asrun.add_column(sa.Column("failures", sa.Integer(), server_default="0", nullable=False))
    op.create_index("ix_asrun_ended", "asrun", ["ended"])
    op.create_table(
        "bad_file",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("path", name="pk_bad_file"),
    )


def downgrade() -> None:
    op.drop_table("bad_file")
    op.drop_index("ix_asrun_ended", "asrun")
    with op.batch_alter_table("asrun") as asrun:
        for name in ("failures", "setbacks", "cards", "pictures", "means", "drift_ms"):
            asrun.drop_column(name)
