"""/customers/…/campaigns/…: why a customer got a campaign, or did not."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import PathParameter, QueryParameter

from clarion.reports.why import PushTold, WhyCode
from clarion.reports.why_queries import why_campaign
from clarion.web.api.audiences.wire import Explanation
from clarion.web.api.customers.customers import UserId
from clarion.web.api.gate import GivenCaller, GivenParts
from clarion.web.api.shown import shown


class WhyTold(msgspec.Struct, frozen=True, kw_only=True):
    """Why a customer got a campaign, or did not. `launch_id` null: it has not launched. `devices`:
    the pushes that were planned for them. `explanation`: of an audience they are not in, condition
    by condition, by what is known now."""

    customer_id: UUID
    campaign_id: UUID
    launch_id: UUID | None
    code: WhyCode
    sentence: str
    devices: list[PushTold]
    explanation: Explanation | None


class CampaignOfCustomer(Controller):
    path = "/customers"
    tags = ("customers",)

    @get(
        "/{user_id:str}/campaigns/{campaign_id:uuid}",
        summary="Show why a customer got a campaign, or did not",
    )
    async def why(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        user_id: UserId,
        campaign_id: Annotated[UUID, PathParameter(description="The campaign's id.")],
        launch: Annotated[
            UUID | None, QueryParameter(description="One launch of it, rather than the newest.")
        ] = None,
    ) -> WhyTold:
        """In one sentence: what became of each of their pushes; that they were not in the audience,
        and which condition says so; that they had no device; that it has not launched."""
        answer = await parts.ask(
            why_campaign, caller, user_id, campaign_id, launch_id=launch, now=parts.clock.now()
        )
        return shown(answer, WhyTold)
