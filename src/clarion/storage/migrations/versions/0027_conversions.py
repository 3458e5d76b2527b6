"""The event that a campaign is to lead to, and who has done it.

Revision ID: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from clarion.storage.migrations.frozen_types import Id, Instant

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    seq = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.create_table(
        "awaited_events",
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("launch_id", Id(), nullable=False),
        sa.Column("window_seconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "name", "launch_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "conversions_due",
        sa.Column("seq", seq, primary_key=True, autoincrement=False),
        sa.Column("due_at", Instant(), nullable=False),
    )
    op.create_index("conversions_due_at", "conversions_due", ["due_at"])
    op.add_column("campaigns", sa.Column("conversion", json, nullable=True))
    op.add_column("deliveries", sa.Column("converted_at", Instant(), nullable=True))
    for table in ("launch_counts", "launch_hours"):
        converted = sa.Column("converted", sa.Integer(), nullable=False, server_default="0")
        op.add_column(table, converted)
