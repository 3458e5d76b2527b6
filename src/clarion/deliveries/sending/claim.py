"""A chunk is claimed, the first of the two transactions in its life: what is to be done with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.campaigns.campaign import Campaign, launch_values
from clarion.campaigns.content.templates.launch_values import LaunchValues
from clarion.campaigns.launches.launch import STOPPED, Launch, LaunchState
from clarion.campaigns.store import get_launched
from clarion.deliveries.apps.pace_store import DrawnPaces
from clarion.deliveries.apps.pacing import Grant, Later
from clarion.deliveries.apps.store import AppPaused, OpenedApps, open_app, take_trial
from clarion.deliveries.limits.bars import Bars, find_bars
from clarion.deliveries.limits.late_turns import find_late, is_overdue
from clarion.deliveries.planning.chunk import Chunk, OpenDelivery
from clarion.deliveries.planning.chunk_store import (
    claim_chunk,
    release_chunk,
)
from clarion.deliveries.provider import ProviderApp
from clarion.deliveries.pushes.store import get_pushed
from clarion.deliveries.sending.belief import next_trial
from clarion.deliveries.sending.ledger_store import open_deliveries
from clarion.deliveries.sending.templates import Templates
from clarion.deliveries.zones import tell_zones
from clarion.storage.vault import Vault

TRIAL_PUSHES = 20
"""So many find out whether a paused app works again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PausedBy:
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


Claimed = Work | Later | PausedBy | None
"""What a claim ends in; None: the chunk is not due, or leased by another sender."""


async def claim(
    connection: AsyncConnection,
    chunk_id: UUID,
    vault: Vault,
    *,
    paces: DrawnPaces,
    apps: OpenedApps,
    now: datetime,
    lease_until: datetime,
    paused_until: datetime,
) -> Claimed:
    """Claims the chunk, and draws from the project's pace how fast its pushes may leave; whoever
    claims saves `paces` in the end.

    Returns Later if the project's turn is not near, and PausedBy if the launch or the app is
    paused: the chunk is put back and needs no job, since the sweep finds it when it is resumed or
    tried again. Returns None if the chunk is not due or leased by another sender. Raises
    VaultLocked.
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
    app = await apps.open(app_id, now=now)
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
        return PausedBy(app_id=None if is_launchs else app_id)
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
