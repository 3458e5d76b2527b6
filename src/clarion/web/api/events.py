"""/events: what apps sent, as it was taken in."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import PathParameter

from clarion.customers.profile.redaction import shown_body
from clarion.customers.profile.redaction_store import known_in_events
from clarion.customers.profile.store import user_ids_of
from clarion.events.store import StoredEvent, get_event, list_events
from clarion.web.api.devices import Owner
from clarion.web.api.errors import ApiError, ErrorCode
from clarion.web.api.gate import GivenCaller, GivenParts
from clarion.web.api.moment import Moment
from clarion.web.api.pages import LIMIT_DEFAULT, Cursor, Limit, Page, after_seq, page

MessageId = Annotated[str, PathParameter(description="The event's `messageId`, percent-encoded.")]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What an app sent. `event` is a track event's name (a page's or screen's too); `at` its time
    after the sender's clock was corrected; `customer` null: it names nobody. `body` is what came,
    with tokens replaced by fingerprints."""

    message_id: str
    type: str
    event: str | None
    at: Moment
    received_at: Moment
    source_id: UUID
    user_id: str | None
    anonymous_id: str | None
    customer: Owner | None
    body: dict[str, Any]


class Events(Controller):
    path = "/events"
    tags = ("events",)

    @get("", summary="List events")
    async def list_all(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Page[Event]:
        """Events, the last to arrive first."""
        async with parts.database.read() as connection:
            found = await list_events(
                connection, caller.workspace_id, before_seq=after_seq(cursor), limit=limit + 1
            )
            ids = {one.customer_id for one in found if one.customer_id is not None}
            owners = await user_ids_of(connection, caller.workspace_id, ids)
            known = await known_in_events(connection, caller.workspace_id, found)
        return page(found, limit, lambda one: shown_event(one, owners, known), lambda one: one.seq)

    @get("/{message_id:str}", summary="Show an event")
    async def show(self, parts: GivenParts, caller: GivenCaller, message_id: MessageId) -> Event:
        """An event, once it is taken in: 200 from the collector means that it is durable, and a
        moment later it is here."""
        async with parts.database.read() as connection:
            event = await get_event(connection, caller.workspace_id, message_id)
            if event is None:
                raise ApiError(
                    ErrorCode.NOT_FOUND,
                    "There is no such event in this workspace. One that was accepted a moment ago "
                    "is durable, and is found here once it is taken in: ask again.",
                )
            ids = [] if event.customer_id is None else [event.customer_id]
            owners = await user_ids_of(connection, caller.workspace_id, ids)
            known = await known_in_events(connection, caller.workspace_id, [event])
        return shown_event(event, owners, known)


def shown_event(
    event: StoredEvent, owners: Mapping[UUID, str | None], known: Collection[str]
) -> Event:
    """An event as the API tells it; `owners`: user ids of customers; `known`: tokens."""
    owner = None
    if event.customer_id is not None:
        owner = Owner(id=event.customer_id, user_id=owners.get(event.customer_id))
    return Event(
        message_id=event.message_id,
        type=event.type,
        event=event.name,
        at=event.at,
        received_at=event.received_at,
        source_id=event.source_id,
        user_id=event.user_id,
        anonymous_id=event.anonymous_id,
        customer=owner,
        body=shown_body(event.body, known),
    )
