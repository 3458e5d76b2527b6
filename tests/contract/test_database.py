"""What both databases say when something is wrong: 'not now' or 'never', and no values."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
import uvloop
from sqlalchemy import insert, text

from clarion.storage.bulk import insert_new
from clarion.storage.database import Database, StorageUnavailable
from clarion.storage.schema import jobs, sources
from clarion.storage.sqlite.connection import connector
from clarion.storage.sqlite.file import SqliteFile
from clarion.telemetry import LogOptions, set_up_logs
from support.patience import PATIENCE

SECRET = "token-that-nobody-may-see"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def job(**changed: object) -> dict[str, object]:
    return {"kind": SECRET, "payload": b"", "available_at": NOW, "published_at": NOW, **changed}


async def test_an_error_never_repeats_the_values(database: Database) -> None:
    with pytest.raises(Exception, match=r"null value|NOT NULL") as raised:
        async with database.write() as connection:
            await connection.execute(insert(jobs), job(payload=None))
    assert not isinstance(raised.value, StorageUnavailable)
    assert SECRET not in str(raised.value)


async def test_a_value_that_can_never_be_stored_is_no_outage(database: Database) -> None:
    """Else whoever sends it would wait for ever, and everybody behind."""
    row = {
        "id": None,
        "workspace_id": None,
        "name": "half an emoji \ud83d",
        "allowed_origins": [SECRET],
        "firebase_app_id": None,
        "created_at": NOW,
        "revoked_at": None,
    }
    with pytest.raises(Exception, match=r"surrogates|NOT NULL|null value") as raised:
        async with database.write() as connection:
            await insert_new(connection, sources, [row])
    assert not isinstance(raised.value, StorageUnavailable)


async def test_a_server_that_can_not_be_reached_is_an_outage() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(StorageUnavailable, match=r"(?i)connect"):
        await database.ping()
    await database.close()


async def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError):
        async with database.write() as connection:
            await connection.execute(insert(jobs), job())
            raise RuntimeError
    async with database.read() as connection:
        count = await connection.execute(text("SELECT count(*) FROM jobs"))
    assert count.scalar_one() == 0


@pytest.fixture
def log_settings() -> Iterator[None]:
    """Put back at the end."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("form", ["console", "json"])
async def test_a_logged_failure_shows_neither_values_nor_local_variables(
    database: Database, log_settings: None, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    set_up_logs(LogOptions(form=form))
    token = SECRET
    try:
        async with database.write() as connection:
            await connection.execute(insert(jobs), job(kind=token, payload=None))
    except Exception:
        structlog.get_logger("clarion").exception("failed")
        logging.getLogger("library").exception("failed as well")
    told = capsys.readouterr().err
    assert told.count("Traceback") >= 2
    assert SECRET not in told


def test_an_answer_that_comes_after_the_loop_was_closed_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where Ctrl-C meets a long statement: the thread of SQLite has nobody to tell."""
    told: list[object] = []
    monkeypatch.setattr(threading, "excepthook", told.append)
    gate, begun = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        gate.wait(PATIENCE)

    async def begin() -> Any:
        path = str(tmp_path / "a.db")
        connection: Any = await connector(path, SqliteFile(path), cache_kib=1_000)()
        waiting = asyncio.create_task(connection._execute(work))
        await asyncio.to_thread(begun.wait, PATIENCE)
        waiting.cancel()
        return connection

    for loop_factory in (asyncio.new_event_loop, uvloop.new_event_loop):
        gate.clear()
        begun.clear()
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            connection = runner.run(begin())
        gate.set()
        connection._thread.join(PATIENCE)
        assert not connection._thread.is_alive()
        assert told == []
