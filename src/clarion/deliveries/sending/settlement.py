"""The two transactions in the life of a claimed chunk: its claim, and its settlement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import system
from clarion.accounts.audit import Thing
from clarion.accounts.command import audit_by_itself
from clarion.agent import AgentName
from clarion.broker import NewJob
from clarion.campaigns.campaign import Campaign, launch_values
from clarion.campaigns.commands import apply_launch_transition
from clarion.campaigns.content.templates.launch_values import LaunchValues
from clarion.campaigns.launches.launch import STOPPED, Launch, LaunchState, pause
from clarion.campaigns.store import get_launched
from clarion.clock import Clock
from clarion.customers.devices.store import remove_registrations
from clarion.customers.diagnostics import WarningCode
from clarion.deliveries.apps.pace_store import DrawnPaces, slow_down
from clarion.deliveries.apps.pacing import Grant, Later
from clarion.deliveries.apps.quarantine_store import Judgement, put_in_quarantine, watch
from clarion.deliveries.apps.store import AppPaused, end_trial, open_app, pause_app, take_trial
from clarion.deliveries.counts_store import add_to_counts
from clarion.deliveries.limits.bars import Bars, count_for_caps, find_bars
from clarion.deliveries.limits.late_turns import find_late, is_overdue
from clarion.deliveries.planning.chunk import Chunk, NewChunk, OpenDelivery, job_of
from clarion.deliveries.planning.chunk_store import (
    claim_chunk,
    finish_launch,
    hasten_app,
    release_chunk,
)
from clarion.deliveries.provider import ProviderApp
from clarion.deliveries.pushes.store import finish_push, get_pushed
from clarion.deliveries.sending.belief import next_trial
from clarion.deliveries.sending.chunk_result import ChunkResult
from clarion.deliveries.sending.ledger_store import open_deliveries, settle_chunk
from clarion.deliveries.sending.templates import Templates
from clarion.deliveries.sending.zones import tell_zones
from clarion.ingest_log.diagnostics import WARNINGS
from clarion.ingest_log.outcome import hour_of
from clarion.ingest_log.store import add_counts
from clarion.ingest_log.tally import Kind
from clarion.storage.vault import Vault

TRIAL_PUSHES = 20
"""So many find out whether a paused app works again."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """The chunk can not be sent because something is paused: the Firebase app `app_id`, or the
    launch if that is None."""

    app_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A claimed chunk, and what is to be done with it.

    With a `grant` its pushes may leave. Without one none does: its launch is stopped, there is no
    Firebase app, or that is paused and their turn has passed.
    """

    chunk: Chunk
    campaign: Campaign
    launch: Launch
    claimed_at: datetime
    pending: Sequence[OpenDelivery] = ()
    bars: Bars = field(default_factory=dict)
    """Those of `pending` that are left out by the workspace's limits, and why."""
    app: ProviderApp | None = None
    grant: Grant | None = None
    app_paused_reason: str | None = None
    """Of a trial: why its Firebase app is paused."""
    next_trial_at: datetime | None = None
    """Set where its Firebase app is paused, and a few of its pushes are to find out whether it
    works again; by then it is tried once more."""
    event: Mapping[str, Any] | None = None
    """What a push to one customer was asked for with."""
    zone: str | None = None
    """The workspace's, where the content writes dates."""

    @property
    def values(self) -> LaunchValues:
        """What templates read of the launch."""
        return launch_values(self.campaign, self.launch.started_at, self.zone, self.event)

    @property
    def is_trial(self) -> bool:
        return self.next_trial_at is not None


Claimed = Work | Later | Waits | None
"""What a claim ends in; None: the chunk is not due, or leased by another sender."""


