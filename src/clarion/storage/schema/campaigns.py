"""The tables of campaigns and their launches."""

from sqlalchemy import (
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from clarion.storage.dialect import Id, Instant
from clarion.storage.schema.columns import Json, metadata, only

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),  # draft | scheduled | paused | ended | cancelled
    Column("content", Json, nullable=False),
    Column("audience", Json, nullable=False),
    Column("scheduled_at", Instant),  # when it launches next, or has launched last
    Column("spread_minutes", Integer, nullable=False, server_default="0"),
    Column("paused_reason", Text),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("trigger", Json),  # its kind, and what belongs to that; NULL: a draft
    Column("launch_id", Id),  # the newest of its launches
    Column("code", Text),  # what pushes name it by; NULL: its id alone
    Index("campaigns_due", "state", "scheduled_at"),
    Index("campaigns_workspace", "workspace_id", "id"),
    Index("campaigns_code", "workspace_id", "code", unique=True, **only("code IS NOT NULL")),
)

campaign_names = Table(  # whom audiences name: user ids, and addresses among wanted traits
    "campaign_names",
    metadata,
    Column("workspace_id", Id, nullable=False),
    Column("name", Text, nullable=False),
    Column("campaign_id", Id, nullable=False),
    PrimaryKeyConstraint("workspace_id", "name", "campaign_id"),
    Index("campaign_names_campaign", "campaign_id"),
    sqlite_with_rowid=False,
)

launches = Table(
    "launches",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, nullable=False),
    Column("campaign_id", Id, nullable=False),
    Column("state", Text, nullable=False),  # one of `launch.LaunchState`
    Column("cursor", Id),  # the last device planned
    Column("planned", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("planned_at", Instant),
    Column("done_at", Instant),
    Column("occurrence", Text, nullable=False),  # of its campaign: the id follows from both
    Column("paused_from", Text),  # the state to go back to on resume
    Column("reason", Text),  # why it is paused, or has failed
    Column("due_at", Instant, nullable=False),  # when it was to happen
    Column("updated_at", Instant, nullable=False),
    Column("indexed_at", Instant),  # its deliveries are in `customer_deliveries` since
    Column("rewritten", Integer, nullable=False, server_default="0"),  # by erasures
    Column("deliveries_removed_at", Instant),  # for their age, or begun to be; its counts stay
    Column("emptied_at", Instant),  # the last of them is gone
    Column("audience", Json),  # as it was when it began; NULL: its campaign's names no audience
    Index("launches_unindexed", "workspace_id", "started_at", **only("indexed_at IS NULL")),
    Index("launches_kept", "workspace_id", "done_at", **only("deliveries_removed_at IS NULL")),
    Index(
        "launches_emptying",
        "workspace_id",
        **only("deliveries_removed_at IS NOT NULL AND emptied_at IS NULL"),
    ),
    Index("launches_campaign", "campaign_id", "started_at", "id"),
    Index("launches_planning", "id", **only("state = 'planning'")),
    Index(  # those of a campaign that are no pushes to one customer
        "launches_occurrences", "campaign_id", "started_at", "id", **only("occurrence <> 'push'")
    ),
)
