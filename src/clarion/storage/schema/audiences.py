"""The tables of saved audiences and of static lists."""

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from clarion.storage.dialect import Id, Instant
from clarion.storage.schema.columns import Json, metadata

audiences = Table(
    "audiences",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, nullable=False),
    Column("code", Text, nullable=False),  # what campaigns and other audiences name it by
    Column("name", Text, nullable=False),
    Column("owner_id", Id),  # the person or API key who made it; NULL: the operator
    Column("owner", Text, nullable=False),  # as they were called then
    Column("rule", Json),  # NULL: a static list
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("archived_at", Instant),
    UniqueConstraint("workspace_id", "code", name="audiences_code"),
)

audience_members = Table(  # of static lists, by the ids that customers sign in with
    "audience_members",
    metadata,
    Column("workspace_id", Id, nullable=False),
    Column("audience_id", Id, nullable=False),
    Column("user_id", Text, nullable=False),
    PrimaryKeyConstraint("audience_id", "user_id"),
    Index("audience_members_user", "workspace_id", "user_id"),
    sqlite_with_rowid=False,
)
