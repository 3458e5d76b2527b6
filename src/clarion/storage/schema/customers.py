"""The tables of whom we know: customers, who is who, and who is left alone."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from clarion.storage.dialect import Id, Instant
from clarion.storage.schema.columns import Json, Sorted, metadata, only

customers = Table(
    "customers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, nullable=False),
    Column("user_id", Sorted),  # NULL: not signed in
    Column("key", Text),  # the provisional key of one who has not signed in
    Column("email", Sorted),  # the trait, in small letters: to be found by
    Column("traits", Json, nullable=False),
    Column("stamps", Json, nullable=False),  # trait → [rank, µs, messageId] of its winner
    Column("push_stamp", Json),  # [µs, opted out, messageId] of the last word
    Column("push_opted_out", Boolean, nullable=False),
    Column("suppressed_at", Instant),  # nothing is collected of them, and nothing sent to them
    Column("first_seen_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    UniqueConstraint("workspace_id", "user_id", name="customers_user"),
    Index("customers_email", "workspace_id", "email", **only("email IS NOT NULL")),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("workspace_id", Id, nullable=False),
    Column("hash", Text, nullable=False),  # of an id whose events are dropped, with the salt
    Column("subject", Text, nullable=False),  # the hash of the person's own id
    Column("kind", Text, nullable=False),  # suppressed | erased
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("workspace_id", "hash"),
    Index("suppressions_subject", "workspace_id", "subject"),
    sqlite_with_rowid=False,
)

category_choices = Table(  # which categories of campaigns customers left, by the API
    "category_choices",
    metadata,
    Column("workspace_id", Id, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("is_subscribed", Boolean, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("workspace_id", "user_id", "category"),
    sqlite_with_rowid=False,
)

merges = Table(
    "merges",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, nullable=False),
    Column("from_user", Text, nullable=False),
    Column("into_user", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("made_by", Text, nullable=False),  # an API key's id, or the command line
    Column("undone_at", Instant),
    Column("undone_by", Text),
    Index("merges_active", "workspace_id", "from_user", unique=True, **only("undone_at IS NULL")),
)

identifiers = Table(
    "identifiers",
    metadata,
    Column("workspace_id", Id, nullable=False),
    Column("key", Text, nullable=False),
    Column("is_user", Boolean, nullable=False),
    Column("is_device", Boolean, nullable=False),
    Column("is_guarded", Boolean, nullable=False),
    Column("timeline", Json, nullable=False),
    Column("facts", Text),  # JSON, of the device it names: the hour last seen, who told what
    Column("is_named", Boolean, nullable=False, server_default=false()),
    Column("is_known", Boolean, nullable=False, server_default=false()),
    # Whether it decides whose events are that carry it as user id, and others: it has periods.
    Column("decides_as_user", Boolean, nullable=False, server_default=false()),
    Column("decides_as_key", Boolean, nullable=False, server_default=false()),
    Column("day_claim", Text),  # JSON: the stored claim that others of its day only repeat
    PrimaryKeyConstraint("workspace_id", "key"),
    sqlite_with_rowid=False,
)

claims = Table(
    "claims",
    metadata,
    Column("workspace_id", Id, nullable=False),
    Column("key", Text, nullable=False),
    Column("at", Instant, nullable=False),  # by the sender's own clock
    Column("message_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("sender", BigInteger, nullable=False, server_default="0"),
    Column("ahead", BigInteger),  # µs by which that clock was ahead; NULL: it told no time
    PrimaryKeyConstraint("workspace_id", "key", "at", "message_id"),
    Index("claims_user", "workspace_id", "user_id", "key"),
    sqlite_with_rowid=False,
)

trait_claims = Table(  # what identifies taught: profiles are made of it
    "trait_claims",
    metadata,
    Column("workspace_id", Id, nullable=False),
    Column("key", Text, nullable=False),  # as its event's
    Column("message_id", Text, nullable=False),
    Column("is_user", Boolean, nullable=False),  # its event carries the key as user id
    Column("source_id", Id, nullable=False),
    Column("installation", Text),  # of its source: whose clock it is
    Column("at", Instant, nullable=False),
    Column("clock_at", Instant),
    Column("order_at", Instant),
    Column("received_at", Instant, nullable=False),
    Column("is_active", Boolean, nullable=False),  # the person was there
    Column("traits", Text, nullable=False),  # JSON
    PrimaryKeyConstraint("workspace_id", "key", "message_id"),
    sqlite_with_rowid=False,
)

companions = Table(  # ids that stood in events of a key which is no person's user id
    "companions",
    metadata,
    Column("workspace_id", Id, nullable=False),
    Column("id", Text, nullable=False),
    Column("key", Text, nullable=False),  # of the event
    PrimaryKeyConstraint("workspace_id", "id", "key"),
    Index("companions_key", "workspace_id", "key"),
    sqlite_with_rowid=False,
)
