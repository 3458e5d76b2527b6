"""What is told of launches and pushes under way is what the rows say."""

from clarion.customers.ingestor import Ingestor, IngestorOptions
from clarion.reports.backlog_store import launches_under_way, pushes_waiting
from clarion.storage.database import Database
from clarion.telemetry import Metrics
from support.api import Service
from support.clock import FakeClock
from support.world import World


async def told(world: World) -> tuple[dict[str, int], dict[str, int], float]:
    async with world.database.read() as connection:
        waiting = await pushes_waiting(connection, world.clock.now())
        return await launches_under_way(connection), waiting.counts, waiting.oldest_seconds


async def test_a_campaigns_pushes_are_told_until_they_are_settled(
    database: Database, clock: FakeClock
) -> None:
    world = await World(database, clock).open()
    await world.devices("ok-1", "ok-2", "down-3")
    nothing = dict.fromkeys(("due", "later", "held", "leased"), 0)
    assert await told(world) == ({"planning": 0, "sending": 0, "paused": 0}, nothing, 0.0)
    campaign = await world.campaign()
    await world.scheduler.step()
    assert (await told(world))[0]["planning"] == 1
    await world.planner.step()
    clock.advance(90)
    launches, counts, oldest = await told(world)
    assert (launches["planning"] + launches["sending"], counts["due"], oldest) == (1, 3, 90.0)
    while await world.sender.step():
        pass
    _, counts, oldest = await told(world)
    assert (counts, oldest) == (nothing | {"later": 1}, 0.0), "FCM was down for one: tried again"
    await world.settle(campaign)
    launches, counts, _ = await told(world)
    assert (launches["planning"] + launches["sending"], counts) == (0, nothing)
    await world.broker.close()


async def test_events_are_counted_by_what_became_of_them(
    database: Database, clock: FakeClock
) -> None:
    async with Service(database, clock) as service:
        [source] = (await service.get("/sources"))["data"]
        metrics, options = Metrics(), IngestorOptions(wait_seconds=0)
        parts = (database, service.world.broker, clock)
        service.ingestor = Ingestor(*parts, options, metrics=metrics)
        seen = {"type": "track", "event": "Seen", "userId": "ada", "messageId": "seen"}
        nameless = {"type": "track", "userId": "ada", "messageId": "nameless"}
        for events in ((seen,), (seen, nameless)):
            clock.advance(0.001)  # what comes at the same instant is the same call
            await service.try_to_send(str(source["write_key"]), *events)
        counts = {
            sample.labels["outcome"]: sample.value
            for family in metrics.events.collect()
            for sample in family.samples
            if sample.name == "clarion_events_total"
        }
    assert counts == {"accepted": 1, "duplicate": 1, "refused": 1}
