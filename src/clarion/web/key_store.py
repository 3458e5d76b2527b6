"""Rows of API keys. A key is shown once, when it is made; only its SHA-256 is kept.

A key is 256 random bits, so a plain hash is enough: there is nothing to guess or to look up.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.storage.bulk import insert_new
from clarion.storage.dialect import Instant
from clarion.storage.schema import api_keys

KEY_PREFIX = "clk_"
KEY_BYTES = 32
HINT_CHARACTERS = 4
USED_SECONDS = 60
"""How exactly `last_used_at` is known: a key in use is written about once in so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as people see it. `key_hint` ends as the key does."""

    id: UUID
    workspace_id: UUID
    name: str
    key_hint: str
    scopes: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


async def create_key(
    connection: AsyncConnection,
    *,
    workspace_id: UUID,
    name: str,
    scopes: Iterable[str],
    key_id: UUID,
    now: datetime,
) -> tuple[ApiKey, str]:
    """A new key, and its secret: the only time that it is known."""
    secret = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
    key = ApiKey(
        id=key_id,
        workspace_id=workspace_id,
        name=name,
        key_hint=f"{KEY_PREFIX}…{secret[-HINT_CHARACTERS:]}",
        scopes=tuple(scopes),
        created_at=now,
        last_used_at=None,
        revoked_at=None,
    )
    row = {one: getattr(key, one) for one in _FIELDS}
    row |= {"key_hash": _hash(secret), "scopes": list(key.scopes)}
    await insert_new(connection, api_keys, [row])
    return key, secret


async def list_keys(connection: AsyncConnection, workspace_id: UUID) -> list[ApiKey]:
    """Every key, revoked ones too, oldest first."""
    rows = await connection.execute(
        select(*_PUBLIC).where(api_keys.c.workspace_id == workspace_id).order_by(api_keys.c.id)
    )
    return [_key(row) for row in rows]


async def get_key_by_secret(connection: AsyncConnection, secret: str) -> ApiKey | None:
    """The key that may be used with `secret`; a revoked one may not."""
    rows = await connection.execute(
        select(*_PUBLIC).where(
            api_keys.c.key_hash == _hash(secret), api_keys.c.revoked_at.is_(None)
        )
    )
    row = rows.one_or_none()
    return None if row is None else _key(row)


async def revoke_key(
    connection: AsyncConnection, workspace_id: UUID, key_id: UUID, now: datetime
) -> ApiKey | None:
    """Refuse it from now on; None: no such key. Revoking twice is once."""
    rows = await connection.execute(
        update(api_keys)
        .where(api_keys.c.workspace_id == workspace_id, api_keys.c.id == key_id)
        .values(revoked_at=func.coalesce(api_keys.c.revoked_at, literal(now, Instant)))
        .returning(*_PUBLIC)
    )
    row = rows.one_or_none()
    return None if row is None else _key(row)


def is_use_noted(key: ApiKey, now: datetime) -> bool:
    """Whether `last_used_at` is recent enough to be left alone."""
    return key.last_used_at is not None and now - key.last_used_at < timedelta(seconds=USED_SECONDS)


async def note_use(connection: AsyncConnection, key_id: UUID, now: datetime) -> None:
    """Write down that a key was used, unless somebody has just done so."""
    late = now - timedelta(seconds=USED_SECONDS)
    await connection.execute(
        update(api_keys)
        .where(
            api_keys.c.id == key_id,
            or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at <= late),
        )
        .values(last_used_at=now)
    )


_FIELDS = (
    "id",
    "workspace_id",
    "name",
    "key_hint",
    "scopes",
    "created_at",
    "last_used_at",
    "revoked_at",
)
_PUBLIC = [api_keys.c[name] for name in _FIELDS]


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _key(row: Any) -> ApiKey:
    values = {name: getattr(row, name) for name in _FIELDS}
    return ApiKey(**{**values, "scopes": tuple(row.scopes)})
