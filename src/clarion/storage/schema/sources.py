"""The tables of apps that send events, and of their keys."""

from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
)

from clarion.storage.dialect import Id, Instant
from clarion.storage.schema.columns import Json, metadata

sources = Table(
    "sources",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, nullable=False),
    Column("name", Text, nullable=False),
    Column("firebase_app_id", Id),
    Column("allowed_origins", Json, nullable=False),  # none: every origin
    Column("events_per_second", Integer),  # NULL: no limit; else of each write key, in a process
    Column("burst", Integer),
    Column("signatures_from", Instant),  # asked for from then on, if it has a secret; NULL: always
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)

write_keys = Table(
    "write_keys",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, nullable=False),
    Column("source_id", Id, nullable=False),
    Column("write_key", Text, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("last_used_at", Instant),
    Column("retires_at", Instant),  # refused from then on; NULL: it stands
    Index("write_keys_source", "workspace_id", "source_id"),
)

identity_secrets = Table(
    "identity_secrets",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, nullable=False),
    Column("source_id", Id, nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_used_at", Instant),
    Column("retires_at", Instant),  # signs nothing any more from then on; NULL: it stands
    Index("identity_secrets_source", "source_id"),
)
