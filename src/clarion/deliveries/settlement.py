"""The two transactions in the life of a claimed chunk: its claim, and its settlement."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.campaigns.campaign import Campaign, CampaignState, Refused, pause
from clarion.campaigns.store import get_campaign, get_launch, save_campaign
from clarion.customers.device_store import remove_registrations
from clarion.deliveries.app_store import AppPaused, open_app, pause_app
from clarion.deliveries.books import Books
from clarion.deliveries.chunk_store import (
    Chunk,
    NewChunk,
    claim_chunk,
    finish_launch,
    release_chunk,
    settle_chunk,
)
from clarion.deliveries.pace_store import draw_pace, slow_down
from clarion.deliveries.pacing import Grant, Later
from clarion.deliveries.provider import ProviderApp
from clarion.deliveries.quarantine_store import Judgement, put_in_quarantine, watch
from clarion.storage.vault import Vault

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A claimed chunk, and what is to be done with it.

    With a `grant` its pushes may leave. Without one none does: its campaign is cancelled, or there
    is no Firebase app.
    """

    chunk: Chunk
    campaign: Campaign
    claimed_at: datetime
    app: ProviderApp | None = None
    grant: Grant | None = None


async def claim(
    connection: AsyncConnection,
    chunk_id: UUID,
    vault: Vault,
    *,
    now: datetime,
    lease_until: datetime,
    paused_until: datetime,
) -> Work | Later | None:
    """Claim the chunk, and draw how fast its pushes may leave.

    Later: its project's turn is not near. None: it is not to be had, or what it belongs to is
    paused; then it is put back, and no job has to follow, since the sweep passes over it until it
    is resumed. Raises VaultLocked.
    """
    chunk = await claim_chunk(connection, chunk_id, now=now, lease_until=lease_until)
    launch = None if chunk is None else await get_launch(connection, chunk.launch_id)
    if chunk is None or launch is None:
        return None
    campaign = await get_campaign(connection, chunk.workspace_id, launch.campaign_id)
    if campaign is None:
        return None
    work = Work(chunk=chunk, campaign=campaign, claimed_at=now)
    if campaign.state is CampaignState.CANCELLED:
        return work
    app = await open_app(connection, vault, chunk.firebase_app_id)
    if campaign.state is CampaignState.PAUSED or isinstance(app, AppPaused):
        await release_chunk(connection, chunk, due_at=paused_until, held=True)
        return None
    drawn = None if app is None else await draw_pace(connection, app.id, chunk.size, now)
    if isinstance(drawn, Later):
        await release_chunk(connection, chunk, due_at=drawn.due_at, held=False)
        return drawn
    return work if drawn is None else replace(work, app=app, grant=drawn)


async def settle(
    connection: AsyncConnection, work: Work, books: Books, again: Sequence[NewChunk], now: datetime
) -> bool:
    """Write down what became of it, and what follows from that; False: it is not ours any more."""
    chunk = work.chunk
    ours = await settle_chunk(
        connection,
        chunk,
        settled=books.settled,
        sent=books.sent,
        unanswered=books.unanswered,
        again=again,
        now=now,
    )
    if not ours:
        return False
    judgement = await _remove(connection, work, books, now)
    if books.quiet_seconds is not None:
        await _slow_down(connection, work, books.quiet_seconds, now)
    if books.pause_reason is not None and await pause_app(
        connection, chunk.firebase_app_id, books.pause_reason
    ):
        log.error(
            "firebase_app_paused",
            app=str(chunk.firebase_app_id),
            project=work.app and work.app.project_id,
            reason=books.pause_reason,
            cure="put its credentials right, then resume it; nothing is lost",
        )
    await finish_launch(connection, chunk.launch_id, now)
    if judgement.doubt is not None:
        await _pause(connection, work, judgement.doubt, now)
    return True


async def _remove(
    connection: AsyncConnection, work: Work, books: Books, now: datetime
) -> Judgement:
    """End the registrations that the provider calls dead, if it can be believed."""
    app_id, removals = work.chunk.firebase_app_id, books.removals
    if not books.sent:
        return Judgement()
    answered = len(books.sent)
    judgement = await watch(connection, app_id, answered=answered, removals=removals, now=now)
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


async def _pause(connection: AsyncConnection, work: Work, doubt: str, now: datetime) -> None:
    """The campaign waits for a person. After `finish_launch`, which locks its launch first."""
    campaign = await get_campaign(connection, work.chunk.workspace_id, work.campaign.id, lock=True)
    paused = None if campaign is None else pause(campaign, now, doubt)
    if campaign is None or paused is None or isinstance(paused, Refused):
        return
    await save_campaign(connection, paused, expected_state=campaign.state)


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
