"""Counts and lists of registrations by how long ago they were refreshed, and of what was swept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.clock import Moment
from clarion.customers.devices.device import STALE, Platform
from clarion.customers.devices.freshness.token_age import AGES, Cohort, CohortBy, Edges
from clarion.customers.devices.store import shows_nothing
from clarion.storage.dialect import day_of, seconds_between
from clarion.storage.schema import device_history, devices, sources

COHORTS_MAX = 200
"""The largest ones are told."""
NOT_REFRESHED_SCANNED = 20_000
"""Looked through for those that are in use: a base that nobody uses any more may be large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleDevice:
    """A registration that the next sweep removes. `platform`, and when it was last refreshed."""

    id: UUID
    device_id: str
    customer_id: UUID
    source_id: UUID
    platform: Platform
    registered_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """A registration that a sweep removed."""

    seq: int
    device_id: str
    customer_id: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptDay:
    """How many registrations were swept on a day (UTC)."""

    day: Moment
    removed: int


async def cohorts(
    connection: AsyncConnection, workspace_id: UUID, by: CohortBy, edges: Edges
) -> list[Cohort]:
    """The workspace's devices by `by`, the largest cohorts first; at most COHORTS_MAX."""
    active = devices.c.state == "active"
    stale = active & (devices.c.registered_at < edges.stale)
    due = active & (devices.c.registered_at >= edges.stale) & (devices.c.registered_at < edges.due)
    fresh = active & (devices.c.registered_at >= edges.due)
    removed = and_(devices.c.state == "removed", devices.c.reason == STALE)
    value = _value(by).label("value")
    size = func.count().label("size")
    statement: Select[Any] = (
        select(
            value,
            _count(fresh).label("fresh"),
            _count(due).label("due"),
            _count(stale).label("stale"),
            _count(removed).label("removed"),
            _count(active & shows_nothing()).label("notifications_off"),
            size,
        )
        .where(devices.c.workspace_id == workspace_id, active | removed)
        .group_by(value)
        .order_by(size.desc(), value)
        .limit(COHORTS_MAX)
    )
    if by is CohortBy.SOURCE:
        statement = statement.select_from(
            devices.outerjoin(sources, sources.c.id == devices.c.source_id)
        )
    rows = await connection.execute(statement)
    return [
        Cohort(
            value=row.value,
            fresh=row.fresh,
            due=row.due,
            stale=row.stale,
            removed=row.removed,
            notifications_off=row.notifications_off,
        )
        for row in rows
    ]


async def count_ages(
    connection: AsyncConnection, workspace_id: UUID, edges: Edges
) -> dict[str, int]:
    """How many active registrations are fresh, due and stale; read from the index of them alone."""
    at = devices.c.registered_at
    age = case((at < edges.stale, "stale"), (at < edges.due, "due"), else_="fresh")
    rows = await connection.execute(
        select(age, func.count())
        .where(
            devices.c.workspace_id == workspace_id,
            devices.c.state == literal_column("'active'"),  # so that the partial index is used
        )
        .group_by(age)
    )
    return dict.fromkeys(AGES, 0) | {row[0]: row[1] for row in rows}


async def count_stale(
    connection: AsyncConnection, workspace_id: UUID, *, registered_before: datetime
) -> dict[Platform, int]:
    """How many registrations were last refreshed before then, by platform."""
    rows = await connection.execute(
        select(devices.c.platform, func.count())
        .where(*_stale(workspace_id, registered_before))
        .group_by(devices.c.platform)
        .order_by(devices.c.platform)
    )
    return {Platform(platform): count for platform, count in rows}


async def last_registered_at(
    connection: AsyncConnection, workspace_id: UUID, source_id: UUID
) -> datetime | None:
    """When a device of this source was last registered or refreshed; None: it has none."""
    rows = await connection.execute(
        select(devices.c.registered_at)
        .where(
            devices.c.workspace_id == workspace_id,
            devices.c.state == literal_column("'active'"),  # so that the partial index is used
            devices.c.source_id == source_id,
        )
        .order_by(devices.c.registered_at.desc())
        .limit(1)
    )
    return rows.scalar_one_or_none()


