"""The first schema.

Revision ID: 0001
Revises:
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from clarion.storage.dialect import Id, Instant
from clarion.storage.migrations.first_activity import create_activity, create_people

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
Seq = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Sorted = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _source_keys(name: str, *own: sa.Column[Any]) -> None:
    op.create_table(
        name,
        *(sa.Column(one, Id(), nullable=False) for one in ("id", "workspace_id", "source_id")),
        *own,
        sa.Column("created_at", Instant(), nullable=False),
        *(sa.Column(one, Instant(), nullable=True) for one in ("last_used_at", "retires_at")),
        sa.PrimaryKeyConstraint("id"),
    )


def upgrade() -> None:
    create_activity()
    create_people()
    op.create_table(
        "api_keys",
        sa.Column("id", Id(), nullable=False),
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("key_hint", sa.Text(), nullable=False),
        sa.Column("scopes", Json, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("last_used_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key_hash"),
    )
    op.create_table(
        "campaigns",
        sa.Column("id", Id(), nullable=False),
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("content", Json, nullable=False),
        sa.Column("audience", Json, nullable=False),
        sa.Column("scheduled_at", Instant(), nullable=True),
        sa.Column("spread_minutes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("paused_from", sa.Text(), nullable=True),
        sa.Column("paused_reason", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("campaigns_due", "campaigns", ["state", "scheduled_at"])
    op.create_index("campaigns_workspace", "campaigns", ["workspace_id", "id"])
    op.create_table(
        "claims",
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "key", "at", "message_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("claims_user", "claims", ["workspace_id", "user_id", "key"])
    op.create_table(
        "customers",
        sa.Column("id", Id(), nullable=False),
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("user_id", Sorted, nullable=True),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("email", Sorted, nullable=True),
        sa.Column("traits", Json, nullable=False),
        sa.Column("stamps", Json, nullable=False),
        sa.Column("push_stamp", Json, nullable=True),
        sa.Column("push_opted_out", sa.Boolean(), nullable=False),
        sa.Column("suppressed_at", Instant(), nullable=True),
        sa.Column("first_seen_at", Instant(), nullable=False),
        sa.Column("last_seen_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("workspace_id", "user_id", name="customers_user"),
    )
    op.create_index(
        "customers_email", "customers", ["workspace_id", "email"], **_only("email IS NOT NULL")
    )
    op.create_table(
        "device_deletions",
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("token_hash", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "device_id", "at", "message_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "device_deletions_user", "device_deletions", ["workspace_id", "user_id"], unique=False
    )
    op.create_table(
        "device_history",
        sa.Column("seq", Seq, autoincrement=True, nullable=False),
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("customer_id", Id(), nullable=True),
        sa.Column("previous_customer_id", Id(), nullable=True),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("token_fingerprint", sa.Text(), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index(
        "device_history_previous",
        "device_history",
        ["workspace_id", "previous_customer_id"],
        **_only("previous_customer_id IS NOT NULL"),
    )
    op.create_index(
        "device_history_customer",
        "device_history",
        ["workspace_id", "customer_id", "seq"],
    )
    op.create_index(
        "device_history_device",
        "device_history",
        ["workspace_id", "device_id", "seq"],
    )
    op.create_index(
        "device_history_stale",
        "device_history",
        ["workspace_id", "seq"],
        **_only("reason = 'stale'"),
    )
    op.create_table(
        "devices",
        sa.Column("id", Id(), nullable=False),
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("customer_id", Id(), nullable=False),
        sa.Column("source_id", Id(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("token_kind", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=True),
        sa.Column("installation_hash", sa.Text(), nullable=True),
        sa.Column("token_rank", sa.Integer(), nullable=False),
        sa.Column("token_message_id", sa.Text(), nullable=False),
        sa.Column("registered_at", Instant(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("removed_token_hash", sa.Text(), nullable=True),
        sa.Column("removed_at", Instant(), nullable=True),
        sa.Column("removed_reason", sa.Text(), nullable=True),
        sa.Column("spares", Json, nullable=True),
        sa.Column("facts", Json, nullable=True),
        sa.Column("app_version", sa.Text(), nullable=True),
        sa.Column("last_seen_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("workspace_id", "device_id", name="devices_device"),
    )
    op.create_index("devices_customer", "devices", ["workspace_id", "customer_id"])
    op.create_index(
        "devices_audience", "devices", ["workspace_id", "id"], **_only("state = 'active'")
    )
    op.create_index(
        "devices_due", "devices", ["workspace_id", "registered_at"], **_only("state = 'active'")
    )
    op.create_table(
        "events",
        sa.Column("seq", Seq, autoincrement=True, nullable=False),
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("source_id", Id(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("anonymous_id", sa.Text(), nullable=True),
        sa.Column("device_id", sa.Text(), nullable=True),
        sa.Column("owner_key", sa.Text(), nullable=True),
        sa.Column("customer_id", Id(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("workspace_id", "message_id", name="events_message"),
    )
    op.create_index(
        "events_customer", "events", ["workspace_id", "customer_id", "at"], unique=False
    )
    op.create_index("events_source", "events", ["source_id", "seq"])
    op.create_index(
        "events_identify", "events", ["workspace_id", "customer_id"], **_only("type = 'identify'")
    )
    op.create_index(
        "events_owner_key",
        "events",
        ["workspace_id", "owner_key", "at"],
        **_only("owner_key IS NOT NULL"),
    )
    op.create_index("events_receipt", "events", ["seq"], **_only("receipt = 'pending'"))
    op.create_table(
        "identifiers",
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("is_user", sa.Boolean(), nullable=False),
        sa.Column("is_device", sa.Boolean(), nullable=False),
        sa.Column("is_guarded", sa.Boolean(), nullable=False),
        sa.Column("timeline", Json, nullable=False),
        sa.Column("facts", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "job_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("published_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", Seq, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("available_at", Instant(), nullable=False),
        sa.Column("delivery_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("published_at", Instant(), nullable=False),
        sa.Column("rejected_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "jobs_due", "jobs", ["kind", "available_at"], **_only("rejected_reason IS NULL")
    )
    op.create_table(
        "launches",
        sa.Column("id", Id(), nullable=False),
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("campaign_id", Id(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cursor", Id(), nullable=True),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("planned_at", Instant(), nullable=True),
        sa.Column("done_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("launches_campaign", "launches", ["campaign_id"])
    op.create_table(
        "sources",
        sa.Column("id", Id(), nullable=False),
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("firebase_app_id", Id(), nullable=True),
        sa.Column("allowed_origins", Json, nullable=False),
        sa.Column("events_per_second", sa.Integer(), nullable=True),
        sa.Column("burst", sa.Integer(), nullable=True),
        sa.Column("signatures_from", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    _source_keys("write_keys", sa.Column("write_key", sa.Text(), nullable=False, unique=True))
    op.create_index("write_keys_source", "write_keys", ["workspace_id", "source_id"])
    secret = sa.Column("sealed_secret", sa.LargeBinary(), nullable=False)
    _source_keys("identity_secrets", secret)
    op.create_index("identity_secrets_source", "identity_secrets", ["source_id"])
    op.create_table(
        "tokens",
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("installation_hash", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "installation_hash"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "workspaces",
        sa.Column("id", Id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("stale_after_days", sa.Integer(), server_default="60", nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
