"""Rows of customers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.profile.customer import CustomerRecord, Seen
from clarion.customers.profile.traits import Profile
from clarion.events.ownership_store import is_in_period, owned_by, periods_of
from clarion.storage.bulk import in_parts, upsert
from clarion.storage.dialect import among, unindexed
from clarion.storage.schema import customers, devices, events, merges, ownership_periods


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer as people see it; `user_id` None: not signed in."""

    id: UUID
    workspace_id: UUID
    user_id: str | None
    traits: Mapping[str, Any]
    push_opted_out: bool
    suppressed_at: datetime | None
    """Since when nothing is collected of them and nothing sent to them."""
    first_seen_at: datetime
    last_seen_at: datetime


async def get_customer(
    connection: AsyncConnection, workspace_id: UUID, user_id: str
) -> Customer | None:
    """The customer who signs in as `user_id`."""
    rows = await connection.execute(
        select(customers).where(
            customers.c.workspace_id == workspace_id, customers.c.user_id == user_id
        )
    )
    row = rows.one_or_none()
    return None if row is None else read_customer(row)


async def find_customer(
    connection: AsyncConnection, workspace_id: UUID, name: str
) -> Customer | None:
    """The customer who signs in as `name`, or as whom that counts since it was merged; where nobody
    does, the one with that id: this is how one who has not signed in is named."""
    found = await get_customer(connection, workspace_id, name)
    if found is not None:
        return found
    into = await merged_into(connection, workspace_id, name)
    if into is not None:
        return await get_customer(connection, workspace_id, into)
    try:
        customer_id = UUID(name)
    except ValueError:
        return None
    return await get_customer_by_id(connection, workspace_id, customer_id)


async def merged_into(connection: AsyncConnection, workspace_id: UUID, user_id: str) -> str | None:
    """The user id that `user_id` counts as, where somebody has merged it."""
    rows = await connection.execute(
        select(merges.c.into_user).where(
            merges.c.workspace_id == workspace_id,
            merges.c.from_user == user_id,
            merges.c.undone_at.is_(None),
        )
    )
    return rows.scalar_one_or_none()


async def get_customer_by_id(
    connection: AsyncConnection, workspace_id: UUID, customer_id: UUID
) -> Customer | None:
    rows = await connection.execute(
        select(customers).where(
            customers.c.workspace_id == workspace_id, customers.c.id == customer_id
        )
    )
    row = rows.one_or_none()
    return None if row is None else read_customer(row)


async def list_customers(
    connection: AsyncConnection, workspace_id: UUID, *, after: UUID | None, limit: int
) -> list[Customer]:
    """A page of customers by id, those greater than `after`."""
    statement = select(customers).where(unindexed(customers.c.workspace_id) == workspace_id)
    if after is not None:
        statement = statement.where(customers.c.id > after)
    rows = await connection.execute(statement.order_by(customers.c.id).limit(limit))
    return [read_customer(row) for row in rows]


async def user_ids_of(
    connection: AsyncConnection, workspace_id: UUID, customer_ids: Iterable[UUID]
) -> dict[UUID, str | None]:
    """The user id of each customer that exists."""
    rows = await connection.execute(
        select(customers.c.id, customers.c.user_id).where(
            customers.c.workspace_id == workspace_id, customers.c.id.in_(list(customer_ids))
        )
    )
    return {row.id: row.user_id for row in rows}


async def lock_customers(
    connection: AsyncConnection, ids: Iterable[UUID]
) -> dict[UUID, CustomerRecord]:
    """Those of `ids` that exist, ours until this transaction ends."""
    wanted = sorted(set(ids), key=_bytes)
    if not wanted:
        return {}
    rows = await connection.execute(
        select(customers)
        .where(among(connection, customers.c.id, wanted))
        .order_by(customers.c.id)
        .with_for_update()
    )
    return {row.id: _kept(row) for row in rows}


async def keep_customers(
    connection: AsyncConnection, workspace_id: UUID, kept: Sequence[CustomerRecord]
) -> None:
    """Write `kept`, whether they were there or not."""
    await upsert(
        connection,
        customers,
        [_row(workspace_id, customer) for customer in sorted(kept, key=lambda one: one.id.bytes)],
        key=("id",),
    )


