"""Deliveries to a person who is erased: the books keep them, without saying whose they were."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, case, delete, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.deliveries.delivery import DeliveryState, Skip
from clarion.storage.bulk import in_parts
from clarion.storage.dialect import Id, Instant
from clarion.storage.schema import deliveries, launches, quarantine

NOBODY = UUID(int=0)


async def launches_of(connection: AsyncConnection, workspace_id: UUID) -> list[UUID]:
    """Every launch of a workspace."""
    rows = await connection.execute(
        select(launches.c.id).where(launches.c.workspace_id == workspace_id)
    )
    return list(rows.scalars())


async def release_quarantine(connection: AsyncConnection, device_rows: Iterable[UUID]) -> None:
    """A registration of theirs whose removal a person is to decide on needs no decision any
    more."""
    for part in in_parts(device_rows):
        await connection.execute(delete(quarantine).where(quarantine.c.device_id.in_(part)))


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
    more: it settles by device id.
    """
    theirs: list[ColumnElement[bool]] = [
        deliveries.c.device_id.in_(part) for part in in_parts(own_devices)
    ]
    theirs += [
        and_(deliveries.c.device_id.in_(part), deliveries.c.customer_id.in_(whose))
        for part in in_parts(past_devices)
        for whose in in_parts(customer_ids)
    ]
    return sum(
        [await _make_nobodys(connection, launch_ids, one, new_id=new_id, now=now) for one in theirs]
    )


async def _make_nobodys(
    connection: AsyncConnection,
    launch_ids: Collection[UUID],
    theirs: ColumnElement[bool],
    *,
    new_id: Callable[[], UUID],
    now: datetime,
) -> int:
    rows = await connection.execute(
        select(deliveries.c.launch_id, deliveries.c.device_id)
        .where(deliveries.c.launch_id.in_(launch_ids), theirs)
        .order_by(deliveries.c.launch_id, deliveries.c.device_id)
        .with_for_update()
    )
    found = rows.all()
    if not found:
        return 0
    is_open = deliveries.c.state == DeliveryState.PENDING.value
    statement = (
        update(deliveries)
        .where(
            deliveries.c.launch_id == bindparam("launch"),
            deliveries.c.device_id == bindparam("device"),
        )
        .values(
            device_id=bindparam("nobodys", type_=Id),
            customer_id=NOBODY,
            state=case((is_open, DeliveryState.SKIPPED.value), else_=deliveries.c.state),
            reason=case((is_open, Skip.ERASED.value), else_=deliveries.c.reason),
            settled_at=case((is_open, literal(now, Instant)), else_=deliveries.c.settled_at),
        )
    )
    await connection.execute(
        statement,
        [{"launch": row.launch_id, "device": row.device_id, "nobodys": new_id()} for row in found],
    )
    return len(found)
