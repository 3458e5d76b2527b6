"""A copy is made while Clarion is at work, and put back: nothing that was answered before it is
lost, nothing is sent before a person says so, and it goes on."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest
from sqlalchemy import func, select

from clarion.campaigns.campaign import RESTORED_REASON
from clarion.storage.database import Database
from clarion.storage.migrate import NEWEST
from clarion.storage.schema import seen_messages
from fcm_simulator.process import SimulatorProcess
from support.command import Clarion
from support.kept_database import DATABASES
from support.postgres import PostgresServer
from support.processes import Installation, api_client, installation, until

DEVICES = 40
EVERYONE = {"content": {"title": "Hello"}, "audience": {"everyone": True}}


@pytest.fixture(params=["sqlite", "postgres"])
async def databases(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[str, str]]:
    """The URL of one that is to be lost, and of one to restore into."""
    if request.param == "sqlite":
        for name in ("before", "after"):
            (tmp_path / name).mkdir(mode=0o700)
        yield f"sqlite:///{tmp_path}/before/clarion.db", f"sqlite:///{tmp_path}/after/clarion.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    monkeypatch.setenv("PATH", f"{server.programs}:{os.environ['PATH']}")
    async with server.new_database() as before, server.new_database() as after:
        connection = await asyncpg.connect(before)
        # As operators leave it; a dump then makes the schema anew, which is there already.
        await connection.execute("ALTER SCHEMA public OWNER TO postgres")
        await connection.execute("COMMENT ON SCHEMA public IS 'of the shop'")
        await connection.close()
        yield before, after


def registration(number: int) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Register Push",
        "messageId": f"register-{number}",
        "userId": f"customer-{number}",
        "properties": {
            "deviceId": f"device-{number}",
            "fcmToken": f"token-of-device-{number:06d}",
            "deviceType": "Android",
        },
    }


class Phones:
    """Send events one after the other, until they are stopped."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.answered: list[str] = []

    async def go_on(self) -> None:
        while True:
            await self.send(f"seen-{len(self.answered)}")

    async def send(self, message_id: str) -> None:
        event = {"event": "Seen", "userId": "customer-1", "messageId": message_id}
        reply = await self._client.post("/v1/track", json=event)
        assert reply.status_code == 200, reply.text
        self.answered.append(message_id)


async def count_seen(url: str) -> int:
    """How many events are taken in, registrations among them."""
    database = Database(url)
    try:
        async with database.read() as connection:
            counted = await connection.execute(select(func.count()).select_from(seen_messages))
            return int(counted.scalar_one())
    finally:
        await database.close()


async def test_a_copy_made_under_load_is_restored_and_goes_on(
    databases: tuple[str, str], tmp_path: Path
) -> None:
    before, after = databases
    file = tmp_path / "clarion.backup"
    async with AsyncExitStack() as stack:
        simulator = await stack.enter_async_context(SimulatorProcess(tmp_path / "fcm"))
        shared = {
            "LISTEN": "127.0.0.1:0",
            "FCM_URL": simulator.base_url,
            "FCM_CA": simulator.ca_file,
            "SECRET_KEY": "the same before and after, and long enough",
            "LOG": "info,json",
        }
        settings = shared | {"DATABASE_URL": before, "DATA_DIR": str(tmp_path / "before-data")}
        first = await stack.enter_async_context(installation(tmp_path, settings))
        made = await first.command("migrate")
        key = await asyncio.to_thread(Path(made["key_file"]).read_text)
        key_file = tmp_path / "key.json"
        key_file.write_bytes(msgspec.json.encode(simulator.key("shop")))
        await first.command("firebase-apps", "add", str(key_file))
        process = await first.serve()
        url = await process.listening()
        async with (
            httpx.AsyncClient(base_url=url, auth=(made["write_key"], ""), timeout=300) as calls,
            api_client(f"{url}/api/v1", key.strip()) as api,
        ):
            batch = [registration(number) for number in range(DEVICES)]
            assert (await calls.post("/v1/batch", json={"batch": batch})).status_code == 200
            tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
            scheduled = await api.post(
                "/campaigns",
                json={**EVERYONE, "name": "Later", "at": tomorrow, "allow_empty": True},
            )
            campaign = scheduled.json()["id"]
            phones = Phones(calls)
            sending = asyncio.create_task(phones.go_on())
            await until(_async(lambda: len(phones.answered)), lambda count: count > 50)
            known = len(phones.answered)
            told = await first.command("backup", str(file))
            sending.cancel()
            await process.kill()
        assert (file.stat().st_mode & 0o777, told["revision"]) == (0o600, NEWEST)

        settings = shared | {"DATABASE_URL": after, "DATA_DIR": str(tmp_path / "after-data")}
        second = await stack.enter_async_context(installation(tmp_path, settings))
        restored = await second.command("restore", str(file))
        assert (restored["campaigns_held"], restored["locked"]) == (1, [])
        process = await second.serve()
        url = await process.listening()
        async with (
            httpx.AsyncClient(base_url=url, auth=(made["write_key"], ""), timeout=300) as calls,
            api_client(f"{url}/api/v1", key.strip()) as api,
        ):
            await until(lambda: count_seen(after), lambda count: count >= DEVICES + known)
            again = Phones(calls)
            for number in range(len(phones.answered) + 10):  # as SDKs do that heard no answer
                await again.send(f"seen-{number}")
            everything = DEVICES + len(again.answered)
            assert await until(lambda: count_seen(after), lambda count: count >= everything) == (
                everything
            )
            held = (await api.get(f"/campaigns/{campaign}")).json()
            assert (held["state"], held["paused_reason"]) == ("paused", RESTORED_REASON)
            resumed = await api.post(f"/campaigns/{campaign}/resume")
            assert resumed.json()["state"] == "scheduled"
            await api.post(f"/campaigns/{campaign}/schedule", json={"at": "now"})

            async def report() -> dict[str, Any]:
                asked: dict[str, Any] = (await api.get(f"/campaigns/{campaign}/report")).json()
                return asked

            await until(report, lambda report: report["accepted"] == DEVICES)


