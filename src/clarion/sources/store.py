"""Rows of sources. Their keys are rows of their own: `key_store`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.sources.key_store import add_write_key, identity_secrets_of, limit_of, write_keys_of
from clarion.sources.rate_limit import Limit
from clarion.sources.source import Source
from clarion.storage.bulk import insert_new
from clarion.storage.schema import sources


async def create_source(
    connection: AsyncConnection,
    *,
    workspace_id: UUID,
    name: str,
    source_id: UUID,
    now: datetime,
    firebase_app_id: UUID | None = None,
    write_key: str | None = None,
    limit: Limit | None = None,
) -> Source:
    """A new source; its write key is made here unless one is given."""
    row = {
        "id": source_id,
        "workspace_id": workspace_id,
        "name": name,
        "firebase_app_id": firebase_app_id,
        "allowed_origins": [],
        "created_at": now,
        "events_per_second": limit and limit.events_per_second,
        "burst": limit and limit.burst,
    }
    await insert_new(connection, sources, [row])
    key = await add_write_key(
        connection,
        workspace_id=workspace_id,
        source_id=source_id,
        key_id=uuid5(source_id, "first write key"),
        now=now,
        write_key=write_key,
    )
    return Source(
        id=source_id,
        workspace_id=workspace_id,
        name=name,
        firebase_app_id=firebase_app_id,
        created_at=now,
        revoked_at=None,
        limit=limit,
        write_keys=(key,),
    )


async def list_sources(connection: AsyncConnection, workspace_id: UUID) -> list[Source]:
    """Every source, revoked ones too, oldest first."""
    rows = await connection.execute(
        select(sources).where(sources.c.workspace_id == workspace_id).order_by(sources.c.id)
    )
    return await _sources(connection, workspace_id, rows.all(), None)


async def get_source(
    connection: AsyncConnection, workspace_id: UUID, source_id: UUID, *, lock: bool = False
) -> Source | None:
    """One source; with `lock`, nobody else changes it or its keys until this transaction ends."""
    statement = select(sources).where(
        sources.c.workspace_id == workspace_id, sources.c.id == source_id
    )
    rows = await connection.execute(statement.with_for_update() if lock else statement)
    matching = await _sources(connection, workspace_id, rows.all(), source_id)
    return matching[0] if matching else None


async def bind_firebase_app(
    connection: AsyncConnection, workspace_id: UUID, source_id: UUID, firebase_app_id: UUID | None
) -> bool:
    """Devices of this source are reached through that Firebase app; False: no such source."""
    return await _update_source(
        connection, workspace_id, source_id, {"firebase_app_id": firebase_app_id}
    )


async def save_source(connection: AsyncConnection, source: Source) -> None:
    """Write what people change of a source; its keys are rows of their own."""
    limit = source.limit
    await _update_source(
        connection,
        source.workspace_id,
        source.id,
        {
            "name": source.name,
            "firebase_app_id": source.firebase_app_id,
            "allowed_origins": list(source.allowed_origins),
            "events_per_second": limit and limit.events_per_second,
            "burst": limit and limit.burst,
            "signatures_from": source.signatures_from,
            "revoked_at": source.revoked_at,
        },
    )


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


async def _sources(
    connection: AsyncConnection,
    workspace_id: UUID,
    rows: Sequence[Row[Any]],
    source_id: UUID | None,
) -> list[Source]:
    if not rows:
        return []
    keys = await write_keys_of(connection, workspace_id, source_id)
    secrets = await identity_secrets_of(connection, workspace_id, source_id)
    return [
        Source(
            id=row.id,
            workspace_id=row.workspace_id,
            name=row.name,
            firebase_app_id=row.firebase_app_id,
            created_at=row.created_at,
            revoked_at=row.revoked_at,
            allowed_origins=tuple(row.allowed_origins),
            limit=limit_of(row.events_per_second, row.burst),
            signatures_from=row.signatures_from,
            write_keys=tuple(keys[row.id]),
            identity_secrets=tuple(secrets[row.id]),
        )
        for row in rows
    ]
