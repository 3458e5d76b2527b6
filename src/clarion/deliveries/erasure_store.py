"""Deliveries to a person who is erased: the books keep them, without saying whose they were."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, case, delete, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.deliveries.counts_store import Tally, add_to_counts
from clarion.deliveries.customer_index.store import NOBODY as NOBODY
from clarion.deliveries.customer_index.store import take_out_of_index
from clarion.deliveries.delivery import DeliveryState, Skip
from clarion.deliveries.planning.chunk import member_columns, unpack
from clarion.deliveries.planning.chunk_store import Planned, find_planned
from clarion.storage.bulk import in_parts, insert_new
from clarion.storage.dialect import Id, Instant
from clarion.storage.schema import chunks, deliveries, firebase_apps, quarantine

_PENDING, _SKIPPED = DeliveryState.PENDING.value, DeliveryState.SKIPPED.value


async def release_quarantine(
    connection: AsyncConnection, workspace_id: UUID, device_rows: Iterable[UUID]
) -> None:
    """Takes these devices out of quarantine: nobody has to decide about their registrations any
    more."""
    rows = await connection.execute(
        select(firebase_apps.c.id).where(firebase_apps.c.workspace_id == workspace_id)
    )
    app_ids = list(rows.scalars())  # the key of what is in quarantine begins with the app
    for part in in_parts(device_rows) if app_ids else ():
        await connection.execute(
            delete(quarantine).where(
                quarantine.c.firebase_app_id.in_(app_ids), quarantine.c.device_id.in_(part)
            )
        )


async def make_nobodys(
    connection: AsyncConnection,
    launch_ids: Collection[UUID],
    *,
    own_devices: Collection[UUID],
    past_devices: Collection[UUID],
    customer_ids: Collection[UUID],
    new_id: Callable[[], UUID],
    now: datetime,
) -> int:
    """Give each of the person's deliveries in these launches a device id that is nobody's and no
    customer, so that a campaign's account still balances; what was not sent yet is skipped. Returns
    how many deliveries.

    Theirs is what was planned for their own devices, whoever they were then taken for, and for
    devices they had while those were theirs. A sender that has one in hand settles nothing any
    more: it settles what its chunk holds, by device id.
    """
    tallies: dict[UUID, Tally] = defaultdict(Tally)
    own, past = set(own_devices), set(past_devices)
    planned = await find_planned(connection, launch_ids, own | past, lock=True)
    theirs = [
        delivery
        for delivery in planned
        if delivery.member.device_id in own or delivery.member.customer_id in customer_ids
    ]
    await _take_out(connection, theirs)
    rows = await _rows(connection, launch_ids, own_devices, past_devices, customer_ids)
    with_row = {(row.launch_id, row.device_id) for row in rows}
    without_row = [
        delivery
        for delivery in theirs
        if (delivery.launch_id, delivery.member.device_id) not in with_row
    ]
    await insert_new(
        connection, deliveries, [_nobodys(delivery, new_id(), now) for delivery in without_row]
    )
    for delivery in without_row:
        tally = tallies[delivery.launch_id]
        tally.add(delivery.member.platform, _PENDING, None, -1)
        tally.add(delivery.member.platform, _SKIPPED, Skip.ERASED.value, 1)
    await _make_nobodys(connection, rows, tallies, new_id=new_id, now=now)
    keys = [(row.customer_id, row.launch_id, row.device_id) for row in rows]
    await take_out_of_index(connection, keys)
    for launch_id, tally in sorted(tallies.items()):
        await add_to_counts(connection, launch_id, tally)
    return len(without_row) + len(rows)


async def _take_out(connection: AsyncConnection, theirs: Sequence[Planned]) -> None:
    """Takes deliveries out of their chunks, which are locked."""
    devices_of: dict[UUID, set[UUID]] = defaultdict(set)
    for delivery in theirs:
        devices_of[delivery.chunk_id].add(delivery.member.device_id)
    for chunk_id, device_ids in devices_of.items():
        stored = await connection.execute(select(chunks.c.members).where(chunks.c.id == chunk_id))
        members = unpack(stored.scalar_one())
        left = [member for member in members if member.device_id not in device_ids]
        await connection.execute(
            update(chunks).where(chunks.c.id == chunk_id).values(member_columns(left))
        )


async def _rows(
    connection: AsyncConnection,
    launch_ids: Collection[UUID],
    own_devices: Collection[UUID],
    past_devices: Collection[UUID],
    customer_ids: Collection[UUID],
) -> list[Any]:
    theirs: list[ColumnElement[bool]] = [
        deliveries.c.device_id.in_(part) for part in in_parts(own_devices)
    ]
    theirs += [
        and_(deliveries.c.device_id.in_(part), deliveries.c.customer_id.in_(whose))
        for part in in_parts(past_devices)
        for whose in in_parts(customer_ids)
    ]
    all_rows: list[Any] = []
    for condition in theirs:
        rows = await connection.execute(
            select(deliveries)
            .where(deliveries.c.launch_id.in_(launch_ids), condition)
            .order_by(deliveries.c.launch_id, deliveries.c.device_id)
            .with_for_update()
        )
        all_rows += rows
    return all_rows


async def _make_nobodys(
    connection: AsyncConnection,
    rows: Sequence[Any],
    tallies: Mapping[UUID, Tally],
    *,
    new_id: Callable[[], UUID],
    now: datetime,
) -> None:
    if not rows:
        return
    is_open = deliveries.c.state == _PENDING
    statement = (
        update(deliveries)
        .where(
            deliveries.c.launch_id == bindparam("launch"),
            deliveries.c.device_id == bindparam("device"),
        )
        .values(
            device_id=bindparam("nobodys", type_=Id),
            customer_id=NOBODY,
            state=case((is_open, _SKIPPED), else_=deliveries.c.state),
            reason=case((is_open, Skip.ERASED.value), else_=deliveries.c.reason),
            settled_at=case((is_open, literal(now, Instant)), else_=deliveries.c.settled_at),
        )
    )
    await connection.execute(
        statement,
        [{"launch": row.launch_id, "device": row.device_id, "nobodys": new_id()} for row in rows],
    )
    for row in rows:
        if row.state == _PENDING:
            counted = (
                1,
                row.received_at is not None,
                row.opened_at is not None,
                row.attempts,
                row.unanswered,
            )
            tally = tallies[row.launch_id]
            of = {"language": row.language}
            tally.add(row.platform, _PENDING, row.reason, *(-more for more in counted), **of)
            tally.add(row.platform, _SKIPPED, Skip.ERASED.value, *counted, **of)


def _nobodys(delivery: Planned, device_id: UUID, now: datetime) -> dict[str, Any]:
    """The row of a planned delivery that will not be sent because its customer was erased."""
    return {
        "launch_id": delivery.launch_id,
        "device_id": device_id,
        "customer_id": NOBODY,
        "platform": delivery.member.platform,
        "state": _SKIPPED,
        "reason": Skip.ERASED.value,
        "attempts": 0,
        "unanswered": 0,
        "settled_at": now,
    }
