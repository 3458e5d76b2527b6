"""Promise 1: what was answered 200 is there, whatever happens the instant after; what can not be
made durable is answered 503, and nothing is lost or doubled by it."""

import asyncio
import random
import resource
from asyncio import IncompleteReadError
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select, text

from clarion.broker import BrokerUnavailable, JobKind, NewJob
from clarion.brokers.database import DatabaseBroker
from clarion.customers.ingestor import Ingestor, IngestorOptions
from clarion.storage.database import Database, StorageUnavailable
from clarion.storage.schema import events, jobs
from support.clock import FakeClock
from support.database import make_tables, sqlite_database
from support.postgres import PostgresServer
from support.served import Served
from support.station import KEY, Station, prepare, track
from support.wire import Reply, basic, line, request

KILLS = 5
CALLERS = 6
ACKS_UNTIL_KILL_MAX = 250


class Journal:
    """What the callers sent, and what they were told is kept."""

    def __init__(self) -> None:
        self.count = 0
        self.sent: set[str] = set()
        self.unanswered: list[str] = []
        self.kept: set[str] = set()

    def next(self, size: int) -> list[str]:
        """Message ids to send: first those that were never answered, as an SDK's retry does."""
        again, self.unanswered = self.unanswered[:size], self.unanswered[size:]
        for _ in range(size - len(again)):
            self.count += 1
            again.append(f"m{self.count}")
        self.sent.update(again)
        return again


async def call_until_it_ends(port: int, journal: Journal, acked: Callable[[], None]) -> None:
    """Send batches and single events on one connection until the server is gone."""
    try:
        async with line(port) as one:
            while True:
                ids = journal.next(random.choice((1, 1, 7)))
                try:
                    parts = [track(one_id, userId=f"u{hash(one_id) % 50}") for one_id in ids]
                    path, body = (
                        ("/v1/b", {"batch": parts}) if len(ids) > 1 else ("/v1/t", parts[0])
                    )
                    reply = await one.ask(request(path, msgspec.json.encode(body), basic(KEY)))
                    assert reply.status == 200
                except BaseException:
                    journal.unanswered += ids
                    raise
                journal.kept.update(ids)
                acked()
    except (OSError, IncompleteReadError):
        return


async def drain(database: Database) -> None:
    """Take in what waits, also what a killed process had leased."""
    clock = FakeClock(datetime.now(UTC) + timedelta(days=1))
    broker = DatabaseBroker(database, clock)
    ingestor = Ingestor(database, broker, clock, IngestorOptions(wait_seconds=0))
    while await broker.depth(JobKind.EVENTS):
        await ingestor.step()
        clock.advance(61)


async def stored(database: Database) -> list[str]:
    async with database.read() as connection:
        return list((await connection.execute(select(events.c.message_id))).scalars())


async def test_whatever_was_answered_is_there_after_kill_9(
    database: Database, database_url: str
) -> None:
    await prepare(database, FakeClock())
    journal = Journal()
    for _ in range(KILLS):
        async with Served(database_url) as served:
            left = random.randint(1, ACKS_UNTIL_KILL_MAX)

            def acked(served: Served = served) -> None:
                nonlocal left
                left -= 1
                if left == 0:
                    served.kill()

            await asyncio.gather(
                *(call_until_it_ends(served.port, journal, acked) for _ in range(CALLERS))
            )
    await drain(database)
    found = await stored(database)
    assert len(journal.kept) >= KILLS
    assert journal.kept - set(found) == set()
    assert len(found) == len(set(found))
    assert set(found) <= journal.sent


async def test_an_answer_waits_for_the_commit(database: Database) -> None:
    clock = FakeClock()
    await prepare(database, clock)
    async with Station(database, clock) as station:
        raw = request("/v1/track", msgspec.json.encode(track("m")), basic(KEY))
        async with line(station.port) as one:
            assert (await one.ask(raw)).status == 200  # its source is remembered now
            async with database.write() as connection:
                lock = "LOCK TABLE jobs" if not database.is_sqlite else "SELECT 1"
                await connection.execute(text(lock))
                await one.send(raw)
                waiting = asyncio.create_task(one.reply())
                done, _ = await asyncio.wait({waiting}, timeout=0.2)
                assert not done
            assert (await waiting).status == 200


# --- a full disk ----------------------------------------------------------------------------


