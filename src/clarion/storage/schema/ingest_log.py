"""The tables that tell what a source sent, beside its events."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from clarion.storage.dialect import Id, Instant
from clarion.storage.schema.columns import Seq, metadata, only

ingest_log = Table(  # what was refused, came again, or deserved a warning; the newest of a source
    "ingest_log",
    metadata,
    Column("seq", Seq, primary_key=True, autoincrement=True),
    Column("id", Id, nullable=False),  # derived: what is taken in again is told once
    Column("workspace_id", Id, nullable=False),
    Column("source_id", Id, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("outcome", Text, nullable=False),  # refused | duplicate | warning
    Column("stage", Text),  # one of `outcome.Stage`; NULL: a duplicate
    Column("code", Text),  # why; NULL: a duplicate
    Column("message", Text),
    Column("count", Integer, nullable=False),
    Column("message_id", Text),
    Column("type", Text),  # of the event, as far as it could be read; so with those that follow
    Column("name", Text),
    Column("user_id", Text),
    Column("anonymous_id", Text),
    Column("device_id", Text),
    Column("library", Text),
    Column("library_version", Text),
    Column("at", Instant),
    Column("excerpt", Text),
    UniqueConstraint("id", name="ingest_log_id"),
    Index("ingest_log_source", "source_id", "seq", "outcome", "stage"),
    # By which an erasure finds a person's rows:
    Index("ingest_log_message", "workspace_id", "message_id", **only("message_id IS NOT NULL")),
    Index("ingest_log_user", "workspace_id", "user_id", **only("user_id IS NOT NULL")),
    Index("ingest_log_key", "workspace_id", "anonymous_id", **only("anonymous_id IS NOT NULL")),
    Index("ingest_log_event", "workspace_id", "seq", **only("stage = 'event'")),
)

source_counts = Table(
    "source_counts",
    metadata,
    Column("source_id", Id, nullable=False),
    Column("hour", Instant, nullable=False),
    Column("kind", Text, nullable=False),  # one of `tally.Kind`
    Column("label", Text, nullable=False),  # a type, a code or an SDK's name
    Column("name", Text, nullable=False),  # an event's name, an SDK's version, or empty
    Column("count", BigInteger, nullable=False),
    PrimaryKeyConstraint("source_id", "hour", "kind", "label", "name"),
    sqlite_with_rowid=False,
)
