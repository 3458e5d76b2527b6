"""/events: what apps sent, as it was taken in."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import PathParameter, QueryParameter

from clarion.clock import Moment
from clarion.customers.queries import get_event, list_events
from clarion.web.api.customers.devices import Owner
from clarion.web.api.gate import GivenCaller, GivenParts
from clarion.web.api.pages import LIMIT_DEFAULT, SEQ_MAX, Cursor, Limit, Page, after_seq, page
from clarion.web.api.shown import shown

MessageId = Annotated[str, PathParameter(description="The event's `messageId`, percent-encoded.")]
BeforeSeq = Annotated[
    int | None,
    QueryParameter(
        ge=0, le=SEQ_MAX, description="The `seq` of the last one seen: what came before is listed."
    ),
]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What an app sent. `event` is a track event's name (a page's or screen's too); `at` its time
    after the sender's clock was corrected; `customer` null: it names nobody. `body` is what came,
    with tokens replaced by fingerprints. `seq` counts events in the order of their arrival."""

    seq: int
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
        events = await parts.ask(list_events, caller, before_seq=after_seq(cursor), limit=limit + 1)
        return page(events, limit, lambda event: shown(event, Event), lambda event: event.seq)

    @get("/{message_id:str}", summary="Show an event")
    async def show(self, parts: GivenParts, caller: GivenCaller, message_id: MessageId) -> Event:
        """An event, once it is taken in: 200 from the collector means that it is durable, and a
        moment later it is here."""
        return shown(await parts.ask(get_event, caller, message_id), Event)