async def not_refreshed(
    connection: AsyncConnection, workspace_id: UUID, source_id: UUID, *, now: datetime, days: int
) -> tuple[int, datetime | None]:
    """(How many devices of this source were in use so many days after they last registered; when
    one was last.) Looks at the NOT_REFRESHED_SCANNED of the workspace that came to be due last."""
    late = timedelta(days=days)
    due = (
        select(devices.c.source_id, devices.c.registered_at, devices.c.last_seen_at)
        .where(*_stale(workspace_id, now - late))
        .order_by(devices.c.registered_at.desc())
        .limit(NOT_REFRESHED_SCANNED)
        .subquery()
    )
    rows = await connection.execute(
        select(func.count(), func.max(due.c.last_seen_at)).where(
            due.c.source_id == source_id,
            seconds_between(due.c.registered_at, due.c.last_seen_at) >= late.total_seconds(),
        )
    )
    count, last = rows.one()
    return count, last


async def list_stale(
    connection: AsyncConnection,
    workspace_id: UUID,
    *,
    registered_before: datetime,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[StaleDevice]:
    """A page of them, those refreshed longest ago first."""
    statement = select(devices).where(*_stale(workspace_id, registered_before))
    if after is not None:
        at, row_id = after
        statement = statement.where(
            (devices.c.registered_at > at)
            | ((devices.c.registered_at == at) & (devices.c.id > row_id))
        )
    rows = await connection.execute(
        statement.order_by(devices.c.registered_at, devices.c.id).limit(limit)
    )
    return [
        StaleDevice(
            id=row.id,
            device_id=row.device_id,
            customer_id=row.customer_id,
            source_id=row.source_id,
            platform=Platform(row.platform),
            registered_at=row.registered_at,
            last_seen_at=row.last_seen_at,
        )
        for row in rows
    ]


async def list_swept(
    connection: AsyncConnection, workspace_id: UUID, *, before_seq: int | None, limit: int
) -> list[Swept]:
    """A page of what sweeps removed, newest first."""
    statement = select(device_history).where(*_swept(workspace_id))
    if before_seq is not None:
        statement = statement.where(device_history.c.seq < before_seq)
    rows = await connection.execute(statement.order_by(device_history.c.seq.desc()).limit(limit))
    return [
        Swept(seq=row.seq, device_id=row.device_id, customer_id=row.customer_id, at=row.at)
        for row in rows
    ]


async def swept_days(
    connection: AsyncConnection, workspace_id: UUID, *, since: datetime
) -> list[SweptDay]:
    """How many registrations were swept on each day since then, newest day first."""
    day = day_of(device_history.c.at).label("day")
    rows = await connection.execute(
        select(day, func.count().label("removed"))
        .where(*_swept(workspace_id), device_history.c.at >= since)
        .group_by(day)
        .order_by(day.desc())
    )
    return [SweptDay(day=row.day, removed=row.removed) for row in rows]


def _value(by: CohortBy) -> ColumnElement[Any]:
    match by:
        case CohortBy.PLATFORM:
            return devices.c.platform
        case CohortBy.SOURCE:
            return sources.c.name
        case CohortBy.APP_VERSION:
            return devices.c.app_version


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _stale(workspace_id: UUID, registered_before: datetime) -> Sequence[ColumnElement[bool]]:
    return (
        devices.c.workspace_id == workspace_id,
        devices.c.state == literal_column("'active'"),  # so that the partial index is used
        devices.c.registered_at < registered_before,
    )


def _swept(workspace_id: UUID) -> Sequence[ColumnElement[bool]]:
    return (
        device_history.c.workspace_id == workspace_id,
        device_history.c.reason == literal_column(f"'{STALE}'"),  # so that the index is used
    )
