"""/campaigns/…: what is done with one beside sending it: made a draft again, copied, put away."""

from litestar import Controller, delete, post

from clarion.campaigns.commands import (
    archive_campaign,
    delete_campaign,
    duplicate_campaign,
    restore_campaign,
    unschedule_campaign,
)
from clarion.web.api.bodies import read
from clarion.web.api.campaigns import wire
from clarion.web.api.campaigns.campaigns import CampaignId
from clarion.web.api.campaigns.wire import shown_campaign
from clarion.web.api.gate import BODY, MAY_CONFLICT, Call, GivenCaller, GivenParts


class KeptCampaign(Controller):
    path = "/campaigns/{campaign_id:uuid}"
    tags = ("campaigns",)

    @post("/unschedule", summary="Unschedule a campaign", opt={MAY_CONFLICT: True}, status_code=200)
    async def unschedule(
        self, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId
    ) -> wire.Campaign:
        """Makes a campaign that is scheduled, paused or late a draft again, which can be edited and
        scheduled anew. Not while a launch of it goes on."""
        return shown_campaign(await parts.do(unschedule_campaign, caller, campaign_id))

    @post("/duplicate", summary="Copy a campaign", opt={BODY: wire.CampaignCopy})
    async def duplicate(
        self, request: Call, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId
    ) -> wire.Campaign:
        """Makes a draft that says the same to the same people. The body may be empty."""
        wanted = await read(request, wire.CampaignCopy, may_be_empty=True)
        return shown_campaign(await parts.do(duplicate_campaign, caller, campaign_id, wanted.name))

    @post("/archive", summary="Archive a campaign", opt={MAY_CONFLICT: True}, status_code=200)
    async def archive(
        self, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId
    ) -> wire.Campaign:
        """Takes a draft, or a campaign that is over, out of the list. Its report stays."""
        return shown_campaign(await parts.do(archive_campaign, caller, campaign_id))

    @post("/restore", summary="Restore a campaign", status_code=200)
    async def restore(
        self, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId
    ) -> wire.Campaign:
        """Puts an archived campaign back into the list."""
        return shown_campaign(await parts.do(restore_campaign, caller, campaign_id))

    @delete("", summary="Delete a draft", opt={MAY_CONFLICT: True}, status_code=204)
    async def remove(self, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId) -> None:
        """Deletes a draft that has never launched, for good."""
        await parts.do(delete_campaign, caller, campaign_id)
