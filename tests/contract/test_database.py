"""What both databases say when something is wrong: 'not now' or 'never', and no values."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import structlog
from sqlalchemy import insert, text

from clarion.storage.bulk import insert_new
from clarion.storage.database import Database, StorageUnavailable
from clarion.storage.schema import jobs, sources
from clarion.telemetry import LogOptions, set_up_logs

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
