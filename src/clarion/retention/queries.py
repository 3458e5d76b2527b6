"""What is shown of retention: what is kept how long, and what the next run removes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor
from clarion.accounts.retention import Retained, Retention, change
from clarion.accounts.workspace_store import load_retention
from clarion.faults import Rejected
from clarion.retention.tables import retained_tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What the next run removes of one kind: what is older than `before` (None: nothing is)."""

    kind: Retained
    days: int | None
    before: datetime | None
    rows: int


async def get_retention(connection: AsyncConnection, actor: Actor) -> Retention | Rejected:
    """The days of the actor's workspace."""
    return await load_retention(connection, actor.workspace_id)


async def preview_retention(
    connection: AsyncConnection, actor: Actor, as_if: Mapping[str, Any], *, now: datetime
) -> list[Removal] | Rejected:
    """What a run at `now` would remove; `as_if`: with these days in the place of the workspace's.
    Nothing is removed."""
    retention = change(await load_retention(connection, actor.workspace_id), as_if)
    if isinstance(retention, Rejected):
        return retention
    tables = retained_tables()
    removals = []
    for kind in Retained:
        before = retention.keeps_from(kind, now)
        rows = 0
        for table in tables:
            if before is not None and table.kind is kind and table.is_counted:
                rows += await table.rows.count(connection, actor.workspace_id, before)
        removals.append(
            Removal(kind=kind, days=getattr(retention, kind.value), before=before, rows=rows)
        )
    return removals
