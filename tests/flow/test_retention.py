"""What is old goes when its workspace says so; reports of it stay, and nothing else is touched."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Table, func, select

from clarion.accounts.actor import Scope
from clarion.deliveries.customer_index.indexer import CustomerIndexer, IndexerOptions
from clarion.retention.remover import Remover, RemoverOptions
from clarion.storage.bulk import insert_new
from clarion.storage.database import Database
from clarion.storage.schema import audit, chunks, customer_deliveries, deliveries, ingest_log
from clarion.web.api.errors import ErrorCode
from support.api import Service, assert_is
from support.book import WORKSPACE
from support.clock import FakeClock
from support.database import sqlite_database
from support.privacy import Regulator

DAY = timedelta(days=1).total_seconds()
DRAFT = {"name": "x", "content": {"title": "Hi"}, "audience": {"everyone": True}}
AT_ONCE = IndexerOptions(pause_seconds=0)
SLICES = RemoverOptions(rows_max=2, pause_seconds=0)


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


async def run(service: Service, options: RemoverOptions = SLICES) -> int:
    """As the runner does: until nothing is left to do."""
    count, remover = 0, Remover(service.database, service.clock, options)
    while done := await remover.step():
        count += done
    return count


async def count_of(service: Service, table: Table) -> int:
    async with service.database.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


async def sent(service: Service) -> UUID:
    """A campaign whose deliveries are settled and in the index."""
    campaign_id = await service.world.campaign()
    await service.world.settle(campaign_id)
    while await CustomerIndexer(service.database, service.clock, AT_ONCE).step():
        pass
    return campaign_id


async def retention(service: Service, **days: int | None) -> Any:
    changed = await service.ask("PATCH", "/workspace/retention", days)
    assert changed.status == 200, changed.json
    return changed.json


async def preview(service: Service, query: str = "") -> dict[str, Any]:
    removals = (await service.get(f"/workspace/retention/preview{query}"))["data"]
    return {removal["kind"]: removal for removal in removals}


async def test_deliveries_go_and_the_report_stays(service: Service) -> None:
    await service.world.devices("ok-1", "ok-2", "ok-3", "bad-1", "dead-1")
    old = await sent(service)
    report = await service.get(f"/campaigns/{old}/report")
    assert (report["planned"], report["deliveries_removed_at"]) == (5, None)
    await retention(service, deliveries=30)
    service.clock.advance(30 * DAY + 1)
    young = await sent(service)
    kept = await service.get(f"/deliveries?campaign={young}")
    assert (await preview(service))["deliveries"]["rows"] == 5
    assert await run(service) >= 5
    assert (await preview(service))["deliveries"]["rows"] == 0
    after = await service.get(f"/campaigns/{old}/report")
    gone_at = after.pop("deliveries_removed_at")
    assert gone_at is not None
    assert after == {name: value for name, value in report.items() if name in after}
    assert (await service.get(f"/campaigns/{old}/launches"))["data"][0]["accepted"] == 3
    answer = await service.ask("GET", f"/deliveries?campaign={old}")
    assert_is(answer, ErrorCode.DELIVERIES_REMOVED)
    assert await service.get(f"/deliveries?campaign={young}") == kept
    assert await count_of(service, customer_deliveries) == len(kept["data"])
    assert await count_of(service, deliveries) == len(kept["data"])


async def test_a_launch_is_kept_for_exactly_so_many_days(service: Service) -> None:
    await service.world.devices("ok-1")
    campaign_id = await sent(service)
    launch = (await service.world.get(campaign_id)).launch
    assert launch is not None and launch.done_at is not None
    await retention(service, deliveries=10)
    service.clock.advance((launch.done_at - service.clock.now()).total_seconds() + 10 * DAY)
    await run(service)
    assert await count_of(service, deliveries) == 1
    service.clock.advance(0.001)
    await run(service)
    assert await count_of(service, deliveries) == 0


async def test_a_removal_that_takes_many_steps_goes_on_until_nothing_is_left(
    service: Service,
) -> None:
    await service.world.devices("ok-1", "ok-2", "ok-3")
    await sent(service)
    await retention(service, deliveries=1)
    service.clock.advance(2 * DAY)
    await run(service, RemoverOptions(rows_max=1, slices_max=1, pause_seconds=0))
    assert await count_of(service, customer_deliveries) == await count_of(service, deliveries) == 0


async def test_what_is_kept_for_ever_is_kept(service: Service) -> None:
    await service.world.devices("ok-1")
    campaign_id = await sent(service)
    forever = dict.fromkeys(("events", "deliveries", "ingest_log", "audit"))
    assert await retention(service, **forever) == forever
    before = [await count_of(service, table) for table in (deliveries, chunks, audit)]
    service.clock.advance(3_000 * DAY)
    assert await run(service) == 0
    assert [await count_of(service, table) for table in (deliveries, chunks, audit)] == before
    assert len((await service.get(f"/deliveries?campaign={campaign_id}"))["data"]) == 1


async def test_what_still_waits_is_never_removed(service: Service) -> None:
    await service.world.devices("ok-1", "ok-2")
    campaign_id = await service.world.campaign()
    await service.world.scheduler.step()
    while await service.world.planner.step():
        pass
    await service.post(f"/campaigns/{campaign_id}/pause")
    service.clock.advance(1_000 * DAY)
    await run(service)
    assert await count_of(service, chunks) == 1
    report = await service.get(f"/campaigns/{campaign_id}/report")
    assert (report["in_flight"], report["balances"]) == (2, True)


@pytest.mark.parametrize("count", [7, 14])
async def test_logs_go_by_their_age_whatever_their_number(service: Service, count: int) -> None:
    (source,) = (await service.get("/sources"))["data"]
    key = source["write_key"]
    for number in range(count):
        await service.send(key, {"type": "track", "event": "Seen", "messageId": f"m{number}"})
        await service.post("/campaigns", DRAFT)
    assert await count_of(service, ingest_log) == count  # refused: they name nobody
    await retention(service, audit=60)
    assert await count_of(service, audit) == count + 1
    service.clock.advance(31 * DAY)
    shown = await preview(service)
    assert (shown["ingest_log"]["rows"], shown["audit"]["rows"]) == (count, 0)
    assert (await preview(service, "?audit=5"))["audit"]["rows"] == count + 1
    assert await run(service) == count
    assert (await count_of(service, ingest_log), await count_of(service, audit)) == (0, count + 1)
    service.clock.advance(30 * DAY)
    assert await run(service) == count + 1
    assert await count_of(service, audit) == 0


async def test_an_erasure_after_deliveries_went_leaves_nothing(service: Service) -> None:
    await service.world.devices("ok-1", user="ada")
    await sent(service)
    await retention(service, deliveries=1)
    service.clock.advance(2 * DAY)
    await run(service)
    regulator = Regulator(service.database, service.world.broker, service.clock)
    erased = await regulator.erase(WORKSPACE, "ada", by="test")
    assert erased is not None and erased.deliveries == 0
    assert await count_of(service, customer_deliveries) == 0


async def test_an_erasure_in_the_middle_of_a_removal_finds_what_is_left(service: Service) -> None:
    await service.world.devices(*(f"ok-{number}" for number in range(6)), user="ada")
    campaign_id = await sent(service)
    await retention(service, deliveries=1)
    service.clock.advance(2 * DAY)
    # It is begun, its lines are taken out of the index, and one slice of its deliveries is gone.
    cut_off = RemoverOptions(rows_max=3, slices_max=4, pause_seconds=0)
    await Remover(service.database, service.clock, cut_off).step()
    assert await count_of(service, customer_deliveries) == 0
    assert await count_of(service, deliveries) == 3
    regulator = Regulator(service.database, service.world.broker, service.clock)
    erased = await regulator.erase(WORKSPACE, "ada", by="test")
    assert erased is not None and erased.deliveries == 3
    await run(service)
    assert await count_of(service, deliveries) == 0
    report = await service.get(f"/campaigns/{campaign_id}/report")
    assert (report["planned"], report["accepted"], report["balances"]) == (6, 6, True)


async def test_days_are_an_admin_s_to_change_and_the_change_is_in_the_log(service: Service) -> None:
    assert await service.get("/workspace/retention") == {
        "events": 400,
        "deliveries": 400,
        "ingest_log": 30,
        "audit": 400,
    }
    writer = await service.make_key(Scope.WRITE)
    path = "/workspace/retention"
    assert_is(await service.ask("PATCH", path, {"audit": 1}, key=writer), ErrorCode.FORBIDDEN)
    for wrong in ({"audit": 0}, {"audit": 3_651}, {"deliveries": 1.5}, {"devices": 5}):
        assert_is(await service.ask("PATCH", path, wrong), ErrorCode.INVALID)
    changed = await retention(service, deliveries=90, audit=None)
    assert changed == {"events": 400, "deliveries": 90, "ingest_log": 30, "audit": None}
    [entry] = (await service.get("/audit?verb=workspace.retention"))["data"]
    assert entry["changes"] == {"deliveries": [400, 90], "audit": [400, None]}


async def test_space_is_given_back_on_sqlite(tmp_path: Path, clock: FakeClock) -> None:
    database = await sqlite_database(tmp_path)
    async with Service(database, clock) as service:
        rows = [
            {
                "id": service.clock.new_id(), "workspace_id": WORKSPACE, "at": clock.now(),
                "actor_kind": "system", "actor_id": None, "actor_name": "test",
                "verb": "test.fill", "thing_kind": "test", "thing_id": str(number),
                "request_id": None, "changes": {"text": "x" * 500},
            }
            for number in range(5_000)
        ]  # fmt: skip
        async with database.write() as connection:
            await insert_new(connection, audit, rows)
        await database.empty_log()
        before = (tmp_path / "clarion.db").stat().st_size
        clock.advance(401 * DAY)
        assert await run(service, RemoverOptions(pause_seconds=0)) > 5_000
        await database.empty_log()
        assert (tmp_path / "clarion.db").stat().st_size < before / 4
    await database.close()
