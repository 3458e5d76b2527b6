"""Campaigns by their state, and the launches that are not done, so that a page of either reads no
others.

Revision ID: 0035
Revises: 0034
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("campaigns_state", "campaigns", ["workspace_id", "state", "id"])
    where = sa.text("state <> 'done' AND occurrence <> 'push'")
    op.create_index(
        "launches_state",
        "launches",
        ["workspace_id", "state", "campaign_id"],
        sqlite_where=where,
        postgresql_where=where,
    )
