"""/campaigns/preview, …/check, …/test: contents tried out before they are sent."""

import msgspec
from litestar import Controller, post

from clarion.accounts.actor import Scope
from clarion.campaigns.content_check.content_preview import preview_content
from clarion.campaigns.content_check.sample import check_campaign, check_content
from clarion.deliveries.testing.commands import send_test
from clarion.web.api.bodies import read, read_object
from clarion.web.api.campaigns import check_wire
from clarion.web.api.campaigns.campaigns import CampaignId
from clarion.web.api.campaigns.check_wire import shown_content_preview
from clarion.web.api.errors import accepted
from clarion.web.api.gate import BODY, NEEDS, Call, GivenCaller, GivenParts
from clarion.web.api.shown import shown


class ContentChecks(Controller):
    path = "/campaigns"
    tags = ("campaigns",)

    @post(
        "/preview",
        summary="Preview a content",
        opt={BODY: check_wire.ContentToShow, NEEDS: Scope.READ},
        status_code=200,
    )
    async def preview_unsaved(self, request: Call, parts: GivenParts) -> check_wire.ContentPreview:
        """What a customer would see on each platform of a content that is not saved, how large it
        is, how it fits where it is shown, and what may not be meant. A content that could not be
        saved is refused, with the field, the line and the cause. Nothing is created or sent."""
        wire = await read_object(request)
        clock = parts.clock
        preview = await parts.ask_while_there(
            request,
            preview_content,
            wire,
            parts.provider,
            now=clock.now(),
            chance=clock.chance(),
        )
        return shown_content_preview(preview)

    @post(
        "/check",
        summary="Check a content for a sample",
        opt={BODY: check_wire.ContentToCheck, NEEDS: Scope.READ},
        status_code=200,
    )
    async def check_unsaved(self, request: Call, parts: GivenParts) -> check_wire.SampleCheck:
        """Renders a content that is not saved for a random sample of the audience, 200 devices
        unless `limit` says another number: for whom it fails, is too large, or prints nothing in a
        place. Nothing is written; whoever hangs up stops it."""
        wire = await read_object(request)
        clock = parts.clock
        checked = await parts.ask_while_there(
            request, check_content, wire, parts.check, now=clock.now(), chance=clock.chance()
        )
        return shown(checked, check_wire.SampleCheck)

    @post(
        "/{campaign_id:uuid}/check",
        summary="Check a campaign for a sample",
        opt={BODY: check_wire.CampaignToCheck, NEEDS: Scope.READ},
        status_code=200,
    )
    async def check_saved(
        self, request: Call, parts: GivenParts, campaign_id: CampaignId
    ) -> check_wire.SampleCheck:
        """The same of a campaign, for a sample of its audience. The body may be empty."""
        wanted = await read(request, check_wire.CampaignToCheck, may_be_empty=True)
        clock = parts.clock
        checked = await parts.ask_while_there(
            request,
            check_campaign,
            campaign_id,
            msgspec.to_builtins(wanted),
            parts.check,
            now=clock.now(),
            chance=clock.chance(),
        )
        return shown(checked, check_wire.SampleCheck)

    @post(
        "/test",
        summary="Test a content",
        opt={BODY: check_wire.TestOfContent},
        status_code=200,
    )
    async def test_unsaved(
        self, request: Call, parts: GivenParts, caller: GivenCaller
    ) -> check_wire.TestSend:
        """Sends a content that is not saved to the devices of a few customers, 50 at most, as a
        push of a campaign would be sent. It is in no account; the audit log tells of it. What FCM
        says of each is answered, and nothing is tried again."""
        wire = await read_object(request)
        sent = accepted(await send_test(parts.services, caller, wire, parts.provider))
        return shown(sent, check_wire.TestSend)

    @post(
        "/{campaign_id:uuid}/test",
        summary="Test a campaign",
        opt={BODY: check_wire.TestOfCampaign},
        status_code=200,
    )
    async def test_saved(
        self, request: Call, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId
    ) -> check_wire.TestSend:
        """The same of a campaign's content, whatever state it is in."""
        wire = await read_object(request)
        sent = await send_test(
            parts.services, caller, wire, parts.provider, campaign_id=campaign_id
        )
        return shown(accepted(sent), check_wire.TestSend)
