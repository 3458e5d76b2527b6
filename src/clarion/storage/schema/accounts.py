"""The tables of who works with Clarion, and of what they did."""

from sqlalchemy import (
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
from clarion.storage.schema.columns import Json, metadata

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("stale_after_days", Integer, nullable=False, server_default="60"),
    Column("salt", LargeBinary, nullable=False),  # of the hashes in `suppressions`
    Column("created_at", Instant, nullable=False),
    Column("retention", Json),  # kind → days, NULL: for ever; NULL: nobody has chosen
    Column("time_zone", Text, nullable=False, server_default="UTC"),  # an IANA name
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
    Column("made_by", Id),  # the person behind it; NULL: the operator, or it is not known
)

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

people = Table(
    "people",
    metadata,
    Column("id", Id, primary_key=True),
    Column("email", Text, nullable=False, unique=True),  # in small letters
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),  # Argon2id, in PHC's form
    Column("created_at", Instant, nullable=False),
    Column("time_zone", Text),  # how they read; NULL: they have not chosen
    Column("locale", Text),
    Column("theme", Text),  # system | light | dark
    Column("single_keys", Boolean),
)

memberships = Table(
    "memberships",
    metadata,
    Column("person_id", Id, nullable=False),
    Column("workspace_id", Id, nullable=False),
    Column("role", Text, nullable=False),  # viewer | author | publisher | admin
    Column("created_at", Instant, nullable=False),
    Column("deactivated_at", Instant),  # NULL: may work there
    PrimaryKeyConstraint("person_id", "workspace_id"),
    Index("memberships_workspace", "workspace_id", "person_id"),
    sqlite_with_rowid=False,
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("token_hash", Text, nullable=False, unique=True),  # SHA-256 of the cookie's value
    Column("person_id", Id, nullable=False),
    Column("workspace_id", Id, nullable=False),  # in which the person works at the moment
    Column("address", Text),  # from which they signed in
    Column("browser", Text),  # as its User-Agent said
    Column("created_at", Instant, nullable=False),
    Column("last_used_at", Instant, nullable=False),
    Index("sessions_person", "person_id", "id"),
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, nullable=False),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("email", Text),  # NULL: whoever has the link says theirs
    Column("role", Text, nullable=False),
    Column("invited_by", Text, nullable=False),  # as it was called then
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index("invitations_workspace", "workspace_id", "id"),
)

password_resets = Table(
    "password_resets",
    metadata,
    Column("person_id", Id, primary_key=True),  # one link a person: a new one replaces it
    Column("token_hash", Text, nullable=False, unique=True),
    Column("created_by", Text, nullable=False),  # as it was called then
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("workspace_id", Id),  # whose admin made it; NULL: the operator
)

sign_in_tries = Table(  # that were not good, of the last minutes
    "sign_in_tries",
    metadata,
    Column("key", Text, primary_key=True),  # SHA-256 of an account, an address, or both
    Column("tries", Integer, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Index("sign_in_tries_begun", "begun_at"),
)
