"""Sending: Firebase apps, chunks, deliveries.

Revision ID: 0002
Revises: 0001
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from clarion.storage.dialect import Id, Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    op.create_table(
        "chunks",
        sa.Column("id", Id(), nullable=False),
        sa.Column("launch_id", Id(), nullable=False),
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("firebase_app_id", Id(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("lost", sa.Integer(), server_default="0", nullable=False),
        sa.Column("is_held", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("chunks_due", "chunks", ["due_at"], **_only("state <> 'settled'"))
    op.create_index("chunks_launch", "chunks", ["launch_id"], **_only("state <> 'settled'"))
    op.create_table(
        "deliveries",
        sa.Column("launch_id", Id(), nullable=False),
        sa.Column("device_id", Id(), nullable=False),
        sa.Column("chunk_id", Id(), nullable=True),
        sa.Column("customer_id", Id(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("unanswered", sa.Integer(), nullable=False),
        sa.Column("first_tried_at", Instant(), nullable=True),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.Column("received_at", Instant(), nullable=True),
        sa.Column("opened_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("launch_id", "device_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("deliveries_open", "deliveries", ["chunk_id"], **_only("state = 'pending'"))
    op.create_table(
        "firebase_apps",
        sa.Column("id", Id(), nullable=False),
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("client_email", sa.Text(), nullable=False),
        sa.Column("private_key_id", sa.Text(), nullable=True),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("paused_reason", sa.Text(), nullable=True),
        sa.Column("per_minute", sa.Integer(), server_default="600000", nullable=False),
        sa.Column("avoids_peaks", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("removals_stopped_at", Instant(), nullable=True),
        sa.Column("removals_stopped_reason", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("replaced_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("workspace_id", "project_id", name="firebase_apps_project"),
    )
    op.create_table(
        "paces",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("next_at", Instant(), nullable=False),
        sa.Column("queued_until", Instant(), nullable=False),
        sa.Column("rate", sa.Float(precision=53), nullable=False),
        sa.Column("cut_rate", sa.Float(precision=53), nullable=True),
        sa.Column("cut_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("project_id"),
    )
    op.create_table(
        "removal_watches",
        sa.Column("firebase_app_id", Id(), nullable=False),
        sa.Column("recent", sa.Float(precision=53), nullable=False),
        sa.Column("recent_removed", sa.Float(precision=53), nullable=False),
        sa.Column("recent_mismatched", sa.Float(precision=53), nullable=False),
        sa.Column("usual", sa.Float(precision=53), nullable=False),
        sa.Column("usual_removed", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("firebase_app_id"),
    )
    op.create_table(
        "quarantine",
        sa.Column("firebase_app_id", Id(), nullable=False),
        sa.Column("device_id", Id(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("firebase_app_id", "device_id"),
        sqlite_with_rowid=False,
    )
