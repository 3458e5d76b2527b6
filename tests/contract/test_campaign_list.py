"""The list of campaigns by state and by name, on both databases."""

from clarion.campaigns.campaign import CampaignState, pause
from clarion.campaigns.queries import list_campaigns
from clarion.reports.queries import list_progress
from clarion.storage.database import Database
from support.clock import FakeClock
from support.world import World


async def test_each_state_lists_those_that_show_it_and_together_they_are_all(
    database: Database, clock: FakeClock
) -> None:
    world = await World(database, clock).open()
    await world.devices("ok-1", "ok-2")
    done = await world.campaign()
    await world.settle(done)
    sending = await world.campaign()
    await world.scheduler.step()
    paused = await world.campaign()
    await world.change(paused, pause)
    scheduled = await world.campaign()
    async with database.read() as connection:

        async def ids(*states: CampaignState, words: str = "") -> set[object]:
            found = await list_campaigns(
                connection, world.actor, before=None, limit=50, states=states, words=words
            )
            return {campaign.id for campaign in found}

        assert await ids(CampaignState.DONE) == {done}
        assert await ids(CampaignState.LAUNCHING, CampaignState.SENDING) == {sending}
        assert await ids(CampaignState.PAUSED) == {paused}
        assert await ids(CampaignState.SCHEDULED) == {scheduled}
        assert await ids(CampaignState.DRAFT, CampaignState.FAILED) == set()
        assert await ids(*CampaignState) == await ids() == {done, sending, paused, scheduled}
        assert await ids(words="TES") == await ids()
        assert await ids(words="%") == set()
        shown = await list_campaigns(connection, world.actor, before=None, limit=50)
        progress = await list_progress(connection, world.actor, shown)
    assert set(progress) == {done, sending}
    assert (progress[done].planned, progress[done].accepted) == (2, 2)
