"""Rows of deliveries, as people see them and as planning writes them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.devices.device import Platform
from clarion.deliveries.counts_store import Tally, add_to_counts
from clarion.deliveries.delivery import DeliveryState, delivery_id
from clarion.deliveries.planning.chunk import Member, member_columns
from clarion.deliveries.planning.chunk_store import planned_after
from clarion.storage.bulk import insert_new
from clarion.storage.dialect import among
from clarion.storage.schema import chunks, customers, deliveries, devices, launches


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One push to one device, as people see it."""

    id: UUID
    launch_id: UUID
    device_row_id: UUID
    device_id: str | None
    customer_id: UUID
    user_id: str | None
    platform: Platform
    state: DeliveryState
    reason: str | None
    attempts: int
    unanswered: int
    settled_at: datetime | None
    received_at: datetime | None
    opened_at: datetime | None
    converted_at: datetime | None
    language: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which deliveries: those in this state, for this reason, on this platform; None: any."""

    state: DeliveryState | None = None
    reason: str | None = None
    platform: Platform | None = None


EVERY = Wanted()


async def plan(
    connection: AsyncConnection,
    launch_id: UUID,
    new_chunks: Sequence[Mapping[str, Any]],
    settled: Sequence[Mapping[str, Any]],
) -> None:
    """Insert a launch's chunks, whose `members` are what is planned, and the rows of what is
    settled already; both are counted."""
    tally = Tally()
    for chunk in new_chunks:
        for platform, count in Counter(member.platform for member in chunk["members"]).items():
            tally.add(platform, DeliveryState.PENDING.value, None, count)
    for row in settled:
        tally.add(row["platform"], row["state"], row["reason"], 1)
    await insert_new(
        connection, chunks, [{**chunk, **member_columns(chunk["members"])} for chunk in new_chunks]
    )
    await insert_new(connection, deliveries, settled)
    await add_to_counts(connection, launch_id, tally)


async def list_deliveries(
    connection: AsyncConnection,
    workspace_id: UUID,
    *,
    campaign_id: UUID,
    wanted: Wanted = EVERY,
    after: tuple[UUID, UUID] | None = None,
    limit: int,
) -> list[Delivery]:
    """A page of a campaign's deliveries by (launch, device), those greater than `after`.

    Launch by launch, so that each page is read off the primary key and nothing is sorted but it and
    a page of what is planned and has no row yet.
    """
    first, device_row_id = after or (None, None)
    statement = (
        select(launches.c.id)
        .where(launches.c.workspace_id == workspace_id, launches.c.campaign_id == campaign_id)
        .order_by(launches.c.id)
    )
    if first is not None:
        statement = statement.where(launches.c.id >= first)
    listed: list[Delivery] = []
    for launch_id in list((await connection.execute(statement)).scalars()):
        passed = device_row_id if launch_id == first else None
        left = limit - len(listed)
        listed += await list_of_launch(
            connection, launch_id, wanted=wanted, after=passed, limit=left
        )
        if len(listed) == limit:
            break
    return listed


async def deliveries_of_push(connection: AsyncConnection, push_id: UUID) -> list[Delivery]:
    """All deliveries of a push to one customer, by device: each has a row from the first."""
    return [_delivery(row) for row in await connection.execute(_page(push_id, EVERY, None))]


async def list_of_launch(
    connection: AsyncConnection,
    launch_id: UUID,
    *,
    wanted: Wanted = EVERY,
    after: UUID | None,
    limit: int,
) -> list[Delivery]:
    """A page of a launch's deliveries by device, those greater than `after`."""
    page: dict[UUID, Delivery] = {}
    # Before the rows: what is settled in between is among them.
    if wanted.state in (None, DeliveryState.PENDING) and wanted.reason is None:
        page |= await _planned(connection, launch_id, wanted.platform, after, limit)
    rows = await connection.execute(_page(launch_id, wanted, after).limit(limit))
    page |= {row.device_id: _delivery(row) for row in rows}
    return [page[device_id] for device_id in sorted(page)[:limit]]


def _page(launch_id: UUID, wanted: Wanted, after: UUID | None) -> Select[Any]:
    statement = (
        select(deliveries, devices.c.device_id.label("public_id"), customers.c.user_id)
        .outerjoin_from(deliveries, devices, devices.c.id == deliveries.c.device_id)
        .outerjoin(customers, customers.c.id == deliveries.c.customer_id)
        .where(deliveries.c.launch_id == launch_id)
        .order_by(deliveries.c.device_id)
    )
    for name in ("state", "reason", "platform"):
        value = getattr(wanted, name)
        if value is not None:
            statement = statement.where(deliveries.c[name] == str(value))
    return statement if after is None else statement.where(deliveries.c.device_id > after)


async def _planned(
    connection: AsyncConnection,
    launch_id: UUID,
    platform: Platform | None,
    after: UUID | None,
    limit: int,
) -> dict[UUID, Delivery]:
    """The next of those that are members of open chunks, by device."""
    members: list[Member] = []
    while len(members) < limit:
        page = await planned_after(connection, launch_id, after, limit)
        members += [member for member in page if platform is None or member.platform == platform]
        if len(page) < limit:
            break
        after = page[-1].device_id
    members = members[:limit]
    if not members:
        return {}
    names = await connection.execute(
        select(devices.c.id, devices.c.device_id).where(
            among(connection, devices.c.id, [member.device_id for member in members])
        )
    )
    public_ids = {row.id: row.device_id for row in names}
    users = await connection.execute(
        select(customers.c.id, customers.c.user_id).where(
            among(connection, customers.c.id, [member.customer_id for member in members])
        )
    )
    user_ids = {row.id: row.user_id for row in users}
    return {
        member.device_id: Delivery(
            id=delivery_id(launch_id, member.device_id),
            launch_id=launch_id,
            device_row_id=member.device_id,
            device_id=public_ids.get(member.device_id),
            customer_id=member.customer_id,
            user_id=user_ids.get(member.customer_id),
            platform=Platform(member.platform),
            state=DeliveryState.PENDING,
            reason=None,
            attempts=0,
            unanswered=0,
            settled_at=None,
            received_at=None,
            opened_at=None,
            converted_at=None,
            language=None,
        )
        for member in members
    }


def _delivery(row: Any) -> Delivery:
    return Delivery(
        id=delivery_id(row.launch_id, row.device_id),
        launch_id=row.launch_id,
        device_row_id=row.device_id,
        device_id=row.public_id,
        customer_id=row.customer_id,
        user_id=row.user_id,
        platform=Platform(row.platform),
        state=DeliveryState(row.state),
        reason=row.reason,
        attempts=row.attempts,
        unanswered=row.unanswered,
        settled_at=row.settled_at,
        received_at=row.received_at,
        opened_at=row.opened_at,
        converted_at=row.converted_at,
        language=row.language,
    )
