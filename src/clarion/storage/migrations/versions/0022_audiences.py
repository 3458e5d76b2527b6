"""Saved audiences, static lists, and the audience that a launch began with.

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from clarion.storage.migrations.frozen_types import Id, Instant

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.create_table(
        "audiences",
        sa.Column("id", Id(), primary_key=True),
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner_id", Id(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("rule", json, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("archived_at", Instant(), nullable=True),
        sa.UniqueConstraint("workspace_id", "code", name="audiences_code"),
    )
    op.create_table(
        "audience_members",
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("audience_id", Id(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("audience_id", "user_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("audience_members_user", "audience_members", ["workspace_id", "user_id"])
    op.add_column("launches", sa.Column("audience", json, nullable=True))
