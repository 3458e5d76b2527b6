"""A server that vanishes without a word holds nobody up: PostgreSQL, NATS and FCM behind a wire
that swallows what is sent."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from clarion.storage.database import Database, StorageUnavailable
from support.postgres import PostgresServer
from support.relay import Relay, relay

STATEMENT_SECONDS = 1.0
PATIENCE = 30.0
"""For what would take for ever."""


@pytest.fixture
async def wire(postgres: PostgresServer) -> AsyncIterator[Relay]:
    async with relay(postgres.port) as wire:
        yield wire


@pytest.fixture
async def database(postgres: PostgresServer, wire: Relay) -> AsyncIterator[Database]:
    async with postgres.new_database() as url:
        database = Database(
            url.replace(f":{postgres.port}/", f":{wire.port}/"),
            statement_seconds=STATEMENT_SECONDS,
            ping_seconds=STATEMENT_SECONDS,
        )
        async with database.write() as connection:
            await connection.execute(text("CREATE TABLE notes (text TEXT)"))
        yield database
        async with asyncio.timeout(PATIENCE):
            await database.close()


async def note(database: Database, words: str) -> None:
    async with database.write() as connection:
        await connection.execute(text("INSERT INTO notes VALUES (:words)"), {"words": words})


async def test_a_connection_that_died_while_nobody_used_it_is_not_used(
    database: Database, wire: Relay
) -> None:
    await asyncio.gather(*(note(database, "before") for _ in range(5)))
    wire.swallow()
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(note(database, "after") for _ in range(5)))
        await database.ping()
        async with database.read() as connection:
            rows = await connection.execute(text("SELECT text FROM notes ORDER BY text"))
    assert rows.scalars().all() == ["after"] * 5 + ["before"] * 5


@pytest.mark.parametrize("statement", ["SELECT 1", "INSERT INTO notes VALUES ('x')"])
async def test_a_connection_that_dies_under_a_statement_is_an_outage_and_no_more(
    database: Database, wire: Relay, statement: str
) -> None:
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(StorageUnavailable, match="no answer in time"):
            async with database.write() as connection:
                await connection.execute(text("SELECT 1"))
                wire.swallow()
                await connection.execute(text(statement))
        await note(database, "after")


async def test_a_connection_that_dies_under_a_commit_is_an_outage(
    database: Database, wire: Relay
) -> None:
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(StorageUnavailable):
            async with database.write() as connection:
                await connection.execute(text("INSERT INTO notes VALUES ('x')"))
                wire.swallow()
        await note(database, "after")


async def test_a_connection_that_dies_under_a_rollback_ends_with_what_was_raised(
    database: Database, wire: Relay
) -> None:
    async with asyncio.timeout(PATIENCE):
        with pytest.raises((StorageUnavailable, KeyError)):
            async with database.write() as connection:
                await connection.execute(text("INSERT INTO notes VALUES ('x')"))
                wire.swallow()
                raise KeyError
        await note(database, "after")


async def test_who_waits_on_a_dead_connection_can_be_cancelled(
    database: Database, wire: Relay
) -> None:
    began = asyncio.Event()

    async def wait() -> None:
        async with database.write() as connection:
            await connection.execute(text("SELECT 1"))
            wire.swallow()
            began.set()
            await connection.execute(text("SELECT 1"))

    waiting = asyncio.create_task(wait())
    async with asyncio.timeout(PATIENCE):
        await began.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await note(database, "after")


async def test_a_statement_may_take_as_long_as_it_does_where_that_was_said(
    postgres: PostgresServer,
) -> None:
    async with postgres.new_database() as url:
        patient, hasty = Database(url, statement_seconds=None), Database(url, statement_seconds=0.2)
        async with patient.read() as connection:
            await connection.execute(text("SELECT pg_sleep(0.5)"))
        with pytest.raises(StorageUnavailable):
            async with hasty.read() as connection:
                await connection.execute(text("SELECT pg_sleep(30)"))
        await patient.close()
        await hasty.close()
