"""Rows of customers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Delete, ScalarSelect, Select, Table, bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.profile.customer import ActiveCustomer, CustomerRecord
from clarion.customers.profile.traits import Profile
from clarion.events.ownership_store import is_in_period, owned_by
from clarion.storage.bulk import in_parts, upsert
from clarion.storage.dialect import Id, among, prepared, several, unindexed
from clarion.storage.schema import (
    customers,
    devices,
    event_traces,
    events,
    merges,
    ownership_periods,
)


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
    wanted = {"workspace": workspace_id, "user": user_id}
    return await _one(connection, _BY_USER_ID, wanted)


async def find_customer(
    connection: AsyncConnection, workspace_id: UUID, name: str
) -> Customer | None:
    """The customer who signs in as `name`, or as whom that counts since it was merged; where nobody
    does, the one with that id: this is how one who has not signed in is named."""
    customer = await get_customer(connection, workspace_id, name)
    if customer is not None:
        return customer
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
    return await _one(connection, _BY_ID, {"workspace": workspace_id, "customer": customer_id})


async def list_customers(
    connection: AsyncConnection, workspace_id: UUID, *, after: UUID | None, limit: int
) -> list[Customer]:
    """A page of customers by id, those greater than `after`."""
    statement = select(customers).where(unindexed(customers.c.workspace_id) == workspace_id)
    if after is not None:
        statement = statement.where(customers.c.id > after)
    return await customers_in(connection, statement.order_by(customers.c.id).limit(limit))


async def customers_in(connection: AsyncConnection, statement: Select[Any]) -> list[Customer]:
    """The customers that `statement` selects."""
    return [_customer(row) for row in await connection.execute(statement)]


async def user_ids_of(
    connection: AsyncConnection, workspace_id: UUID, customer_ids: Iterable[UUID]
) -> dict[UUID, str | None]:
    """The user id of each customer that exists."""
    wanted = list(customer_ids)
    if not wanted:
        return {}  # SQLite would look through all customers for one who is among nobody
    rows = await connection.execute(
        select(customers.c.id, customers.c.user_id).where(
            customers.c.workspace_id == workspace_id, customers.c.id.in_(wanted)
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
    rows = await connection.execute(_lock_customers(connection), {"ids": wanted})
    return {row.id: _kept(row) for row in rows.all()}


@prepared
def _lock_customers(connection: AsyncConnection) -> Select[Any]:
    ids = several(connection, "ids", customers.c.id)
    return (
        select(customers)
        .where(among(connection, customers.c.id, ids))
        .order_by(customers.c.id)
        .with_for_update()
    )


async def keep_customers(
    connection: AsyncConnection, workspace_id: UUID, kept: Sequence[CustomerRecord]
) -> None:
    """Write `kept`, whether they were there or not."""
    await upsert(
        connection,
        customers,
        [_row(workspace_id, customer) for customer in sorted(kept, key=_by_id)],
        key=("id",),
        changes=_LEARNT,
    )


async def see_customers(
    connection: AsyncConnection, workspace_id: UUID, seen: Iterable[ActiveCustomer]
) -> None:
    """Widen when each was first and last seen, and create those who are new. Traits of one who is
    there are left alone, so nothing is read."""
    await upsert(
        connection,
        customers,
        [
            {
                "id": customer.id,
                "user_id": customer.user_id,
                "key": customer.key,
                "first_seen_at": customer.first_at,
                "last_seen_at": customer.last_at,
            }
            for customer in sorted(seen, key=_by_id)
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
) -> dict[UUID, tuple[datetime, datetime | None]]:
    """The first and last event of each customer that has or had any; None: the person was not
    there at any of them, and they are removed."""
    spans: dict[UUID, tuple[datetime, datetime | None]] = {}
    statement = _seen_statement(connection)
    for part in in_parts(ids):
        rows = await connection.execute(statement, {"workspace": workspace_id, "ids": part})
        for customer_id, first, last, first_removed, last_removed in rows:
            before = spans.get(customer_id, (None, None))
            begins = [at for at in (first, first_removed, before[0]) if at is not None]
            there = [at for at in (last, last_removed, before[1]) if at is not None]
            if begins:
                spans[customer_id] = min(begins), max(there, default=None)
    return spans


@prepared
def _seen_statement(connection: AsyncConnection) -> Select[Any]:
    """Each end of each period by its own look into the index, as a customer may have many events;
    and all of it in one statement: what is removed meanwhile is in one of the tables, whenever it
    looks."""
    ends = [
        _end_of(table, is_last=is_last)
        for table in (events, event_traces)
        for is_last in (False, True)
    ]
    ids = several(connection, "ids", ownership_periods.c.customer_id)
    return select(ownership_periods.c.customer_id, *ends).where(
        unindexed(ownership_periods.c.workspace_id) == bindparam("workspace", type_=Id),
        among(connection, ownership_periods.c.customer_id, ids),
    )


def _end_of(table: Table, *, is_last: bool) -> ScalarSelect[datetime]:
    """The first or last event of a period. Of what a trace is kept is known whether the person was
    there, which is what the last one is asked for."""
    at = select(table.c.at).where(is_in_period(table)).correlate(ownership_periods).limit(1)
    if is_last and table is event_traces:
        at = at.where(event_traces.c.is_active)
    return at.order_by(table.c.at.desc() if is_last else table.c.at).scalar_subquery()


async def last_seen(
    connection: AsyncConnection,
    workspace_id: UUID,
    customer_id: UUID,
    *,
    unseen: Iterable[str],
) -> datetime | None:
    """The last event of a customer but for those whose messageIds are `unseen`: at them the person
    was not there."""
    was_there = {
        events: events.c.message_id.not_in(list(unseen)),
        event_traces: event_traces.c.is_active,
    }
    stored, removed = (
        select(table.c.at)
        .where(*owned_by(connection, workspace_id, [customer_id], table), is_counted)
        .order_by(table.c.at.desc())
        .limit(1)
        .scalar_subquery()
        for table, is_counted in was_there.items()
    )
    row = (await connection.execute(select(stored, removed))).one()
    return max((at for at in row if at is not None), default=None)


async def forget_customers(
    connection: AsyncConnection, workspace_id: UUID, ids: Iterable[UUID]
) -> None:
    """Remove those of `ids` whom no device points at: nothing is left that was theirs."""
    wanted = sorted(set(ids), key=_bytes)
    if wanted:
        values = {"workspace": workspace_id, "ids": wanted}
        await connection.execute(_forget_customers(connection), values)


@prepared
def _forget_customers(connection: AsyncConnection) -> Delete:
    ids = several(connection, "ids", customers.c.id)
    held = select(devices.c.customer_id).where(
        devices.c.workspace_id == bindparam("workspace", type_=Id),
        devices.c.customer_id == customers.c.id,
    )
    return delete(customers).where(among(connection, customers.c.id, ids), ~held.exists())


_IN_WORKSPACE = select(customers).where(
    customers.c.workspace_id == bindparam("workspace", type_=Id)
)
_BY_USER_ID = _IN_WORKSPACE.where(customers.c.user_id == bindparam("user"))
_BY_ID = _IN_WORKSPACE.where(customers.c.id == bindparam("customer", type_=Id))
"""Made once: once for each push would be felt."""


async def _one(
    connection: AsyncConnection, statement: Select[Any], wanted: Mapping[str, Any]
) -> Customer | None:
    row = (await connection.execute(statement, wanted)).one_or_none()
    return None if row is None else _customer(row)


def _customer(row: Any) -> Customer:
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


_LEARNT = (
    "email",
    "traits",
    "stamps",
    "push_stamp",
    "push_opted_out",
    "first_seen_at",
    "last_seen_at",
)
"""What may change of a customer: the id is made of the others."""


def _by_id(customer: ActiveCustomer | CustomerRecord) -> bytes:
    return customer.id.bytes


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


def _bytes(id_: UUID) -> bytes:
    """What ids are sorted by: Python compares them slowly."""
    return id_.bytes