def _async(read: Any) -> Any:
    async def asked() -> Any:
        return read()

    return asked


def test_a_backup_says_where_the_secret_is_and_replaces_nothing(clarion: Clarion) -> None:
    assert clarion("firebase-apps", "add", str(clarion.key_file()))[0] == 0
    code, out, _ = clarion("backup", "copy.db")
    assert code == 0
    assert str(clarion.home / "data" / "secret.key") in out.replace("\n", "")
    file = clarion.home / "copy.db"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in clarion.home.glob("*copy*")] == ["copy.db"], "one file, no log"
    sealing_key = (clarion.home / "data" / "secret.key").read_bytes().strip()
    assert sealing_key not in file.read_bytes()
    code, _, errors = clarion("backup", "copy.db")
    assert (code, "is there already" in errors) == (5, True)


def test_a_restore_keeps_what_was_there_and_wants_to_be_told_so(clarion: Clarion) -> None:
    assert clarion("backup", "copy.db")[0] == 0
    assert clarion("sources", "create", "afterwards")[0] == 0
    code, _, errors = clarion("restore", "copy.db")
    assert (code, "--replace" in errors) == (5, True)
    restored = clarion.json("restore", "copy.db", "--replace")
    assert restored["replaced"] == str(clarion.home / "data" / "clarion.db.before-restore")
    assert "afterwards" not in str(clarion.json("sources", "list"))
    with closing(sqlite3.connect(restored["replaced"])) as kept:
        assert ("afterwards",) in kept.execute("SELECT name FROM sources").fetchall()
    code, _, errors = clarion("restore", "copy.db", "--replace")
    assert (code, "of an earlier restore" in errors) == (5, True)


def test_nothing_is_put_under_a_process_that_runs(clarion: Clarion) -> None:
    assert clarion("backup", "copy.db")[0] == 0
    file = clarion.home / "data" / "clarion.db"
    with closing(sqlite3.connect(file)) as opened:
        opened.execute("SELECT count(*) FROM campaigns").fetchone()
        inode = file.stat().st_ino
        code, _, errors = clarion("restore", "copy.db", "--replace")
    assert (code, "Stop every process" in " ".join(errors.split())) == (4, True)
    assert file.stat().st_ino == inode


def test_what_is_no_backup_of_this_version_is_refused_with_the_reason(clarion: Clarion) -> None:
    (clarion.home / "notes.txt").write_text("no backup")
    assert "is no backup" in clarion("restore", "notes.txt")[2]
    (clarion.home / "other.dump").write_bytes(b"PGDMP" + bytes(20))
    assert "another kind of database" in clarion("restore", "other.dump")[2].replace("\n", " ")
    assert clarion("restore", "nowhere")[0] == 3
    assert clarion("backup", "copy.db")[0] == 0
    with closing(sqlite3.connect(clarion.home / "copy.db")) as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
        newer.commit()
    code, _, errors = clarion("restore", "copy.db", "--replace")
    assert (code, "revision 9999" in " ".join(errors.split())) == (5, True)


def test_a_backup_of_an_earlier_version_is_brought_to_this_one(bare: Clarion) -> None:
    with closing(sqlite3.connect(bare.home / "early.db")) as early:
        early.executescript((DATABASES / "0010.sqlite.sql").read_text())
        revision = early.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    restored = bare.json("restore", "early.db")
    assert restored["revision"] == revision != NEWEST
    assert (restored["launches_held"], len(restored["locked"])) == (1, 2), "half of it was sent"
    with closing(sqlite3.connect(bare.home / "data" / "clarion.db")) as there:
        found = there.execute("SELECT version_num FROM alembic_version").fetchone()
    assert found == (NEWEST,)
    assert (bare.home / "data" / "clarion.db").stat().st_mode & 0o777 == 0o600


async def test_a_dump_goes_only_into_an_empty_database_and_holds_until_it_is_fit(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{postgres.programs}:{os.environ['PATH']}")
    async with postgres.new_database() as url:
        here = Installation(tmp_path, {"DATABASE_URL": url, "DATA_DIR": str(tmp_path / "data")})
        await here.command("migrate")
        await here.command("backup", "clarion.dump")
        code, errors = await here.ends("restore", "clarion.dump")
        assert (code, "empty database" in errors) == (5, True)
