"""What is done with approvals: proposed, approved, rejected."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from clarion.accounts.actor import Actor, Permission
from clarion.accounts.audit import Thing
from clarion.accounts.command import Run, command
from clarion.accounts.workspace_store import zone_of
from clarion.campaigns.approval import approval as approvals
from clarion.campaigns.approval.approval import (
    COMMENT_CHARACTERS_MAX,
    NOW,
    PUSHES,
    Approval,
    approve,
    decider,
    reject,
    text_of,
    trigger_of,
)
from clarion.campaigns.approval.store import fingerprint_of, get_approval, save_approval
from clarion.campaigns.campaign import Campaign, DefinitionState, schedule
from clarion.campaigns.commands import apply_transition, changes_of
from clarion.campaigns.store import get_campaign
from clarion.campaigns.timing.schedule import parse_when
from clarion.campaigns.timing.trigger import Trigger, next_at
from clarion.faults import Fault, Rejected, invalid, not_found


@command("campaign.propose", needs=Permission.WRITE)
async def propose_campaign(
    run: Run, actor: Actor, campaign_id: UUID, at: str | Mapping[str, Any]
) -> Approval | Rejected:
    """Asks for somebody else's approval of the campaign as it is, to launch at `at`, as
    `parse_when` reads it; "now" is when it is approved. Nothing is scheduled by it. A former
    proposal is replaced. "pushes": it is not to launch, but pushes to one customer are to have its
    content."""
    is_for_pushes = at in (PUSHES, {"at": PUSHES})
    trigger: Trigger | Rejected | None = None
    if not is_for_pushes:
        trigger = parse_when(at, run.now, await zone_of(run.connection, actor.workspace_id))
    if isinstance(trigger, Rejected):
        return trigger
    campaign = await get_campaign(run.connection, actor.workspace_id, campaign_id, lock=True)
    if campaign is None:
        return not_found("campaign")
    if trigger is None:
        possible = _possible_for_pushes(campaign)
    else:
        possible = schedule(campaign, trigger, run.now)
    if isinstance(possible, Rejected):
        return possible
    wanted = PUSHES if trigger is None else text_of(trigger)
    if at in (NOW, {"at": NOW}):
        wanted = NOW
    approval = Approval(
        campaign_id=campaign_id,
        workspace_id=actor.workspace_id,
        fingerprint=await fingerprint_of(run.connection, campaign, wanted),
        at=wanted,
        proposed_by=decider(actor),
        proposed_at=run.now,
    )
    await save_approval(run.connection, approval)
    run.audit(Thing("campaign", campaign_id), _told(approval))
    return approval


@command("campaign.approve", needs=Permission.PUBLISH)
async def approve_campaign(
    run: Run, actor: Actor, campaign_id: UUID, fingerprint: str
) -> Campaign | Rejected:
    """Approves what was proposed, as the actor has seen it (`fingerprint`), and schedules it for
    the time that was proposed, if it is to launch. Never by who proposed it."""
    campaign = await get_campaign(run.connection, actor.workspace_id, campaign_id, lock=True)
    if campaign is None:
        return not_found("campaign")
    approval = await get_approval(run.connection, campaign_id, lock=True)
    if approval is None:
        return approvals.refused("Nobody has proposed this campaign.")
    trigger = None if approval.at == PUSHES else trigger_of(approval.at, run.now)
    if isinstance(trigger, Rejected):
        return trigger
    approved = approve(
        approval,
        actor,
        seen=fingerprint,
        current=await fingerprint_of(run.connection, campaign, approval.at),
        at=None if trigger is None else next_at(trigger),
        now=run.now,
    )
    if isinstance(approved, Rejected):
        return approved
    await save_approval(run.connection, approved)
    if trigger is None:
        run.audit(Thing("campaign", campaign_id), _told(approved))
        return campaign
    transition = await apply_transition(
        run.connection,
        actor.workspace_id,
        campaign_id,
        lambda current: schedule(current, trigger, run.now),
    )
    if isinstance(transition, Rejected):
        return transition
    run.audit(Thing("campaign", campaign_id), changes_of(transition) | _told(approved))
    return transition.after


@command("campaign.reject", needs=Permission.PUBLISH)
async def reject_campaign(
    run: Run, actor: Actor, campaign_id: UUID, comment: str | None
) -> Approval | Rejected:
    """Rejects what was proposed; `comment` says why. The campaign stays as it is."""
    said = None if comment is None else comment.strip()
    if said is not None and len(said) > COMMENT_CHARACTERS_MAX:
        message = f"must be a text of at most {COMMENT_CHARACTERS_MAX} characters"
        return invalid(Fault("comment", message))
    campaign = await get_campaign(run.connection, actor.workspace_id, campaign_id, lock=True)
    if campaign is None:
        return not_found("campaign")
    approval = await get_approval(run.connection, campaign_id, lock=True)
    if approval is None:
        return approvals.refused("Nobody has proposed this campaign.")
    rejected = reject(approval, actor, comment=said or None, now=run.now)
    if isinstance(rejected, Rejected):
        return rejected
    await save_approval(run.connection, rejected)
    run.audit(Thing("campaign", campaign_id), _told(rejected))
    return rejected


def _possible_for_pushes(campaign: Campaign) -> Campaign | Rejected:
    """The campaign, unless an approval for pushes would take the place of one that it needs."""
    if campaign.definition is DefinitionState.CANCELLED:
        return approvals.refused("It is cancelled: pushes can not have its content.")
    if campaign.definition in (DefinitionState.SCHEDULED, DefinitionState.PAUSED):
        return approvals.refused(
            f"It is {campaign.definition.value}: what is approved for its launch holds for pushes."
        )
    return campaign


def _told(approval: Approval) -> dict[str, str]:
    """For the audit log. A comment may name somebody: it stays out."""
    return {
        "approval": approval.state.value,
        "fingerprint": approval.fingerprint,
        "at": approval.at,
    }
