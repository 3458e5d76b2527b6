"""The steps people take with a campaign, and what has to follow at once.

A step is a pure function of `campaigns/campaign.py`. From reading the campaign to writing it the
row is ours, so nobody's change is lost, an agent's no more than a person's. What a cancelled or
resumed campaign had waiting is due from then on: the account of a cancelled one settles promptly,
and a resumed one goes on promptly. So does what a Firebase app had waiting that is resumed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.broker import Broker, BrokerUnavailable, JobKind, NewJob
from clarion.campaigns.campaign import Campaign, CampaignState, Refused, resume
from clarion.campaigns.store import (
    LaunchState,
    get_campaign,
    launches_of,
    paused_campaigns,
    save_campaign,
)
from clarion.deliveries.apps.quarantine_store import close_breaker, empty_quarantine
from clarion.deliveries.chunk_store import hasten_app, hasten_chunks
from clarion.storage.database import Database

Step = Callable[[Campaign], Campaign | Refused]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The campaign after the step, and the jobs that `publish` is to be given."""

    campaign: Campaign
    jobs: Sequence[NewJob]


async def take_step(
    database: Database,
    workspace_id: UUID,
    campaign_id: UUID,
    step: Step,
    *,
    now: datetime,
    seen_at: datetime | None = None,
) -> Taken | Refused | None:
    """Take `step`; None: no such campaign.

    `seen_at` is the `updated_at` that the caller has decided upon: where the campaign has changed
    since, the step is refused with the code `conflict`. Without it the step is taken with the
    campaign as it is.
    """
    async with database.write() as connection:
        before = await get_campaign(connection, workspace_id, campaign_id, lock=True)
        if before is None:
            return None
        if seen_at is not None and before.updated_at != seen_at:
            return Refused(
                code="conflict", message="The campaign has changed since it was seen: look again."
            )
        after = step(before)
        if isinstance(after, Refused):
            return after
        await save_campaign(connection, after, expected_state=before.state)
        return Taken(campaign=after, jobs=await _hasten(connection, before, after, now))


async def decide_removals(
    database: Database, workspace_id: UUID, app_id: UUID, *, remove: bool, now: datetime
) -> list[NewJob]:
    """A person has decided about the registrations in quarantine: the provider is right, so they
    are removed, or it is not, so they are kept. The campaigns that waited for that go on."""
    while True:
        async with database.write() as connection:
            if not await empty_quarantine(connection, app_id, remove=remove):
                reason = await close_breaker(connection, app_id, was_right=remove)
                break
    jobs: list[NewJob] = []
    if reason is None:
        return jobs
    async with database.read() as connection:
        waiting = await paused_campaigns(connection, workspace_id, reason)
    for campaign_id in waiting:
        taken = await take_step(
            database, workspace_id, campaign_id, lambda one: resume(one, now), now=now
        )
        if isinstance(taken, Taken):
            jobs += taken.jobs
    return jobs


async def take_up(connection: AsyncConnection, app_id: UUID, now: datetime) -> list[NewJob]:
    """What was held for a Firebase app that sends again is due now; the jobs for `publish`."""
    due = await hasten_app(connection, app_id, now)
    return [NewJob(kind=JobKind.CHUNK, payload=chunk_id.bytes) for chunk_id in due]


async def publish(broker: Broker, jobs: Sequence[NewJob]) -> None:
    """Nudge what follows a step. The step holds without it: the sweep finds what is due."""
    if not jobs:
        return
    try:
        await broker.publish(*jobs)
    except BrokerUnavailable as error:
        log.warning("step_not_nudged", reason=str(error), cure="the sweep")


async def _hasten(
    connection: AsyncConnection, before: Campaign, after: Campaign, now: datetime
) -> list[NewJob]:
    was, now_is = before.state, after.state
    is_cancelled = now_is is CampaignState.CANCELLED and was is not CampaignState.CANCELLED
    is_resumed = was is CampaignState.PAUSED and now_is is not CampaignState.PAUSED
    if not is_cancelled and not is_resumed:
        return []
    jobs: list[NewJob] = []
    for launch in await launches_of(connection, after.id):
        if launch.state not in (LaunchState.PLANNING, LaunchState.SENDING):
            continue
        if launch.state is LaunchState.PLANNING:
            jobs.append(NewJob(kind=JobKind.LAUNCH, payload=launch.id.bytes))
        due = await hasten_chunks(connection, launch.id, now, held_only=not is_cancelled)
        jobs += [NewJob(kind=JobKind.CHUNK, payload=chunk_id.bytes) for chunk_id in due]
    return jobs
