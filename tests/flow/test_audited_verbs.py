"""Every act with sources and customers leaves one entry in the audit log, without a secret."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from clarion.accounts.actor import Permission, Scope, operator
from clarion.accounts.command import VERBS, forbidden
from clarion.privacy.commands import suppress, unsuppress
from clarion.storage.database import Database
from clarion.web.api.errors import ErrorCode
from support.api import Service, assert_is
from support.book import WORKSPACE
from support.clock import FakeClock
from support.services import services

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
    await known(service, "zoe-1", "zoe-2")
    merge = await service.post("/customers/zoe-2/merge", {"into": "zoe-1"})
    assert_is(
        await service.ask("POST", "/customers/zoe-2/merge", {"into": "zoe-1"}), ErrorCode.MERGE
    )
    await service.post("/customers/zoe-2/unmerge")
    entries = await log(service)
    assert [(entry["verb"], entry["thing"]) for entry in entries] == [
        ("customer.merge", {"kind": "merge", "id": merge["id"]}),
        ("customer.unmerge", {"kind": "merge", "id": merge["id"]}),
    ]
    assert "zoe" not in str(entries)


async def test_what_is_asked_for_a_person_has_one_entry_that_does_not_name_them(
    service: Service,
) -> None:
    await known(service, "ada-1", "bob")
    shown = await service.get("/customers/ada-1")
    assert (await service.ask("GET", "/customers/ada-1/export")).status == 200
    assert (await service.ask("POST", "/customers/ada-1/suppress")).status == 204
    assert (await service.ask("POST", "/customers/ada-1/unsuppress")).status == 204
    await service.ask("DELETE", "/customers/ada-1")
    assert (await service.ask("POST", "/customers/bob/suppress")).status == 204
    for method, path in (("DELETE", ""), ("GET", "/export"), ("POST", "/suppress")):
        assert_is(await service.ask(method, f"/customers/nobody{path}"), ErrorCode.NOT_FOUND)
    *of_ada, of_bob = await log(service)
    assert [entry["verb"] for entry in of_ada] == [
        "customer.export",
        "customer.suppress",
        "customer.unsuppress",
        "customer.erase",
    ]
    assert {entry["verb"] for entry in of_ada} | {"customer.merge", "customer.unmerge"} == verbs(
        "customer."
    )
    assert len({entry["thing"]["id"] for entry in of_ada}) == 1, "who knows her id finds all"
    assert of_bob["thing"]["id"] != of_ada[0]["thing"]["id"]
    for hidden in ("ada-1", shown["id"], "Graz"):
        assert hidden not in str(of_ada)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_only_administrators_act_for_customers(service: Service) -> None:
    await known(service, "ada-1")
    for scope in (Scope.READ, Scope.WRITE):
        key = await service.make_key(scope)
        for method, path in (
            ("DELETE", ""),
            ("GET", "/export"),
            ("POST", "/suppress"),
            ("POST", "/unsuppress"),
            ("POST", "/merge"),
            ("POST", "/unmerge"),
        ):
            answer = await service.ask(method, f"/customers/ada-1{path}", {"into": "x"}, key=key)
            assert_is(answer, ErrorCode.FORBIDDEN)
    assert {VERBS[verb] for verb in verbs("customer.")} == {Permission.ADMIN}
    assert await log(service) == []


@pytest.mark.parametrize("act", [suppress, unsuppress])
async def test_the_commands_ask_for_the_permission_before_they_look(
    service: Service, act: Callable[..., Awaitable[object]]
) -> None:
    """The API's guard is not what keeps others out."""
    reader = replace(operator(WORKSPACE), permissions=frozenset({Permission.READ}))
    rejected = await act(services(service.database, service.clock), reader, "nobody")
    assert rejected == forbidden(Permission.ADMIN)
