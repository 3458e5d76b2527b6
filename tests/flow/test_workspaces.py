"""Several workspaces in one installation: none sees, changes or counts what is another's."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from clarion.broker import JobKind, NewJob
from clarion.brokers.database import DatabaseBroker
from clarion.clock import SystemClock
from clarion.customers.ingestor import Ingestor, IngestorOptions
from clarion.storage.database import Database
from clarion.web.api.description.description import describe
from clarion.web.api.description.examples import EXAMPLES
from clarion.web.api.errors import ErrorCode
from support.api import Service, assert_is, register
from support.browser import Browser
from support.clock import FakeClock
from support.command import Clarion
from support.pages import ROOT

CAMPAIGN = {"name": "Spring", "content": {"title": "Hi"}, "audience": {"everyone": True}}


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


@pytest.fixture
async def ids(service: Service) -> dict[str, str]:
    """One of each thing in the first workspace, by the name of its place in a path."""
    (source,) = (await service.get("/sources"))["data"]
    (app,) = (await service.get("/firebase-apps"))["data"]
    (key,) = (await service.get("/keys"))["data"]
    (write_key,) = (await service.get(f"/sources/{source['id']}/write-keys"))["data"]
    await service.send(
        source["write_key"], register("first-message", "first-device", "t1", user="first-ada")
    )
    invited = {"email": "first-ben@example.com", "role": "viewer"}
    invitation = await service.post("/people/invitations", invited)
    async with Browser(service) as browser:
        person_id = await become(service, browser, "first-eve@example.com")
    campaign = await service.post("/campaigns", CAMPAIGN)
    await service.post(f"/campaigns/{campaign['id']}/propose", {"at": "now"})
    await service.post(f"/campaigns/{campaign['id']}/schedule", {"at": "now"})
    await service.world.settle(UUID(campaign["id"]))
    (launch,) = (await service.get(f"/campaigns/{campaign['id']}/launches"))["data"]
    audience = {"code": "first-audience", "name": "First", "rule": {"user_ids": ["first-ada"]}}
    await service.post("/audiences", audience)
    push = await service.post("/pushes", {"user_id": "first-ada", "content": {"title": "Hi"}})
    return {
        "source_id": source["id"],
        "app_id": app["id"],
        "key_id": key["id"],
        "write_key_id": write_key["id"],
        "campaign_id": campaign["id"],
        "launch_id": launch["id"],
        "push_id": push["id"],
        "user_id": "first-ada",
        "device_id": "first-device",
        "message_id": "first-message",
        "kind": "customers",
        "code": "first-audience",
        "category": "news",
        "person_id": person_id,
        "invitation_id": invitation["id"],
    }  # fmt: skip


@pytest.fixture
async def stranger(service: Service) -> str:
    """A key of a second workspace, which has data of its own."""
    made = await service.post("/workspaces", {"name": "second"})
    key = str(made["key"])
    source = await service.post("/sources", {"name": "app"}, key=key)
    await service.send(
        source["write_key"], register("second-message", "second-device", "t2", user="second-bea")
    )
    await service.post("/campaigns", CAMPAIGN | {"name": "Autumn"}, key=key)
    return key


async def become(service: Service, browser: Browser, email: str) -> str:
    """The id of a new admin."""
    made = await service.post("/people/invitations", {"email": email, "role": "admin"})
    body = {"name": "Eve", "password": "correct horse battery"}
    answer = await browser.post(made["path"].removeprefix("/console"), body)
    return str(answer.json()["person"]["id"])


def calls() -> list[tuple[str, str, Any]]:
    """(Method, path, body) of every route of the API."""
    found = []
    for path, operations in describe()["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema", {})
            body = EXAMPLES.get(schema.get("$ref", "").rpartition("/")[2], {}) if schema else None
            if path.startswith("/api/v1"):
                found.append((method.upper(), path.removeprefix("/api/v1"), body))
    return found


def filled(path: str, ids: dict[str, str]) -> str:
    if "write-keys" in path or "identity-secrets" in path:
        ids = ids | {"key_id": ids["write_key_id"]}
    path = path.format_map(ids | {"service": "pinpoint"})
    if path.endswith("/explain"):
        return f"{path}?customer={ids['user_id']}"
    return f"{path}?campaign={ids['campaign_id']}" if path == "/deliveries" else path


async def everything_of(service: Service, ids: dict[str, str]) -> dict[str, str]:
    """What a key of the first workspace can look at."""
    seen = {}
    for method, path, _ in calls():
        if method == "GET" and not path.endswith(("/stream", "/export")) and path != "/keys":
            answer = await service.ask("GET", filled(path, ids))
            assert answer.status == 200, path
            seen[path] = answer.text
    return seen


async def test_a_key_reaches_nothing_of_another_workspace_by_any_route(
    service: Service, ids: dict[str, str], stranger: str
) -> None:
    before = await everything_of(service, ids)
    named = [
        (method, path, body)
        for method, path, body in calls()
        if ("{" in path or path == "/deliveries") and not path.startswith("/exports/")
    ]  # an export names a kind, and nothing of anybody
    assert len(named) > 40
    for method, path, body in named:
        answer = await service.ask(method, filled(path, ids), body, key=stranger)
        assert answer.status == 404, f"{method} {path}: {answer.status} {answer.text}"
    assert await everything_of(service, ids) == before


async def test_no_list_tells_of_another_workspace(
    service: Service, ids: dict[str, str], stranger: str
) -> None:
    (workspace,) = (await service.get("/workspaces"))["data"]
    marks = {*ids.values(), workspace["id"], "Spring", "first-eve@example.com"}
    exports = [("GET", f"/exports/{kind}", None) for kind in ("customers", "devices", "events")]
    for method, path, _ in [*calls(), *exports]:
        if method == "GET" and "{" not in path and path != "/deliveries":
            answer = await service.ask("GET", path, key=stranger)
            assert answer.status == 200, path
            for mark in marks:
                assert mark not in answer.text, f"{path} tells {mark}"
    assert len((await service.get("/customers", key=stranger))["data"]) == 1
    assert len((await service.get("/campaigns", key=stranger))["data"]) == 1


async def test_a_key_does_not_learn_how_much_waits_of_other_workspaces(
    service: Service, ids: dict[str, str], stranger: str
) -> None:
    broker = service.world.broker

    async def told(jobs: int, key: str | None = None) -> Any:
        await broker.publish(*(NewJob(kind=JobKind.EVENTS, payload=b"waits") for _ in range(jobs)))
        return (await service.get("/sources/backlog", key=key))["jobs"]

    while leases := await broker.fetch(JobKind.EVENTS, limit=100, wait_seconds=0, lease_seconds=60):
        for lease in leases:
            await lease.ack()
    assert await told(0, stranger) == 0
    assert [await told(1, stranger), await told(19, stranger)] == [1, 1]
    assert [await told(1, stranger), await told(50, stranger)] == [21, 21]
    assert await told(0) == 21, "the first workspace is told no more of the second"


async def test_where_there_is_one_workspace_its_keys_learn_how_much_waits(
    service: Service, ids: dict[str, str]
) -> None:
    before = await service.world.broker.depth(JobKind.EVENTS)
    await service.world.broker.publish(
        *(NewJob(kind=JobKind.EVENTS, payload=b"waits") for _ in range(30))
    )
    assert (await service.get("/sources/backlog"))["jobs"] == before + 30


async def test_a_new_workspace_opens_by_its_own_key_alone(service: Service) -> None:
    made = await service.post("/workspaces", {"name": "  second  "})
    assert (made["name"], made["stale_after_days"]) == ("second", 60)
    own = await service.get("/workspace", key=made["key"])
    assert own == {name: made[name] for name in ("id", "name", "stale_after_days", "time_zone")}
    assert (await service.get("/workspaces", key=made["key"]))["data"] == [own]
    assert own not in (await service.get("/workspaces"))["data"]
    (key,) = (await service.get("/keys", key=made["key"]))["data"]
    assert (key["name"], key["scopes"]) == ("first", ["admin"])


@pytest.mark.parametrize("name", ["", "   ", "x" * 201])
async def test_a_workspace_needs_a_name(service: Service, name: str) -> None:
    answer = await service.ask("POST", "/workspaces", {"name": name})
    assert_is(answer, ErrorCode.INVALID)
    assert [fault["field"] for fault in answer.json["faults"]] == ["name"]
    assert len((await service.get("/audit"))["data"]) == 0


# --- the command line -----------------------------------------------------------------------

NOUNS = (
    ("campaigns", "list"),
    ("customers", "list"),
    ("devices", "list"),
    ("devices", "stale"),
    ("devices", "swept"),
    ("firebase-apps", "list"),
    ("keys", "list"),
    ("sources", "list"),
    ("audit",),
)


def fill(clarion: Clarion, workspace: str, mark: str) -> None:
    """A source, a Firebase app, a key, a campaign and a customer with that mark."""
    chosen = ("--workspace", workspace)
    made = [
        clarion(*chosen, "sources", "create", mark),
        clarion(*chosen, "keys", "create", mark),
        clarion(*chosen, "firebase-apps", "add", str(clarion.key_file(mark))),
        clarion(*chosen, "import", "customers", str(_customers(clarion, mark))),
        clarion(*chosen, "import", "devices", str(_devices(clarion, mark))),
    ]
    assert [code for code, _, _ in made] == [0] * len(made), made


def _devices(clarion: Clarion, mark: str) -> Path:
    file = clarion.home / f"{mark}-devices.ndjson"
    file.write_text(
        f'{{"device_id": "{mark}-device", "token": "{mark}-token", "platform": "Android", '
        f'"user_id": "{mark}-user"}}\n'
    )
    return file


async def take_in(home: Path) -> None:
    """Let what was imported become customers."""
    database, clock = Database(f"sqlite:///{home}/data/clarion.db"), SystemClock()
    broker = DatabaseBroker(database, clock)
    ingestor = Ingestor(database, broker, clock, IngestorOptions(wait_seconds=0))
    while await ingestor.step():
        pass
    await broker.close()
    await database.close()


def _customers(clarion: Clarion, mark: str) -> Path:
    file = clarion.home / f"{mark}.ndjson"
    file.write_text(f'{{"user_id": "{mark}-user", "traits": {{"plan": "{mark}"}}}}\n')
    return file


def test_a_command_works_in_the_workspace_that_is_named(clarion: Clarion) -> None:
    made = clarion.json("workspaces", "create", "second")
    fill(clarion, "default", "tulip")
    fill(clarion, made["id"], "walnut")
    asyncio.run(take_in(clarion.home))
    for noun in NOUNS:
        code, first, errors = clarion("--workspace", "default", *noun, "--json")
        assert code == 0, errors
        code, second, errors = clarion(*noun, "--workspace=second", "--json")
        assert code == 0, errors
        assert "walnut" not in first, noun
        assert "tulip" not in second, noun
        if noun[0] in ("customers", "sources", "firebase-apps", "keys", "audit"):
            assert "tulip" in first, noun
            assert "walnut" in second, noun
    assert clarion("customers", "show", "tulip-user")[0] == 0
    assert clarion("--workspace", "second", "customers", "show", "tulip-user")[0] == 3


NAMING = (
    "campaigns activity {campaign}",
    "campaigns approval {campaign}",
    "campaigns approve {campaign} --fingerprint 5f0c",
    "campaigns cancel {campaign}",
    "campaigns archive {campaign}",
    "campaigns delete {campaign}",
    "campaigns duplicate {campaign}",
    "campaigns edit {campaign} --title Other",
    "campaigns forecast {campaign}",
    "campaigns keep-time {campaign} --none",
    "campaigns pause {campaign}",
    "campaigns preview {campaign}",
    "campaigns propose {campaign} --at now",
    "campaigns reject {campaign}",
    "campaigns report {campaign}",
    "campaigns launches {campaign}",
    "campaigns restore {campaign}",
    "campaigns resume {campaign}",
    "campaigns schedule {campaign} --at now --yes",
    "campaigns show {campaign}",
    "campaigns unschedule {campaign}",
    "customers categories {user}",
    "customers devices {user}",
    "customers erase {user} --yes",
    "customers events {user}",
    "customers export {user} --out {user}.zip",
    "customers history {user}",
    "customers leave {user} news",
    "customers merge {user} walnut-user --yes",
    "customers rejoin {user} news",
    "customers show {user}",
    "customers suppress {user} --yes",
    "customers timeline {user}",
    "customers unmerge {user}",
    "customers why {user} {campaign}",
    "devices history {device}",
    "devices show {device}",
    "devices why {device}",
    "firebase-apps check {app}",
    "firebase-apps pause {app}",
    "firebase-apps removals {app} keep",
    "firebase-apps resume {app}",
    "firebase-apps set {app} --avoid-peaks",
    "keys revoke {key}",
    "people deactivate {person}",
    "people reactivate {person}",
    "people reset-password {person}",
    "people role {person} viewer",
    "people uninvite {invitation}",
    "sources ask {source} --in 60",
    "sources bind {source} walnut",
    "sources counts {source}",
    "sources limit {source} 10",
    "sources origins {source} https://shop.example",
    "sources restore {source} {write_key}",
    "sources retire {source} {write_key}",
    "sources revoke {source}",
    "sources rotate {source}",
    "sources show {source}",
    "sources sign {source}",
    "sources tail {source} --no-follow",
    "sources unsign {source}",
)
"""Every command that names a thing."""


def test_no_command_finds_a_thing_of_another_workspace(clarion: Clarion) -> None:
    clarion.json("workspaces", "create", "second")
    fill(clarion, "default", "tulip")
    fill(clarion, "second", "walnut")
    asyncio.run(take_in(clarion.home))
    (app,) = clarion.json("firebase-apps", "list")
    (source,) = clarion.json("sources", "list")
    made = clarion.json("campaigns", "create", "tulip", "--title", "Hi", "--everyone")
    ids = {
        "campaign": made["id"],
        "user": "tulip-user",
        "device": "tulip-device",
        "app": app["id"],
        "source": source["id"],
        "write_key": source["write_key"],
        "key": next(one["id"] for one in clarion.json("keys", "list") if one["name"] == "tulip"),
        "person": clarion.json("people", "invite", "tulip@example.com")["id"],
        "invitation": clarion.json("people", "invitations")[0]["id"],
    }
    before = everything_on_the_command_line(clarion)
    for line in NAMING:
        tokens = line.format_map(ids).split(" ")
        code, out, errors = clarion("--workspace", "second", *tokens)
        assert code == 3, f"{line}: {code} {out} {errors}"
    assert everything_on_the_command_line(clarion) == before


def test_every_command_that_names_a_thing_is_tried() -> None:
    tried = {" ".join(line.split(" ")[:2]) for line in NAMING}
    reference = (ROOT / "docs" / "reference" / "cli.md").read_text()
    usages = re.findall(r"^clarion ([a-z-]+ [a-z-]+) (.*)$", reference, flags=re.MULTILINE)
    things = r"\b(CAMPAIGN-ID|USER-ID|DEVICE-ID|FIREBASE-APP|KEY-ID|INVITATION-ID|PERSON|SOURCE)\b"
    naming = {command for command, rest in usages if re.search(things, rest)}
    # The first may be asked of whom nothing is known; to the second that is a wrong field.
    assert naming - tried == {"customers unsuppress", "pushes send"}
    assert len(naming) > 30


def everything_on_the_command_line(clarion: Clarion) -> list[str]:
    """What the lists of the first workspace tell."""
    return [
        clarion(*words, "--json")[1]
        for words in (
            ("campaigns", "list"),
            ("customers", "list"),
            ("devices", "list"),
            ("firebase-apps", "list"),
            ("keys", "list"),
            ("people", "invitations"),
            ("sources", "list"),
            ("audit",),
        )
    ]


def test_the_workspace_is_chosen_by_option_then_setting_then_age(
    clarion: Clarion, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = clarion.json("workspaces", "create", "second")
    third = clarion.json("workspaces", "create", "third")
    assert clarion.json("workspace", "show")["name"] == "default"
    monkeypatch.setenv("CLARION_WORKSPACE", "second")
    assert clarion.json("workspace", "show")["id"] == second["id"]
    assert clarion.json("--workspace", "third", "workspaces", "show")["id"] == third["id"]
    assert clarion.json("workspace", "show", f"--workspace={third['id']}")["id"] == third["id"]
    names = [one["name"] for one in clarion.json("workspaces", "list")]
    assert names == ["default", "second", "third"]


def test_a_workspace_that_is_not_there_or_not_one_is_told(clarion: Clarion) -> None:
    for name in ("twin", "twin"):
        clarion.json("workspaces", "create", name)
    code, _, errors = clarion("--workspace", "nowhere", "keys", "list")
    assert (code, "nowhere" in errors) == (3, True)
    code, _, errors = clarion("--workspace", "twin", "keys", "list")
    assert (code, "2 workspaces are called twin" in errors) == (2, True)
    for tokens in (["--workspace"], ["--workspace="], ["--workspace", "--json"]):
        code, _, errors = clarion("keys", "list", *tokens)
        assert (code, "needs the id or the name" in errors) == (2, True)


def test_a_workspace_is_renamed_and_given_another_age_of_registrations(clarion: Clarion) -> None:
    clarion.json("workspaces", "create", "second")
    code, out, _ = clarion(
        "--workspace", "second", "workspace", "set", "--name", "shop", "--stale-after-days", "90"
    )
    assert code == 0
    assert "90 days" in out
    shown = clarion.json("--workspace", "shop", "workspace", "show")
    assert shown["stale_after_days"] == 90
    assert clarion.json("workspace", "show")["stale_after_days"] == 60
    assert clarion("workspace", "set")[0] == 2
