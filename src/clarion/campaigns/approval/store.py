"""Rows of approvals, and whether a campaign has the one that it needs."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.audiences.saved.store import resolve_rule
from clarion.campaigns.approval import approval as approvals
from clarion.campaigns.approval.approval import (
    Approval,
    ApprovalState,
    dump_decider,
    load_decider,
    refused,
    text_of,
)
from clarion.campaigns.campaign import Campaign, DefinitionState
from clarion.campaigns.limits.limits import Limits
from clarion.campaigns.limits.store import get_limits
from clarion.faults import Rejected
from clarion.storage.bulk import upsert
from clarion.storage.schema import campaign_approvals


async def get_approval(
    connection: AsyncConnection, campaign_id: UUID, *, lock: bool = False
) -> Approval | None:
    """The last proposal of a campaign. `lock`: nobody else changes it until this transaction
    ends."""
    statement = select(campaign_approvals).where(campaign_approvals.c.campaign_id == campaign_id)
    rows = await connection.execute(statement.with_for_update() if lock else statement)
    row = rows.one_or_none()
    return None if row is None else _approval(row)


async def save_approval(connection: AsyncConnection, approval: Approval) -> None:
    """In the place of the one before."""
    row = {
        "campaign_id": approval.campaign_id,
        "workspace_id": approval.workspace_id,
        "state": approval.state.value,
        "fingerprint": approval.fingerprint,
        "at": approval.at,
        "proposed_by": dump_decider(approval.proposed_by),
        "proposed_at": approval.proposed_at,
        "decided_by": dump_decider(approval.decided_by),
        "decided_at": approval.decided_at,
        "scheduled_at": approval.scheduled_at,
        "comment": approval.comment,
    }
    await upsert(connection, campaign_approvals, [row], key=("campaign_id",))


async def fingerprint_of(connection: AsyncConnection, campaign: Campaign, at: str) -> str:
    """That of a campaign as it is, with the audiences and the limits as they are."""
    limits = await get_limits(connection, campaign.workspace_id)
    return await _fingerprint(connection, campaign, limits, at)


async def why_not_approved(
    connection: AsyncConnection, before: Campaign | None, after: Campaign
) -> Rejected | None:
    """Why a campaign may not take this step for want of an approval; None: it may. `before` None:
    it is new. Asked of each step that schedules or launches, whoever takes it."""
    if not _sends(before, after):
        return None
    limits = await get_limits(connection, after.workspace_id)
    if not limits.needs_approval:
        return None
    approval = await get_approval(connection, after.id)
    if approval is None or approval.state is not ApprovalState.APPROVED:
        return refused(
            "Somebody else has to approve this campaign: propose it, and have it approved."
        )
    assert after.trigger is not None, "what is scheduled has a time"
    at = text_of(after.trigger)
    if approval.scheduled_at is not None and at == approvals.text_at(approval.scheduled_at):
        at = approval.at
    if await _fingerprint(connection, after, limits, at) != approval.fingerprint:
        return refused(
            "What was approved is not what would be sent now: content, audience, time or limits "
            "have changed since. Propose the campaign again."
        )
    return None


async def why_not_pushed(connection: AsyncConnection, campaign: Campaign) -> Rejected | None:
    """Why a push to one customer may not have the campaign's content for want of an approval; None:
    it may. One for a launch serves as well, as long as it is not stale."""
    limits = await get_limits(connection, campaign.workspace_id)
    if not limits.needs_approval:
        return None
    approval = await get_approval(connection, campaign.id)
    if approval is None or approval.state is not ApprovalState.APPROVED:
        return refused(
            "Somebody else has to approve this campaign before a push has its content: propose it "
            'with at "pushes", and have it approved.'
        )
    if await _fingerprint(connection, campaign, limits, approval.at) != approval.fingerprint:
        return refused(
            "What was approved of this campaign is not what a push would say now: it has changed "
            'since. Propose it again, with at "pushes".'
        )
    return None


def _sends(before: Campaign | None, after: Campaign) -> bool:
    """Whether this step lets a campaign launch, or launches it. What has launched goes on."""
    launched = None if before is None or before.launch is None else before.launch.id
    if after.launch is not None and after.launch.id != launched:
        return True
    if after.definition is not DefinitionState.SCHEDULED:
        return False
    return (
        before is None
        or before.definition is not DefinitionState.SCHEDULED
        or before.trigger != after.trigger
    )


async def _fingerprint(
    connection: AsyncConnection, campaign: Campaign, limits: Limits, at: str
) -> str:
    workspace_id = campaign.workspace_id
    audience = await resolve_rule(connection, workspace_id, campaign.audience)
    if limits.exclusions is not None:
        exclusions = await resolve_rule(connection, workspace_id, limits.exclusions)
        limits = replace(limits, exclusions=exclusions)
    return approvals.fingerprint(campaign, audience=audience, limits=limits, at=at)


def _approval(row: Any) -> Approval:
    proposed_by = load_decider(row.proposed_by)
    assert proposed_by is not None, "somebody has proposed it"
    return Approval(
        campaign_id=row.campaign_id,
        workspace_id=row.workspace_id,
        state=ApprovalState(row.state),
        fingerprint=row.fingerprint,
        at=row.at,
        proposed_by=proposed_by,
        proposed_at=row.proposed_at,
        decided_by=load_decider(row.decided_by),
        decided_at=row.decided_at,
        scheduled_at=row.scheduled_at,
        comment=row.comment,
    )