async def see_customers(
    connection: AsyncConnection, workspace_id: UUID, seen: Iterable[Seen]
) -> None:
    """Widen when each was first and last seen, and create those who are new. Traits of one who is
    there are left alone, so nothing is read."""
    await upsert(
        connection,
        customers,
        [
            {
                "id": one.id,
                "user_id": one.user_id,
                "key": one.key,
                "first_seen_at": one.first_at,
                "last_seen_at": one.last_at,
            }
            for one in sorted(seen, key=_by_id)
        ],
        key=("id",),
        combine={"first_seen_at": "least", "last_seen_at": "greatest"},
        same={
            "workspace_id": workspace_id,
            "traits": {},
            "stamps": {},
            "push_opted_out": False,
        },
    )


async def seen_between(
    connection: AsyncConnection, workspace_id: UUID, ids: Iterable[UUID]
) -> dict[UUID, tuple[datetime, datetime]]:
    """The first and last event of each customer that has any."""
    spans: dict[UUID, tuple[datetime, datetime]] = {}
    # Each end of each period by its own look into the index: a customer may have many events.
    at = select(events.c.at).where(is_in_period()).correlate(ownership_periods).limit(1)
    first = at.order_by(events.c.at).scalar_subquery()
    last = at.order_by(events.c.at.desc()).scalar_subquery()
    for part in in_parts(ids):
        rows = await connection.execute(
            select(ownership_periods.c.customer_id, first.label("first"), last.label("last")).where(
                *periods_of(connection, workspace_id, part)
            )
        )
        for customer_id, begins, ends in rows:
            if begins is not None:
                known = spans.get(customer_id, (begins, ends))
                spans[customer_id] = (min(known[0], begins), max(known[1], ends))
    return spans


async def last_seen(
    connection: AsyncConnection,
    workspace_id: UUID,
    customer_id: UUID,
    *,
    unseen: Iterable[str],
) -> datetime | None:
    """The last event of a customer but for those whose messageIds are `unseen`."""
    rows = await connection.execute(
        select(events.c.at)
        .where(
            *owned_by(connection, workspace_id, [customer_id]),
            events.c.message_id.not_in(list(unseen)),
        )
        .order_by(events.c.at.desc())
        .limit(1)
    )
    return rows.scalar_one_or_none()


async def forget_customers(
    connection: AsyncConnection, workspace_id: UUID, ids: Iterable[UUID]
) -> None:
    """Remove those of `ids` whom no device points at: nothing is left that was theirs."""
    wanted = sorted(set(ids), key=_bytes)
    if wanted:
        held = select(devices.c.customer_id).where(
            devices.c.workspace_id == workspace_id, devices.c.customer_id == customers.c.id
        )
        await connection.execute(
            delete(customers).where(among(connection, customers.c.id, wanted), ~held.exists())
        )


def read_customer(row: Any) -> Customer:
    """A row of `customers` as people see it."""
    return Customer(
        id=row.id,
        workspace_id=row.workspace_id,
        user_id=row.user_id,
        traits=row.traits,
        push_opted_out=row.push_opted_out,
        suppressed_at=row.suppressed_at,
        first_seen_at=row.first_seen_at,
        last_seen_at=max(row.first_seen_at, row.last_seen_at),
    )


def _by_id(one: Seen) -> bytes:
    return one.id.bytes


def _row(workspace_id: UUID, customer: CustomerRecord) -> dict[str, Any]:
    profile = customer.profile
    return {
        "id": customer.id,
        "workspace_id": workspace_id,
        "user_id": customer.user_id,
        "key": customer.key,
        "email": profile.email,
        "traits": profile.traits,
        "stamps": profile.stamps,
        "push_stamp": profile.push,
        "push_opted_out": profile.push_opted_out,
        "first_seen_at": customer.first_seen_at,
        "last_seen_at": customer.last_seen_at,
    }


def _kept(row: Any) -> CustomerRecord:
    stamps = {name: (rank, at, message_id) for name, (rank, at, message_id) in row.stamps.items()}
    push = row.push_stamp
    return CustomerRecord(
        id=row.id,
        user_id=row.user_id,
        key=row.key,
        profile=Profile(
            traits=row.traits,
            stamps=stamps,
            push=None if push is None else (push[0], push[1], push[2]),
        ),
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
    )


def _bytes(one: UUID) -> bytes:
    """What ids are sorted by: Python compares them slowly."""
    return one.bytes
