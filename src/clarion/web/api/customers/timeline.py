"""/customers/…/timeline: a customer's life in one list."""

from typing import Any, Literal, assert_never
from uuid import UUID

import msgspec
from litestar import Controller, get

from clarion.clock import Moment, from_micros, to_micros
from clarion.customers.devices.store import Change as StoredChange
from clarion.customers.queries import EventView
from clarion.deliveries.delivery import DeliveryState
from clarion.reports import queries
from clarion.reports.queries import customer_timeline
from clarion.reports.timeline_store import Position
from clarion.reports.timeline_store import Push as StoredPush
from clarion.web.api.customers.customers import UserId
from clarion.web.api.customers.devices import Change
from clarion.web.api.customers.events import Event
from clarion.web.api.gate import GivenCaller, GivenParts
from clarion.web.api.pages import LIMIT_DEFAULT, Cursor, Limit, Page, after_place, page
from clarion.web.api.shown import shown


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """A push that was planned for the customer. `state` accepted: FCM took it, no more; `opened_at`
    is the app's own word. `campaign_id` and `campaign` null: it had content of its own.
    `launch_id`: of a push to this customer alone, its id."""

    launch_id: UUID
    campaign_id: UUID | None
    campaign: str | None
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
        entries = await parts.ask(
            customer_timeline,
            caller,
            user_id,
            before=_position(after_place(cursor)),
            limit=limit + 1,
        )
        return page(entries, limit, _shown, lambda entry: _key(entry.position))


def _shown(entry: queries.TimelineEntry) -> TimelineEntry:
    at, thing = entry.position.at, entry.thing
    match thing:
        case EventView():
            return TimelineEntry(at=at, kind="event", event=shown(thing, Event))
        case StoredChange():
            return TimelineEntry(at=at, kind="change", change=shown(thing, Change))
        case StoredPush():
            return TimelineEntry(at=at, kind="push", push=shown(thing, Push))
        case _:
            assert_never(thing)


def _key(position: Position) -> Any:
    first_key, second_key = position.key
    return (
        to_micros(position.at),
        position.rank,
        UUID(int=first_key).bytes,
        UUID(int=second_key).bytes,
    )


def _position(key: tuple[int, int, UUID, UUID] | None) -> Position | None:
    if key is None:
        return None
    at, rank, first_key, second_key = key
    return Position(from_micros(at), rank, (first_key.int, second_key.int))
