"""When pushes were received and opened, and customers converted, and how long that took: from the
counts that are kept."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.clock import Moment
from clarion.deliveries.counts_store import HOURLY
from clarion.deliveries.engagement.latency import LATENCY_SECONDS, LONGER, Report
from clarion.storage.schema import launch_hours, launch_latencies, launches

HOURS_MAX = 2_000


class Hour(msgspec.Struct, frozen=True, kw_only=True):
    """How many devices received and opened, and how many customers converted, in one hour, which
    begins at `hour` (UTC)."""

    hour: Moment
    received: int
    opened: int
    converted: int


class LatencyClass(msgspec.Struct, frozen=True, kw_only=True):
    """How many took so long, but longer than the class before. `up_to_seconds` null: longer than
    any other class."""

    up_to_seconds: int | None
    count: int


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """How long after FCM took them pushes were reported. `median_up_to_seconds`: half of them took
    at most so long, as far as the classes tell; null: none was reported, or it took longer than
    any class."""

    median_up_to_seconds: int | None
    classes: list[LatencyClass]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityCounts:
    """What a launch has of both, or a campaign over all its launches."""

    hours: list[Hour]
    latencies: dict[Report, Latency]


async def launch_activity(connection: AsyncConnection, launch_id: UUID) -> ActivityCounts:
    """The hours in which anything was reported, at most HOURS_MAX from the first on, and all
    latencies. It costs as much as there are hours."""
    hours = await connection.execute(
        select(launch_hours.c.hour, *(launch_hours.c[name] for name in HOURLY))
        .where(launch_hours.c.launch_id == launch_id)
        .order_by(launch_hours.c.hour)
        .limit(HOURS_MAX)
    )
    latencies = await connection.execute(
        select(
            launch_latencies.c.kind, launch_latencies.c.up_to_seconds, launch_latencies.c["count"]
        ).where(launch_latencies.c.launch_id == launch_id)
    )
    return _counts([tuple(row) for row in hours], [tuple(row) for row in latencies])


async def campaign_activity(
    connection: AsyncConnection, workspace_id: UUID, campaign_id: UUID
) -> ActivityCounts:
    """The same of all launches of a campaign together."""
    ours = (launches.c.workspace_id == workspace_id, launches.c.campaign_id == campaign_id)
    hours = await connection.execute(
        select(launch_hours.c.hour, *(func.sum(launch_hours.c[name]) for name in HOURLY))
        .join_from(launches, launch_hours, launch_hours.c.launch_id == launches.c.id)
        .where(*ours)
        .group_by(launch_hours.c.hour)
        .order_by(launch_hours.c.hour)
        .limit(HOURS_MAX)
    )
    latencies = await connection.execute(
        select(
            launch_latencies.c.kind,
            launch_latencies.c.up_to_seconds,
            func.sum(launch_latencies.c["count"]),
        )
        .join_from(launches, launch_latencies, launch_latencies.c.launch_id == launches.c.id)
        .where(*ours)
        .group_by(launch_latencies.c.kind, launch_latencies.c.up_to_seconds)
    )
    return _counts([tuple(row) for row in hours], [tuple(row) for row in latencies])


def _counts(
    hours: list[tuple[datetime, int, int, int]], latencies: list[tuple[str, int, int]]
) -> ActivityCounts:
    counted = {(kind, up_to): int(count) for kind, up_to, count in latencies}
    return ActivityCounts(
        hours=[
            Hour(hour=hour, received=int(received), opened=int(opened), converted=int(converted))
            for hour, received, opened, converted in hours
            if received or opened or converted
        ],
        latencies={
            kind: _latency([counted.get((kind, up_to), 0) for up_to in (*LATENCY_SECONDS, LONGER)])
            for kind in Report
        },
    )


def _latency(counts: list[int]) -> Latency:
    """`counts`: of each class, in their order."""
    names = [*LATENCY_SECONDS, None]
    median, passed = None, 0
    for up_to, count in zip(names, counts, strict=True):
        passed += count
        if passed and passed * 2 >= sum(counts):
            median = up_to
            break
    return Latency(
        median_up_to_seconds=median,
        classes=[
            LatencyClass(up_to_seconds=up_to, count=count)
            for up_to, count in zip(names, counts, strict=True)
        ],
    )