async def claim(
    connection: AsyncConnection,
    chunk_id: UUID,
    vault: Vault,
    *,
    paces: DrawnPaces,
    now: datetime,
    lease_until: datetime,
    paused_until: datetime,
) -> Work | Later | Waits | None:
    """Claims the chunk, and draws from the project's pace how fast its pushes may leave; whoever
    claims saves `paces` in the end.

    Returns Later if the project's turn is not near, and Waits if the launch or the app is paused:
    the chunk is put back and needs no job, since the sweep finds it when it is resumed or tried
    again. Returns None if the chunk is not due or leased by another sender. Raises VaultLocked.
    """
    chunk = await claim_chunk(connection, chunk_id, now=now, lease_until=lease_until)
    if chunk is None:
        return None
    event = None
    if chunk.is_transactional:
        campaign, event = await get_pushed(connection, chunk.launch_id)
    else:
        campaign = await get_launched(connection, chunk.launch_id)
    if campaign is None or campaign.launch is None:
        return None
    launch = campaign.launch
    work = Work(chunk=chunk, campaign=campaign, launch=launch, claimed_at=now, event=event)
    if launch.state in STOPPED:
        return work
    app_id = chunk.firebase_app_id
    app = await open_app(connection, vault, app_id, now=now)
    is_launchs = launch.state is LaunchState.PAUSED
    trial_at = paused_reason = None
    if isinstance(app, AppPaused) and app.is_due and not is_launchs:
        if is_overdue(launch, chunk, now):
            return work  # nothing of it would find out whether the app works again
        next_at = next_trial(app.at, now)
        if await take_trial(connection, app_id, now=now, next_at=next_at):
            trial_at, paused_reason = next_at, app.reason
            app = await open_app(connection, vault, app_id, now=now, though_paused=True)
    if is_launchs or isinstance(app, AppPaused):
        await release_chunk(connection, chunk, due_at=paused_until, held=True)
        return Waits(app_id=None if is_launchs else app_id)
    size = chunk.size if trial_at is None else min(chunk.size, TRIAL_PUSHES)
    passes = chunk.is_transactional
    drawn = None if app is None else await paces.draw(app.id, size, now, passes=passes)
    if isinstance(drawn, Later):
        await release_chunk(connection, chunk, due_at=drawn.due_at, held=False)
        return drawn
    if drawn is None:
        return work
    return replace(
        work, app=app, grant=drawn, app_paused_reason=paused_reason, next_trial_at=trial_at
    )


async def with_pending(
    connection: AsyncConnection, claimed: Claimed, templates: Templates
) -> Claimed:
    """A claimed chunk with its deliveries as they are now.

    In the transaction of the claim: on SQLite a reader's pages are all read anew after each write
    of another connection, which for a chunk costs more than all the rest.
    """
    if not isinstance(claimed, Work):
        return claimed
    content, template = claimed.campaign.content, templates.of(claimed.campaign)
    pending = await open_deliveries(
        connection,
        claimed.chunk,
        with_traits=template is not None,
        with_facts=content.base.live_activity is not None or bool(content.variants),
    )
    now = claimed.claimed_at
    if claimed.launch.state in STOPPED:
        return replace(claimed, pending=pending)
    bars = await find_late(connection, claimed.launch, claimed.chunk, pending, now=now)
    if claimed.grant is None:
        return replace(claimed, pending=pending, bars=bars)
    if not bars:
        bars = await find_bars(connection, claimed.campaign, pending, now=now)
    zone = await tell_zones(connection, claimed.campaign.workspace_id, template, pending)
    return replace(claimed, pending=pending, bars=bars, zone=zone)


def chunks_of_the_rest(chunk: Chunk, result: ChunkResult, clock: Clock) -> list[NewChunk]:
    """The new chunks for the deliveries of a chunk that are not settled."""
    again = [
        NewChunk(id=clock.new_id(), due_at=due_at, device_ids=device_ids, tried=True)
        for due_at, device_ids in sorted(result.again.items())
    ]
    for device_ids, due_at, turn_at in (
        (result.held, result.held_until, chunk.turn),
        (result.rest, clock.now(), chunk.turn),
        *((device_ids, due_at, None) for due_at, device_ids in sorted(result.later.items())),
    ):
        if device_ids:
            assert due_at is not None
            again.append(
                NewChunk(
                    id=clock.new_id(),
                    due_at=due_at,
                    device_ids=device_ids,
                    tried=False,
                    held=device_ids is result.held,
                    turn_at=turn_at,
                )
            )
    return again


def jobs_of(chunk: Chunk, again: Sequence[NewChunk]) -> list[NewJob]:
    """What lets a sender take the chunks that came of a settled one."""
    return [
        job_of(new.id, is_transactional=chunk.is_transactional, due_at=new.due_at) for new in again
    ]


async def settle(
    connection: AsyncConnection,
    work: Work,
    result: ChunkResult,
    again: Sequence[NewChunk],
    clock: Clock,
) -> bool:
    """Writes a chunk's result in one transaction, with its consequences for registrations, app and
    launch. Returns False if another sender has claimed the chunk since."""
    chunk, now = work.chunk, clock.now()
    tally = await settle_chunk(
        connection,
        chunk,
        settled=result.settled,
        sent=result.left,
        unanswered=result.unanswered,
        again=again,
        now=now,
        reasons=result.reasons,
        languages=result.languages,
    )
    if tally is None:
        return False
    if result.fallen_back:
        # Their devices live on by another registration, so it needs no belief.
        await remove_registrations(connection, result.fallen_back, now)
    judgement = await _remove(connection, work, result, now)
    if result.quiet_seconds is not None:
        await _slow_down(connection, work, result.quiet_seconds, now)
    await _pause_or_resume(connection, work, result, clock)
    await count_for_caps(connection, work.campaign, work.pending, result.settled, now=now)
    if work.launch.is_push:
        await finish_push(connection, chunk.launch_id, now)
    else:
        await finish_launch(connection, clock, chunk.launch_id, by=AgentName.SENDER, tally=tally)
    await add_to_counts(connection, chunk.launch_id, tally)
    if judgement.doubt is not None and not work.launch.is_push:
        await _pause(connection, work, judgement.doubt, clock)
    if result.unknown_fids:
        await _warn_of_fids(connection, work, result, now)
    return True


