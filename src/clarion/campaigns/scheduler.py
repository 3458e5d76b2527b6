"""The scheduler: launches campaigns whose time has come. One whose time passed long ago, since no
scheduler ran or a copy of the database was put back, it pauses: it waits for a person.

The launch row is the truth, its job a nudge: a launch whose job was lost is published again.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid5

import structlog

from clarion.broker import Broker, BrokerUnavailable, JobKind, NewJob
from clarion.campaigns.campaign import Campaign, CampaignState, Refused, launch
from clarion.campaigns.store import (
    Launch,
    LaunchState,
    create_launch,
    due_campaigns,
    get_campaign,
    launches_in,
    save_campaign,
)
from clarion.clock import Clock
from clarion.storage.database import Database, StorageUnavailable

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerOptions:
    campaigns_max: int = 100
    every_seconds: float = 0.5
    nudge_seconds: float = 30.0
    """How often launches still being planned are published again."""
    backoff_seconds: float = 2.0
    late_minutes: int = 60
    """What should have been launched longer ago than this waits for a person."""


class Scheduler:
    """Any number may run: a campaign is launched once, by whoever has its row."""

    def __init__(
        self,
        database: Database,
        broker: Broker,
        clock: Clock,
        options: SchedulerOptions | None = None,
    ) -> None:
        self._database = database
        self._broker = broker
        self._clock = clock
        self._options = options or SchedulerOptions()
        self._nudged_at = clock.monotonic()

    async def run(self) -> None:
        """Repeat `step` until cancelled."""
        while True:
            try:
                await self.step()
                await self._nudge_when_due()
                await self._clock.sleep(self._options.every_seconds)
            except (StorageUnavailable, BrokerUnavailable) as error:
                log.warning("scheduler_waits", reason=str(error))
                await self._clock.sleep(self._options.backoff_seconds)

    async def step(self) -> int:
        """Launch what is due; returns how many campaigns were launched."""
        now = self._clock.now()
        async with self._database.read() as connection:
            due = await due_campaigns(connection, now, self._options.campaigns_max)
        launched = 0
        for campaign in due:
            launch_id = await self._launch(campaign)
            if launch_id is not None:
                await self._publish(launch_id)
                launched += 1
        return launched

    async def nudge(self) -> int:
        """Publish again the launches that are still being planned; returns how many."""
        async with self._database.read() as connection:
            open_launches = await launches_in(
                connection, [LaunchState.PLANNING], self._options.campaigns_max
            )
        await self._broker.publish(
            *(
                NewJob(
                    kind=JobKind.LAUNCH, payload=one.id.bytes, key=f"launch:{one.id}:{one.cursor}"
                )
                for one in open_launches
            )
        )
        return len(open_launches)

    async def _nudge_when_due(self) -> None:
        now = self._clock.monotonic()
        if now - self._nudged_at >= self._options.nudge_seconds:
            self._nudged_at = now
            await self.nudge()

    async def _launch(self, campaign: Campaign) -> UUID | None:
        now = self._clock.now()
        launch_id = uuid5(campaign.id, "launch:1")
        async with self._database.write() as connection:
            # Given another time since it was found, it is not due any more.
            current = await get_campaign(connection, campaign.workspace_id, campaign.id, lock=True)
            if current is None or current.scheduled_at is None or current.scheduled_at > now:
                return None
            launching = launch(current, now, timedelta(minutes=self._options.late_minutes))
            if isinstance(launching, Refused):
                return None
            await save_campaign(connection, launching, expected_state=current.state)
            if launching.state is CampaignState.LAUNCHING:
                await create_launch(
                    connection,
                    Launch(
                        id=launch_id,
                        workspace_id=campaign.workspace_id,
                        campaign_id=campaign.id,
                        state=LaunchState.PLANNING,
                        cursor=None,
                        planned=0,
                        started_at=now,
                    ),
                )
        if launching.state is not CampaignState.LAUNCHING:
            log.warning(
                "campaign_late",
                campaign=str(campaign.id),
                scheduled_at=current.scheduled_at.isoformat(),
                cure="resume it to launch now, or schedule it for another time",
            )
            return None
        log.info("campaign_launched", campaign=str(campaign.id))
        return launch_id

    async def _publish(self, launch_id: UUID) -> None:
        await self._broker.publish(NewJob(kind=JobKind.LAUNCH, payload=launch_id.bytes))
