"""/deliveries: what became of each push."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import QueryParameter
from litestar.response import Stream

from clarion.clock import Moment
from clarion.customers.devices.device import Platform
from clarion.deliveries import store
from clarion.deliveries.delivery import DeliveryState
from clarion.deliveries.queries import list_deliveries, list_launch_deliveries
from clarion.deliveries.store import Wanted
from clarion.importing.delivery_lines import DELIVERIES_AT_ONCE, delivery_lines
from clarion.web.api.campaigns.launches import LaunchId
from clarion.web.api.customers.devices import Owner
from clarion.web.api.gate import MAY_BE_GONE, MEDIA, GivenCaller, GivenParts
from clarion.web.api.pages import LIMIT_DEFAULT, Cursor, Limit, Page, after_ids, page
from clarion.web.api.shown import shown

CSV = "text/csv"

InState = Annotated[
    DeliveryState | None, QueryParameter(name="state", description="Only those in this state.")
]
ForReason = Annotated[
    str | None, QueryParameter(description="Only those for this reason, as a report names it.")
]
OnPlatform = Annotated[Platform | None, QueryParameter(description="Only those on this platform.")]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One push to one device. `pending` is what a report counts as in flight; `reason` says why it
    came to its state. `customer` is the owner when it was planned; `device_id` null: the device is
    no longer known. `unanswered`: attempts whose answer was never seen.
    `converted_at`: its customer did what the campaign was to lead to; of several devices one has
    it. `language`: of its text, a tag or `default`; null: the content has no languages, or none was
    chosen yet."""

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
    converted_at: Moment | None
    language: str | None


class LaunchDeliveries(Controller):
    path = "/launches/{launch_id:uuid}/deliveries.csv"
    tags = ("deliveries",)

    @get("", summary="Export a launch's deliveries", opt={MAY_BE_GONE: True, MEDIA: CSV})
    async def export(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        launch_id: LaunchId,
        in_state: InState = None,
        reason: ForReason = None,
        platform: OnPlatform = None,
    ) -> Stream:
        """Each push of a launch as a line of CSV, page by page, so that it may be as large as it
        likes. Those of a launch that is still sending are told as they are when their page is read.
        Texts that a spreadsheet would run begin with an apostrophe."""
        wanted = Wanted(state=in_state, reason=reason, platform=platform)

        async def read(last: store.Delivery | None) -> list[store.Delivery]:
            return await parts.ask(
                list_launch_deliveries,
                caller,
                launch_id,
                wanted=wanted,
                after=None if last is None else last.device_row_id,
                limit=DELIVERIES_AT_ONCE,
            )

        # Before the answer begins: then it can still be an error.
        first = await read(None)
        headers = {"Content-Disposition": 'attachment; filename="deliveries.csv"'}
        return Stream(delivery_lines(first, read), media_type=CSV, headers=headers)


class Deliveries(Controller):
    path = "/deliveries"
    tags = ("deliveries",)

    @get("", summary="List a campaign's deliveries", opt={MAY_BE_GONE: True})
    async def list_all(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        campaign: Annotated[UUID, QueryParameter(description="The campaign's id.")],
        in_state: InState = None,
        reason: ForReason = None,
        platform: OnPlatform = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Page[Delivery]:
        """Each push of a campaign and what became of it."""
        deliveries = await parts.ask(
            list_deliveries,
            caller,
            campaign,
            wanted=Wanted(state=in_state, reason=reason, platform=platform),
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
