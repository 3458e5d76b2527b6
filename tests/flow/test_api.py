"""The management API from end to end, on both databases: what is asked is what there is."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from clarion.accounts.actor import Scope
from clarion.storage.database import Database
from support.api import Service, register
from support.clock import FakeClock

TOKEN = "fcm-token-of-the-first-device-0123456789"
CAMPAIGN = {
    "name": "Spring",
    "content": {
        "title": "Hi {{ customer.first_name | default: 'there' }}",
        "body": "News",
        "data": {"screen": "spring"},
        "platforms": {"Web": {"link": "https://shop.example/spring"}},
    },
    "audience": {"everyone": True},
}


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


@pytest.fixture(scope="module")
def private_key() -> str:
    key = generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem.decode()


def account(private_key: str, project: str = "shop") -> dict[str, str]:
    return {
        "type": "service_account",
        "project_id": project,
        "private_key_id": "id-of-the-key",
        "private_key": private_key,
        "client_email": f"sender@{project}.example",
        "token_uri": "https://oauth2.googleapis.com/token",
    }


async def write_key_of(service: Service) -> str:
    sources = (await service.get("/sources"))["data"]
    return str(sources[0]["write_key"])


async def test_the_main_job_is_done_and_told(service: Service) -> None:
    service.secrets.add(TOKEN)
    key = await write_key_of(service)
    await service.send(
        key,
        register("m1", "D1", TOKEN),
        {"type": "identify", "messageId": "m2", "userId": "ada", "anonymousId": "D1",
         "traits": {"first_name": "Ada"}},
        register("m3", "D1", TOKEN, user="ada"),
        register("m4", "D2", "other-token", user="bob", platform="Web"),
        register("m5", "D3", "third-token", platform="iOS"),
    )  # fmt: skip

    ada = await service.get("/customers/ada")
    assert (ada["user_id"], ada["traits"]) == ("ada", {"first_name": "Ada"})
    assert [one["device_id"] for one in ada["devices"]] == ["D1"]
    device = await service.get("/devices/D1")
    assert device["customer"] == {"id": ada["id"], "user_id": "ada"}
    assert device["state"] == "active"
    event = await service.get("/events/m1")
    assert event["event"] == "Register Push"
    assert event["customer"] == {"id": ada["id"], "user_id": "ada"}

    made = await service.post("/campaigns", CAMPAIGN)
    assert made["state"] == "draft"
    preview = await service.post(f"/campaigns/{made['id']}/preview", {"user_id": "ada"})
    assert preview["platforms"]["iOS"]["title"] == "Hi Ada"
    assert preview["platforms"]["Web"]["link"] == "https://shop.example/spring"
    assert preview["reach"] == {
        "customers": 3,
        "devices": 3,
        "opted_out": 0,
        "no_firebase_app": 0,
        "apns_token": 0,
        "notifications_off": 0,
        "platforms": {"Android": 1, "Web": 1, "iOS": 1},
    }
    scheduled = await service.post(f"/campaigns/{made['id']}/schedule", {"at": "now"})
    assert scheduled["state"] == "scheduled"
    await service.world.settle(UUID(made["id"]))
    assert (await service.get(f"/campaigns/{made['id']}"))["state"] == "done"

    (pushed,) = [push for push in service.world.provider.pushes if push.token == TOKEN]
    receipt = {"properties": {"clarion_push": pushed.delivery_id}, "userId": "ada"}
    await service.send(
        key,
        {**receipt, "type": "track", "event": "Push Notification Received", "messageId": "r1"},
        {**receipt, "type": "track", "event": "Push Notification Tapped", "messageId": "r2"},
    )
    await service.attributor.step()
    report = await service.get(f"/campaigns/{made['id']}/report")
    assert report["balances"] is True
    assert {name: report[name] for name in ("planned", "accepted", "in_flight")} == {
        "planned": 3,
        "accepted": 3,
        "in_flight": 0,
    }
    assert (report["received"], report["opened"], report["attempts"]) == (1, 1, 3)
    assert report["platforms"]["Android"]["opened"] == 1
    deliveries = await service.every(f"/deliveries?campaign={made['id']}", limit=2)
    assert {delivery["device_id"]: delivery["state"] for delivery in deliveries} == dict.fromkeys(
        ("D1", "D2", "D3"), "accepted"
    )
    assert [
        delivery["customer"]["user_id"] for delivery in deliveries if delivery["opened_at"]
    ] == ["ada"]


async def test_who_has_not_signed_in_is_found_by_id(service: Service) -> None:
    key = await write_key_of(service)
    await service.send(key, register("m1", "D1", "token-1"))
    device = await service.get("/devices/D1")
    assert device["customer"]["user_id"] is None
    found = await service.get(f"/customers/{device['customer']['id']}")
    assert (found["id"], found["user_id"]) == (device["customer"]["id"], None)
    events = await service.get(f"/customers/{found['id']}/events")
    assert [event["message_id"] for event in events["data"]] == ["m1"]
    assert (await service.ask("GET", "/customers/D1")).status == 404


async def test_histories_tell_moves_and_tokens_only_as_fingerprints(service: Service) -> None:
    service.secrets |= {"token-one", "token-two"}
    key = await write_key_of(service)
    await service.send(key, register("m1", "D1", "token-one", user="ada"))
    await service.send(key, register("m2", "D1", "token-two", user="ada"))
    await service.send(key, register("m3", "D1", "token-two", user="bob"))
    history = await service.every("/devices/D1/history", limit=1)
    assert [one["change"] for one in history] == ["registered", "token", "moved"]
    assert len({one["token_fingerprint"] for one in history}) == 2
    ada = await service.get("/customers/ada")
    bob = await service.get("/customers/bob")
    assert (history[-1]["previous_customer_id"], history[-1]["customer_id"]) == (
        ada["id"],
        bob["id"],
    )
    left = await service.every("/customers/ada/devices/history", limit=2)
    assert [one["message_id"] for one in left] == ["m1", "m2", "m3"]
    assert [one["change"] for one in (await service.get("/customers/bob/devices/history"))["data"]]


async def test_lists_come_in_pages_that_neither_miss_nor_repeat(service: Service) -> None:
    key = await write_key_of(service)
    await service.send(
        key, *(register(f"m{one}", f"D{one}", f"t{one}", user=f"u{one}") for one in range(7))
    )
    for index in range(5):
        await service.post("/campaigns", CAMPAIGN | {"name": f"Campaign {index}"})
    for path, name, expected in (
        ("/customers", "user_id", {f"u{one}" for one in range(7)}),
        ("/devices", "device_id", {f"D{one}" for one in range(7)}),
        ("/events", "message_id", {f"m{one}" for one in range(7)}),
        ("/campaigns", "name", {f"Campaign {one}" for one in range(5)}),
    ):
        for limit in (1, 3, 7, 500):
            found = [one[name] for one in await service.every(path, limit)]
            assert len(found) == len(expected) and set(found) == expected, (path, limit)
    newest = (await service.get("/campaigns?limit=1"))["data"]
    assert [one["name"] for one in newest] == ["Campaign 4"]


async def test_a_firebase_app_is_added_replaced_paused_and_deleted(
    service: Service, private_key: str
) -> None:
    (given,) = (await service.get("/firebase-apps"))["data"]
    assert (await service.ask("DELETE", f"/firebase-apps/{given['id']}")).status == 204
    (source,) = (await service.get("/sources"))["data"]
    assert source["firebase_app_id"] is None

    added = await service.ask("POST", "/firebase-apps", account(private_key))
    assert added.status == 201
    assert added.json["project_id"] == "shop"
    assert added.json["bound_source_ids"] == [source["id"]]
    assert (await service.get(f"/sources/{source['id']}"))["firebase_app_id"] == added.json["id"]
    paused = await service.post(f"/firebase-apps/{added.json['id']}/pause", {"reason": "rotation"})
    assert paused["paused_reason"] == "rotation"
    assert paused["paused_at"] is not None
    assert paused["tries_again_at"] is None, "a person has paused it, and has to resume it"
    resumed = await service.post(f"/firebase-apps/{added.json['id']}/resume")
    assert resumed["paused_reason"] is None
    assert (await service.post(f"/firebase-apps/{added.json['id']}/pause"))["paused_reason"]

    again = await service.ask("POST", "/firebase-apps", account(private_key))
    assert again.status == 200
    assert (again.json["id"], again.json["paused_reason"]) == (added.json["id"], None)
    assert again.json["replaced_at"] is not None
    second = await service.post("/firebase-apps", account(private_key, "second"))
    assert second["bound_source_ids"] == []
    assert len((await service.get("/firebase-apps"))["data"]) == 2


async def test_a_source_is_made_renamed_bound_and_revoked(service: Service) -> None:
    (app,) = (await service.get("/firebase-apps"))["data"]
    made = await service.ask("POST", "/sources", {"name": "  Android app "})
    assert made.status == 201
    assert made.json["name"] == "Android app"
    assert made.json["firebase_app_id"] == app["id"], "the only Firebase app there is"
    path = f"/sources/{made.json['id']}"
    unbound = await service.ask("PATCH", path, {"firebase_app_id": None, "name": "A"})
    assert (unbound.json["firebase_app_id"], unbound.json["name"]) == (None, "A")
    bound = await service.ask("PATCH", path, {"firebase_app_id": app["id"]})
    assert (bound.json["firebase_app_id"], bound.json["name"]) == (app["id"], "A")
    await service.send(made.json["write_key"], register("m1", "D1", "t1"))
    revoked = await service.post(f"{path}/revoke")
    service.clock.advance(60)
    assert (await service.post(f"{path}/revoke"))["revoked_at"] == revoked["revoked_at"]
    assert (await service.get("/events/m1"))["source_id"] == made.json["id"]


async def test_refusals_are_told_with_reason_and_cure(service: Service) -> None:
    service.secrets.add("a token with spaces")
    key = await write_key_of(service)
    (source,) = (await service.get("/sources"))["data"]
    await service.send(
        key,
        {"type": "track", "messageId": "x1", "userId": "u"},
        register("x2", "D1", "a token with spaces"),
        register("x3", "<deviceId>", "fine"),
        {"type": "nonsense", "messageId": "x4", "userId": "u"},
    )
    refused = await service.every(f"/sources/{source['id']}/refusals", limit=3)
    codes = {one["message_id"]: (one["stage"], one["code"]) for one in refused}
    assert codes == {
        "x1": ("event", "event_name_missing"),
        "x2": ("registration", "token_malformed"),
        "x3": ("registration", "device_id_blocked"),
        "x4": ("event", "event_type_unknown"),
    }
    assert (await service.get("/events/x2"))["event"] == "Register Push", "kept as an event"


async def test_a_key_is_told_once_and_refused_once_revoked(service: Service) -> None:
    made = await service.ask("POST", "/keys", {"name": "script", "scopes": ["write", "read"]})
    assert made.status == 201
    secret = made.json["key"]
    assert secret.startswith("clk_")
    assert made.json["scopes"] == ["read", "write"]
    service.secrets.add(secret)
    await service.get("/customers", key=secret)
    listed = {one["id"]: one for one in (await service.get("/keys"))["data"]}
    assert listed[made.json["id"]]["last_used_at"] is not None
    assert listed[made.json["id"]]["hint"].endswith(secret[-4:])
    revoked = await service.post(f"/keys/{made.json['id']}/revoke")
    assert revoked["revoked_at"] is not None
    assert (await service.ask("GET", "/customers", key=secret)).status == 401
    assert (await service.post("/keys", {"name": "reader"}))["scopes"] == ["read"]


async def test_the_use_of_a_key_is_noted_once_a_minute(service: Service) -> None:
    async def noted() -> Any:
        (key,) = (await service.get("/keys"))["data"]
        return key["last_used_at"]

    first = await noted()
    service.clock.advance(30)
    assert await noted() == first
    service.clock.advance(30)
    assert await noted() != first


@pytest.mark.parametrize(
    ("scope", "method", "path", "allowed"),
    [
        (Scope.READ, "GET", "/customers", True),
        (Scope.READ, "GET", "/sources", True),
        (Scope.READ, "POST", "/sources", False),
        (Scope.READ, "GET", "/keys", False),
        (Scope.WRITE, "GET", "/customers", True),
        (Scope.WRITE, "POST", "/sources", True),
        (Scope.WRITE, "POST", "/firebase-apps", False),
        (Scope.WRITE, "POST", "/keys", False),
        (Scope.WRITE, "PATCH", "/workspace", False),
        (Scope.ADMIN, "GET", "/keys", True),
        (Scope.ADMIN, "POST", "/sources", True),
    ],
)
async def test_a_scope_allows_what_it_says_and_no_more(
    service: Service, scope: Scope, method: str, path: str, allowed: bool
) -> None:
    key = await service.make_key(scope)
    body = {"name": "x"} if method != "GET" else None
    answer = await service.ask(method, path, body, key=key)
    assert (answer.status != 403) is allowed
    if not allowed:
        assert answer.json["code"] == "forbidden"


async def test_who_may_only_look_is_told_no_write_key(service: Service) -> None:
    source = await service.post("/sources", {"name": "app"})
    await service.post(f"/sources/{source['id']}/write-keys")
    await service.send(source["write_key"], register("m1", "D1", "t1", user="ada"))
    looker, writer = await service.make_key(Scope.READ), await service.make_key(Scope.WRITE)
    keys = {
        one["write_key"]
        for one in (await service.get(f"/sources/{source['id']}/write-keys"))["data"]
    }
    assert len(keys) == 2
    for path in (
        "/sources",
        f"/sources/{source['id']}",
        f"/sources/{source['id']}/write-keys",
        f"/sources/{source['id']}/events",
        f"/sources/{source['id']}/counts",
        f"/sources/{source['id']}/refusals",
        "/events",
        "/events/m1",
        "/customers/ada",
        "/devices",
    ):
        answer = await service.ask("GET", path, key=looker)
        assert answer.status == 200
        assert not [key for key in keys if key in answer.text], path
    listed = await service.get(f"/sources/{source['id']}/write-keys", key=looker)
    assert {one["hint"] for one in listed["data"]} == {f"…{key[-4:]}" for key in keys}
    assert (await service.get(f"/sources/{source['id']}", key=writer))["write_key"] in keys


ADMINS_ONLY = (
    ("POST", "/sources/{source}/revoke", None),
    ("POST", "/sources/{source}/restore", None),
    ("POST", "/sources/{source}/write-keys", None),
    ("POST", "/sources/{source}/write-keys/{key}/retire", None),
    ("POST", "/sources/{source}/write-keys/{key}/restore", None),
    ("POST", "/sources/{source}/identity-secrets", None),
    ("DELETE", "/sources/{source}/identity-secrets", None),
    ("PATCH", "/sources/{source}", {"allowed_origins": ["https://nobody.example"]}),
    ("PATCH", "/sources/{source}", {"rate_limit": {"events_per_second": 1}}),
    ("PATCH", "/sources/{source}", {"name": "x", "ask_for_signatures_after_days": 0}),
    ("POST", "/keys", {"name": "mine", "scopes": ["admin"]}),
    ("POST", "/keys/{key}/revoke", None),
)


@pytest.mark.parametrize(("method", "path", "body"), ADMINS_ONLY)
async def test_who_writes_campaigns_shuts_no_app_out(
    service: Service, method: str, path: str, body: Any
) -> None:
    source = await service.post("/sources", {"name": "app"})
    (key,) = (await service.get(f"/sources/{source['id']}/write-keys"))["data"]
    before = await service.get(f"/sources/{source['id']}")
    writer = await service.make_key(Scope.WRITE)
    path = path.format(source=source["id"], key=key["id"])
    answer = await service.ask(method, path, body, key=writer)
    assert (answer.status, answer.json["code"]) == (403, "forbidden")
    assert "admin" in answer.json["message"]
    assert await service.get(f"/sources/{source['id']}") == before
    renamed = await service.ask("PATCH", f"/sources/{source['id']}", {"name": "y"}, key=writer)
    assert (renamed.status, renamed.json["name"]) == (200, "y")


async def test_the_workspace_is_renamed_and_its_stale_days_set(service: Service) -> None:
    assert (await service.get("/workspace"))["stale_after_days"] == 60
    changed = await service.ask("PATCH", "/workspace", {"stale_after_days": 90, "name": "Shop"})
    assert (changed.json["name"], changed.json["stale_after_days"]) == ("Shop", 90)
    for days in (0, 366, 1.5, "60", None, True):
        refused = await service.ask("PATCH", "/workspace", {"stale_after_days": days})
        assert refused.status == 422
        assert refused.json["faults"][0]["field"] == "stale_after_days"
    assert await service.get("/workspace") == changed.json


async def test_the_workspace_has_a_time_zone(service: Service) -> None:
    assert (await service.get("/workspace"))["time_zone"] == "UTC"
    for zone in ("Europe/Wien", "europe/vienna", "CEST", "+01:00", "", "localtime", 1, None):
        refused = await service.ask("PATCH", "/workspace", {"time_zone": zone})
        assert (refused.status, refused.json["faults"][0]["field"]) == (422, "time_zone")
    assert (await service.get("/workspace"))["time_zone"] == "UTC"
    changed = await service.ask("PATCH", "/workspace", {"time_zone": "Europe/Vienna"})
    assert changed.json["time_zone"] == "Europe/Vienna"
    assert await service.get("/workspace") == changed.json


async def test_an_event_that_is_not_taken_in_yet_says_so(service: Service) -> None:
    missing = await service.ask("GET", "/events/not-yet")
    assert missing.status == 404
    assert "taken in" in missing.json["message"]


async def test_one_workspaces_key_sees_nothing_of_another(service: Service) -> None:
    key = await write_key_of(service)
    await service.send(key, register("m1", "D1", "t1", user="ada"))
    made = await service.post("/campaigns", CAMPAIGN)
    (source,) = (await service.get("/sources"))["data"]
    (app,) = (await service.get("/firebase-apps"))["data"]
    (own,) = (await service.get("/keys"))["data"]
    stranger = await service.make_key_elsewhere()
    for path in (
        "/customers/ada",
        "/customers/ada/events",
        "/customers/ada/devices/history",
        "/devices/D1",
        "/devices/D1/history",
        "/events/m1",
        f"/campaigns/{made['id']}",
        f"/campaigns/{made['id']}/report",
        f"/deliveries?campaign={made['id']}",
        f"/sources/{source['id']}",
        f"/sources/{source['id']}/refusals",
        f"/firebase-apps/{app['id']}",
    ):
        assert (await service.ask("GET", path, key=stranger)).status == 404, path
    for path in (
        f"/campaigns/{made['id']}/cancel",
        f"/campaigns/{made['id']}/preview",
        f"/sources/{source['id']}/revoke",
        f"/firebase-apps/{app['id']}/pause",
        f"/keys/{own['id']}/revoke",
    ):
        assert (await service.ask("POST", path, key=stranger)).status == 404, path
    assert (await service.ask("DELETE", f"/firebase-apps/{app['id']}", key=stranger)).status == 404
    for path in ("/customers", "/devices", "/events", "/campaigns", "/sources", "/firebase-apps"):
        assert (await service.get(path, key=stranger))["data"] == [], path
