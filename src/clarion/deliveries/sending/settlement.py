"""A chunk is settled, the second of the two transactions in its life, with all that follows."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import system
from clarion.accounts.audit import Thing
from clarion.accounts.command import audit_by_itself
from clarion.agent import AgentName
from clarion.broker import NewJob
from clarion.campaigns.commands import apply_launch_transition
from clarion.campaigns.launches.launch import pause
from clarion.clock import Clock
from clarion.customers.devices.store import remove_registrations
from clarion.customers.diagnostics import WarningCode
from clarion.deliveries.apps.pace_store import slow_down
from clarion.deliveries.apps.quarantine_store import Judgement, put_in_quarantine, watch
from clarion.deliveries.apps.store import end_trial, pause_app
from clarion.deliveries.counts_store import add_to_counts
from clarion.deliveries.limits.bars import count_for_caps
from clarion.deliveries.planning.chunk import Chunk, NewChunk, job_of
from clarion.deliveries.planning.chunk_store import (
    finish_launch,
    hasten_app,
)
from clarion.deliveries.pushes.store import finish_push
from clarion.deliveries.sending.belief import next_trial
from clarion.deliveries.sending.chunk_result import ChunkResult
from clarion.deliveries.sending.claim import Work
from clarion.deliveries.sending.ledger_store import settle_chunk
from clarion.ingest_log.diagnostics import WARNINGS
from clarion.ingest_log.outcome import hour_of
from clarion.ingest_log.store import add_counts
from clarion.ingest_log.tally import Kind

log = structlog.get_logger(__name__)


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
