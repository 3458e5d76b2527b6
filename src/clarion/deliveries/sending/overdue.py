"""Chunks that wait for a job that will not come: published again. The rows are the truth, and a job
is a nudge, which may be lost."""

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.broker import Broker
from clarion.clock import Clock
from clarion.deliveries.apps.store import paused_ahead, set_back
from clarion.deliveries.planning.chunk import job_of
from clarion.deliveries.planning.chunk_store import (
    chunks_of_another_time,
    hasten_app,
    overdue_chunks,
)
from clarion.storage.database import Database

log = structlog.get_logger(__name__)


async def publish_overdue(
    database: Database, broker: Broker, clock: Clock, *, grace_seconds: float, limit: int
) -> int:
    """Publish again the chunks whose job was lost or whose sender died, and those that the clock of
    before has put off; returns how many."""
    now = clock.now()
    async with database.read() as connection:
        paused = await paused_ahead(connection, now)

    async def set_all_back(connection: AsyncConnection) -> None:
        await set_back(connection, paused, now)
        for app_id in paused:
            await hasten_app(connection, app_id, now, by_itself=True)

    if paused:
        await database.transact(set_all_back, clock)
    async with database.read() as connection:
        overdue = await overdue_chunks(
            connection,
            now,
            grace_seconds=grace_seconds,
            limit=limit,
        )
        early = await chunks_of_another_time(connection, now, limit=limit)
    if early:
        ahead = max(ahead for *_, ahead in early)
        log.warning("clock_went_back", seconds=round(ahead.total_seconds()), chunks=len(early))
    await broker.publish(
        *(
            job_of(chunk_id, is_transactional=is_first, key=f"chunk:{chunk_id.hex}:{attempt}")
            for chunk_id, attempt, is_first in overdue
        ),
        *(
            job_of(
                chunk_id,
                is_transactional=is_first,
                due_at=now + waits if waits else None,
                key=f"chunk:{chunk_id.hex}:{attempt}",
            )
            for chunk_id, attempt, is_first, waits, _ in early
        ),
    )
    return len(overdue) + len(early)
