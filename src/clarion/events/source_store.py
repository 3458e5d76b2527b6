"""Rows of sources."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.events.source import Source
from clarion.storage.bulk import insert_new
from clarion.storage.schema import sources

WRITE_KEY_BYTES = 24


async def create_source(
    connection: AsyncConnection,
    *,
    workspace_id: UUID,
    name: str,
    source_id: UUID,
    now: datetime,
    firebase_app_id: UUID | None = None,
    write_key: str | None = None,
) -> Source:
    """A new source; its write key is made here unless one is given."""
    source = Source(
        id=source_id,
        workspace_id=workspace_id,
        name=name,
        write_key=write_key or secrets.token_urlsafe(WRITE_KEY_BYTES),
        firebase_app_id=firebase_app_id,
        created_at=now,
        revoked_at=None,
    )
    await insert_new(
        connection, sources, [{name: getattr(source, name) for name in _SOURCE_FIELDS}]
    )
    return source


async def list_sources(connection: AsyncConnection, workspace_id: UUID) -> list[Source]:
    rows = await connection.execute(
        select(sources).where(sources.c.workspace_id == workspace_id).order_by(sources.c.id)
    )
    return [_source(row) for row in rows]


async def get_source(
    connection: AsyncConnection, workspace_id: UUID, source_id: UUID
) -> Source | None:
    rows = await connection.execute(
        select(sources).where(sources.c.workspace_id == workspace_id, sources.c.id == source_id)
    )
    row = rows.one_or_none()
    return None if row is None else _source(row)


async def get_source_by_write_key(connection: AsyncConnection, write_key: str) -> Source | None:
    """The source that may send with `write_key`; a revoked one may not."""
    rows = await connection.execute(
        select(sources).where(sources.c.write_key == write_key, sources.c.revoked_at.is_(None))
    )
    row = rows.one_or_none()
    return None if row is None else _source(row)


async def bind_firebase_app(
    connection: AsyncConnection, workspace_id: UUID, source_id: UUID, firebase_app_id: UUID | None
) -> bool:
    """Devices of this source are reached through that Firebase app; False: no such source."""
    return await _update_source(
        connection, workspace_id, source_id, {"firebase_app_id": firebase_app_id}
    )


async def rename_source(
    connection: AsyncConnection, workspace_id: UUID, source_id: UUID, name: str
) -> bool:
    """Call it `name`; False: no such source."""
    return await _update_source(connection, workspace_id, source_id, {"name": name})


async def revoke_source(
    connection: AsyncConnection, workspace_id: UUID, source_id: UUID, now: datetime
) -> bool:
    """Its write key is refused from now on; False: no such source."""
    return await _update_source(connection, workspace_id, source_id, {"revoked_at": now})


async def _update_source(
    connection: AsyncConnection, workspace_id: UUID, source_id: UUID, values: Mapping[str, Any]
) -> bool:
    rows = await connection.execute(
        update(sources)
        .where(sources.c.workspace_id == workspace_id, sources.c.id == source_id)
        .values(**values)
        .returning(sources.c.id)
    )
    return rows.one_or_none() is not None


_SOURCE_FIELDS = (
    "id",
    "workspace_id",
    "name",
    "write_key",
    "firebase_app_id",
    "created_at",
    "revoked_at",
)


def _source(row: Any) -> Source:
    return Source(**{name: getattr(row, name) for name in _SOURCE_FIELDS})
