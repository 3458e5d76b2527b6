"""Rows of workspaces."""

import secrets
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts import retention
from clarion.accounts.retention import Retention
from clarion.accounts.workspace import Workspace
from clarion.storage.bulk import insert_new
from clarion.storage.schema import workspaces

SALT_BYTES = 32

_SHOWN = [workspaces.c[field.name] for field in fields(Workspace)]


async def has_others(connection: AsyncConnection, workspace_id: UUID) -> bool:
    """Whether the installation has another workspace than this one."""
    rows = await connection.execute(
        select(workspaces.c.id).where(workspaces.c.id != workspace_id).limit(1)
    )
    return rows.one_or_none() is not None


async def list_workspaces(connection: AsyncConnection) -> list[Workspace]:
    """Every workspace of the installation, the oldest first."""
    rows = await connection.execute(
        select(*_SHOWN).order_by(workspaces.c.created_at, workspaces.c.id)
    )
    return [_workspace(row) for row in rows]


async def get_workspace(connection: AsyncConnection, workspace_id: UUID) -> Workspace | None:
    rows = await connection.execute(select(*_SHOWN).where(workspaces.c.id == workspace_id))
    row = rows.one_or_none()
    return None if row is None else _workspace(row)


async def create_workspace(
    connection: AsyncConnection, *, workspace_id: UUID, name: str, now: datetime
) -> None:
    """Adds a workspace. Does nothing if one has this id."""
    salt = secrets.token_bytes(SALT_BYTES)
    await insert_new(
        connection,
        workspaces,
        [{"id": workspace_id, "name": name, "salt": salt, "created_at": now}],
    )


async def rename_workspace(connection: AsyncConnection, workspace_id: UUID, name: str) -> None:
    await connection.execute(
        update(workspaces).where(workspaces.c.id == workspace_id).values(name=name)
    )


async def set_stale_after_days(connection: AsyncConnection, workspace_id: UUID, days: int) -> None:
    """Registrations not refreshed for `days` (1–365) are removed by the sweeper."""
    await connection.execute(
        update(workspaces).where(workspaces.c.id == workspace_id).values(stale_after_days=days)
    )


async def zone_of(connection: AsyncConnection, workspace_id: UUID) -> str:
    """The workspace's time zone."""
    rows = await connection.execute(
        select(workspaces.c.time_zone).where(workspaces.c.id == workspace_id)
    )
    return str(rows.scalar_one())


async def lock_workspace(connection: AsyncConnection, workspace_id: UUID) -> None:
    """Until the transaction ends, others that lock this workspace wait. On SQLite one transaction
    writes at a time anyway."""
    await connection.execute(
        select(workspaces.c.id).where(workspaces.c.id == workspace_id).with_for_update()
    )


async def set_time_zone(connection: AsyncConnection, workspace_id: UUID, zone: str) -> None:
    await connection.execute(
        update(workspaces).where(workspaces.c.id == workspace_id).values(time_zone=zone)
    )


async def load_retention(connection: AsyncConnection, workspace_id: UUID) -> Retention:
    """What is kept how long; where nobody has chosen, or there is no such workspace, by default."""
    rows = await connection.execute(
        select(workspaces.c.retention).where(workspaces.c.id == workspace_id)
    )
    return retention.load(rows.scalar_one_or_none())


async def list_retentions(connection: AsyncConnection) -> dict[UUID, Retention]:
    """That of every workspace."""
    rows = await connection.execute(select(workspaces.c.id, workspaces.c.retention))
    return {row.id: retention.load(row.retention) for row in rows}


async def save_retention(
    connection: AsyncConnection, workspace_id: UUID, wanted: Retention
) -> None:
    await connection.execute(
        update(workspaces)
        .where(workspaces.c.id == workspace_id)
        .values(retention=retention.dump(wanted))
    )


def _workspace(row: Any) -> Workspace:
    return Workspace(**row._mapping)
