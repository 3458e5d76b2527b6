"""A launch is done when its last chunk is, whoever settles it, and however many do at once."""

import asyncio

from clarion.campaigns.campaign import CampaignState
from clarion.storage.database import Database
from support.clock import FakeClock
from support.world import World


async def test_senders_that_settle_the_last_chunks_at_once_finish_the_launch(
    database: Database, clock: FakeClock
) -> None:
    world = await World(database, clock).open()
    await world.devices(*(f"token-{one}" for one in range(7)))  # four chunks
    for _ in range(6):
        campaign_id = await world.campaign()
        await world.scheduler.step()
        await world.planner.step()
        await asyncio.gather(*(world.sender.step() for _ in range(4)))
        found = await world.report(campaign_id)
        assert (found.total.accepted, found.total.in_flight) == (7, 0)
        assert (await world.get(campaign_id)).state is CampaignState.DONE
