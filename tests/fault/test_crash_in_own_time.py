"""A process may die anywhere while a campaign is sent at each customer's own time: everybody gets
it once, at the time that their clock shows, and the account balances at every step."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from clarion.campaigns.campaign import schedule
from clarion.campaigns.timing.own_time import OwnTime
from clarion.campaigns.timing.trigger import OnceInOwnTime
from clarion.storage.database import Database
from fault.test_crash_everywhere import FEW_POINTS, a_campaign_each
from support.clock import FakeClock
from support.faults import Crash
from support.world import World

ZONES = ("Pacific/Kiritimati", "Europe/Vienna", "Etc/UTC", "Atlantic/Azores")
"""At the launch the time is past in the first, and comes in the others hour by hour."""


class OwnTimeWorld(World):
    """Whose campaigns are sent when clocks of their customers show an hour from now."""

    async def devices(self, *tokens: str, user: str | None = None) -> None:
        events = []
        for token, zone in zip(tokens, ZONES, strict=True):
            told: dict[str, Any] = {"token": token, "context": {"timezone": zone}}
            events.append(self.app.register(0, f"D-{token}", user=f"user-{token}", **told))
        await self.take(*events)

    async def campaign(self, *arguments: Any, **options: Any) -> UUID:
        campaign_id = await super().campaign(*arguments, **options)
        now = self.clock.now()
        own = OwnTime(wall=(now + timedelta(hours=1)).replace(tzinfo=None), fallback="UTC")
        await self.change(
            campaign_id, lambda campaign, at: schedule(campaign, OnceInOwnTime(now, own), at)
        )
        return campaign_id


@pytest.fixture
async def world(database: Database, clock: FakeClock) -> World:
    return await OwnTimeWorld(database, clock, round_seconds=1_800.0).open()


async def test_a_process_may_die_anywhere_while_turns_come(world: World) -> None:
    points = await a_campaign_each(world, Crash, points=FEW_POINTS)
    if world.database.is_sqlite:
        assert {"after a commit", "when half of the pushes have left", "after an ack"} <= points
