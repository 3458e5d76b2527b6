"""A campaign's counts, and what they are of, counted anew."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.deliveries.counts_store import COUNTED, HOURLY
from clarion.deliveries.engagement.latency import latency_class
from clarion.deliveries.planning.chunk import unpack
from clarion.ingest_log.outcome import hour_of
from clarion.storage.database import Database
from clarion.storage.schema import (
    chunks,
    deliveries,
    launch_counts,
    launch_hours,
    launch_latencies,
    launches,
)

Counts = dict[tuple[Any, ...], dict[str, int]]


async def check_counts(database: Database, campaign_id: UUID) -> None:
    """The counts that are kept are those of the rows and of the members of open chunks, and their
    sum is what was planned; hours and latencies are those of the rows."""
    async with _snapshot(database) as connection:
        rows = await connection.execute(
            select(launches.c.id, launches.c.planned).where(launches.c.campaign_id == campaign_id)
        )
        planned = {row.id: row.planned for row in rows}
        kept = await _kept(connection, list(planned))
        found = await _found(connection, list(planned))
        activity = await _kept_activity(connection, list(planned))
        assert activity == await _found_activity(connection, list(planned))
    assert kept == found
    sums: Counter[UUID] = Counter()
    for (launch_id, *_), counts in found.items():
        sums[launch_id] += counts["count"]
    assert {launch_id: sums[launch_id] for launch_id in planned} == planned


async def _kept(connection: AsyncConnection, launch_ids: list[UUID]) -> Counts:
    rows = await connection.execute(
        select(launch_counts).where(launch_counts.c.launch_id.in_(launch_ids))
    )
    kept = {
        (row.launch_id, row.platform, row.state, row.reason, row.language): {
            name: row._mapping[name] for name in COUNTED
        }
        for row in rows
    }
    return {key: counts for key, counts in kept.items() if any(counts.values())}


async def _found(connection: AsyncConnection, launch_ids: list[UUID]) -> Counts:
    found: Counts = {}
    rows = await connection.execute(
        select(deliveries).where(deliveries.c.launch_id.in_(launch_ids))
    )
    with_row = set()
    for row in rows:
        with_row.add((row.launch_id, row.device_id))
        key = (row.launch_id, row.platform, row.state, row.reason or "", row.language or "")
        counts = found.setdefault(key, dict.fromkeys(COUNTED, 0))
        counts["count"] += 1
        counts["received"] += row.received_at is not None
        counts["opened"] += row.opened_at is not None
        counts["attempts"] += row.attempts
        counts["unanswered"] += row.unanswered
        counts["converted"] += row.converted_at is not None
    held = await connection.execute(
        select(chunks.c.launch_id, chunks.c.state, chunks.c.members).where(
            chunks.c.launch_id.in_(launch_ids), chunks.c.members.is_not(None)
        )
    )
    for row in held:
        assert row.state != "settled"
        for member in unpack(row.members):
            if (row.launch_id, member.device_id) not in with_row:
                key = (row.launch_id, member.platform, "pending", "", "")
                found.setdefault(key, dict.fromkeys(COUNTED, 0))["count"] += 1
    return found


async def _kept_activity(
    connection: AsyncConnection, launch_ids: list[UUID]
) -> Counter[tuple[Any, ...]]:
    """By (launch, what, hour or class)."""
    kept: Counter[tuple[Any, ...]] = Counter()
    hours = await connection.execute(
        select(launch_hours).where(launch_hours.c.launch_id.in_(launch_ids))
    )
    for row in hours:
        kept.update({(row.launch_id, name, row.hour): row._mapping[name] for name in HOURLY})
    latencies = await connection.execute(
        select(launch_latencies).where(launch_latencies.c.launch_id.in_(launch_ids))
    )
    for row in latencies:
        kept[row.launch_id, f"{row.kind} after", row.up_to_seconds] += row._mapping["count"]
    return Counter({key: count for key, count in kept.items() if count})


async def _found_activity(
    connection: AsyncConnection, launch_ids: list[UUID]
) -> Counter[tuple[Any, ...]]:
    found: Counter[tuple[Any, ...]] = Counter()
    rows = await connection.execute(
        select(deliveries).where(deliveries.c.launch_id.in_(launch_ids))
    )
    for row in rows:
        for name in HOURLY:
            at = row._mapping[f"{name}_at"]
            if at is None:
                continue
            found[row.launch_id, name, hour_of(at)] += 1
            if row.state == "accepted" and name != "converted":
                up_to = latency_class(row.settled_at, at)
                found[row.launch_id, f"{name} after", up_to] += 1
    return found


@asynccontextmanager
async def _snapshot(database: Database) -> AsyncIterator[AsyncConnection]:
    if database.is_sqlite:
        async with database.read() as connection:
            yield connection
        return
    async with database.engine.connect() as connection:
        yield await connection.execution_options(isolation_level="REPEATABLE READ")
