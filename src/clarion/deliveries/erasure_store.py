"""Deliveries to a person who is erased: the books keep them, without saying whose they were."""

from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, case, delete, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.deliveries.delivery import DeliveryState, Skip
from clarion.storage.dialect import Id, Instant
from clarion.storage.schema import deliveries, launches, quarantine

NOBODY = UUID(int=0)


async def make_nobodys(
    connection: AsyncConnection,
    workspace_id: UUID,
    *,
    device_rows: Collection[UUID],
    customer_ids: Collection[UUID],
    new_id: Callable[[], UUID],
    now: datetime,
) -> int:
    """Give each of the person's deliveries a device id that is nobody's and no customer, so that a
    campaign's account still balances; what was not sent yet is skipped, and no device waits in
    quarantine any more. Returns how many deliveries.

    A registration of theirs whose removal a person is to decide on needs no decision any more. A
    sender that has one in hand settles nothing any more: it settles by device id.
    """
    await connection.execute(delete(quarantine).where(quarantine.c.device_id.in_(device_rows)))
    await connection.execute(delete(quarantine).where(quarantine.c.device_id.in_(device_rows)))
    rows = await connection.execute(
        select(deliveries.c.launch_id, deliveries.c.device_id)
        .join_from(deliveries, launches, launches.c.id == deliveries.c.launch_id)
        .where(
            launches.c.workspace_id == workspace_id,
            deliveries.c.device_id.in_(device_rows),
            deliveries.c.customer_id.in_(customer_ids),
        )
        .order_by(deliveries.c.launch_id, deliveries.c.device_id)
        .with_for_update(of=deliveries)
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
