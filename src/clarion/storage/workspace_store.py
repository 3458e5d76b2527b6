"""Rows of workspaces."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.storage.bulk import insert_new
from clarion.storage.schema import workspaces

SALT_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """One isolated set of customers, devices and campaigns."""

    id: UUID
    name: str
    stale_after_days: int


async def list_workspaces(connection: AsyncConnection) -> list[Workspace]:
    rows = await connection.execute(select(workspaces).order_by(workspaces.c.id))
    return [
        Workspace(id=row.id, name=row.name, stale_after_days=row.stale_after_days) for row in rows
    ]


async def get_workspace(connection: AsyncConnection, workspace_id: UUID) -> Workspace | None:
    rows = await connection.execute(select(workspaces).where(workspaces.c.id == workspace_id))
    row = rows.one_or_none()
    if row is None:
        return None
    return Workspace(id=row.id, name=row.name, stale_after_days=row.stale_after_days)


async def create_workspace(
    connection: AsyncConnection, *, workspace_id: UUID, name: str, now: datetime
) -> None:
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
