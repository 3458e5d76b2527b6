"""The tables of events, of the messageIds that were seen, and of receipts to be attributed."""

from sqlalchemy import (
    Column,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from clarion.storage.dialect import Id, Instant
from clarion.storage.schema.columns import Seq, metadata, only

events = Table(
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
    Column("owner_key", Text),  # the provisional key that decides the owner; NULL: user_id does
    Column("customer_id", Id),  # NULL: nobody could be named (every id was blocked)
    Column("at", Instant, nullable=False),  # corrected time
    Column("received_at", Instant, nullable=False),
    Column("body", Text, nullable=False),
    Column("clock_at", Instant),  # by the sender's own clock; NULL: it tells no time
    Column("order_at", Instant),  # which of two is later, where neither clock_at nor at says so
    Index("events_message", "message_id"),
    Index("events_source", "source_id", "seq"),
    Index("events_customer", "workspace_id", "customer_id", "at"),
    Index("events_owner_key", "workspace_id", "owner_key", "at", **only("owner_key IS NOT NULL")),
    Index("events_identify", "workspace_id", "customer_id", **only("type = 'identify'")),
)

seen_messages = Table(  # what makes a messageId count once; kept for days of its own
    "seen_messages",
    metadata,
    Column("hash", LargeBinary(16), nullable=False),  # of workspace and messageId
    Column("received_at", Instant, nullable=False),
    PrimaryKeyConstraint("hash"),
    sqlite_with_rowid=False,
)

receipts_due = Table(  # events that say a push was received or opened, and are not attributed yet
    "receipts_due",
    metadata,
    Column("seq", Seq, primary_key=True, autoincrement=False),  # of the event
)
