"""/pushes: one push to one customer, at once."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.params import HeaderParameter, PathParameter

from clarion.clock import Moment
from clarion.deliveries.pushes import push as pushes
from clarion.deliveries.pushes.commands import send_push
from clarion.deliveries.pushes.push import PlannedDevice, parse_push
from clarion.deliveries.pushes.queries import PushView, show_push
from clarion.web.api.bodies import read_object
from clarion.web.api.campaigns.deliveries import Delivery, shown_delivery
from clarion.web.api.campaigns.wire import Content
from clarion.web.api.customers.devices import Owner
from clarion.web.api.errors import accepted
from clarion.web.api.gate import BODY, MAY_CONFLICT, Call, GivenCaller, GivenParts

PushId = Annotated[UUID, PathParameter(description="The push's id.")]
IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        description="A text of your own for this push, kept for 30 days: the same call again "
        "sends nothing, and is answered as the first was.",
    ),
]


class NewPush(msgspec.Struct, kw_only=True):
    """A push to one customer. `user_id`: as whom they sign in, or the customer's id. Of `campaign`
    (its code or its id) and `content` one. `event`: what templates read by that name, such as
    `{{ event.order_id }}`. `devices`: all of the customer's, or the one that was seen last."""

    user_id: str
    campaign: str | msgspec.UnsetType = msgspec.UNSET
    content: Content | msgspec.UnsetType = msgspec.UNSET
    event: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    devices: Literal["all", "last_active"] | msgspec.UnsetType = msgspec.UNSET


class PlannedPush(msgspec.Struct, frozen=True, kw_only=True):
    """A push as it was planned. `campaign_id` null: it has content of its own. `devices`: those it
    was planned for, with the reason where one is skipped; `skipped`: why it goes to none, such as
    `no_device` or `opted_out`."""

    id: UUID
    campaign_id: UUID | None
    customer: Owner
    devices: list[PlannedDevice]
    skipped: str | None
    created_at: Moment


class PushWithDeliveries(PlannedPush, frozen=True, kw_only=True):
    """A push, and what became of it on each device."""

    deliveries: list[Delivery]


class Pushes(Controller):
    path = "/pushes"
    tags = ("pushes",)

    @post("", summary="Send a push to one customer", opt={BODY: NewPush, MAY_CONFLICT: True})
    async def send(
        self,
        request: Call,
        parts: GivenParts,
        caller: GivenCaller,
        idempotency_key: IdempotencyKey = None,
    ) -> PlannedPush:
        """Sends a push at once, before what waits of campaigns. It is durable when this is
        answered. Another push with the same `Idempotency-Key` is a conflict."""
        wanted = accepted(parse_push(await read_object(request), parts.check))
        return _shown(await parts.do(send_push, caller, wanted, idempotency_key))

    @get("/{push_id:uuid}", summary="Show a push to one customer")
    async def show(
        self, parts: GivenParts, caller: GivenCaller, push_id: PushId
    ) -> PushWithDeliveries:
        """A push, and what became of it on each device."""
        view: PushView = await parts.ask(show_push, caller, push_id)
        return PushWithDeliveries(
            **msgspec.structs.asdict(_shown(view.push)),
            deliveries=[shown_delivery(delivery) for delivery in view.deliveries],
        )


def _shown(push: pushes.Push) -> PlannedPush:
    return PlannedPush(
        id=push.id,
        campaign_id=push.campaign_id,
        customer=Owner(id=push.customer_id, user_id=push.user_id),
        devices=list(push.planned),
        skipped=push.skipped,
        created_at=push.created_at,
    )
