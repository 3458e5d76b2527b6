"""A refusal that is being written while its person is erased shows nothing of them afterwards."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import select, text

from clarion.customers.suppression_store import without_listed
from clarion.ingest_log.rejection import Hint, RejectedEvent
from clarion.storage.database import Database
from clarion.storage.schema import ingest_log, source_counts
from contract.test_search import heard
from support.api import Service
from support.book import WORKSPACE
from support.clock import FakeClock
from support.patience import patience, until

ADA = "ada-4711"


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


async def waits(database: Database, number: int, is_over: Callable[[], bool]) -> None:
    """Until so many statements wait for a lock, or `is_over`."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )

    async def count() -> int:
        async with database.read() as connection:
            return int((await connection.execute(waiting)).scalar_one())

    await until(count, lambda waiting: waiting >= number or is_over())


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_an_erasure_waits_for_refusals_that_are_being_written(service: Service) -> None:
    """The ingestor has asked who is listed and stands before its commit; the erasure begins and
    would end meanwhile."""
    database = service.database
    (source,) = (await service.get("/sources"))["data"]
    key = source["write_key"]
    nameless = {"type": "track", "messageId": "n1", "userId": "bob"}
    await service.try_to_send(key, nameless)
    await service.send(key, {"type": "identify", "messageId": "i1", "userId": ADA, "traits": {}})
    async with patience():
        async with database.write() as connection:
            await connection.execute(select(source_counts).with_for_update())
            bad = nameless | {"messageId": "n2", "userId": ADA}
            sending = asyncio.create_task(service.try_to_send(key, bad))
            await waits(database, 1, sending.done)
            assert not sending.done()
            erasing = asyncio.create_task(service.ask("DELETE", f"/customers/{ADA}"))
            await waits(database, 2, erasing.done)
        await sending
        assert (await erasing).status == 200
    async with database.read() as connection:
        rows = (await connection.execute(select(ingest_log))).all()
    assert [row.user_id for row in rows if row.code == rows[0].code] == ["bob", None]
    assert ADA not in str(rows)


async def test_however_many_refusals_there_are_the_list_is_asked_twice(service: Service) -> None:
    (source,) = (await service.get("/sources"))["data"]
    identify = {"type": "identify", "messageId": "i1", "userId": ADA, "traits": {}}
    await service.send(source["write_key"], identify)
    assert (await service.ask("POST", f"/customers/{ADA}/suppress")).status == 204
    parcels = [
        (WORKSPACE, [refusal(user) for user in (ADA, f"bob-{number}")]) for number in range(50)
    ]
    async with service.database.write() as connection:
        with heard(connection) as statements:
            told = await without_listed(connection, [*parcels, (WORKSPACE, [])])
    assert len(statements) == 2
    assert [len(part) for part in told] == [2] * 50 + [0]
    for ours, (_, (_, bobs)) in zip(told, parcels, strict=False):
        assert ours == [RejectedEvent(message_id=None, code="c", message="m", excerpt=""), bobs]


def refusal(user_id: str) -> RejectedEvent:
    hint = Hint(user_id=user_id)
    return RejectedEvent(message_id="m", code="c", message="m", excerpt=user_id, hint=hint)
