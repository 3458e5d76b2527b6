"""What is kept of events that are removed for their age.

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

from clarion.storage.migrations.frozen_types import Id, Instant

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event_traces",
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("is_user", sa.Boolean(), nullable=False),
        sa.Column("source_id", Id(), nullable=False),
        sa.Column("clock_at", Instant(), nullable=True),
        sa.Column("order_at", Instant(), nullable=True),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "key", "at", "seq"),
        sqlite_with_rowid=False,
    )
    has_message = sa.text("message_id IS NOT NULL")
    op.create_index(
        "event_traces_message",
        "event_traces",
        ["message_id"],
        sqlite_where=has_message,
        postgresql_where=has_message,
    )
