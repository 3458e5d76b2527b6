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
from clarion.accounts.workspace import read_name
from clarion.accounts.workspace_store import zone_of
from clarion.audiences.saved.references import wrong_references
from clarion.campaigns import store
from clarion.campaigns.approval.store import why_not_approved
from clarion.campaigns.campaign import (
    LAUNCH_GOES_ON,
    Campaign,
    LaunchStep,
    pause,
    schedule,
    seen_state,
    unschedule,
)
from clarion.campaigns.draft import ContentCheck, new_campaign, rewrite
from clarion.campaigns.keeping import archive, check_deletion, duplicate, restore
from clarion.campaigns.launches import launch as launches
from clarion.campaigns.launches import store as launch_store
from clarion.campaigns.launches.launch import Launch
from clarion.campaigns.timing.schedule import parse_when, wrong_time
from clarion.clock import Clock
from clarion.faults import Fault, Rejected, invalid, not_found

Step = Callable[[Campaign], Campaign | Rejected]
"""A pure function of `campaigns/campaign.py`, with its time."""

_AUDITED = (
    "name",
    "state",
    "scheduled_at",
    "spread_minutes",
    "paused_reason",
    "category",
    "is_transactional",
)
_AUDITED_WHERE_SET = ("late_after_minutes", "archived_at")
"""Of a new campaign told where they are."""
_PERSONAL = ("content", "audience", "conversion")
"""The first two may name people, whom the audit log must not outlive: only that they changed is
kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A campaign before and after a change of its state."""

    before: Campaign
    after: Campaign
    others: tuple[Launch, ...] = ()
    """Launches of it that were open beside the newest, as they were, and were taken along."""


@command("campaign.create", needs=Permission.WRITE)
async def create_campaign(
    run: Run,
    actor: Actor,
    wire: Mapping[str, Any],
    check: ContentCheck,
    *,
    at: Any = UNSET,
    is_being_written: bool = False,
) -> Campaign | Rejected:
    """Creates a draft, or with `at` (`parse_when`) a scheduled campaign, which needs the permission
    to publish. `is_being_written`: as of `edit_campaign`."""
    if at is not UNSET and not actor.may(Permission.PUBLISH):
        return forbidden(Permission.PUBLISH)
    campaign = new_campaign(
        wire,
        at,
        check,
        campaign_id=run.new_id(),
        workspace_id=actor.workspace_id,
        now=run.now,
        zone=await zone_of(run.connection, actor.workspace_id),
    )
    if isinstance(campaign, Rejected):
        return campaign
    wrong = await wrong_references(
        run.connection, actor.workspace_id, campaign.audience, "audience"
    )
    wrong += await _taken_code(run, actor, campaign.id, campaign.code)
    if not is_being_written:
        wrong += await _wrong_time(run, actor, campaign.timing)
    if wrong:
        return invalid(*wrong, code="invalid_campaign")
    await store.create_campaign(run.connection, campaign)
    refused = await why_not_approved(run.connection, None, campaign)
    if refused is not None:
        return refused
    run.audit(Thing("campaign", campaign.id), _audited_of_new(campaign))
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
    is_being_written: bool = False,
) -> Campaign | Rejected:
    """Replaces some of a draft's fields, each as a whole. `seen_at`: the `updated_at` on which the
    actor has decided; if the campaign has changed since, the edit is rejected as `conflict`.
    `is_being_written`: it is saved while somebody types, who is told beside the field what can not
    be scheduled yet; a new time need not lie ahead then."""
    kept_time: list[Mapping[str, Any] | None] = []

    def step(campaign: Campaign) -> Campaign | Rejected:
        if seen_at is not None and campaign.updated_at != seen_at:
            return Rejected("conflict", "The campaign has changed since it was seen: look again.")
        kept_time.append(campaign.timing)
        return rewrite(campaign, change, check, run.now)

    taken = await _taken_code(run, actor, campaign_id, change.get("code"))
    if taken:
        return invalid(*taken, code="invalid_campaign")
    edited = await _take(run, actor, campaign_id, step)
    if isinstance(edited, Rejected):
        return edited
    if not is_being_written and edited.timing != kept_time[-1]:
        past = await _wrong_time(run, actor, edited.timing)
        if past:
            return invalid(*past, code="invalid_campaign")
    if "audience" not in change:
        return edited
    wrong = await wrong_references(run.connection, actor.workspace_id, edited.audience, "audience")
    return invalid(*wrong, code="invalid_campaign") if wrong else edited


@command("campaign.schedule", needs=Permission.PUBLISH)
async def schedule_campaign(
    run: Run, actor: Actor, campaign_id: UUID, at: str | Mapping[str, Any]
) -> Campaign | Rejected:
    """Schedules the launch for `at`, as `parse_when` reads it."""
    trigger = parse_when(at, run.now, await zone_of(run.connection, actor.workspace_id))
    if isinstance(trigger, Rejected):
        return trigger
    return await _take(
        run, actor, campaign_id, lambda campaign: schedule(campaign, trigger, run.now)
    )


@command("campaign.unschedule", needs=Permission.PUBLISH)
async def unschedule_campaign(run: Run, actor: Actor, campaign_id: UUID) -> Campaign | Rejected:
    """Makes a scheduled campaign a draft again."""
    unscheduled = await _take(run, actor, campaign_id, partial(unschedule, now=run.now))
    if isinstance(unscheduled, Campaign) and await launch_store.open_launches(
        run.connection, campaign_id
    ):
        return LAUNCH_GOES_ON
    return unscheduled


