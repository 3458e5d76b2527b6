"""Each act with a campaign or a Firebase app is in the audit log once, and needs its permission."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from msgspec import UNSET
from sqlalchemy import select

from clarion.accounts.actor import Actor, Permission, Role, Scope, permissions_of_role
from clarion.accounts.command import VERBS, Services, forbidden
from clarion.campaigns.campaign import Campaign, CampaignState
from clarion.campaigns.commands import (
    create_campaign,
    edit_campaign,
    pause_campaign,
    schedule_campaign,
)
from clarion.deliveries.apps.commands import (
    change_app,
    decide_removals,
    delete_app,
    pause_app,
    resume_app,
)
from clarion.deliveries.commands import cancel_campaign, resume_campaign
from clarion.storage.database import Database
from clarion.storage.schema import quarantine
from clarion.web.api.errors import ErrorCode
from flow.test_keeping_campaigns import KEEPING
from support.api import Service, assert_is, service_on_sqlite
from support.clock import FakeClock
from support.command import Clarion
from support.world import APP

CAMPAIGN = {
    "name": "Spring",
    "content": {"title": "Hi"},
    "audience": {"traits": {"email": "ada@shop.example"}},
}
LATER = "2026-12-24T18:00:00Z"


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


@pytest.fixture
async def on_sqlite(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Service]:
    async with service_on_sqlite(tmp_path, clock) as service:
        yield service


@pytest.fixture
def author(on_sqlite: Service) -> Actor:
    """Writes drafts, for somebody else to publish."""
    permissions = permissions_of_role(Role.AUTHOR)
    return replace(on_sqlite.world.actor, permissions=permissions)


async def entries(service: Service, kind: str) -> list[Any]:
    """Oldest first."""
    log = (await service.get(f"/audit?thing_kind={kind}"))["data"]
    return list(reversed(log))


def verbs(kind: str) -> set[str]:
    return {verb for verb in VERBS if verb.startswith(f"{kind}.")}


async def test_each_act_with_a_campaign_is_in_the_log_once(service: Service) -> None:
    made = await service.post("/campaigns", CAMPAIGN)
    path = f"/campaigns/{made['id']}"
    service.clock.advance(1)
    change = {"name": "Summer", "audience": {"user_ids": ["ada-the-first"]}}
    assert (await service.ask("PATCH", path, change)).status == 200
    await service.post(f"{path}/schedule", {"at": LATER, "allow_empty": True})
    await service.post(f"{path}/pause", headers={"X-Request-Id": "pause-1"})
    await service.post(f"{path}/resume")
    await service.post(f"{path}/cancel")

    log = await entries(service, "campaign")
    of_approvals = {"campaign.propose", "campaign.approve", "campaign.reject"}
    assert {entry["verb"] for entry in log} | of_approvals == verbs("campaign") - set(KEEPING)
    assert [(entry["verb"], entry["changes"]) for entry in log] == [
        (
            "campaign.create",
            {
                "name": "Spring",
                "state": "draft",
                "scheduled_at": None,
                "spread_minutes": 0,
                "paused_reason": None,
                "category": None,
                "is_transactional": False,
            },
        ),
        ("campaign.edit", {"name": ["Spring", "Summer"], "rewritten": ["audience"]}),
        ("campaign.schedule", {"state": ["draft", "scheduled"], "scheduled_at": [None, LATER]}),
        (
            "campaign.pause",
            {"state": ["scheduled", "paused"], "paused_reason": [None, "by a person"]},
        ),
        (
            "campaign.resume",
            {"state": ["paused", "scheduled"], "paused_reason": ["by a person", None]},
        ),
        ("campaign.cancel", {"state": ["scheduled", "cancelled"]}),
    ]
    assert {entry["thing"]["id"] for entry in log} == {made["id"]}
    assert log[3]["request_id"] == "pause-1"
    for personal in ("ada@shop.example", "ada-the-first"):
        assert personal not in str(log), "the log outlives a person who is erased"


async def test_what_happens_to_a_campaign_by_itself_is_in_the_log(service: Service) -> None:
    first = await service.post("/campaigns", CAMPAIGN | {"at": "now", "allow_empty": True})
    await service.world.scheduler.step()
    later = service.clock.now() + timedelta(hours=1)
    second = await service.post(
        "/campaigns", CAMPAIGN | {"at": later.isoformat(), "allow_empty": True}
    )
    service.clock.advance(7 * 86_400)  # nothing ran meanwhile
    await service.world.scheduler.step()
    log = {
        entry["thing"]["id"]: entry
        for entry in await entries(service, "campaign")
        if entry["actor"]["kind"] == "system"
    }
    launched, late = log[first["id"]], log[second["id"]]
    assert launched["actor"] == {"kind": "system", "id": None, "name": "scheduler"}
    assert (launched["verb"], launched["changes"]) == (
        "campaign.launch",
        {"state": ["scheduled", "launching"]},
    )
    assert late["verb"] == "campaign.pause"
    assert late["changes"]["state"] == ["scheduled", "paused"]
    assert late["changes"]["paused_reason"][0] is None


async def test_each_act_with_a_firebase_app_is_in_the_log_once(service: Service) -> None:
    key = generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    account = {
        "type": "service_account",
        "project_id": "shop",
        "private_key_id": "id-of-the-key",
        "private_key": pem,
        "client_email": "sender@shop.example",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    added = await service.post("/firebase-apps", account)
    path = f"/firebase-apps/{added['id']}"
    changed = await service.ask("PATCH", path, {"pushes_per_minute": 60_000, "avoid_peaks": True})
    assert changed.status == 200
    await service.post(f"{path}/pause", {"reason": "rotation"})
    await service.post(f"{path}/resume")
    await service.post(f"{path}/removals", {"decision": "keep"})
    assert (await service.ask("DELETE", path)).status == 204

    log = await entries(service, "firebase_app")
    assert {entry["verb"] for entry in log} == verbs("firebase_app")
    assert [(entry["verb"], entry["changes"]) for entry in log] == [
        (
            "firebase_app.set_key",
            {
                "project_id": "shop",
                "client_email": "sender@shop.example",
                "private_key_id": "id-of-the-key",
                "replaced_at": None,
                "bound_source_ids": [],
            },
        ),
        (
            "firebase_app.change",
            {"pushes_per_minute": [600_000, 60_000], "avoid_peaks": [False, True]},
        ),
        ("firebase_app.pause", {"paused_reason": [None, "rotation"]}),
        ("firebase_app.resume", {"paused_reason": ["rotation", None]}),
        (
            "firebase_app.decide_removals",
            {"decision": "keep", "registrations": 0, "resumed_campaign_ids": []},
        ),
        ("firebase_app.delete", {"project_id": "shop"}),
    ]
    assert {entry["thing"]["id"] for entry in log} == {added["id"]}


async def test_a_decision_about_many_removals_is_one_entry(service: Service) -> None:
    tokens = [f"foreign-{number}" for number in range(40)]
    await service.world.devices(*tokens)
    campaign_id = await service.world.campaign()
    await service.world.scheduler.step()
    while await service.world.planner.step():
        pass
    while await service.world.sender.step():
        pass
    async with service.database.read() as connection:
        held = len((await connection.execute(select(quarantine.c.device_id))).all())
    assert held > 0
    shown = await service.post(f"/firebase-apps/{APP}/pause")
    assert shown["quarantined"] == held
    shown = await service.post(f"/firebase-apps/{APP}/removals", {"decision": "remove"})
    assert (shown["quarantined"], shown["removals_stopped_reason"]) == (0, None)

    _, decision = await entries(service, "firebase_app")
    assert decision["verb"] == "firebase_app.decide_removals"
    assert decision["changes"] == {
        "decision": "remove",
        "registrations": held,
        "resumed_campaign_ids": [str(campaign_id)],
    }
    assert (await service.world.get(campaign_id)).state is CampaignState.SENDING


async def test_what_was_refused_is_not_in_the_log(on_sqlite: Service) -> None:
    made = await on_sqlite.post("/campaigns", CAMPAIGN)
    path = f"/campaigns/{made['id']}"
    assert_is(await on_sqlite.ask("POST", f"{path}/pause"), ErrorCode.CAMPAIGN_STATE)
    assert_is(await on_sqlite.ask("POST", f"{path}/schedule", {"at": "x"}), ErrorCode.SCHEDULE)
    assert_is(await on_sqlite.ask("PATCH", path, {"name": ""}), ErrorCode.INVALID_CAMPAIGN)
    for step in ("pause", "resume", "cancel"):
        nobody = on_sqlite.clock.new_id()
        assert_is(await on_sqlite.ask("POST", f"/campaigns/{nobody}/{step}"), ErrorCode.NOT_FOUND)
    limit = await on_sqlite.ask("PATCH", f"/firebase-apps/{APP}", {"pushes_per_minute": 0})
    assert_is(limit, ErrorCode.INVALID)
    assert [entry["verb"] for entry in await entries(on_sqlite, "campaign")] == ["campaign.create"]
    assert await entries(on_sqlite, "firebase_app") == []


async def test_a_key_that_may_write_publishes_and_one_that_may_read_does_not(
    on_sqlite: Service,
) -> None:
    reader, writer = await on_sqlite.make_key(Scope.READ), await on_sqlite.make_key(Scope.WRITE)
    made = await on_sqlite.post("/campaigns", CAMPAIGN, key=writer)
    path = f"/campaigns/{made['id']}"
    calls: list[tuple[str, str, Any]] = [
        ("PATCH", path, {"name": "Summer"}),
        ("POST", f"{path}/schedule", {"at": "now", "allow_empty": True}),
        ("POST", f"{path}/pause", None),
        ("POST", f"{path}/resume", None),
        ("POST", f"{path}/cancel", None),
        ("POST", f"/firebase-apps/{APP}/pause", None),
        ("POST", f"/firebase-apps/{APP}/resume", None),
        ("POST", f"/firebase-apps/{APP}/removals", {"decision": "keep"}),
    ]
    for method, to, body in [("POST", "/campaigns", CAMPAIGN), *calls]:
        assert_is(await on_sqlite.ask(method, to, body, key=reader), ErrorCode.FORBIDDEN)
    for method, to, body in calls:
        answer = await on_sqlite.ask(method, to, body, key=writer)
        assert answer.status == 200, (method, to)
    for method, body in (("PATCH", {"avoid_peaks": True}), ("DELETE", None)):
        answer = await on_sqlite.ask(method, f"/firebase-apps/{APP}", body, key=writer)
        assert_is(answer, ErrorCode.FORBIDDEN)
    assert len(await entries(on_sqlite, "campaign")) == 6
    assert len(await entries(on_sqlite, "firebase_app")) == 3


async def test_an_author_writes_drafts_that_somebody_else_publishes(
    on_sqlite: Service, author: Actor
) -> None:
    services, check = on_sqlite.world.services, on_sqlite.provider.check
    made = await create_campaign(services, author, CAMPAIGN, check)
    assert isinstance(made, Campaign)
    edited = await edit_campaign(services, author, made.id, {"name": "Summer"}, check)
    assert isinstance(edited, Campaign)
    assert (edited.name, edited.state) == ("Summer", CampaignState.DRAFT)

    refused = forbidden(Permission.PUBLISH)
    assert await create_campaign(services, author, CAMPAIGN, check, at="now") == refused
    assert await schedule_campaign(services, author, made.id, "now") == refused
    Step = Callable[[Services, Actor, UUID], Awaitable[Any]]
    steps: list[Step] = [pause_campaign, resume_campaign, cancel_campaign]
    for step in steps:
        assert await step(services, author, made.id) == refused
    for of_app in (pause_app, resume_app):
        assert await of_app(services, author, APP) == refused
    assert await decide_removals(services, author, APP, remove=True) == refused
    needs_admin = forbidden(Permission.ADMIN)
    assert await change_app(services, author, APP, avoid_peaks=True) == needs_admin
    assert await delete_app(services, author, APP) == needs_admin
    log = await entries(on_sqlite, "campaign")
    assert [entry["verb"] for entry in log] == ["campaign.create", "campaign.edit"]
    assert (await on_sqlite.get(f"/campaigns/{made.id}"))["state"] == "draft"
    assert await create_campaign(services, author, CAMPAIGN, check, at=UNSET) != refused


def test_what_the_operator_does_is_in_the_log(clarion: Clarion) -> None:
    clarion.json("firebase-apps", "add", str(clarion.key_file()))
    clarion.json("firebase-apps", "set", "shop", "--avoid-peaks")
    clarion.json("firebase-apps", "pause", "shop", "--reason", "rotation")
    clarion.json("firebase-apps", "resume", "shop")
    clarion.json("firebase-apps", "removals", "shop", "keep")
    made = clarion.json("campaigns", "create", "Spring", "--title", "Hi", "--everyone")
    clarion.json("campaigns", "edit", made["id"], "--title", "Hello")
    clarion.json("campaigns", "schedule", made["id"], "--at", "now", "--yes", "--allow-empty")
    clarion.json("campaigns", "pause", made["id"])
    clarion.json("campaigns", "resume", made["id"], "--yes")
    clarion.json("campaigns", "cancel", made["id"])
    log = clarion.json("audit", "--actor", "operator", "--limit", "11")
    assert [entry["verb"] for entry in reversed(log)] == [
        "firebase_app.set_key",
        "firebase_app.change",
        "firebase_app.pause",
        "firebase_app.resume",
        "firebase_app.decide_removals",
        "campaign.create",
        "campaign.edit",
        "campaign.schedule",
        "campaign.pause",
        "campaign.resume",
        "campaign.cancel",
    ]
    assert "PRIVATE KEY" not in str(log)
