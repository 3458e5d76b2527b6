"""/customers/…/timeline: a customer's life in one list."""

from typing import Any, Literal, assert_never
from uuid import UUID

import msgspec
from litestar import Controller, get

from clarion.clock import Moment, from_micros, to_micros
from clarion.customers.devices.store import Change as StoredChange
from clarion.customers.queries import find_customer, view_events
from clarion.deliveries.delivery import DeliveryState
from clarion.events.store import StoredEvent
from clarion.reports import timeline_store as life
from clarion.reports.timeline_store import Entry, Position, position
from clarion.web.api.customers import UserId
from clarion.web.api.devices import Change
from clarion.web.api.errors import accepted
from clarion.web.api.events import Event
from clarion.web.api.gate import GivenCaller, GivenParts
from clarion.web.api.pages import LIMIT_DEFAULT, Cursor, Limit, Page, after_place, page
from clarion.web.api.shown import shown


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """A push that was planned for the customer. `state` accepted: FCM took it, no more; `opened_at`
    is the app's own word."""

    campaign_id: UUID
    campaign: str
    device_id: str | None
    state: DeliveryState
    reason: str | None
    settled_at: Moment | None
    received_at: Moment | None
    opened_at: Moment | None


class TimelineEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Something in a customer's life; of `event`, `change` and `push` the one that `kind` says.
    A push stands at the time of its launch."""

    at: Moment
    kind: Literal["event", "change", "push"]
    event: Event | None = None
    change: Change | None = None
    push: Push | None = None


class Timeline(Controller):
    path = "/customers"
    tags = ("customers",)

    @get("/{user_id:str}/timeline", summary="Show a customer's life")
    async def timeline(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        user_id: UserId,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Page[TimelineEntry]:
        """Events, what happened to devices, and pushes in one list by the time they happened, the
        newest first."""
        before = _before(after_place(cursor))
        async with parts.database.read() as connection:
            customer = accepted(await find_customer(connection, caller, user_id))
            found = await life.timeline(
                connection, caller.workspace_id, customer.id, before=before, limit=limit + 1
            )
            stored = [one for one in found if isinstance(one, StoredEvent)]
            views = {one.seq: one for one in await view_events(connection, caller, stored)}

        def entry(one: Entry) -> TimelineEntry:
            match one:
                case StoredEvent():
                    event = shown(views[one.seq], Event)
                    return TimelineEntry(at=one.at, kind="event", event=event)
                case StoredChange():
                    return TimelineEntry(at=one.at, kind="change", change=shown(one, Change))
                case life.Push():
                    return TimelineEntry(at=one.at, kind="push", push=shown(one, Push))
                case _:
                    assert_never(one)

        return page(found, limit, entry, _key)


def _key(entry: Entry) -> Any:
    here = position(entry)
    one, two = here.key
    return to_micros(here.at), here.rank, UUID(int=one).bytes, UUID(int=two).bytes


def _before(key: tuple[int, int, UUID, UUID] | None) -> Position | None:
    if key is None:
        return None
    at, rank, one, two = key
    return Position(from_micros(at), rank, (one.int, two.int))
