"""Every act with sources and customers over HTTP leaves one entry in the audit log, without a secret in it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from clarion.accounts.actor import Permission, Scope
from clarion.accounts.command import VERBS
from clarion.storage.database import Database
from clarion.web.api.errors import ErrorCode
from fakes.api import Service, assert_is
from fakes.clock import FakeClock

OF_SOURCES = ("source.", "source_key.", "write_key.", "identity_secret.")


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


async def log(service: Service) -> list[Any]:
    """The oldest first."""
    entries: list[Any] = (await service.get("/audit?limit=100"))["data"]
    return entries[::-1]


def verbs(*beginnings: str) -> set[str]:
    return {verb for verb in VERBS if verb.startswith(beginnings)}


async def test_every_act_with_a_source_has_one_entry(service: Service) -> None:
    source = await service.post("/sources", {"name": "shop", "firebase_app_id": None})
    path = f"/sources/{source['id']}"
    change = {"name": "web", "allowed_origins": ["https://shop.example"]}
    await service.ask("PATCH", path, change)
    key = await service.post(f"{path}/write-keys", {"retire_former_after_days": 1})
    other = await service.post(f"{path}/write-keys")
    await service.post(f"{path}/write-keys/{key['id']}/retire")
    await service.post(f"{path}/write-keys/{key['id']}/restore")
    secret = await service.post(f"{path}/identity-secrets")
    assert (await service.ask("DELETE", f"{path}/identity-secrets")).status == 204
    await service.post(f"{path}/identity-secrets/{secret['id']}/restore")
    await service.post(f"{path}/revoke")
    await service.post(f"{path}/restore")

    entries = await log(service)
    assert [(entry["verb"], entry["thing"]["kind"]) for entry in entries] == [
        ("source.create", "source"),
        ("source.change", "source"),
        ("write_key.rotate", "write_key"),
        ("write_key.rotate", "write_key"),
        ("source_key.retire", "write_key"),
        ("source_key.restore", "write_key"),
        ("identity_secret.create", "identity_secret"),
        ("identity_secret.retire_all", "source"),
        ("source_key.restore", "identity_secret"),
        ("source.revoke", "source"),
        ("source.restore", "source"),
    ]
    assert {entry["verb"] for entry in entries} == verbs(*OF_SOURCES)
    assert entries[1]["changes"] == {
        "name": ["shop", "web"],
        "allowed_origins": [[], ["https://shop.example"]],
    }
    assert entries[4]["changes"] == {
        "source": source["id"],
        "retires_at": [None, "2026-03-01T12:00:00Z"],
    }
    for hidden in (source["write_key"], key["write_key"], other["write_key"], secret["secret"]):
        assert hidden not in str(entries)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_who_may_not_changes_no_source_and_is_not_in_the_log(service: Service) -> None:
    (source,) = (await service.get("/sources"))["data"]
    path = f"/sources/{source['id']}"
    for scope, calls in (
        (Scope.READ, [("POST", "/sources", {"name": "x"}), ("PATCH", path, {"name": "x"})]),
        (
            Scope.WRITE,
            [
                ("PATCH", path, {"name": "x", "allowed_origins": []}),
                ("POST", f"{path}/revoke", None),
                ("POST", f"{path}/restore", None),
                ("POST", f"{path}/write-keys", None),
                ("POST", f"{path}/identity-secrets", None),
                ("DELETE", f"{path}/identity-secrets", None),
            ],
        ),
    ):
        key = await service.make_key(scope)
        for method, place, body in calls:
            assert_is(await service.ask(method, place, body, key=key), ErrorCode.FORBIDDEN)
    assert (await service.get(path)) == source
    assert await log(service) == []
    writer = await service.make_key(Scope.WRITE)
    assert (await service.ask("PATCH", path, {"name": "x"}, key=writer)).json["name"] == "x"


def test_what_lets_in_or_shuts_out_needs_an_administrator() -> None:
    ours = {verb: VERBS[verb] for verb in verbs(*OF_SOURCES)}
    assert {verb for verb, needs in ours.items() if needs is Permission.WRITE} == {
        "source.create",
        "source.change",
    }
    assert set(ours.values()) == {Permission.WRITE, Permission.ADMIN}


async def known(service: Service, *user_ids: str) -> None:
    (source,) = (await service.get("/sources"))["data"]
    events = [
        {"type": "identify", "userId": user_id, "messageId": user_id, "traits": {"city": "Graz"}}
        for user_id in user_ids
    ]
    await service.send(source["write_key"], *events)


async def test_a_merge_and_its_end_have_one_entry_each_that_names_nobody(service: Service) -> None:
    await known(service, "ada-1", "ada-2")
    merge = await service.post("/customers/ada-2/merge", {"into": "ada-1"})
    assert_is(
        await service.ask("POST", "/customers/ada-2/merge", {"into": "ada-1"}), ErrorCode.MERGE
    )
    await service.post("/customers/ada-2/unmerge")
    entries = await log(service)
    assert [(entry["verb"], entry["thing"]) for entry in entries] == [
        ("customer.merge", {"kind": "merge", "id": merge["id"]}),
        ("customer.unmerge", {"kind": "merge", "id": merge["id"]}),
    ]
    assert "ada" not in str(entries)
