"""/campaigns/…/approval: somebody proposes a campaign, somebody else approves exactly that."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post

from clarion.accounts.actor import ActorKind, Scope
from clarion.campaigns.approval import approval as approvals
from clarion.campaigns.approval.approval import COMMENT_CHARACTERS_MAX, ApprovalState
from clarion.campaigns.approval.commands import (
    approve_campaign,
    propose_campaign,
    reject_campaign,
)
from clarion.campaigns.approval.queries import get_approval
from clarion.clock import Moment
from clarion.web.api.bodies import read
from clarion.web.api.campaigns import wire
from clarion.web.api.campaigns.campaigns import CampaignId
from clarion.web.api.campaigns.wire import shown_campaign
from clarion.web.api.gate import BODY, MAY_CONFLICT, NEEDS, Call, GivenCaller, GivenParts
from clarion.web.api.shown import shown


class Decider(msgspec.Struct, frozen=True, kw_only=True):
    """Who proposed or decided, as they were called then."""

    kind: ActorKind
    id: UUID | None
    name: str


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """The last proposal of a campaign. `fingerprint` says exactly what it sends, to whom, when and
    under which limits; `at`: when it is to launch, "now" being when it is approved, or "pushes":
    never by this, but pushes to one customer may have its content; `is_stale`: the campaign is not
    what was proposed any more, and nothing is sent by this."""

    state: ApprovalState
    fingerprint: str
    at: str
    is_stale: bool
    proposed_by: Decider
    proposed_at: Moment
    decided_by: Decider | None
    decided_at: Moment | None
    comment: str | None


class Approve(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`fingerprint`: that of the proposal that was looked at."""

    fingerprint: str


class Reject(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why."""

    comment: (
        Annotated[str, msgspec.Meta(extra_json_schema={"maxLength": COMMENT_CHARACTERS_MAX})] | None
    ) = None


class CampaignApprovals(Controller):
    path = "/campaigns/{campaign_id:uuid}"
    tags = ("campaigns",)

    @get("/approval", summary="Show a campaign's approval")
    async def show_approval(
        self, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId
    ) -> Approval:
        """What was proposed last, and what was decided of it."""
        view = await parts.ask(get_approval, caller, campaign_id)
        return _shown(view.approval, is_stale=view.is_stale)

    @post(
        "/propose",
        summary="Propose a campaign",
        opt={BODY: wire.Schedule, MAY_CONFLICT: True, NEEDS: Scope.AUTHOR},
        status_code=200,
    )
    async def propose(
        self, request: Call, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId
    ) -> Approval:
        """Asks somebody else to approve the campaign as it is, with its time: "now" is when it is
        approved, "pushes" none: it is for pushes to one customer. Nothing is scheduled by it."""
        wanted = msgspec.to_builtins(await read(request, wire.Schedule))
        del wanted["allow_empty"]
        proposed = await parts.do(propose_campaign, caller, campaign_id, wanted)
        return _shown(proposed, is_stale=False)

    @post(
        "/approve",
        summary="Approve a campaign",
        opt={BODY: Approve, MAY_CONFLICT: True},
        status_code=200,
    )
    async def approve(
        self, request: Call, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId
    ) -> wire.Campaign:
        """Approves exactly what was proposed and looked at, and schedules it for the proposed time,
        if it is to launch. Nobody approves what they have proposed."""
        wanted = await read(request, Approve)
        return shown_campaign(
            await parts.do(approve_campaign, caller, campaign_id, wanted.fingerprint)
        )

    @post(
        "/reject",
        summary="Reject a campaign",
        opt={BODY: Reject, MAY_CONFLICT: True},
        status_code=200,
    )
    async def reject(
        self, request: Call, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId
    ) -> Approval:
        """Rejects what was proposed. The campaign stays as it is. The body may be empty."""
        wanted = await read(request, Reject, may_be_empty=True)
        rejected = await parts.do(reject_campaign, caller, campaign_id, wanted.comment)
        return _shown(rejected, is_stale=False)


def _shown(approval: approvals.Approval, *, is_stale: bool) -> Approval:
    return shown(approval, Approval, is_stale=is_stale)
