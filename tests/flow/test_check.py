"""`clarion check` tells what would go wrong before it does."""

import json
import os
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from clarion.cli.installation.machine import file_system_of
from fcm_simulator.process import SimulatorProcess
from support.command import Clarion
from support.nats import NatsServer
from support.postgres import PostgresServer
from support.processes import Installation

MOUNTS = """\
22 1 0:21 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:30 / /srv rw - nfs4 filer:/srv rw
31 30 0:31 / /srv/local rw master:2 - xfs /dev/vdb rw
32 22 0:32 / /mnt/with\\040blank rw - fuse.sshfs there:/ rw
a line that is none
"""


def test_the_file_system_of_a_path_is_that_of_the_nearest_mount() -> None:
    for path, kind in (
        ("/var/lib/clarion/clarion.db", "ext4"),
        ("/srv/clarion.db", "nfs4"),
        ("/srv/local/clarion.db", "xfs"),
        ("/srvother/clarion.db", "ext4"),
        ("/mnt/with blank/clarion.db", "fuse.sshfs"),
    ):
        assert file_system_of(Path(path), MOUNTS) == kind, path
    assert file_system_of(Path("/var"), "") == ""


def findings(clarion: Clarion) -> dict[str, tuple[str, str]]:
    found = json.loads(clarion("check", "--json")[1])
    return {one["part"]: (one["result"], one["detail"]) for one in found}


def test_the_machine_is_looked_at(clarion: Clarion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLARION_PUBLIC_URL", "http://events.shop.example")
    found = findings(clarion)
    assert found["file system"][0] == "ok"
    assert found["public URL"][0] == "warning"
    assert ("user" in found) is (os.geteuid() == 0)
    monkeypatch.setenv("CLARION_PUBLIC_URL", "https://events.shop.example")
    assert findings(clarion)["public URL"][0] == "ok"


async def test_the_clock_is_held_against_fcms(tmp_path: Path) -> None:
    async with SimulatorProcess(tmp_path / "fcm") as simulator:
        settings = {
            "DATA_DIR": str(tmp_path / "data"),
            "FCM_URL": simulator.base_url,
            "FCM_CA": simulator.ca_file,
        }
        here = Installation(tmp_path, settings)
        await here.command("migrate")
        found = {one["part"]: one for one in await here.command("check")}
    assert found["FCM"]["result"] == "ok"
    assert found["clock"]["result"] == "ok"


async def check(directory: Path, **settings: str) -> dict[str, Any]:
    """What it says, by part and result."""
    here = Installation(directory, {"DATA_DIR": str(directory / "data"), **settings})
    _, printed = await here.ends("check", "--json")
    return {f"{load['part']}: {load['result']}": load["detail"] for load in json.loads(printed)}


async def test_the_role_of_the_database_is_asked_what_it_may(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    async with postgres.new_database() as url:
        await Installation(tmp_path, {"DATABASE_URL": url}).command("migrate")
        as_owner = await check(tmp_path, DATABASE_URL=url)
        assert "PostgreSQL 18" in as_owner["database server: ok"]
        assert "superuser" in as_owner["database role: warning"]
        connection = await asyncpg.connect(url)
        try:
            await connection.execute("CREATE ROLE clerk LOGIN")
            await connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO clerk")
            theirs = url.replace("postgres@", "clerk@")
            as_clerk = await check(tmp_path, DATABASE_URL=theirs)
            assert "as clerk" in as_clerk["database server: ok"]
            assert "may not change the tables" in as_clerk["database role: warning"]
            await connection.execute("REVOKE INSERT ON chunks FROM clerk")
            told = (await check(tmp_path, DATABASE_URL=theirs))["database server: wrong"]
            assert "lets the role not use chunks" in told
            await connection.execute("DROP OWNED BY clerk; DROP ROLE clerk")
        finally:
            await connection.close()


async def test_a_source_of_another_workspace_is_mended_by_a_command_that_names_it(
    tmp_path: Path,
) -> None:
    here = Installation(tmp_path, {"DATA_DIR": str(tmp_path / "data")})
    await here.command("migrate")
    await here.command("workspaces", "create", "second shop")
    await here.command("--workspace", "second shop", "sources", "create", "Its app")
    told = await check(tmp_path)
    assert told["source first: warning"].endswith("clarion sources sign first")
    cure = "clarion sources sign 'Its app' --workspace 'second shop'"
    assert told["source Its app: warning"].endswith(cure)


async def test_several_servers_of_which_one_keeps_the_jobs_are_told(
    nats: NatsServer, tmp_path: Path
) -> None:
    here = Installation(tmp_path, {"DATA_DIR": str(tmp_path / "data")})
    await here.command("migrate")
    url = nats.url("checked")
    servers, _, options = url.partition("?")
    found = await check(tmp_path, BROKER_URL=f"{servers},{servers}?{options}")
    assert "?replicas=3" in found["broker: warning"]
    assert "broker: warning" not in await check(tmp_path, BROKER_URL=url)