async def post(station: Station, message_id: str, size: int = 0) -> Reply:
    """An event, with `size` large ones beside it."""
    filling = [track(f"{message_id}-{number}", x="x" * 20_000) for number in range(size)]
    return await station.post("/v1/batch", {"batch": [track(message_id), *filling]})


def assert_come_again(reply: Reply) -> None:
    assert (reply.status, reply.json["code"]) == (503, "unavailable")
    assert int(reply.headers["retry-after"]) >= 1
    assert reply.json["success"] is False


@pytest.fixture
async def on_sqlite(tmp_path: Path) -> AsyncIterator[Database]:
    database = await sqlite_database(tmp_path)
    await prepare(database, FakeClock())
    yield database
    await database.close()


async def set_pages(database: Database, pages: int) -> None:
    """How large SQLite may let its file become: beyond it is a full disk to it."""
    async with database.engine.connect() as connection:
        await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


async def test_a_full_disk_is_503_and_afterwards_nothing_answered_is_missing(
    on_sqlite: Database,
) -> None:
    clock = FakeClock()
    async with Station(on_sqlite, clock) as station:
        assert (await post(station, "before")).status == 200
        async with on_sqlite.read() as connection:
            pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
        await set_pages(on_sqlite, pages + 40)
        kept = ["before"]
        for number in range(20):
            reply = await post(station, f"filling-{number}", size=2)
            if reply.status != 200:
                break
            kept += [f"filling-{number}", f"filling-{number}-0", f"filling-{number}-1"]
        assert_come_again(reply)
        assert_come_again(await post(station, "full", size=3))
        with pytest.raises((StorageUnavailable, BrokerUnavailable)):
            while await station.broker.depth(JobKind.EVENTS):
                await station.ingestor.step()
        await set_pages(on_sqlite, 1_000_000)
        clock.advance(61)
        assert (await post(station, "full")).status == 200
        assert await station.message_ids() == [*kept, "full"]


