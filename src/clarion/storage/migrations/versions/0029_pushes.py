"""Pushes to one customer, codes of campaigns, and what lets a push pass a campaign.

Revision ID: 0029
Revises: 0028
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from clarion.storage.migrations.frozen_types import Id, Instant

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    json = sa.JSON(none_as_null=True).with_variant(
        postgresql.JSONB(none_as_null=True), "postgresql"
    )
    op.create_table(
        "pushes",
        sa.Column("id", Id(), primary_key=True),
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("campaign_id", Id(), nullable=True),
        sa.Column("customer_id", Id(), nullable=False),
        sa.Column("content", json, nullable=True),
        sa.Column("event", json, nullable=True),
        sa.Column("planned", json, nullable=False),
        sa.Column("skipped", sa.Text(), nullable=True),
        sa.Column("key_hash", sa.Text(), nullable=True),
        sa.Column("request_hash", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
    )
    op.create_index("pushes_workspace", "pushes", ["workspace_id", "id"])
    op.create_index("pushes_customer", "pushes", ["customer_id"])
    _index("pushes_key", "pushes", ["workspace_id", "key_hash"], "key_hash IS NOT NULL", True)
    op.add_column("campaigns", sa.Column("code", sa.Text(), nullable=True))
    _index("campaigns_code", "campaigns", ["workspace_id", "code"], "code IS NOT NULL", True)
    _index(
        "launches_occurrences",
        "launches",
        ["campaign_id", "started_at", "id"],
        "occurrence <> 'push'",
        False,
    )
    op.add_column(
        "chunks",
        sa.Column("is_transactional", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("paces", sa.Column("passing_at", Instant(), nullable=True))
    op.add_column("paces", sa.Column("quiet_until", Instant(), nullable=True))


def _index(name: str, table: str, columns: list[str], condition: str, unique: bool) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)
