"""Who did what a launch was to lead to: events that launches wait for, entered in deliveries."""

from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.clock import Clock
from clarion.deliveries.engagement.conversion_store import Deed, enter_conversions
from clarion.events.store import due_conversions, put_off_conversions, remove_conversions
from clarion.storage.database import Database

SIGN_IN_MINUTES = 60
"""Each event is looked at when it has come, and once more so long after that: who has signed in
meanwhile, or whose push is settled only now, is counted, too."""


async def attribute_conversions(database: Database, clock: Clock, limit: int) -> int:
    """Enters the oldest events that launches wait for; returns how many were looked at."""
    now = clock.now()
    async with database.read() as connection:
        if not await due_conversions(connection, now, 1):
            return 0

    async def work(connection: AsyncConnection) -> int:
        return await _enter(connection, now, limit)

    return await database.transact(work, clock)


async def _enter(connection: AsyncConnection, now: datetime, limit: int) -> int:
    events = await due_conversions(connection, now, limit)
    deeds: dict[UUID, list[Deed]] = defaultdict(list)
    for event in events:
        if event.customer_id is not None:
            deed = Deed(customer_id=event.customer_id, name=event.name, at=event.at)
            deeds[event.workspace_id].append(deed)
    for workspace_id, theirs in sorted(deeds.items()):
        await enter_conversions(connection, workspace_id, theirs)
    last = [event.seq for event in events if event.due_at > event.received_at]
    first = [event.seq for event in events if event.due_at <= event.received_at]
    await remove_conversions(connection, last)
    await put_off_conversions(connection, first, now + timedelta(minutes=SIGN_IN_MINUTES))
    return len(events)
