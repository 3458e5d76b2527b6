"""Rows of workspaces' limits."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.campaigns.limits import limits as limits_noun
from clarion.campaigns.limits.limits import FIELDS, NO_LIMITS, Limits
from clarion.storage.bulk import upsert
from clarion.storage.schema import workspace_limits

COLUMNS = [workspace_limits.c[name].label(f"limits_{name}") for name in FIELDS]
"""What `limits_among` reads, where limits are joined to something else."""


async def get_limits(
    connection: AsyncConnection, workspace_id: UUID, *, lock: bool = False
) -> Limits:
    """What the workspace has set. `lock`: nobody else changes it until this transaction ends."""
    statement = select(*COLUMNS).where(workspace_limits.c.workspace_id == workspace_id)
    rows = await connection.execute(statement.with_for_update() if lock else statement)
    row = rows.one_or_none()
    return NO_LIMITS if row is None else limits_among(row._asdict())


async def save_limits(
    connection: AsyncConnection, workspace_id: UUID, limits: Limits, now: datetime
) -> None:
    row = {"workspace_id": workspace_id, **limits_noun.dump(limits), "updated_at": now}
    await upsert(connection, workspace_limits, [row], key=("workspace_id",))


def limits_among(values: Mapping[str, Any]) -> Limits:
    """The limits among values that were read with `COLUMNS`. A workspace that has set none has them
    all NULL."""
    return limits_noun.load({name: values[f"limits_{name}"] for name in FIELDS})
