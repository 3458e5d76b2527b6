"""When a draft is meant to launch, and the launches of a workspace by their time.

Revision ID: 0033
Revises: 0032
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    json = sa.JSON(none_as_null=True).with_variant(
        postgresql.JSONB(none_as_null=True), "postgresql"
    )
    op.add_column("campaigns", sa.Column("timing", json, nullable=True))
    where = sa.text("occurrence <> 'push'")
    op.create_index(
        "launches_calendar",
        "launches",
        ["workspace_id", "due_at"],
        sqlite_where=where,
        postgresql_where=where,
    )
