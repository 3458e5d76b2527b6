"""/customers: whom we know, and what they did."""

from collections.abc import Collection
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import PathParameter, QueryParameter
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor
from clarion.customers.devices.store import customer_history, list_devices_of
from clarion.customers.profile import store
from clarion.customers.profile.redaction import shown_traits
from clarion.customers.profile.redaction_store import known_in_events, known_in_traits
from clarion.customers.profile.search_store import search_customers
from clarion.customers.profile.store import find_customer, list_customers
from clarion.events.store import list_events
from clarion.web.api.devices import Change, OwnedDevice, shown_change, shown_owned
from clarion.web.api.errors import not_found
from clarion.web.api.events import Event, shown_event
from clarion.web.api.gate import GivenCaller, GivenParts, Parts
from clarion.web.api.moment import Moment
from clarion.web.api.pages import (
    LIMIT_DEFAULT,
    Cursor,
    Limit,
    Page,
    after_id,
    after_seq,
    page,
    whole,
)

SEARCH_CHARACTERS_MAX = 4_096
"""Longer than any registration token."""

UserId = Annotated[
    str,
    PathParameter(
        description="The user id, percent-encoded; for one who has not signed in, the customer's "
        "`id`. Where somebody signs in as what looks like an id, that customer is meant."
    ),
]


Search = Annotated[
    str | None,
    QueryParameter(
        max_length=SEARCH_CHARACTERS_MAX,
        description="A user id, a customer's id, an email address in any letters, a device id, a "
        "registration token; or the beginning of a user id or an address. Exact ones come first.",
    ),
]


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """Whom we know. `user_id` null: not signed in yet; `suppressed_at`: since then nothing is
    collected of them and nothing sent to them."""

    id: UUID
    user_id: str | None
    traits: dict[str, Any]
    push_opted_out: bool
    suppressed_at: Moment | None
    first_seen_at: Moment
    last_seen_at: Moment


class CustomerWithDevices(Customer, frozen=True, kw_only=True):
    """A customer and where they can be reached; removed devices are told too."""

    devices: list[OwnedDevice]


class Customers(Controller):
    path = "/customers"
    tags = ("customers",)

    @get("", summary="List or find customers")
    async def list_all(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
        search: Search = None,
    ) -> Page[Customer]:
        """Customers by id, those who have not signed in included; with `search`, those whom it
        names, in one page: who is not among them is found by a longer beginning."""
        if search is not None:
            return await _found(parts, caller, search, limit)
        async with parts.database.read() as connection:
            found = await list_customers(
                connection, caller.workspace_id, after=after_id(cursor), limit=limit + 1
            )
            known = await known_in_traits(connection, caller.workspace_id, found)
        return page(
            found, limit, lambda one: Customer(**_fields(one, known)), lambda one: one.id.bytes
        )

    @get("/{user_id:str}", summary="Show a customer")
    async def show(
        self, parts: GivenParts, caller: GivenCaller, user_id: UserId
    ) -> CustomerWithDevices:
        """A customer with traits and devices."""
        async with parts.database.read() as connection:
            customer = await find(connection, caller, user_id)
            devices = await list_devices_of(connection, caller.workspace_id, customer.id)
            known = await known_in_traits(connection, caller.workspace_id, [customer])
        return CustomerWithDevices(
            **_fields(customer, known), devices=[shown_owned(device) for device in devices]
        )

    @get("/{user_id:str}/events", summary="List a customer's events")
    async def events(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        user_id: UserId,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Page[Event]:
        """A customer's events, those of before they signed in included; the last to arrive
        first."""
        async with parts.database.read() as connection:
            customer = await find(connection, caller, user_id)
            found = await list_events(
                connection,
                caller.workspace_id,
                customer_id=customer.id,
                before_seq=after_seq(cursor),
                limit=limit + 1,
            )
            known = await known_in_events(connection, caller.workspace_id, found)
        owners = {customer.id: customer.user_id}
        return page(found, limit, lambda one: shown_event(one, owners, known), lambda one: one.seq)

    @get("/{user_id:str}/devices/history", summary="Show the history of a customer's devices")
    async def history(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        user_id: UserId,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Page[Change]:
        """What happened to devices while they came to, were with, or left a customer; oldest
        first."""
        async with parts.database.read() as connection:
            customer = await find(connection, caller, user_id)
            found = await customer_history(
                connection,
                caller.workspace_id,
                customer.id,
                after_seq=after_seq(cursor),
                limit=limit + 1,
            )
        return page(found, limit, shown_change, lambda one: one.seq)


async def _found(parts: Parts, caller: Actor, words: str, limit: int) -> Page[Customer]:
    async with parts.database.read() as connection:
        found = await search_customers(connection, caller.workspace_id, words, limit=limit)
        known = await known_in_traits(connection, caller.workspace_id, found)
    return whole([Customer(**_fields(customer, known)) for customer in found])


async def find(connection: AsyncConnection, caller: Actor, user_id: str) -> store.Customer:
    """The customer that a path names. Ends the call where there is none."""
    customer = await find_customer(connection, caller.workspace_id, user_id)
    if customer is None:
        raise not_found("customer")
    return customer


def _fields(customer: store.Customer, known: Collection[str]) -> dict[str, Any]:
    return {
        "id": customer.id,
        "user_id": customer.user_id,
        "traits": shown_traits(customer.traits, known),
        "push_opted_out": customer.push_opted_out,
        "suppressed_at": customer.suppressed_at,
        "first_seen_at": customer.first_seen_at,
        "last_seen_at": customer.last_seen_at,
    }
