"""The end of a transaction that takes in events: what it has to say of its sources is written.

Three statements at most, whatever the number of events: one each for refusals and repeats where
there are any, one for the counts. The counts come last, since every transaction of a source wants
the same few rows, and whoever has them is about to commit.
"""

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.ingest_counters import REPEATS_MAX, IngestCounters
from clarion.ingest_log import store as activity_store


async def record(connection: AsyncConnection, counters: IngestCounters, *, again: bool) -> None:
    """Write what `counters` holds. `again`: one of its jobs has been here before, so that what it
    says may be written and counted already."""
    if again:
        counters.forget(await activity_store.recorded(connection, counters.ids))
    await activity_store.add_refusals(
        connection,
        [
            {
                "id": one.id,
                "workspace_id": one.workspace_id,
                "source_id": one.source_id,
                "message_id": one.refusal.message_id,
                "stage": one.stage.value,
                "code": one.refusal.code,
                "message": one.refusal.message,
                "received_at": one.received_at,
                "excerpt": one.refusal.excerpt,
                "type": one.refusal.hint.type,
                "name": one.refusal.hint.name,
                "user_id": one.refusal.hint.user_id,
                "anonymous_id": one.refusal.hint.anonymous_id,
                "library": one.refusal.hint.library,
                "library_version": one.refusal.hint.library_version,
            }
            for one in counters.notes
        ],
    )
    await activity_store.add_repeats(
        connection,
        [
            {
                "id": one.id,
                "workspace_id": one.workspace_id,
                "source_id": one.source_id,
                "message_id": one.event.message_id,
                "received_at": one.event.received_at,
            }
            for one in counters.newest_repeats(REPEATS_MAX)
        ],
    )
    await activity_store.add_counts(
        connection,
        [
            {
                "source_id": source_id,
                "hour": hour,
                "kind": kind.value,
                "label": label,
                "name": name,
                "count": count,
            }
            for (source_id, hour, kind, label, name), count in counters.counts().items()
        ],
    )
