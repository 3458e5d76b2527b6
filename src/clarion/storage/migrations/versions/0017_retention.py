"""Days to keep what grows, for each workspace, and launches whose deliveries are gone.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from clarion.storage.migrations.frozen_types import Instant

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("workspaces", sa.Column("retention", json, nullable=True))
    op.add_column("launches", sa.Column("deliveries_removed_at", Instant(), nullable=True))
    op.add_column("launches", sa.Column("emptied_at", Instant(), nullable=True))
    for name, columns, condition in (
        ("launches_kept", ["workspace_id", "done_at"], "deliveries_removed_at IS NULL"),
        (
            "launches_emptying",
            ["workspace_id"],
            "deliveries_removed_at IS NOT NULL AND emptied_at IS NULL",
        ),
    ):
        op.create_index(
            name,
            "launches",
            columns,
            sqlite_where=sa.text(condition),
            postgresql_where=sa.text(condition),
        )