@command("campaign.duplicate", needs=Permission.WRITE)
async def duplicate_campaign(
    run: Run, actor: Actor, campaign_id: UUID, name: str | None = None
) -> Campaign | Rejected:
    """Makes a draft that says the same to the same people."""
    checked = None if name is None else read_name(name)
    if isinstance(checked, Fault):
        return invalid(checked, code="invalid_campaign")
    campaign = await store.get_campaign(run.connection, actor.workspace_id, campaign_id)
    if campaign is None:
        return not_found("campaign")
    copy = duplicate(campaign, checked, campaign_id=run.new_id(), now=run.now)
    await store.create_campaign(run.connection, copy)
    fields = _audited_of_new(copy) | {"duplicate_of": str(campaign_id)}
    run.audit(Thing("campaign", copy.id), fields)
    return copy


@command("campaign.archive", needs=Permission.WRITE)
async def archive_campaign(run: Run, actor: Actor, campaign_id: UUID) -> Campaign | Rejected:
    """Takes a draft, or what is over, out of the list."""
    return await _take(run, actor, campaign_id, partial(archive, now=run.now))


@command("campaign.restore", needs=Permission.WRITE)
async def restore_campaign(run: Run, actor: Actor, campaign_id: UUID) -> Campaign | Rejected:
    """Puts an archived campaign back into the list."""
    return await _take(run, actor, campaign_id, partial(restore, now=run.now))


@command("campaign.delete", needs=Permission.WRITE)
async def delete_campaign(run: Run, actor: Actor, campaign_id: UUID) -> Campaign | Rejected:
    """Removes a draft that has never launched, for good."""
    campaign = await store.get_campaign(run.connection, actor.workspace_id, campaign_id, lock=True)
    if campaign is None:
        return not_found("campaign")
    rejected = check_deletion(campaign)
    if rejected is not None:
        return rejected
    await store.delete_campaign(run.connection, campaign_id)
    run.audit(Thing("campaign", campaign_id), _audited_of_new(campaign))
    return campaign


@command("campaign.pause", needs=Permission.PUBLISH)
async def pause_campaign(run: Run, actor: Actor, campaign_id: UUID) -> Campaign | Rejected:
    """Pauses the campaign until it is resumed."""
    paused = await apply_transition(
        run.connection,
        actor.workspace_id,
        campaign_id,
        partial(pause, now=run.now),
        others=partial(launches.pause, now=run.now),
    )
    return audited(run, paused)


async def apply_transition(
    connection: AsyncConnection,
    workspace_id: UUID,
    campaign_id: UUID,
    step: Step,
    *,
    others: LaunchStep | None = None,
) -> Transition | Rejected:
    """The only writer of a campaign's state, for commands and for agents in transactions of their
    own; a step may take the campaign's newest launch along, and `others` takes those of its
    launches that are open beside it. The rows are locked from reading to writing, so nobody's
    change is lost. What the workspace wants approved, and is not, is refused here."""
    before = await store.get_campaign(connection, workspace_id, campaign_id, lock=True)
    if before is None:
        return not_found("campaign")
    after = step(before)
    if isinstance(after, Rejected):
        return after
    refused = await why_not_approved(connection, before, after)
    if refused is not None:
        return refused
    await store.save_campaign(connection, before, after)
    taken = []
    if others is not None:
        for launch in await launch_store.open_launches(connection, campaign_id):
            is_newest = after.launch is not None and after.launch.id == launch.id
            moved = launch if is_newest else others(launch)
            if moved != launch and not isinstance(moved, Rejected):
                await launch_store.save_launch(connection, moved)
                taken.append(launch)
    return Transition(before=before, after=after, others=tuple(taken))


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
    before = await launch_store.get_launch(connection, launch_id, lock=True)
    if before is None:
        return not_found("launch")
    after = step(before)
    if isinstance(after, Rejected):
        return after
    await launch_store.save_launch(connection, after)
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


async def _taken_code(run: Run, actor: Actor, campaign_id: UUID, code: Any) -> list[Fault]:
    if not isinstance(code, str):
        return []
    if not await store.is_code_taken(run.connection, actor.workspace_id, code, campaign_id):
        return []
    return [Fault("code", "is that of another campaign: take another one")]


async def _wrong_time(run: Run, actor: Actor, timing: Any) -> list[Fault]:
    """Why a time is not kept with a draft: nothing could be scheduled for it."""
    if timing is None:
        return []
    zone = await zone_of(run.connection, actor.workspace_id)
    return list(wrong_time(timing, run.now, zone))


async def _take(run: Run, actor: Actor, campaign_id: UUID, step: Step) -> Campaign | Rejected:
    workspace_id = actor.workspace_id
    return audited(run, await apply_transition(run.connection, workspace_id, campaign_id, step))


def _audited_launch(launch: Launch) -> dict[str, Any]:
    return {"state": seen_state(launch.state).value, "paused_reason": launch.reason}


def _audited_fields(campaign: Campaign) -> dict[str, Any]:
    return {name: getattr(campaign, name) for name in (*_AUDITED, *_AUDITED_WHERE_SET)}


def _audited_of_new(campaign: Campaign) -> dict[str, Any]:
    fields = _audited_fields(campaign)
    return {
        name: value
        for name, value in fields.items()
        if value is not None or name not in _AUDITED_WHERE_SET
    }
