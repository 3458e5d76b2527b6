"""Deliveries are found by customer: an index of those of launches that have ended.

It is filled in the background, launch by launch; until then those of before are looked through.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

from clarion.storage.migrations.frozen_types import Id, Instant

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "customer_deliveries",
        sa.Column("customer_id", Id(), nullable=False),
        sa.Column("launch_id", Id(), nullable=False),
        sa.Column("device_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "launch_id", "device_id"),
        sqlite_with_rowid=False,
    )
    op.add_column("launches", sa.Column("indexed_at", Instant(), nullable=True))
    op.add_column(
        "launches", sa.Column("rewritten", sa.Integer(), server_default="0", nullable=False)
    )
    is_missing = sa.text("indexed_at IS NULL")
    op.create_index(
        "launches_unindexed",
        "launches",
        ["workspace_id", "started_at"],
        sqlite_where=is_missing,
        postgresql_where=is_missing,
    )
