"""The tables of events and of whose they are, of what is kept of removed ones, of the messageIds
that were seen, and of receipts to be attributed."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from clarion.storage.dialect import Id, Instant
from clarion.storage.schema.columns import Seq, metadata, only

events = Table(  # what came, as it came: a row is never changed
    "events",
    metadata,
    Column("seq", Seq, primary_key=True, autoincrement=True),
    Column("workspace_id", Id, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("source_id", Id, nullable=False),
    Column("type", Text, nullable=False),
    Column("name", Text),
    Column("user_id", Text),
    Column("anonymous_id", Text),
    Column("device_id", Text),
    Column("at", Instant, nullable=False),  # corrected time
    Column("received_at", Instant, nullable=False),
    Column("body", Text, nullable=False),
    Column("clock_at", Instant),  # by the sender's own clock; NULL: it tells no time
    Column("order_at", Instant),  # which of two is later, where neither clock_at nor at says so
    Column("key", Text),  # what decides whose it is: user_id, or else the key; NULL: nobody named
    Index("events_source", "source_id", "seq"),
    Index("events_key", "workspace_id", "key", "at"),
)

event_traces = Table(  # what is kept of events that are removed for their age
    "event_traces",
    metadata,
    Column("workspace_id", Id, nullable=False),
    Column("key", Text, nullable=False),  # as its event's
    Column("at", Instant, nullable=False),
    Column("seq", BigInteger, nullable=False),  # of its event
    Column("is_user", Boolean, nullable=False),  # its event carries the key as user id
    Column("source_id", Id, nullable=False),
    Column("clock_at", Instant),
    Column("order_at", Instant),
    Column("received_at", Instant, nullable=False),
    Column("is_active", Boolean, nullable=False),  # the person was there
    Column("message_id", Text),  # of one that said what is known of a device
    PrimaryKeyConstraint("workspace_id", "key", "at", "seq"),
    Index("event_traces_message", "message_id", **only("message_id IS NOT NULL")),
    sqlite_with_rowid=False,
)

seen_messages = Table(  # what makes a messageId count once, and where its event is
    "seen_messages",
    metadata,
    Column("hash", LargeBinary(16), nullable=False),  # of workspace and messageId
    Column("received_at", Instant, nullable=False),
    Column("seq", BigInteger, nullable=False),  # of the event, as long as it is stored
    PrimaryKeyConstraint("hash"),
    sqlite_with_rowid=False,
)

receipts_due = Table(  # events that say a push was received or opened, and are not attributed yet
    "receipts_due",
    metadata,
    Column("seq", Seq, primary_key=True, autoincrement=False),  # of the event
)

awaited_events = Table(  # names of events that launches wait for: who does one is counted
    "awaited_events",
    metadata,
    Column("workspace_id", Id, nullable=False),
    Column("name", Text, nullable=False),
    Column("launch_id", Id, nullable=False),
    Column("window_seconds", Integer, nullable=False),  # from the push on
    PrimaryKeyConstraint("workspace_id", "name", "launch_id"),
    sqlite_with_rowid=False,
)

conversions_due = Table(  # events that a launch waits for, and that are not looked at, or not last
    "conversions_due",
    metadata,
    Column("seq", Seq, primary_key=True, autoincrement=False),  # of the event
    Column("due_at", Instant, nullable=False),
    Index("conversions_due_at", "due_at"),
)

ownership_periods = Table(  # whose a key's events are; together they cover all of time
    "ownership_periods",
    metadata,
    Column("workspace_id", Id, nullable=False),
    Column("key", Text, nullable=False),
    Column("start_at", Instant, nullable=False),
    Column("end_at", Instant, nullable=False),
    Column("customer_id", Id, nullable=False),
    Column("is_user", Boolean, nullable=False),  # of events that carry it as user id, or of others
    Column("is_real", Boolean, nullable=False),  # they do, and it is a person's
    PrimaryKeyConstraint("workspace_id", "key", "is_user", "start_at"),
    Index("ownership_customer", "customer_id"),
    sqlite_with_rowid=False,
)

clock_leads = Table(  # clocks that are ahead: the key's events of that source happened earlier
    "clock_leads",
    metadata,
    Column("workspace_id", Id, nullable=False),
    Column("key", Text, nullable=False),
    Column("source_id", Id, nullable=False),
    Column("lead", BigInteger, nullable=False),  # µs
    PrimaryKeyConstraint("workspace_id", "key", "source_id"),
    sqlite_with_rowid=False,
)
