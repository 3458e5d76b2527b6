"""The tables of sending: through which project, how fast, and what became of it."""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from clarion.storage.dialect import Id, Instant
from clarion.storage.schema.columns import Json, metadata, only

firebase_apps = Table(
    "firebase_apps",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, nullable=False),
    Column("project_id", Text, nullable=False),
    Column("client_email", Text, nullable=False),
    Column("private_key_id", Text),
    Column("sealed_key", LargeBinary, nullable=False),
    Column("paused_reason", Text),
    Column("per_minute", Integer, nullable=False, server_default="600000"),
    Column("avoids_peaks", Boolean, nullable=False, server_default=false()),
    Column("removals_stopped_at", Instant),  # by the breaker, until a person has decided
    Column("removals_stopped_reason", Text),
    Column("created_at", Instant, nullable=False),
    Column("replaced_at", Instant),
    Column("paused_at", Instant),
    Column("tries_again_at", Instant),  # by itself; NULL while paused: it waits for a person
    UniqueConstraint("workspace_id", "project_id", name="firebase_apps_project"),
)

paces = Table(
    "paces",
    metadata,
    Column("project_id", Text, primary_key=True),  # FCM counts by project, not by workspace
    Column("next_at", Instant, nullable=False),
    Column("queued_until", Instant, nullable=False),
    Column("rate", Float(53), nullable=False),  # pushes a second
    Column("cut_rate", Float(53)),
    Column("cut_at", Instant),
    Column("passing_at", Instant),  # up to here the pushes go that pass the line; NULL: none has
    Column("quiet_until", Instant),  # as long nobody sends, for FCM has asked for it
)

removal_watches = Table(
    "removal_watches",
    metadata,
    Column("firebase_app_id", Id, primary_key=True),
    Column("recent", Float(53), nullable=False),  # answers; each fades as others come after it
    Column("recent_removed", Float(53), nullable=False),
    Column("recent_mismatched", Float(53), nullable=False),
    Column("usual", Float(53), nullable=False),
    Column("usual_removed", Float(53), nullable=False),
    Column("accepted_at", Instant),  # when a push was last taken
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("firebase_app_id", Id, nullable=False),
    Column("device_id", Id, nullable=False),  # devices.id
    Column("token_hash", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("firebase_app_id", "device_id"),
    sqlite_with_rowid=False,
)

chunks = Table(
    "chunks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("launch_id", Id, nullable=False),
    Column("workspace_id", Id, nullable=False),
    Column("firebase_app_id", Id),
    Column("state", Text, nullable=False),  # ready | leased | settled
    Column("attempt", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("lost", Integer, nullable=False, server_default="0"),  # claims that settled nothing
    Column("is_held", Boolean, nullable=False, server_default=false()),  # waits for a person
    Column("size", Integer, nullable=False),
    # Those of its deliveries that have no row yet: see `deliveries/planning/chunk.py`. NULL: none
    Column("first_device_id", Id),
    Column("last_device_id", Id),
    Column("members", LargeBinary),
    Column("is_transactional", Boolean, nullable=False, server_default=false()),  # goes first
    Column("turn_at", Instant),  # when it was due before it was put back; NULL: due_at says it
    Index("chunks_launch", "launch_id", **only("state <> 'settled'")),
    Index("chunks_due", "due_at", **only("state <> 'settled'")),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("launch_id", Id, nullable=False),
    Column("device_id", Id, nullable=False),  # devices.id
    Column("chunk_id", Id),  # while it is pending: which chunk it is tried again with
    Column("customer_id", Id, nullable=False),  # the owner when planned
    Column("platform", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("attempts", Integer, nullable=False),  # requests that left for the provider
    Column("unanswered", Integer, nullable=False),  # attempts whose answer was never seen
    Column("first_tried_at", Instant),  # set when a first try was not the last
    Column("settled_at", Instant),
    Column("received_at", Instant),
    Column("opened_at", Instant),
    Column("converted_at", Instant),  # of its customer's pushes in this launch one alone has it
    Column("language", Text),  # of the text: a tag or `default`. NULL: none was chosen
    PrimaryKeyConstraint("launch_id", "device_id"),
    Index("deliveries_open", "chunk_id", **only("state = 'pending'")),
    sqlite_with_rowid=False,
)

customer_deliveries = Table(  # an index of deliveries, written once a launch has ended
    "customer_deliveries",
    metadata,
    Column("customer_id", Id, nullable=False),
    Column("launch_id", Id, nullable=False),
    Column("device_id", Id, nullable=False),
    PrimaryKeyConstraint("customer_id", "launch_id", "device_id"),
    sqlite_with_rowid=False,
)

recent_pushes = (
    Table(  # what frequency caps count; a row is locked by whoever pushes to that customer
        "recent_pushes",
        metadata,
        Column("customer_id", Id, primary_key=True),
        Column("pushes", LargeBinary, nullable=False),  # see `deliveries/limits/recent.py`
        sqlite_with_rowid=False,
    )
)

launch_counts = Table(
    "launch_counts",
    metadata,
    Column("launch_id", Id, nullable=False),
    Column("platform", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),  # empty: none
    Column("language", Text, nullable=False, server_default=""),  # empty: none
    Column("count", Integer, nullable=False),
    Column("received", Integer, nullable=False),
    Column("opened", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("unanswered", Integer, nullable=False),
    Column("converted", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("launch_id", "platform", "state", "reason", "language"),
    sqlite_with_rowid=False,
)

launch_hours = Table(  # by when the app says that it happened, in hours of UTC
    "launch_hours",
    metadata,
    Column("launch_id", Id, nullable=False),
    Column("hour", Instant, nullable=False),  # when it begins
    Column("received", Integer, nullable=False),
    Column("opened", Integer, nullable=False),
    Column("converted", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("launch_id", "hour"),
    sqlite_with_rowid=False,
)

launch_latencies = Table(  # how long after FCM took them accepted pushes were received, or opened
    "launch_latencies",
    metadata,
    Column("launch_id", Id, nullable=False),
    Column("kind", Text, nullable=False),  # received | opened
    Column("up_to_seconds", Integer, nullable=False),  # 0: longer than any other
    Column("count", Integer, nullable=False),
    PrimaryKeyConstraint("launch_id", "kind", "up_to_seconds"),
    sqlite_with_rowid=False,
)

pushes = Table(  # to one customer, each with a launch of its own, which has its id
    "pushes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, nullable=False),
    Column("campaign_id", Id),  # whose content it has; NULL: its own
    Column("customer_id", Id, nullable=False),
    Column("content", Json),  # NULL: that of its campaign
    Column("event", Json),  # what templates read by that name
    Column("planned", Json, nullable=False),  # the devices, as the first answer told them
    Column("skipped", Text),  # why it goes to no device
    Column("key_hash", Text),  # of the Idempotency-Key; NULL: none, or it is forgotten
    Column("request_hash", Text),  # of what was asked for with that key
    Column("created_at", Instant, nullable=False),
    Column("named", Json),  # what `campaign` was called; NULL: it has none, or as it is called now
    Index("pushes_workspace", "workspace_id", "id"),
    Index("pushes_customer", "customer_id"),
    Index("pushes_key", "workspace_id", "key_hash", unique=True, **only("key_hash IS NOT NULL")),
)
