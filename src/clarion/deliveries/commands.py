"""What is done with campaigns that also moves what they have waiting.

What a cancelled or resumed campaign had waiting is due from then on: the account of a cancelled one
settles promptly, and a resumed one goes on promptly.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from uuid import UUID

from clarion.accounts.actor import Actor, Permission
from clarion.accounts.command import Run, command
from clarion.broker import JobKind, NewJob
from clarion.campaigns.campaign import Campaign, cancel, resume
from clarion.campaigns.commands import Transition, apply_transition, audited
from clarion.campaigns.launches import launch as launches
from clarion.campaigns.launches.launch import FINAL, Launch, LaunchState
from clarion.deliveries.planning.chunk_store import hasten_chunks
from clarion.faults import Rejected


@command("campaign.cancel", needs=Permission.PUBLISH)
async def cancel_campaign(run: Run, actor: Actor, campaign_id: UUID) -> Campaign | Rejected:
    """Cancels a campaign for good. Cancelling twice is cancelling once."""
    cancelled = await apply_transition(
        run.connection,
        actor.workspace_id,
        campaign_id,
        partial(cancel, now=run.now),
        others=partial(launches.cancel, now=run.now),
    )
    if isinstance(cancelled, Transition):
        if cancelled.after != cancelled.before:
            await _make_due(run, cancelled.before.launch, held_only=False)
        for launch in cancelled.others:
            await _make_due(run, launch, held_only=False)
    return audited(run, cancelled)


@command("campaign.resume", needs=Permission.PUBLISH)
async def resume_campaign(run: Run, actor: Actor, campaign_id: UUID) -> Campaign | Rejected:
    """Resumes a paused campaign in the state it was paused in. One whose time has passed launches
    now."""
    return audited(run, await resume_within(run, actor.workspace_id, campaign_id))


async def resume_within(run: Run, workspace_id: UUID, campaign_id: UUID) -> Transition | Rejected:
    """Resume a campaign in another command's transaction."""
    step = partial(launches.resume, now=run.now)
    resumed = await apply_transition(
        run.connection, workspace_id, campaign_id, partial(resume, now=run.now), others=step
    )
    if isinstance(resumed, Transition):
        await _make_due(run, resumed.after.launch, held_only=True)
        for launch in resumed.others:
            await _make_due(run, replace(launch, state=launch.stage), held_only=True)
    return resumed


def chunk_jobs(chunk_ids: Iterable[UUID]) -> list[NewJob]:
    """A job for each chunk that is due now."""
    return [NewJob(kind=JobKind.CHUNK, payload=chunk_id.bytes) for chunk_id in chunk_ids]


async def _make_due(run: Run, launch: Launch | None, *, held_only: bool) -> None:
    """Makes a launch's waiting chunks due now; `held_only`: only those that wait for a person."""
    if launch is None or launch.state in FINAL:
        return
    if launch.state is LaunchState.PLANNING:
        run.after_commit(NewJob(kind=JobKind.LAUNCH, payload=launch.id.bytes))
    due = await hasten_chunks(run.connection, launch.id, run.now, held_only=held_only)
    run.after_commit(*chunk_jobs(due))
