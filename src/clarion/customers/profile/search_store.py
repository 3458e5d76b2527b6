"""Customers found by what people have at hand: an id, an address, a device, a token.

Every way is a look-up or a range in an index, so the answer takes the same time at a million
customers; nothing is searched for in the middle of a text. A token is hashed before it is compared,
and is never told back.
"""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Select, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.devices.device import TokenKind, installation_hash
from clarion.customers.profile.store import Customer, customers_in
from clarion.customers.profile.traits import searchable_email
from clarion.storage.schema import customers, devices, tokens

_LAST_CHARACTER = "\U0010ffff"


async def search_customers(
    connection: AsyncConnection, workspace_id: UUID, words: str, *, limit: int
) -> list[Customer]:
    """Up to `limit` customers: those whom `words` name exactly before those of whom it is only the
    beginning.

    Exactly: a user id, a customer's id, an address (in any letters), a device id, a registration
    token. The beginning: of a user id or an address.
    """
    wanted = words.strip()
    if not wanted or "\x00" in wanted:
        return []
    customers_by_id: dict[UUID, Customer] = {}
    for statement in _ways(workspace_id, wanted):
        if len(customers_by_id) >= limit:
            break
        for customer in await customers_in(connection, statement.limit(limit)):
            customers_by_id.setdefault(customer.id, customer)
    return list(customers_by_id.values())[:limit]


async def customers_by_email(
    connection: AsyncConnection, workspace_id: UUID, address: str, *, limit: int
) -> list[Customer]:
    """Everybody with that address, in any letters."""
    email = searchable_email(address)
    if email is None or "\x00" in email:
        return []
    return await customers_in(
        connection,
        select(customers)
        .where(customers.c.workspace_id == workspace_id, customers.c.email == email)
        .order_by(customers.c.id)
        .limit(limit),
    )


async def customers_by_ids(
    connection: AsyncConnection, workspace_id: UUID, ids: Iterable[UUID]
) -> dict[UUID, Customer]:
    """Those of `ids` that exist."""
    wanted = set(ids)
    if not wanted:
        return {}
    ours = (customers.c.workspace_id == workspace_id, customers.c.id.in_(wanted))
    records = await customers_in(connection, select(customers).where(*ours))
    return {customer.id: customer for customer in records}


def _ways(workspace_id: UUID, wanted: str) -> Iterator[Select[Any]]:
    """One statement for each way: joined by OR they would be served by no index."""
    ours = select(customers).where(customers.c.workspace_id == workspace_id)
    yield ours.where(customers.c.user_id == wanted)
    customer_id = _as_id(wanted)
    if customer_id is not None:
        yield ours.where(customers.c.id == customer_id)
    holding = ours.join(devices, devices.c.customer_id == customers.c.id).where(
        devices.c.workspace_id == workspace_id
    )
    yield holding.where(devices.c.device_id == wanted)
    yield holding.join(tokens, tokens.c.device_id == devices.c.device_id).where(
        tokens.c.workspace_id == workspace_id,
        tokens.c.installation_hash == installation_hash(wanted, TokenKind.FCM),
    )
    email = searchable_email(wanted)
    if email is not None:
        yield ours.where(customers.c.email == email).order_by(customers.c.id)
    yield ours.where(_begins_with(customers.c.user_id, wanted)).order_by(customers.c.user_id)
    if email is not None:
        yield ours.where(_begins_with(customers.c.email, email)).order_by(customers.c.email)


def _as_id(wanted: str) -> UUID | None:
    try:
        return UUID(wanted)
    except ValueError:
        return None


def _begins_with(column: Column[Any], wanted: str) -> ColumnElement[bool]:
    """A range in the order of bytes, which is that of characters in UTF-8: an index serves it."""
    return and_(column >= wanted, column <= wanted + _LAST_CHARACTER)
