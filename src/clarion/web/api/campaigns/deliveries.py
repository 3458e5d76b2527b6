"""/deliveries: what became of each push."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import QueryParameter

from clarion.clock import Moment
from clarion.customers.devices.device import Platform
from clarion.deliveries import store
from clarion.deliveries.delivery import DeliveryState
from clarion.deliveries.queries import list_deliveries
from clarion.web.api.customers.devices import Owner
from clarion.web.api.gate import MAY_BE_GONE, GivenCaller, GivenParts
from clarion.web.api.pages import LIMIT_DEFAULT, Cursor, Limit, Page, after_ids, page
from clarion.web.api.shown import shown


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One push to one device. `pending` is what a report counts as in flight; `reason` says why it
    came to its state. `customer` is the owner when it was planned; `device_id` null: the device is
    no longer known. `unanswered`: attempts whose answer was never seen."""

    id: UUID
    launch_id: UUID
    device_id: str | None
    customer: Owner
    platform: Platform
    state: DeliveryState
    reason: str | None
    attempts: int
    unanswered: int
    settled_at: Moment | None
    received_at: Moment | None
    opened_at: Moment | None


class Deliveries(Controller):
    path = "/deliveries"
    tags = ("deliveries",)

    @get("", summary="List a campaign's deliveries", opt={MAY_BE_GONE: True})
    async def list_all(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        campaign: Annotated[UUID, QueryParameter(description="The campaign's id.")],
        in_state: Annotated[
            DeliveryState | None,
            QueryParameter(name="state", description="Only those in this state."),
        ] = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Page[Delivery]:
        """Each push of a campaign and what became of it."""
        deliveries = await parts.ask(
            list_deliveries,
            caller,
            campaign,
            state=in_state,
            after=after_ids(cursor),
            limit=limit + 1,
        )
        return page(
            deliveries,
            limit,
            shown_delivery,
            lambda delivery: (delivery.launch_id.bytes, delivery.device_row_id.bytes),
        )


def shown_delivery(delivery: store.Delivery) -> Delivery:
    """A delivery as the API tells it."""
    owner = Owner(id=delivery.customer_id, user_id=delivery.user_id)
    return shown(delivery, Delivery, customer=owner)
