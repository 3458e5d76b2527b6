"""What is shown of sources and their keys."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor, Permission
from clarion.accounts.command import forbidden
from clarion.faults import Rejected, not_found
from clarion.sources import store
from clarion.sources.rate_limit import Limit
from clarion.sources.source import Key, KeyKind, Source, WriteKey

HINT_CHARACTERS = 4


class KeyState(StrEnum):
    STANDS = "stands"
    ENDS = "ends"
    """It is valid, and is going to be refused."""
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyView:
    """A write key or an identity secret, as the actor may see it."""

    id: UUID
    kind: KeyKind
    write_key: str | None = field(repr=False)
    """None: an identity secret, or the actor may only look."""
    hint: str | None
    """How a write key ends."""
    state: KeyState
    created_at: datetime
    last_used_at: datetime | None
    retires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """A source, as the actor may see it."""

    id: UUID
    name: str
    write_key: str | None = field(repr=False)
    """The one to put into apps. None: the actor may only look."""
    firebase_app_id: UUID | None
    allowed_origins: tuple[str, ...]
    rate_limit: Limit | None
    signs_identity: bool
    """Whether a userId needs its signature now."""
    signatures_from: datetime | None
    created_at: datetime
    revoked_at: datetime | None
    write_keys: tuple[KeyView, ...]
    """Oldest first, retired ones too."""
    identity_secrets: tuple[KeyView, ...]


async def get_source(
    connection: AsyncConnection, actor: Actor, source_id: UUID, now: datetime
) -> SourceView | Rejected:
    source = await store.get_source(connection, actor.workspace_id, source_id)
    return not_found("source") if source is None else source_view(source, actor, now)


async def list_sources(
    connection: AsyncConnection, actor: Actor, now: datetime
) -> list[SourceView]:
    """Every source, revoked ones too, oldest first."""
    sources = await store.list_sources(connection, actor.workspace_id)
    return [source_view(source, actor, now) for source in sources]


async def list_identity_secrets(
    connection: AsyncConnection, actor: Actor, source_id: UUID, now: datetime
) -> tuple[KeyView, ...] | Rejected:
    """Oldest first, retired ones too, without themselves. For admins."""
    if not actor.may(Permission.ADMIN):
        return forbidden(Permission.ADMIN)
    source = await get_source(connection, actor, source_id, now)
    return source if isinstance(source, Rejected) else source.identity_secrets


def source_view(source: Source, actor: Actor, now: datetime) -> SourceView:
    """Whoever may only look is not told write keys: with one, events can be sent."""
    return SourceView(
        id=source.id,
        name=source.name,
        write_key=source.write_key if actor.may(Permission.WRITE) else None,
        firebase_app_id=source.firebase_app_id,
        allowed_origins=source.allowed_origins,
        rate_limit=source.limit,
        signs_identity=source.asks_for_signatures(now),
        signatures_from=source.signatures_from,
        created_at=source.created_at,
        revoked_at=source.revoked_at,
        write_keys=tuple(key_view(key, actor, now) for key in source.write_keys),
        identity_secrets=tuple(key_view(key, actor, now) for key in source.identity_secrets),
    )


def key_view(key: Key, actor: Actor, now: datetime) -> KeyView:
    write_key = key.write_key if isinstance(key, WriteKey) else None
    state = KeyState.RETIRED
    if key.is_valid(now):
        state = KeyState.STANDS if key.retires_at is None else KeyState.ENDS
    return KeyView(
        id=key.id,
        kind=KeyKind.IDENTITY_SECRET if write_key is None else KeyKind.WRITE_KEY,
        write_key=write_key if actor.may(Permission.WRITE) else None,
        hint=None if write_key is None else f"…{write_key[-HINT_CHARACTERS:]}",
        state=state,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        retires_at=key.retires_at,
    )
