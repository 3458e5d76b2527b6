"""Categories and transactional campaigns, a workspace's limits, and what frequency caps count.

Revision ID: 0025
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from clarion.storage.migrations.frozen_types import Id, Instant

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("campaigns", sa.Column("category", sa.Text(), nullable=True))
    op.add_column(
        "campaigns",
        sa.Column("is_transactional", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "workspace_limits",
        sa.Column("workspace_id", Id(), primary_key=True),
        sa.Column("exclusions", json, nullable=True),
        sa.Column("caps", json, nullable=True),
        sa.Column("quiet_hours", json, nullable=True),
        sa.Column("needs_approval", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("updated_at", Instant(), nullable=False),
    )
    op.create_table(
        "recent_pushes",
        sa.Column("customer_id", Id(), primary_key=True),
        sa.Column("pushes", sa.LargeBinary(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "category_choices",
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("is_subscribed", sa.Boolean(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "user_id", "category"),
        sqlite_with_rowid=False,
    )
