"""Rows of API keys. A key is shown once, when it is made; only its SHA-256 is kept.

A key is 256 random bits, so a plain hash is enough: there is nothing to guess or to look up.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.api_key import KEY_PREFIX, USED_SECONDS, ApiKey, hash_of, hint_of
from clarion.storage.bulk import insert_new
from clarion.storage.dialect import Instant
from clarion.storage.schema import api_keys

KEY_BYTES = 32


async def create_key(
    connection: AsyncConnection,
    *,
    workspace_id: UUID,
    name: str,
    scopes: Iterable[str],
    key_id: UUID,
    now: datetime,
    made_by: UUID | None = None,
) -> tuple[ApiKey, str]:
    """A new key, and its secret: the only time that it is known."""
    secret = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
    key = ApiKey(
        id=key_id,
        workspace_id=workspace_id,
        name=name,
        key_hint=hint_of(secret),
        scopes=tuple(scopes),
        created_at=now,
        last_used_at=None,
        revoked_at=None,
        made_by=made_by,
    )
    row = {field: getattr(key, field) for field in _FIELDS}
    row |= {"key_hash": hash_of(secret), "scopes": list(key.scopes)}
    await insert_new(connection, api_keys, [row])
    return key, secret


async def list_keys(connection: AsyncConnection, workspace_id: UUID) -> list[ApiKey]:
    """Every key, revoked ones too, oldest first."""
    rows = await connection.execute(
        select(*_PUBLIC).where(api_keys.c.workspace_id == workspace_id).order_by(api_keys.c.id)
    )
    return [_key(row) for row in rows]


async def get_key(connection: AsyncConnection, workspace_id: UUID, key_id: UUID) -> ApiKey | None:
    """One key of the workspace, whether revoked or not."""
    rows = await connection.execute(
        select(*_PUBLIC).where(api_keys.c.workspace_id == workspace_id, api_keys.c.id == key_id)
    )
    row = rows.one_or_none()
    return None if row is None else _key(row)


async def get_key_by_secret(connection: AsyncConnection, secret: str) -> ApiKey | None:
    """The key that may be used with `secret`; a revoked one may not."""
    row = (await connection.execute(_BY_SECRET, {"hash": hash_of(secret)})).one_or_none()
    return None if row is None else _key(row)


async def revoke_key(
    connection: AsyncConnection, workspace_id: UUID, key_id: UUID, now: datetime
) -> ApiKey | None:
    """Revokes the key. Returns None if there is no such key. Revoking twice changes nothing."""
    rows = await connection.execute(
        update(api_keys)
        .where(api_keys.c.workspace_id == workspace_id, api_keys.c.id == key_id)
        .values(revoked_at=func.coalesce(api_keys.c.revoked_at, literal(now, Instant)))
        .returning(*_PUBLIC)
    )
    row = rows.one_or_none()
    return None if row is None else _key(row)


async def note_use(connection: AsyncConnection, key_id: UUID, now: datetime) -> None:
    """Records that a key was used, unless that was recorded a moment ago."""
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
    "made_by",
)
_PUBLIC = [api_keys.c[name] for name in _FIELDS]
_BY_SECRET = select(*_PUBLIC).where(
    api_keys.c.key_hash == bindparam("hash"), api_keys.c.revoked_at.is_(None)
)
"""Made once: once for each call would be felt."""


def _key(row: Any) -> ApiKey:
    values = {name: getattr(row, name) for name in _FIELDS}
    return ApiKey(**{**values, "scopes": tuple(row.scopes)})
