"""The tables of who works with Clarion, and of what they did: a page of `schema.py`."""

from sqlalchemy import Column, Index, Table, Text

from clarion.storage.dialect import Id, Instant
from clarion.storage.schema.columns import Json, metadata

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor_kind", Text, nullable=False),  # person | api_key | operator | system
    Column("actor_id", Id),  # NULL: the operator or the system
    Column("actor_name", Text, nullable=False),  # as it was called then
    Column("verb", Text, nullable=False),
    Column("thing_kind", Text, nullable=False),
    Column("thing_id", Text, nullable=False),
    Column("request_id", Text),
    Column("changes", Json, nullable=False),  # field → [before, after], or what is new
    Index("audit_workspace", "workspace_id", "id"),
    Index("audit_thing", "workspace_id", "thing_kind", "thing_id", "id"),
    Index("audit_actor", "workspace_id", "actor_id", "id"),
)
