"""The tables of where customers can be reached."""

from sqlalchemy import (
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from clarion.storage.dialect import Id, Instant
from clarion.storage.schema.columns import Json, Seq, metadata, only

devices = Table(
    "devices",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, nullable=False),
    Column("device_id", Text, nullable=False),
    Column("customer_id", Id, nullable=False),
    Column("source_id", Id, nullable=False),  # its Firebase app is the source's
    Column("platform", Text, nullable=False),
    Column("token", Text),
    Column("token_kind", Text, nullable=False),
    Column("token_hash", Text),
    Column("installation_hash", Text),  # one for all tokens and FIDs of an installation
    Column("token_rank", Integer, nullable=False),
    Column("token_message_id", Text, nullable=False),
    Column("registered_at", Instant, nullable=False),  # of the registration that holds
    Column("state", Text, nullable=False),  # active | removed
    Column("reason", Text),  # why removed
    Column("removed_token_hash", Text),  # by the provider or the sweeper
    Column("removed_at", Instant),  # registrations up to this time are dead
    Column("removed_reason", Text),
    Column("spares", Json),  # its registrations that are not sent to, as the current one's columns
    Column("facts", Json),  # what SDKs tell of it, by name
    Column("app_version", Text),  # one of them
    Column("last_seen_at", Instant, nullable=False),
    Column("order_at", Instant),  # of the registration: which is later; NULL: as registered_at
    # By kind, the installation of a registration that it holds and that lives on another device now
    Column("moved_fcm", Text),
    Column("moved_fid", Text),
    Column("moved_apns", Text),
    UniqueConstraint("workspace_id", "device_id", name="devices_device"),
    Index("devices_customer", "workspace_id", "customer_id"),
    Index("devices_audience", "workspace_id", "id", **only("state = 'active'")),
    Index("devices_due", "workspace_id", "registered_at", **only("state = 'active'")),
    # By which an erasure finds those that hold one of a person's installations:
    Index("devices_moved_fcm", "workspace_id", "moved_fcm", **only("moved_fcm IS NOT NULL")),
    Index("devices_moved_fid", "workspace_id", "moved_fid", **only("moved_fid IS NOT NULL")),
    Index("devices_moved_apns", "workspace_id", "moved_apns", **only("moved_apns IS NOT NULL")),
)

tokens = Table(
    "tokens",
    metadata,
    Column("workspace_id", Id, nullable=False),
    Column("installation_hash", Text, nullable=False),
    Column("device_id", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("message_id", Text, nullable=False),
    PrimaryKeyConstraint("workspace_id", "installation_hash"),
    Index("tokens_device", "workspace_id", "device_id"),  # by which an erasure finds them
    sqlite_with_rowid=False,
)

device_deletions = Table(
    "device_deletions",
    metadata,
    Column("workspace_id", Id, nullable=False),
    Column("device_id", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("user_id", Text),
    Column("token_hash", Text),
    PrimaryKeyConstraint("workspace_id", "device_id", "at", "message_id"),
    Index("device_deletions_user", "workspace_id", "user_id"),
    sqlite_with_rowid=False,
)

device_history = Table(
    "device_history",
    metadata,
    Column("seq", Seq, primary_key=True, autoincrement=True),
    Column("workspace_id", Id, nullable=False),
    Column("device_id", Text, nullable=False),
    Column("customer_id", Id),
    Column("previous_customer_id", Id),
    Column("change", Text, nullable=False),  # registered | moved | token | removed | revived
    Column("reason", Text),
    Column("token_fingerprint", Text),
    Column("message_id", Text),  # the event that caused it, if one did
    Column("at", Instant, nullable=False),
    Index("device_history_device", "workspace_id", "device_id", "seq"),
    Index("device_history_customer", "workspace_id", "customer_id", "seq"),
    Index(
        "device_history_previous",
        "workspace_id",
        "previous_customer_id",
        **only("previous_customer_id IS NOT NULL"),
    ),
    Index("device_history_stale", "workspace_id", "seq", **only("reason = 'stale'")),
)
