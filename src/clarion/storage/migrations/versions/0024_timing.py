"""Launches at each customer's own time; how late a campaign may launch; archived campaigns.

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from clarion.storage.migrations.frozen_types import Instant

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("launches", sa.Column("own_time", json, nullable=True))
    op.add_column("campaigns", sa.Column("late_after_minutes", sa.Integer(), nullable=True))
    op.add_column("campaigns", sa.Column("archived_at", Instant(), nullable=True))
