"""Every table, on one page. A table is written only through its station's `store.py`.

Times are instants in UTC (microseconds in SQLite, timestamptz in PostgreSQL); ids are UUIDs. Rows
that identity decides have derived ids (`customers/identity/identifier.py`), so that the same set of
events gives the same rows whatever the order it arrived in.
"""

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
    UniqueConstraint,
    false,
)

from clarion.storage.accounts_schema import audit as audit
from clarion.storage.accounts_schema import invitations as invitations
from clarion.storage.accounts_schema import memberships as memberships
from clarion.storage.accounts_schema import people as people
from clarion.storage.accounts_schema import sessions as sessions
from clarion.storage.accounts_schema import sign_in_tries as sign_in_tries
from clarion.storage.dialect import Id, Instant
from clarion.storage.schema.columns import Json, Seq, Sorted, only
from clarion.storage.schema.columns import metadata as metadata
from clarion.storage.schema.ingest_log import refusals as refusals
from clarion.storage.schema.ingest_log import repeats as repeats
from clarion.storage.schema.ingest_log import source_counts as source_counts
from clarion.storage.schema.sending import chunks as chunks
from clarion.storage.schema.sending import deliveries as deliveries
from clarion.storage.schema.sending import firebase_apps as firebase_apps
from clarion.storage.schema.sending import paces as paces
from clarion.storage.schema.sending import quarantine as quarantine
from clarion.storage.schema.sending import removal_watches as removal_watches

# --- the installation -----------------------------------------------------------------------

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("stale_after_days", Integer, nullable=False, server_default="60"),
    Column("salt", LargeBinary, nullable=False),  # of the hashes in `suppressions`
    Column("created_at", Instant, nullable=False),
)

leases = Table(  # who runs an agent of which only one may work at a time
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text),  # NULL: given back
    Column("fence", BigInteger, nullable=False),  # counts the times that it was taken
    Column("renewals", BigInteger, nullable=False),  # since then: that it grows shows life
    Column("renewed_at", Instant),  # by the holder's clock, for people: nothing compares it
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, nullable=False),
    Column("name", Text, nullable=False),
    Column("key_hash", Text, nullable=False, unique=True),
    Column("key_hint", Text, nullable=False),
    Column("scopes", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Seq, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("key", Text),
    Column("available_at", Instant, nullable=False),
    Column("delivery_count", Integer, nullable=False, server_default="0"),
    Column("published_at", Instant, nullable=False),
    Column("rejected_reason", Text),
    Index("jobs_due", "kind", "available_at", **only("rejected_reason IS NULL")),
)

job_keys = Table(
    "job_keys",
    metadata,
    Column("key", Text, primary_key=True),
    Column("published_at", Instant, nullable=False),
)

# --- events ---------------------------------------------------------------------------------

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
    Column("receipt", Text),  # NULL | pending | done: a push was received or opened
    Column("clock_at", Instant),  # by the sender's own clock; NULL: it tells no time
    Column("order_at", Instant),  # which of two is later, where neither clock_at nor at says so
    UniqueConstraint("workspace_id", "message_id", name="events_message"),
    Index("events_source", "source_id", "seq"),
    Index("events_customer", "workspace_id", "customer_id", "at"),
    Index("events_owner_key", "workspace_id", "owner_key", "at", **only("owner_key IS NOT NULL")),
    Index("events_identify", "workspace_id", "customer_id", **only("type = 'identify'")),
    Index("events_receipt", "seq", **only("receipt = 'pending'")),
)

# --- customers ------------------------------------------------------------------------------

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

erasures = Table(  # those under way: they know whom they remove, and are removed last
    "erasures",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, nullable=False),
    Column("person", Json, nullable=False),
    Column("made_by", Text, nullable=False),  # an API key's id, or the command line
    Column("begun_at", Instant, nullable=False),
    Column("touched_at", Instant, nullable=False),  # when it last went on
    Column("events", Integer, nullable=False),  # removed so far; so with those that follow
    Column("deliveries", Integer, nullable=False),
    Column("refusals", Integer, nullable=False),
    Column("attempt", Integer, nullable=False, server_default="0"),  # a fence, as a chunk's
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
    UniqueConstraint("workspace_id", "device_id", name="devices_device"),
    Index("devices_customer", "workspace_id", "customer_id"),
    Index("devices_audience", "workspace_id", "id", **only("state = 'active'")),
    Index("devices_due", "workspace_id", "registered_at", **only("state = 'active'")),
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

# --- campaigns ------------------------------------------------------------------------------

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("content", Json, nullable=False),
    Column("audience", Json, nullable=False),
    Column("scheduled_at", Instant),
    Column("spread_minutes", Integer, nullable=False, server_default="0"),
    Column("paused_from", Text),  # the state to go back to on resume
    Column("paused_reason", Text),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index("campaigns_due", "state", "scheduled_at"),
    Index("campaigns_workspace", "workspace_id", "id"),
)

launches = Table(
    "launches",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, nullable=False),
    Column("campaign_id", Id, nullable=False),
    Column("state", Text, nullable=False),  # planning | sending | done | cancelled
    Column("cursor", Id),  # the last device planned
    Column("planned", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("planned_at", Instant),
    Column("done_at", Instant),
    Index("launches_campaign", "campaign_id"),
)
