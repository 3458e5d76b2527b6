"""The tables of campaigns and their launches."""

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    false,
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
    Column("late_after_minutes", Integer),  # later, it waits; NULL: as the installation has it
    Column("archived_at", Instant),  # not listed since
    Column("category", Text),  # which customers can leave; NULL: none
    Column("is_transactional", Boolean, nullable=False, server_default=false()),
    Column("conversion", Json),  # the event that it is to lead to, and how soon; NULL: none
    Column("code", Text),  # what pushes name it by; NULL: its id alone
    Column("timing", Json),  # when a draft is meant to launch, as it was written; NULL: not said
    Index("campaigns_due", "state", "scheduled_at"),
    Index("campaigns_workspace", "workspace_id", "id"),
    Index("campaigns_state", "workspace_id", "state", "id"),
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
    Column("own_time", Json),  # the local time, its fallback zone, and what if that is past
    Column("traceparent", Text),  # of the call that asked for it; NULL: a trace of its own
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
    Index("launches_calendar", "workspace_id", "due_at", **only("occurrence <> 'push'")),
    Index(
        "launches_state",
        "workspace_id",
        "state",
        "campaign_id",
        **only("state <> 'done' AND occurrence <> 'push'"),
    ),
)

workspace_limits = Table(  # whom campaigns leave alone, and how often they may reach anybody
    "workspace_limits",
    metadata,
    Column("workspace_id", Id, primary_key=True),
    Column("exclusions", Json),  # a rule; NULL: nobody
    Column("caps", Json),  # frequency caps, a list; NULL: none
    Column("quiet_hours", Json),  # NULL: none
    Column("needs_approval", Boolean, nullable=False, server_default=false()),
    Column("updated_at", Instant, nullable=False),
)

campaign_approvals = Table(  # the last proposal of each campaign, and what was decided of it
    "campaign_approvals",
    metadata,
    Column("campaign_id", Id, primary_key=True),
    Column("workspace_id", Id, nullable=False),
    Column("state", Text, nullable=False),  # proposed | approved | rejected
    Column("fingerprint", Text, nullable=False),  # SHA-256 of what is sent, to whom and when
    Column("at", Text, nullable=False),  # when it is to launch: "now", or an instant
    Column("proposed_by", Json, nullable=False),  # kind, id, and name as it was called then
    Column("proposed_at", Instant, nullable=False),
    Column("decided_by", Json),
    Column("decided_at", Instant),
    Column("scheduled_at", Instant),  # which instant `at` became by the approval
    Column("comment", Text),
)
