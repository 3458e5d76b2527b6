"""Customers who did what a launch was to lead to, entered in one of their deliveries."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.identity.identifier import device_row_id
from clarion.deliveries.counts_store import Tally, add_to_counts
from clarion.deliveries.delivery import DeliveryState
from clarion.deliveries.engagement.conversion import AcceptedPush, convert
from clarion.storage.bulk import in_parts
from clarion.storage.dialect import Id, Instant, among
from clarion.storage.schema import awaited_events, customers, deliveries, device_history, devices

_ACCEPTED = DeliveryState.ACCEPTED.value
Pushes = dict[tuple[UUID, UUID], dict[UUID, AcceptedPush]]
"""By launch and customer, then by device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """An event of a name that launches wait for, and whose it is."""

    customer_id: UUID
    name: str
    at: datetime


async def enter_conversions(
    connection: AsyncConnection, workspace_id: UUID, deeds: Sequence[Deed]
) -> None:
    """Enters who has converted. The same deeds, entered again, change nothing.

    A fixed number of statements for all of them. A customer's pushes are found by the devices that
    are or were theirs; a push to somebody who is nobody's customer any more, since they have signed
    in or were merged, is that of whoever has the device now.
    """
    windows = await _windows(connection, workspace_id, {deed.name for deed in deeds})
    if not windows:
        return
    customer_ids = {deed.customer_id for deed in deeds}
    owners = await _device_owners(connection, workspace_id, customer_ids)
    launch_ids = sorted({launch_id for waiting in windows.values() for launch_id in waiting})
    pushes = await _pushes(connection, launch_ids, customer_ids, owners)
    before = {
        (push.launch_id, push.device_id): push
        for theirs in pushes.values()
        for push in theirs.values()
    }
    changed: dict[tuple[UUID, UUID], AcceptedPush] = {}
    for deed in deeds:
        for launch_id, window in windows.get(deed.name, {}).items():
            theirs = pushes.get((launch_id, deed.customer_id), {})
            converted = convert(list(theirs.values()), deed.at, window)
            if converted is not None:
                theirs[converted.device_id] = converted
                changed[launch_id, converted.device_id] = converted
    await _write(connection, before, changed)


async def _windows(
    connection: AsyncConnection, workspace_id: UUID, names: Collection[str]
) -> dict[str, dict[UUID, timedelta]]:
    """The launches that wait for these, by name, and for how long after the push."""
    rows = await connection.execute(
        select(awaited_events).where(
            awaited_events.c.workspace_id == workspace_id,
            among(connection, awaited_events.c.name, list(names)),
        )
    )
    windows: dict[str, dict[UUID, timedelta]] = defaultdict(dict)
    for row in rows:
        windows[row.name][row.launch_id] = timedelta(seconds=row.window_seconds)
    return windows


async def _device_owners(
    connection: AsyncConnection, workspace_id: UUID, customer_ids: Collection[UUID]
) -> dict[UUID, UUID | None]:
    """The devices that are or were one of theirs, by row: whose each is now, of them."""
    ids, lines = list(customer_ids), device_history.c
    had = await connection.execute(
        select(lines.device_id)
        .where(
            lines.workspace_id == workspace_id,
            or_(
                among(connection, lines.customer_id, ids),
                among(connection, lines.previous_customer_id, ids),
            ),
        )
        .distinct()
    )
    owners: dict[UUID, UUID | None] = {
        device_row_id(workspace_id, device_id): None for device_id in had.scalars()
    }
    now = await connection.execute(
        select(devices.c.id, devices.c.customer_id).where(
            devices.c.workspace_id == workspace_id, among(connection, devices.c.customer_id, ids)
        )
    )
    return owners | {row.id: row.customer_id for row in now}


async def _pushes(
    connection: AsyncConnection,
    launch_ids: Sequence[UUID],
    customer_ids: Collection[UUID],
    owners: Mapping[UUID, UUID | None],
) -> Pushes:
    """Their pushes of these launches. The rows are locked in the order of their key."""
    pushes: Pushes = defaultdict(dict)
    has_customer = exists().where(customers.c.id == deliveries.c.customer_id)
    is_known = has_customer.correlate(deliveries).label("is_known")
    for part in in_parts(sorted(owners)):
        rows = await connection.execute(
            select(deliveries, is_known)
            .where(
                among(connection, deliveries.c.launch_id, launch_ids),
                among(connection, deliveries.c.device_id, part),
                deliveries.c.state == _ACCEPTED,
            )
            .order_by(deliveries.c.launch_id, deliveries.c.device_id)
            .with_for_update(of=deliveries)
        )
        for row in rows:
            owner = row.customer_id if row.is_known else owners[row.device_id]
            if owner is None or owner not in customer_ids:
                continue
            pushes[row.launch_id, owner][row.device_id] = AcceptedPush(
                launch_id=row.launch_id,
                device_id=row.device_id,
                platform=row.platform,
                reason=row.reason,
                accepted_at=row.settled_at,
                received_at=row.received_at,
                opened_at=row.opened_at,
                converted_at=row.converted_at,
                language=row.language,
            )
    return pushes


async def _write(
    connection: AsyncConnection,
    before: Mapping[tuple[UUID, UUID], AcceptedPush],
    changed: Mapping[tuple[UUID, UUID], AcceptedPush],
) -> None:
    if not changed:
        return
    statement = (
        update(deliveries)
        .where(
            deliveries.c.launch_id == bindparam("launch", type_=Id),
            deliveries.c.device_id == bindparam("device", type_=Id),
        )
        .values(converted_at=bindparam("converted", type_=Instant))
    )
    tallies: dict[UUID, Tally] = defaultdict(Tally)
    values = []
    for (launch_id, device_id), push in sorted(changed.items(), key=lambda item: item[0]):
        assert push.converted_at is not None
        values.append({"launch": launch_id, "device": device_id, "converted": push.converted_at})
        was = before[launch_id, device_id].converted_at
        tallies[launch_id].convert(was, push.converted_at)
        if was is None:
            tallies[launch_id].add(
                push.platform, _ACCEPTED, push.reason, converted=1, language=push.language
            )
    await connection.execute(statement, values)
    for launch_id in sorted(tallies):
        await add_to_counts(connection, launch_id, tallies[launch_id])
