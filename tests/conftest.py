"""The real parts the tests stand on: SQLite, PostgreSQL, NATS, a clock to move."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from _pytest.nodeid import coerce_node_id
from hypothesis import settings

from clarion.storage.database import Database
from support import sampling
from support.clock import FakeClock
from support.database import make_tables
from support.memory import forget_files_in_memory, keep_files_in_memory
from support.nats import NatsServer
from support.postgres import PostgresServer

# How long an example takes says how busy the machine is, and nothing else.
settings.register_profile("sample", deadline=None)
settings.register_profile("soak", deadline=None, max_examples=100 * sampling.SOAK_EXAMPLES)
settings.load_profile("sample")


def pytest_addoption(parser: pytest.Parser) -> None:
    told = "try all that is otherwise sampled: every order, every point, many more examples"
    parser.addoption("--soak", action="store_true", help=told)


def pytest_configure(config: pytest.Config) -> None:
    # A shell lets what it runs in the background ignore Ctrl-C, and so would all that tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("basetemp") is None:
        keep_files_in_memory()
    if config.getoption("--soak"):
        os.environ[sampling.SOAK] = "1"
        settings.load_profile("soak")


def pytest_unconfigure() -> None:
    forget_files_in_memory()


LONG = (
    "fault/test_hangs.py",
    "fault/test_kill.py",
    "docs/test_commands.py::test_what_a_page_says_to_type_works",
    "fault/",
    "flow/test_remote_commands.py::test_an_import_outlives",
    "flow/test_deployed.py",
    "flow/test_demo.py",
    "flow/test_export_import.py",
    "flow/test_wheels.py",
    "console/test_screens.py",
    "console/test_journey.py",
    "clients/",
    "simulator/tests/google_clients/",
    "contract/test_jetstream.py",
    "flow/test_terminal.py",
    "flow/test_private_files.py",
)
"""What waits for real timeouts or starts processes, the longest first: it begins before all else,
so that in the end no process of pytest-xdist is left alone with a minute of waiting."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is long in the order of `LONG`, then everything else, each in the order of the seed."""
    kept, left_out = sampling.without_twins(items, config.getoption("randomly_seed", default=None))
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept
    items.sort(key=_length)
    _name_groups(items)


def _name_groups(items: list[pytest.Item]) -> None:
    """pytest-xdist 3.8 writes a test's group into `_nodeid`, which pytest 9.2 no longer reads:
    without this no group is kept in one process, and each starts the servers of all."""
    for item in items:
        named = getattr(item, "_nodeid", item.nodeid)
        if named != item.nodeid:
            item._id = coerce_node_id(named)


def _length(item: pytest.Item) -> int:
    name = item.nodeid.removeprefix("tests/")
    return next((place for place, start in enumerate(LONG) if name.startswith(start)), len(LONG))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """A line to repeat the run with, however quiet it was."""
    seed = config.getoption("randomly_seed", default=None)
    whole = "all of what can be sampled" if sampling.is_soak() else "a sample"
    terminalreporter.write_line(f"Tried {whole}, in the order of --randomly-seed={seed}.")


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
    fill = filled if "database" in request.fixturenames else None
    async with server.new_database(fill) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A database of each kind, with the tables of `schema.py`."""
    database = Database(database_url)
    if database.is_sqlite:
        await make_tables(database)
    yield database
    await database.close()


async def filled(url: str) -> None:
    """What every database of PostgreSQL is a copy of."""
    database = Database(url)
    await make_tables(database)
    await database.close()
