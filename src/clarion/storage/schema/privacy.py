"""The table of erasures that are under way."""

from sqlalchemy import (
    Column,
    Integer,
    Table,
    Text,
)

from clarion.storage.dialect import Id, Instant
from clarion.storage.schema.columns import Json, metadata

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
