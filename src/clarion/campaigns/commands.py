"""What is done with campaigns. `deliveries/commands.py` has what also moves chunks: to cancel and
to resume one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from msgspec import UNSET
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor, Permission, system
from clarion.accounts.audit import Thing, difference
from clarion.accounts.command import Run, audit_by_itself, command, forbidden
from clarion.audiences.saved.references import wrong_references
from clarion.campaigns import store
from clarion.campaigns.campaign import Campaign, pause, schedule, seen_state, unschedule
from clarion.campaigns.draft import ContentCheck, new_campaign, rewrite
from clarion.campaigns.launch import Launch
from clarion.campaigns.schedule import parse_at
from clarion.clock import Clock
from clarion.faults import Rejected, invalid, not_found

Step = Callable[[Campaign], Campaign | Rejected]
"""A pure function of `campaigns/campaign.py`, with its time."""
LaunchStep = Callable[[Launch], Launch | Rejected]
"""A pure function of `campaigns/launch.py`, with its time."""

_AUDITED = ("name", "state", "scheduled_at", "spread_minutes", "paused_reason")
_PERSONAL = ("content", "audience")
"""They may name people, whom the audit log must not outlive: only that they changed is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A campaign before and after a change of its state."""

    before: Campaign
    after: Campaign


@command("campaign.create", needs=Permission.WRITE)
async def create_campaign(
    run: Run, actor: Actor, wire: Mapping[str, Any], check: ContentCheck, *, at: Any = UNSET
) -> Campaign | Rejected:
    """Creates a draft, or with `at` ("now", or an ISO 8601 time) a scheduled campaign, which needs
    the permission to publish."""
    if at is not UNSET and not actor.may(Permission.PUBLISH):
        return forbidden(Permission.PUBLISH)
    campaign = new_campaign(
        wire,
        at,
        check,
        campaign_id=run.new_id(),
        workspace_id=actor.workspace_id,
        now=run.now,
    )
    if isinstance(campaign, Rejected):
        return campaign
    wrong = await wrong_references(
        run.connection, actor.workspace_id, campaign.audience, "audience"
    )
    if wrong:
        return invalid(*wrong, code="invalid_campaign")
    await store.create_campaign(run.connection, campaign)
    run.audit(Thing("campaign", campaign.id), _audited_fields(campaign))
    return campaign


@command("campaign.edit", needs=Permission.WRITE)
async def edit_campaign(
    run: Run,
    actor: Actor,
    campaign_id: UUID,
    change: Mapping[str, Any],
    check: ContentCheck,
    *,
    seen_at: datetime | None = None,
) -> Campaign | Rejected:
    """Replaces some of a draft's fields, each as a whole. `seen_at`: the `updated_at` on which the
    actor has decided; if the campaign has changed since, the edit is rejected as `conflict`."""

    def step(campaign: Campaign) -> Campaign | Rejected:
        if seen_at is not None and campaign.updated_at != seen_at:
            return Rejected("conflict", "The campaign has changed since it was seen: look again.")
        return rewrite(campaign, change, check, run.now)

    edited = await _take(run, actor, campaign_id, step)
    if isinstance(edited, Rejected) or "audience" not in change:
        return edited
    wrong = await wrong_references(run.connection, actor.workspace_id, edited.audience, "audience")
    return invalid(*wrong, code="invalid_campaign") if wrong else edited


@command("campaign.schedule", needs=Permission.PUBLISH)
async def schedule_campaign(
    run: Run, actor: Actor, campaign_id: UUID, at: str
) -> Campaign | Rejected:
    """Schedules the launch for `at`: "now", or an ISO 8601 time."""
    launches_at = parse_at(at, run.now)
    if isinstance(launches_at, Rejected):
        return launches_at
    return await _take(
        run, actor, campaign_id, lambda campaign: schedule(campaign, launches_at, run.now)
    )


@command("campaign.unschedule", needs=Permission.PUBLISH)
async def unschedule_campaign(run: Run, actor: Actor, campaign_id: UUID) -> Campaign | Rejected:
    """Makes a draft again of a campaign that has not launched yet."""
    return await _take(run, actor, campaign_id, partial(unschedule, now=run.now))


@command("campaign.pause", needs=Permission.PUBLISH)
async def pause_campaign(run: Run, actor: Actor, campaign_id: UUID) -> Campaign | Rejected:
    """Pauses the campaign until it is resumed."""
    return await _take(run, actor, campaign_id, partial(pause, now=run.now))


async def apply_transition(
    connection: AsyncConnection, workspace_id: UUID, campaign_id: UUID, step: Step
) -> Transition | Rejected:
    """The only writer of a campaign's state, for commands and for agents in transactions of their
    own; a step may take the campaign's launch along. The rows are locked from reading to writing,
    so nobody's change is lost."""
    before = await store.get_campaign(connection, workspace_id, campaign_id, lock=True)
    if before is None:
        return not_found("campaign")
    after = step(before)
    if isinstance(after, Rejected):
        return after
    await store.save_campaign(connection, before, after)
    return Transition(before=before, after=after)


async def apply_launch_transition(
    connection: AsyncConnection,
    clock: Clock,
    launch_id: UUID,
    step: LaunchStep,
    *,
    by: str,
    verb: str | None = None,
) -> Launch | Rejected:
    """The same of one launch alone, for agents, who lock no campaign. `by`: which agent; `verb`:
    what a person would have called it: there is an entry in the audit log then."""
    before = await store.get_launch(connection, launch_id, lock=True)
    if before is None:
        return not_found("launch")
    after = step(before)
    if isinstance(after, Rejected):
        return after
    await store.save_launch(connection, after)
    if verb is not None:
        await audit_by_itself(
            connection,
            clock,
            system(before.workspace_id, by),
            verb,
            Thing("campaign", before.campaign_id),
            difference(_audited_launch(before), _audited_launch(after))
            | {"launch_id": str(launch_id)},
        )
    return after


def audited(run: Run, transition: Transition | Rejected) -> Campaign | Rejected:
    """Writes the audit entry of a transition and returns the campaign after it; or returns why it
    was rejected."""
    if isinstance(transition, Rejected):
        return transition
    run.audit(Thing("campaign", transition.after.id), changes_of(transition))
    return transition.after


def changes_of(transition: Transition) -> dict[str, Any]:
    """What the audit log records of a transition: of fields that may name people only that they
    changed."""
    before, after = transition.before, transition.after
    changes: dict[str, Any] = difference(_audited_fields(before), _audited_fields(after))
    rewritten = [name for name in _PERSONAL if getattr(before, name) != getattr(after, name)]
    if rewritten:
        changes["rewritten"] = rewritten
    return changes


async def _take(run: Run, actor: Actor, campaign_id: UUID, step: Step) -> Campaign | Rejected:
    workspace_id = actor.workspace_id
    return audited(run, await apply_transition(run.connection, workspace_id, campaign_id, step))


def _audited_launch(launch: Launch) -> dict[str, Any]:
    return {"state": seen_state(launch.state).value, "paused_reason": launch.reason}


def _audited_fields(campaign: Campaign) -> dict[str, Any]:
    return {name: getattr(campaign, name) for name in _AUDITED}