async def _remove(
    connection: AsyncConnection, work: Work, result: ChunkResult, now: datetime
) -> Judgement:
    """Removes the registrations that the provider reports as dead, unless there are too many to be
    believed."""
    app_id, removals = work.chunk.firebase_app_id, result.removals
    if not result.sent:
        return Judgement()
    answered = len(result.sent)
    judgement = await watch(
        connection,
        app_id,
        answered=answered,
        removals=removals,
        now=now,
        is_accepted=result.accepted.total() > 0,
    )
    if judgement.may_remove:
        await remove_registrations(connection, removals, now)
    else:
        await put_in_quarantine(connection, app_id, removals, now)
    if judgement.is_new:
        log.error(
            "removals_stopped",
            app=str(app_id),
            campaign=str(work.campaign.id),
            reason=judgement.doubt,
            cure="look at the Firebase app and its key, then: clarion firebase-apps removals",
        )
    return judgement


async def _pause_or_resume(
    connection: AsyncConnection, work: Work, result: ChunkResult, clock: Clock
) -> None:
    """Pauses the Firebase app until an operator acts, or ends its pause after a successful
    trial."""
    app_id, now = work.chunk.firebase_app_id, clock.now()
    project_id = work.app and work.app.project_id
    if result.pause_reason is not None:
        again_at = work.next_trial_at or next_trial(now, now)
        if await pause_app(
            connection, app_id, result.pause_reason, now=now, tries_again_at=again_at
        ):
            await _audit_app(connection, work, clock, "pause", [None, result.pause_reason])
            log.error(
                "firebase_app_paused",
                app=str(app_id),
                project=project_id,
                reason=result.pause_reason,
                tries_again_at=again_at.isoformat(),
                cure="put right what the reason names; then it goes on by itself within ten "
                "minutes, or at once when you resume it; nothing is lost",
            )
    elif work.is_trial and result.answered and await end_trial(connection, app_id):
        await hasten_app(connection, app_id, now, by_itself=True)
        await _audit_app(connection, work, clock, "resume", [work.app_paused_reason, None])
        log.info("firebase_app_goes_on", app=str(app_id), project=project_id)


async def _audit_app(
    connection: AsyncConnection, work: Work, clock: Clock, act: str, reasons: list[str | None]
) -> None:
    """Writes an audit entry for what the provider's answers changed on the Firebase app."""
    await audit_by_itself(
        connection,
        clock,
        system(work.chunk.workspace_id, AgentName.SENDER),
        f"firebase_app.{act}",
        Thing("firebase_app", work.chunk.firebase_app_id),
        {"paused_reason": reasons},
    )


async def _pause(connection: AsyncConnection, work: Work, doubt: str, clock: Clock) -> None:
    """Pauses the launch until a person resumes it."""
    await apply_launch_transition(
        connection,
        clock,
        work.launch.id,
        partial(pause, now=clock.now(), reason=doubt),
        by=AgentName.SENDER,
        verb="campaign.pause",
    )


async def _warn_of_fids(
    connection: AsyncConnection, work: Work, result: ChunkResult, now: datetime
) -> None:
    """Warns the sources that send FIDs which FCM does not know. Last, as all counters are written
    last."""
    code = WarningCode.FID_NOT_REGISTERED
    await add_counts(
        connection,
        {
            (source_id, hour_of(now), Kind.WARNING, code.value, ""): count
            for source_id, count in result.unknown_fids.items()
        },
    )
    log.warning(
        "fids_not_registered",
        app=str(work.chunk.firebase_app_id),
        campaign=str(work.campaign.id),
        count=result.unknown_fids.total(),
        cure=WARNINGS[code].cure,
    )


async def _slow_down(
    connection: AsyncConnection, work: Work, quiet_seconds: float, now: datetime
) -> None:
    rate = await slow_down(
        connection,
        work.chunk.firebase_app_id,
        quiet_seconds=quiet_seconds,
        drawn_at=work.claimed_at,
        now=now,
    )
    if rate is not None:
        log.warning(
            "firebase_app_throttled",
            app=str(work.chunk.firebase_app_id),
            quiet_seconds=round(quiet_seconds, 1),
            then_per_second=round(rate, 1),
        )
