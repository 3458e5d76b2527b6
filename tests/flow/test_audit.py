"""The audit log over HTTP and on the command line: who did what to which thing, and when."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from clarion.accounts.actor import Scope
from clarion.storage.database import Database
from clarion.web.api.errors import ErrorCode
from support.api import Service, assert_is, service_on_sqlite
from support.clock import FakeClock
from support.command import Clarion


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


@pytest.fixture
async def on_sqlite(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Service]:
    async with service_on_sqlite(tmp_path, clock) as service:
        yield service


async def entries(service: Service, query: str = "") -> list[Any]:
    return list((await service.get(f"/audit{query}"))["data"])


async def test_every_act_with_keys_and_the_workspace_is_in_the_log(service: Service) -> None:
    (own,) = (await service.get("/keys"))["data"]
    made = await service.post("/keys", {"name": "script", "scopes": ["write"]})
    service.clock.advance(60)
    await service.post(f"/keys/{made['id']}/revoke", headers={"X-Request-Id": "revoke-1"})
    changed = await service.ask(
        "PATCH",
        "/workspace",
        {"name": "shop", "stale_after_days": 90, "time_zone": "Europe/Vienna"},
    )
    assert changed.status == 200
    other = await service.post("/workspaces", {"name": "second"})

    log = await entries(service)
    assert [entry["verb"] for entry in log] == [
        "workspace.create",
        "workspace.change",
        "api_key.revoke",
        "api_key.create",
    ]
    assert all(
        entry["actor"] == {"kind": "api_key", "id": own["id"], "name": "test"} for entry in log
    )
    creation, change, revocation, _ = log
    assert creation["thing"] == {"kind": "workspace", "id": other["id"]}
    assert change["changes"] == {
        "name": ["test", "shop"],
        "stale_after_days": [60, 90],
        "time_zone": ["UTC", "Europe/Vienna"],
    }
    assert change["request_id"] == changed.headers["x-request-id"]
    assert revocation == {
        "id": revocation["id"],
        "at": "2026-03-01T12:01:00Z",
        "actor": {"kind": "api_key", "id": own["id"], "name": "test"},
        "verb": "api_key.revoke",
        "thing": {"kind": "api_key", "id": made["id"]},
        "request_id": "revoke-1",
        "changes": {"revoked_at": [None, "2026-03-01T12:01:00Z"]},
    }
    for secret in (made["key"], other["key"]):
        assert secret not in str(log)
    assert await entries(service, "?actor_kind=person") == []


async def test_what_was_refused_is_not_in_the_log(service: Service) -> None:
    reader = await service.make_key(Scope.READ)
    assert_is(await service.ask("POST", "/keys", {"name": "x"}, key=reader), ErrorCode.FORBIDDEN)
    assert_is(await service.ask("POST", "/keys", {"name": ""}), ErrorCode.INVALID)
    nobody = service.clock.new_id()
    assert_is(await service.ask("POST", f"/keys/{nobody}/revoke"), ErrorCode.NOT_FOUND)
    assert_is(await service.ask("PATCH", "/workspace", {"stale_after_days": 0}), ErrorCode.INVALID)
    assert await entries(service) == []


async def test_the_log_is_for_admins(on_sqlite: Service) -> None:
    for scope in (Scope.READ, Scope.WRITE):
        key = await on_sqlite.make_key(scope)
        assert_is(await on_sqlite.ask("GET", "/audit", key=key), ErrorCode.FORBIDDEN)


async def test_the_log_is_filtered_and_paged(service: Service) -> None:
    second = await service.make_key(Scope.ADMIN)
    made = []
    for number in range(5):
        service.clock.advance(1)
        key = second if number == 4 else service.key
        made.append(await service.post("/keys", {"name": f"key {number}"}, key=key))
    service.clock.advance(1)
    await service.post(f"/keys/{made[0]['id']}/revoke")

    everything = await entries(service)
    assert await service.every("/audit", limit=2) == everything
    assert [entry["verb"] for entry in everything] == ["api_key.revoke"] + ["api_key.create"] * 5
    assert await entries(service, "?verb=api_key.revoke") == everything[:1]
    assert await entries(service, f"?actor_id={everything[1]['actor']['id']}") == everything[1:2]
    of_the_first = await entries(service, f"?thing_kind=api_key&thing_id={made[0]['id']}")
    assert of_the_first == [everything[0], everything[5]]
    assert await entries(service, "?thing_kind=campaign") == []
    assert await entries(service, "?actor_kind=api_key&verb=api_key.create") == everything[1:]


@pytest.mark.parametrize(
    "sent", ["a", "0b1e-77.trace_1", "x" * 128, "01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70"]
)
async def test_a_call_keeps_its_own_request_id(on_sqlite: Service, sent: str) -> None:
    answer = await on_sqlite.ask("GET", "/workspace", headers={"X-Request-Id": sent})
    assert answer.headers["x-request-id"] == sent


@pytest.mark.parametrize("sent", [None, "", "x" * 129, "two words", "line\tend", "<script>", "a/b"])
async def test_a_call_without_a_sane_request_id_is_given_one(
    on_sqlite: Service, sent: str | None
) -> None:
    headers = {} if sent is None else {"X-Request-Id": sent}
    for path in ("/workspace", "/nowhere", "/customers//x"):
        answer = await on_sqlite.ask("GET", path, headers=headers)
        given = answer.headers.get_list("x-request-id")
        assert len(given) == 1
        assert re.fullmatch(r"[0-9a-f-]{36}", given[0])


def test_what_the_operator_does_is_in_the_log(clarion: Clarion) -> None:
    made = clarion.json("keys", "create", "script", "--scope", "write")
    clarion("keys", "revoke", made["id"])
    clarion("workspace", "set", "--stale-after-days", "90")
    log = clarion.json("audit", "--actor", "operator")
    assert [entry["verb"] for entry in log] == [
        "workspace.change",
        "api_key.revoke",
        "api_key.create",
    ]
    assert log[0]["actor"] == {"kind": "operator", "id": None, "name": "command line"}
    assert log[0]["changes"] == {"stale_after_days": [60, 90]}
    assert clarion.json("audit", "--thing", made["id"], "--verb", "api_key.create") == log[2:]
    assert clarion.json("audit", "--actor", "operator", "--limit", "1") == log[:1]
    assert clarion.json("audit", "--actor", "operator", "--before", log[1]["id"]) == log[2:]
    assert made["key"] not in str(log)
    code, out, _ = clarion("audit")
    assert (code, "api_key.revoke" in out) == (0, True)
    assert clarion("audit", "--actor", "nobody")[0] == 3


def test_what_the_first_start_makes_is_in_the_log(bare: Clarion) -> None:
    assert bare("migrate")[0] == 0
    log = bare.json("audit", "--actor", "system")
    assert {entry["verb"] for entry in log} == {"workspace.create", "api_key.create"}
