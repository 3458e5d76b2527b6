"""/launches: the occurrences of a campaign, each with its own state and account."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, get
from litestar.params import PathParameter

from clarion.reports.queries import (
    Activity,
    LaunchAccount,
    LaunchReport,
    get_campaign_activity,
    get_launch_activity,
    list_launch_reports,
    show_launch_account,
)
from clarion.web.api.campaigns.campaigns import CampaignId
from clarion.web.api.gate import GivenCaller, GivenParts
from clarion.web.api.pages import LIMIT_DEFAULT, Cursor, Limit, Page, after_id, page

LaunchId = Annotated[UUID, PathParameter(description="The launch's id.")]


class CampaignLaunches(Controller):
    path = "/campaigns/{campaign_id:uuid}/launches"
    tags = ("campaigns",)

    @get("", summary="List a campaign's launches")
    async def list_launches(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        campaign_id: CampaignId,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Page[LaunchReport]:
        """Each time that a campaign was launched, the newest first, and what became of it."""
        launches = await parts.ask(
            list_launch_reports, caller, campaign_id, before=after_id(cursor), limit=limit + 1
        )
        return page(launches, limit, lambda launch: launch, lambda launch: launch.id.bytes)


class Launches(Controller):
    path = "/launches"
    tags = ("campaigns",)

    @get("/{launch_id:uuid}", summary="Show a launch")
    async def show_launch(
        self, parts: GivenParts, caller: GivenCaller, launch_id: LaunchId
    ) -> LaunchAccount:
        """One launch: its state, why it is paused or has failed, its times and its account, whole
        and by platform, with the reason of each push that was not accepted."""
        return await parts.ask(show_launch_account, caller, launch_id)

    @get("/{launch_id:uuid}/activity", summary="Show when a launch was opened")
    async def launch_activity(
        self, parts: GivenParts, caller: GivenCaller, launch_id: LaunchId
    ) -> Activity:
        """How many devices received and opened its pushes in each hour, and how long after FCM
        took them."""
        return await parts.ask(get_launch_activity, caller, launch_id)


class CampaignActivity(Controller):
    path = "/campaigns/{campaign_id:uuid}/activity"
    tags = ("campaigns",)

    @get("", summary="Show when a campaign was opened")
    async def activity(
        self, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId
    ) -> Activity:
        """How many devices received and opened its pushes in each hour, over all its launches, and
        how long after FCM took them."""
        return await parts.ask(get_campaign_activity, caller, campaign_id)
