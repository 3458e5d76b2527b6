"""The audit log: who did what to which thing, and when.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from clarion.storage.dialect import Id, Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_json = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", Id(), primary_key=True),
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", Id(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("thing_kind", sa.Text(), nullable=False),
        sa.Column("thing_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("changes", _json, nullable=False),
    )
    op.create_index("audit_workspace", "audit", ["workspace_id", "id"])
    op.create_index("audit_thing", "audit", ["workspace_id", "thing_kind", "thing_id", "id"])
    op.create_index("audit_actor", "audit", ["workspace_id", "actor_id", "id"])
