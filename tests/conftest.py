"""The real parts the tests stand on: SQLite, PostgreSQL, NATS, a clock to move."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from clarion.storage.database import Database
from clarion.storage.schema import metadata
from fakes.clock import FakeClock
from fakes.nats import NatsServer
from fakes.postgres import PostgresServer

# How long an example takes says how busy the machine is; a test that must be fast says so itself.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# Plain tracebacks: structlog's own take seconds each to write, and an agent waits meanwhile.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def nats() -> Iterator[NatsServer]:
    with NatsServer() as server:
        yield server


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["sqlite", "postgres"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/clarion.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    async with server.new_database() as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A database of each kind, with the tables of `schema.py`."""
    database = Database(database_url)
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield database
    await database.close()
