"""What apps report of pushes: received, opened. The earliest report counts; their order does not
matter."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.deliveries.counts_store import Tally, accepted_at, add_to_counts
from clarion.deliveries.delivery import DeliveryState
from clarion.deliveries.engagement.latency import Report
from clarion.deliveries.planning.chunk_store import Planned, find_planned
from clarion.storage.bulk import in_parts, insert_new
from clarion.storage.dialect import Id, Instant
from clarion.storage.schema import deliveries, launches

_PENDING = DeliveryState.PENDING.value


@dataclass(frozen=True, slots=True, kw_only=True)
class AppReport:
    """An app's report that a push was received, or opened, which implies received."""

    launch_id: UUID
    device_row_id: UUID
    at: datetime
    opened: bool


@dataclass(slots=True)
class _Report:
    """The combined reports of one push."""

    received_at: datetime
    opened_at: datetime | None = None


async def mark_seen(
    connection: AsyncConnection, workspace_id: UUID, seen: Sequence[AppReport]
) -> None:
    """Enters apps' reports in their deliveries. A delivery whose push is not settled yet may have
    no row: it gets a pending one in the same chunk."""
    launch_ids = {receipt.launch_id for receipt in seen}
    rows = await connection.execute(
        select(launches.c.id).where(
            launches.c.workspace_id == workspace_id, launches.c.id.in_(launch_ids)
        )
    )
    ours = set(rows.scalars())
    reports: dict[UUID, dict[UUID, _Report]] = defaultdict(dict)
    for receipt in seen:
        if receipt.launch_id not in ours:
            continue
        report = reports[receipt.launch_id].setdefault(receipt.device_row_id, _Report(receipt.at))
        report.received_at = min(report.received_at, receipt.at)
        if receipt.opened:
            report.opened_at = _earlier(report.opened_at, receipt.at)
    # In the order of the key: two who do this at once wait for each other, and not in a circle.
    tallies = {
        launch_id: await _enter(connection, launch_id, reports[launch_id])
        for launch_id in sorted(reports)
    }
    for launch_id, tally in tallies.items():
        await add_to_counts(connection, launch_id, tally)


async def _enter(
    connection: AsyncConnection, launch_id: UUID, reports: Mapping[UUID, _Report]
) -> Tally:
    device_ids = sorted(reports)
    with_row: set[UUID] = set()
    for part in in_parts(device_ids):
        rows = await connection.execute(
            select(deliveries.c.device_id).where(
                deliveries.c.launch_id == launch_id, deliveries.c.device_id.in_(part)
            )
        )
        with_row.update(rows.scalars())
    # The chunk before its rows, as whoever settles it.
    missing = [device_id for device_id in device_ids if device_id not in with_row]
    planned = await find_planned(connection, [launch_id], missing, lock=True)
    tally = Tally()
    for part in in_parts(device_ids):
        with_row |= await _update(connection, launch_id, part, reports, tally)
    await _insert(
        connection,
        [delivery for delivery in planned if delivery.member.device_id not in with_row],
        reports,
        tally,
    )
    return tally


async def _update(
    connection: AsyncConnection,
    launch_id: UUID,
    device_ids: Sequence[UUID],
    reports: Mapping[UUID, _Report],
    tally: Tally,
) -> set[UUID]:
    """Enters the reports in existing rows; returns the devices that have one."""
    locked = await connection.execute(
        select(
            deliveries.c.device_id,
            deliveries.c.platform,
            deliveries.c.state,
            deliveries.c.reason,
            deliveries.c.settled_at,
            deliveries.c.received_at,
            deliveries.c.opened_at,
            deliveries.c.language,
        )
        .where(deliveries.c.launch_id == launch_id, deliveries.c.device_id.in_(device_ids))
        .order_by(deliveries.c.device_id)
        .with_for_update()
    )
    rows = locked.all()
    changes = []
    for row in rows:
        report = reports[row.device_id]
        received_at = _earlier(row.received_at, report.received_at)
        opened_at = _earlier(row.opened_at, report.opened_at)
        if (received_at, opened_at) == (row.received_at, row.opened_at):
            continue
        changes.append({"device": row.device_id, "received": received_at, "opened": opened_at})
        tally.add(
            row.platform,
            row.state,
            row.reason,
            received=row.received_at is None,
            opened=row.opened_at is None and opened_at is not None,
            language=row.language,
        )
        since = accepted_at(row.state, row.settled_at)
        tally.report(Report.RECEIVED, row.received_at, received_at, accepted_at=since)
        tally.report(Report.OPENED, row.opened_at, opened_at, accepted_at=since)
    if changes:
        statement = (
            update(deliveries)
            .where(
                deliveries.c.launch_id == launch_id,
                deliveries.c.device_id == bindparam("device", type_=Id),
            )
            .values(
                received_at=bindparam("received", type_=Instant),
                opened_at=bindparam("opened", type_=Instant),
            )
        )
        await connection.execute(statement, changes)
    return {row.device_id for row in rows}


async def _insert(
    connection: AsyncConnection,
    planned: Sequence[Planned],
    reports: Mapping[UUID, _Report],
    tally: Tally,
) -> None:
    new: list[dict[str, Any]] = []
    for delivery in planned:
        report = reports[delivery.member.device_id]
        new.append(
            {
                "launch_id": delivery.launch_id,
                "device_id": delivery.member.device_id,
                "chunk_id": delivery.chunk_id,
                "customer_id": delivery.member.customer_id,
                "platform": delivery.member.platform,
                "state": _PENDING,
                "attempts": 0,
                "unanswered": 0,
                "received_at": report.received_at,
                "opened_at": report.opened_at,
            }
        )
        tally.add(
            delivery.member.platform,
            _PENDING,
            None,
            received=1,
            opened=report.opened_at is not None,
        )
        tally.report(Report.RECEIVED, None, report.received_at, accepted_at=None)
        tally.report(Report.OPENED, None, report.opened_at, accepted_at=None)
    await insert_new(connection, deliveries, new)


def _earlier(first: datetime | None, second: datetime | None) -> datetime | None:
    if first is None or second is None:
        return first or second
    return min(first, second)