async def test_a_disk_that_takes_no_more_bytes_is_503_until_it_does(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/clarion.db"
    database = Database(url)
    await make_tables(database)
    await prepare(database, FakeClock())
    kept: set[str] = set()

    async with Served(url) as served:

        async def send(message_id: str) -> int:
            body = msgspec.json.encode(track(message_id, x="x" * 5_000))
            async with line(served.port) as one:
                reply = await one.ask(request("/v1/track", body, basic(KEY)))
            if reply.status == 200:
                kept.add(message_id)
            else:
                assert_come_again(reply)
            return reply.status

        assert await send("before") == 200
        full = (tmp_path / "clarion.db-wal").stat().st_size + 50_000
        resource.prlimit(served.pid, resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
        statuses = [await send(f"full-{number}") for number in range(40)]
        assert statuses[-1] == 503
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(served.pid, resource.RLIMIT_FSIZE, unlimited)
        assert await send("after") == 200
        served.kill()
    await drain(database)
    assert sorted(await stored(database)) == sorted(kept)
    await database.close()


# --- a lost database ------------------------------------------------------------------------


own_server = pytest.mark.xdist_group("own_postgres")


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[PostgresServer]:
    """One to lose."""
    with PostgresServer() as server:
        yield server


@own_server
async def test_a_lost_database_is_503_until_it_is_back(own_postgres: PostgresServer) -> None:
    clock = FakeClock()
    async with own_postgres.new_database() as url:
        database = Database(url)
        await make_tables(database)
        await prepare(database, clock)
        async with Station(database, clock) as station:
            assert (await post(station, "before")).status == 200
            own_postgres.lose()
            for number in range(3):
                assert_come_again(await post(station, f"lost-{number}"))
                with pytest.raises((StorageUnavailable, BrokerUnavailable)):
                    await station.ingestor.step()
            assert_come_again(await station.post("/v1/track", track("m"), key="another"))
            own_postgres.start()
            assert (await post(station, "lost-0")).status == 200
            assert await station.message_ids() == ["before", "lost-0"]
        await database.close()


@own_server
async def test_a_database_lost_under_load_loses_and_doubles_nothing(
    own_postgres: PostgresServer,
) -> None:
    async with own_postgres.new_database() as url:
        database = Database(url)
        await make_tables(database)
        await prepare(database, FakeClock())
        kept: list[str] = []
        waiting = [f"m{number}" for number in range(1_500)]
        refused = 0
        enough, back = asyncio.Event(), asyncio.Event()

        async def caller(port: int) -> None:
            nonlocal refused
            async with line(port) as one:
                while waiting:
                    message_id = waiting.pop()
                    body = msgspec.json.encode(track(message_id))
                    reply = await one.ask(request("/v1/track", body, basic(KEY)))
                    if reply.status == 200:
                        kept.append(message_id)
                        if len(kept) == 300:
                            enough.set()
                        continue
                    assert_come_again(reply)
                    refused += 1
                    waiting.insert(0, message_id)
                    await back.wait()

        async def lose_and_bring_back() -> None:
            await enough.wait()
            await asyncio.to_thread(own_postgres.lose)
            await asyncio.to_thread(own_postgres.start)
            back.set()

        async with Served(url) as served:
            await asyncio.gather(
                lose_and_bring_back(), *(caller(served.port) for _ in range(CALLERS))
            )
        assert refused > 0
        await drain(database)
        assert sorted(await stored(database)) == sorted(kept)
        await database.close()


async def refuse(database: Database, table: str, state: str) -> None:
    """Let the server fail every insert into `table` with this SQLSTATE."""
    await execute(
        database,
        f"CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'not now' USING ERRCODE = '{state}'; END $$",
        f"CREATE TRIGGER refuse BEFORE INSERT ON {table} EXECUTE FUNCTION refuse()",
    )


async def execute(database: Database, *statements: str) -> None:
    async with database.write() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)


@pytest.mark.parametrize(
    "state",
    [
        "53100",  # disk full
        "53300",  # too many connections
        "57P01",  # an administrator's stop
        "58030",  # input or output failed
        "25006",  # a server that only reads
    ],
)
async def test_a_server_that_can_not_do_it_now_keeps_events_waiting_and_rejects_none(
    postgres: PostgresServer, state: str
) -> None:
    clock = FakeClock()
    async with postgres.new_database() as url:
        database = Database(url)
        await make_tables(database)
        await prepare(database, clock)
        async with Station(database, clock) as station:
            assert (await post(station, "m")).status == 200
            await refuse(database, "events", state)
            for _ in range(6):
                with pytest.raises(StorageUnavailable):
                    await station.ingestor.step()
                clock.advance(61)
            await execute(database, "DROP TRIGGER refuse ON events")
            await refuse(database, "jobs", state)
            assert_come_again(await post(station, "n"))
            await execute(database, "DROP TRIGGER refuse ON jobs")
            assert await station.message_ids() == ["m"]
        await database.close()


# --- one that can never be taken in ---------------------------------------------------------


async def poison(database: Database, message_id: str) -> None:
    """Let the database refuse this one event for a reason of its own."""
    if database.is_sqlite:
        await execute(
            database,
            f"CREATE TRIGGER poison BEFORE INSERT ON events WHEN new.message_id = '{message_id}' "
            "BEGIN SELECT RAISE(ABORT, 'never'); END",
        )
        return
    await execute(
        database,
        "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'never'; END $$",
        "CREATE TRIGGER poison BEFORE INSERT ON events FOR EACH ROW "
        f"WHEN (new.message_id = '{message_id}') EXECUTE FUNCTION poison()",
    )


async def test_an_event_that_can_never_be_taken_in_costs_no_other(database: Database) -> None:
    clock = FakeClock()
    await prepare(database, clock)
    await poison(database, "poison")
    async with Station(database, clock) as station:
        batch = {"batch": [track("m1"), track("poison"), track("m2"), track("nobody", userId="")]}
        assert (await station.post("/v1/batch", batch)).status == 200
        await station.post("/v1/track", track("m3"))
        for _ in range(IngestorOptions().tries_max):
            await station.ingestor.step()
            clock.advance(600)
        assert sorted(await station.message_ids()) == ["m1", "m2", "m3"]
        assert await station.refusals() == [
            ("event", "event_failed", "poison"),
            ("event", "no_user_anon_id", "nobody"),
        ]
        async with database.read() as connection:
            aside = (await connection.execute(select(jobs.c.rejected_reason))).scalars().all()
    assert len(aside) == 1
    assert aside[0] is not None


async def test_a_job_of_somebody_else_holds_up_nobody(database: Database) -> None:
    clock = FakeClock()
    await prepare(database, clock)
    async with Station(database, clock) as station:
        await station.broker.publish(NewJob(kind=JobKind.EVENTS, payload=b"nonsense"))
        await station.post("/v1/track", track("m"))
        assert await station.message_ids() == ["m"]
        async with database.read() as connection:
            aside = (await connection.execute(select(jobs.c.rejected_reason))).scalars().all()
    assert len(aside) == 1
