"""Which events launches wait for: rows that say to whoever takes events in which of them to hand
on. They are there from a launch's begin until nobody can convert any more."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.campaigns.conversion import Conversion
from clarion.campaigns.launches.launch import Launch
from clarion.storage.bulk import in_parts, insert_new
from clarion.storage.schema import awaited_events, launches

LATE_DAYS = 7
"""Events that come later than so long after the last customer's time was over are not counted."""


async def await_conversion(
    connection: AsyncConnection, launch: Launch, conversion: Conversion | None
) -> None:
    """From this transaction on events of that name are handed on for the launch."""
    if conversion is None:
        return
    row = {
        "workspace_id": launch.workspace_id,
        "name": conversion.event,
        "launch_id": launch.id,
        "window_seconds": conversion.window_seconds,
    }
    await insert_new(connection, awaited_events, [row])


async def forget_awaited(connection: AsyncConnection, now: datetime) -> int:
    """Removes those that nobody can convert for any more; returns how many."""
    rows = await connection.execute(
        select(awaited_events.c.launch_id, awaited_events.c.window_seconds, launches.c.done_at)
        .join_from(awaited_events, launches, launches.c.id == awaited_events.c.launch_id)
        .where(launches.c.done_at.is_not(None))
    )
    over: list[UUID] = [
        row.launch_id
        for row in rows
        if row.done_at + timedelta(seconds=row.window_seconds, days=LATE_DAYS) < now
    ]
    for part in in_parts(over):
        await connection.execute(delete(awaited_events).where(awaited_events.c.launch_id.in_(part)))
    return len(over)
