"""/customers: whom we know, and what they did."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import PathParameter, QueryParameter

from clarion.clock import Moment
from clarion.customers.queries import (
    customer_history,
    list_customers,
    list_events,
    search_customers,
    show_customer,
)
from clarion.web.api.customers.devices import After, Change, OwnedDevice
from clarion.web.api.customers.events import BeforeSeq, Event
from clarion.web.api.gate import GivenCaller, GivenParts
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
from clarion.web.api.shown import shown

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
        after: After = None,
    ) -> Page[Customer]:
        """Customers by id, those who have not signed in included; with `search`, those whom it
        names, in one page: who is not among them is found by a longer beginning."""
        if search is not None:
            matching = await parts.ask(search_customers, caller, search, limit=limit)
            return whole([shown(customer, Customer) for customer in matching])
        last_seen = after if cursor is None else after_id(cursor)
        customers = await parts.ask(list_customers, caller, after=last_seen, limit=limit + 1)
        return page(
            customers, limit, lambda listed: shown(listed, Customer), lambda listed: listed.id.bytes
        )

    @get("/{user_id:str}", summary="Show a customer")
    async def show(
        self, parts: GivenParts, caller: GivenCaller, user_id: UserId
    ) -> CustomerWithDevices:
        """A customer with traits and devices."""
        customer, devices = await parts.ask(show_customer, caller, user_id)
        return shown(customer, CustomerWithDevices, devices=devices)

    @get("/{user_id:str}/events", summary="List a customer's events")
    async def events(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        user_id: UserId,
        before: BeforeSeq = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Page[Event]:
        """A customer's events, those of before they signed in included; the last to arrive
        first."""
        before_seq = before if cursor is None else after_seq(cursor)
        events = await parts.ask(
            list_events, caller, user_id, before_seq=before_seq, limit=limit + 1
        )
        return page(events, limit, lambda event: shown(event, Event), lambda event: event.seq)

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
        changes = await parts.ask(
            customer_history, caller, user_id, after_seq=after_seq(cursor), limit=limit + 1
        )
        return page(changes, limit, lambda change: shown(change, Change), lambda change: change.seq)
