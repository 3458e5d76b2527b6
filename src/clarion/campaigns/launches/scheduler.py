"""The scheduler: launches campaigns whose time has come. One whose time passed long ago, since no
scheduler ran or a copy of the database was put back, it pauses: it waits for a person. So does
one that nobody has approved as it is, where the workspace wants that. Of one that repeats, the
occurrence is skipped or made up.

The launch row is the truth, its job a nudge: a launch whose job was lost is published again. One
scheduler works at a time; if two did, the campaign's row would still let one of them launch it.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import system
from clarion.accounts.audit import Thing
from clarion.accounts.command import audit_by_itself
from clarion.agent import Agent, AgentName, Pause
from clarion.broker import Broker, JobKind, NewJob
from clarion.campaigns.approval.approval import NOT_APPROVED
from clarion.campaigns.campaign import (
    UNAPPROVED,
    Campaign,
    DefinitionState,
    is_unapproved,
    launch,
    pause,
)
from clarion.campaigns.commands import apply_transition, changes_of
from clarion.campaigns.launches.launch import Launch
from clarion.campaigns.launches.store import freeze_audience, launches_to_plan
from clarion.campaigns.store import due_campaigns
from clarion.clock import Clock
from clarion.faults import Rejected
from clarion.storage.database import Database
from clarion.storage.leader_lease import LeaderLease, check_leads
from clarion.tracing import span

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerOptions:
    campaigns_max: int = 100
    every_seconds: float = 0.5
    nudge_seconds: float = 30.0
    """How often launches still being planned are published again."""
    late_minutes: int = 60
    """What should have been launched longer ago than this waits for a person, where its campaign
    says nothing else."""


class Scheduler:
    """Launches what is due. `lease`: that of the scheduler; None where no other can run."""

    def __init__(
        self,
        database: Database,
        broker: Broker,
        clock: Clock,
        options: SchedulerOptions | None = None,
        lease: LeaderLease | None = None,
    ) -> None:
        self._database = database
        self._broker = broker
        self._clock = clock
        self._options = options or SchedulerOptions()
        self._lease = lease
        self._nudged_at = clock.monotonic()
        self._lag_seconds = 0.0

    def agents(self) -> list[Agent]:
        """What the runner repeats."""
        return [
            Agent(
                name=AgentName.SCHEDULER,
                step=self._turn,
                leadership=self._lease,
                lag_seconds=lambda: self._lag_seconds,
            )
        ]

    async def step(self) -> int:
        """Launch what is due; returns how many campaigns were launched."""
        now = self._clock.now()
        async with self._database.read() as connection:
            due = await due_campaigns(connection, now, self._options.campaigns_max)
        times = [campaign.scheduled_at for campaign in due if campaign.scheduled_at is not None]
        self._lag_seconds = (now - min(times, default=now)).total_seconds()
        launched = 0
        for campaign in due:
            launch_id = await self._launch(campaign)
            if launch_id is not None:
                await self._publish(launch_id)
                launched += 1
        return launched

    async def nudge(self) -> int:
        """Publish again the launches that are still being planned; returns how many."""
        after, count = None, 0
        while True:
            async with self._database.read() as connection:
                page = await launches_to_plan(
                    connection, after=after, limit=self._options.campaigns_max
                )
            await self._broker.publish(
                *(
                    NewJob(
                        kind=JobKind.LAUNCH,
                        payload=launch.id.bytes,
                        key=f"launch:{launch.id}:{launch.cursor}",
                    )
                    for launch in page
                )
            )
            count += len(page)
            if len(page) < self._options.campaigns_max:
                return count
            after = page[-1].id

    async def _turn(self) -> Pause:
        await self.step()
        await self._nudge_when_due()
        return Pause(seconds=self._options.every_seconds)

    async def _nudge_when_due(self) -> None:
        now = self._clock.monotonic()
        if now - self._nudged_at >= self._options.nudge_seconds:
            self._nudged_at = now
            await self.nudge()

    async def _launch(self, campaign: Campaign) -> UUID | None:
        """The launch that began; None if the campaign is not due any more, or too late."""

        async def work(connection: AsyncConnection) -> Campaign | None:
            await check_leads(connection, self._lease)
            return await self._begin_launch(connection, campaign)

        after = await self._database.transact(work, self._clock)
        if after is None:
            return None
        begun = _new_launch(campaign, after)
        if begun is None:
            _warn(campaign, after)
            return None
        with span("campaign.launch", root=begun.id, campaign=str(campaign.id)):
            log.info("campaign_launched", campaign=str(campaign.id), launch=str(begun.id))
        return begun.id

    async def _begin_launch(
        self, connection: AsyncConnection, campaign: Campaign
    ) -> Campaign | None:
        """The campaign as it was written; None if it was not."""
        now = self._clock.now()
        # Given another time since it was read, it is not due any more.
        transition = await apply_transition(
            connection,
            campaign.workspace_id,
            campaign.id,
            lambda current: launch(current, now, self._late_after(current)),
        )
        if isinstance(transition, Rejected) and transition.code == NOT_APPROVED:
            reason = UNAPPROVED + transition.message
            transition = await apply_transition(
                connection,
                campaign.workspace_id,
                campaign.id,
                lambda current: pause(current, now, reason),
            )
        if isinstance(transition, Rejected):
            return None
        begun = _new_launch(transition.before, transition.after)
        verb = "campaign.launch"
        if begun is not None:
            await freeze_audience(connection, begun, transition.after.audience)
        elif transition.after.definition is DefinitionState.PAUSED:
            verb = "campaign.pause"
        else:
            verb = "campaign.skip"
        await audit_by_itself(
            connection,
            self._clock,
            system(campaign.workspace_id, "scheduler"),
            verb,
            Thing("campaign", campaign.id),
            changes_of(transition),
        )
        return transition.after

    def _late_after(self, campaign: Campaign) -> timedelta:
        minutes = campaign.late_after_minutes
        return timedelta(minutes=self._options.late_minutes if minutes is None else minutes)

    async def _publish(self, launch_id: UUID) -> None:
        await self._broker.publish(NewJob(kind=JobKind.LAUNCH, payload=launch_id.bytes))


def _warn(campaign: Campaign, after: Campaign) -> None:
    """Of a campaign that was due and has not launched."""
    assert campaign.scheduled_at is not None
    if is_unapproved(after):
        log.warning(
            "campaign_not_approved",
            campaign=str(campaign.id),
            reason=after.definition_reason,
            cure="propose it again, and have somebody else approve it",
        )
        return
    is_late = after.definition is DefinitionState.PAUSED
    log.warning(
        "campaign_late" if is_late else "occurrence_skipped",
        campaign=str(campaign.id),
        scheduled_at=campaign.scheduled_at.isoformat(),
        cure="resume it to launch now, or schedule it for another time"
        if is_late
        else "to have missed ones made up, schedule it with missed: make_up",
    )


def _new_launch(before: Campaign, after: Campaign) -> Launch | None:
    """The launch that `after` has and `before` has not."""
    return None if after.launch == before.launch else after.launch
