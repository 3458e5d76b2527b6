"""The tables that tell what a source sends, beside its events."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from clarion.storage.dialect import Id, Instant
from clarion.storage.schema.columns import Seq, metadata

refusals = Table(
    "refusals",
    metadata,
    Column("seq", Seq, primary_key=True, autoincrement=True),
    Column("id", Id, nullable=False),  # derived: what is taken in again is refused once
    Column("workspace_id", Id, nullable=False),
    Column("source_id", Id, nullable=False),
    Column("message_id", Text),
    Column("stage", Text, nullable=False),  # one of `activity.Stage`
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("excerpt", Text),
    Column("type", Text),  # of the event, as far as it could be read; so with those that follow
    Column("name", Text),
    Column("user_id", Text),
    Column("anonymous_id", Text),
    Column("library", Text),
    Column("library_version", Text),
    UniqueConstraint("id", name="refusals_id"),
    Index("refusals_source", "workspace_id", "source_id", "seq"),
)

repeats = Table(  # the newest events that came again; the sweeper takes the older ones
    "repeats",
    metadata,
    Column("seq", Seq, primary_key=True, autoincrement=True),
    Column("id", Id, nullable=False),
    Column("workspace_id", Id, nullable=False),
    Column("source_id", Id, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    UniqueConstraint("id", name="repeats_id"),
    Index("repeats_source", "source_id", "seq"),
)

source_counts = Table(
    "source_counts",
    metadata,
    Column("source_id", Id, nullable=False),
    Column("hour", Instant, nullable=False),
    Column(
        "kind", Text, nullable=False
    ),  # accepted | duplicate | refused | sdk | warning | turned_away
    Column("label", Text, nullable=False),  # a type, a code or an SDK's name
    Column("name", Text, nullable=False),  # an event's name, an SDK's version, or empty
    Column("count", BigInteger, nullable=False),
    PrimaryKeyConstraint("source_id", "hour", "kind", "label", "name"),
    sqlite_with_rowid=False,
)
