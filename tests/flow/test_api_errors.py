"""Every error of the API: one code, one status, and nothing in it that nobody should see."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import update

from clarion.accounts.actor import Scope
from clarion.brokers.database import DatabaseBroker
from clarion.clock import SystemClock
from clarion.events.backpressure import DISK_LOW
from clarion.faults import Rejected
from clarion.storage.database import Database
from clarion.storage.schema import campaigns
from clarion.storage.vault import Vault
from clarion.web.api import create_api
from clarion.web.api.bodies import BODY_BYTES_MAX
from clarion.web.api.description.description import describe
from clarion.web.api.description.examples import EXAMPLES
from clarion.web.api.errors import ERRORS, ErrorCode
from support.api import Service, assert_is, service_on_sqlite
from support.clock import FakeClock
from support.provider import MemoryProvider

CAMPAIGN = {"name": "Spring", "content": {"title": "Hi"}, "audience": {"everyone": True}}
NOBODY = "01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70"
LOST = "postgresql://nobody@127.0.0.1:1/none"


@pytest.fixture
async def service(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Service]:
    async with service_on_sqlite(tmp_path, clock) as service:
        yield service


def test_every_code_has_a_meaning_and_a_cure() -> None:
    assert set(ERRORS) == set(ErrorCode)
    for code, error in ERRORS.items():
        assert code.value == code.name.lower()
        assert error.meaning.endswith(".") and error.cure.endswith("."), code


AUTHORIZATIONS = (
    None,
    "Bearer",
    "Bearer clk_",
    "Bearer clk_wrong",
    "Bearer clk_ключ",
    "Basic Y2xrX3dyb25nOg==",
    "clk_wrong",
)


async def test_without_a_good_key_nothing_is_answered(service: Service) -> None:
    for authorization in AUTHORIZATIONS:
        headers = {} if authorization is None else {"Authorization": authorization.encode()}
        answer = await service.ask("GET", "/customers", key="", headers=headers)
        assert_is(answer, ErrorCode.UNAUTHORIZED)
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert "clk_wrong" not in answer.text


async def test_a_write_key_is_no_api_key(service: Service) -> None:
    (source,) = (await service.get("/sources"))["data"]
    answer = await service.ask("GET", "/customers", key=source["write_key"])
    assert_is(answer, ErrorCode.UNAUTHORIZED)


async def test_a_key_of_another_scope_is_forbidden_and_told_which_it_needs(
    service: Service,
) -> None:
    key = await service.make_key(Scope.READ)
    answer = await service.ask("POST", "/sources", {"name": "x"}, key=key)
    assert_is(answer, ErrorCode.FORBIDDEN)
    assert "write" in answer.json["message"]


async def test_who_lacks_the_scope_that_is_described_is_forbidden(service: Service) -> None:
    """The description says it; who checks it is the command or the query."""
    (source,) = (await service.get("/sources"))["data"]
    reader, writer = await service.make_key(Scope.READ), await service.make_key(Scope.WRITE)
    lesser = {"write": reader, "admin": writer}
    document, tried = describe(), 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            scope = re.search(r"Needs the scope `(\w+)`", operation["description"])
            content = operation.get("requestBody", {}).get("content", {})
            kind = content.get("application/json", {}).get("schema", {}).get("$ref", "")
            if scope is None or scope[1] not in lesser:
                continue
            body = EXAMPLES.get(kind.rpartition("/")[2], {}) if kind else None
            place = path.removeprefix("/api/v1").replace("{kind}", "customers")
            place = place.replace("{service}", "pinpoint")
            place = re.sub(r"\{\w+\}", source["id"], place)
            answer = await service.ask(method.upper(), place, body, key=lesser[scope[1]])
            assert_is(answer, ErrorCode.FORBIDDEN)
            assert f"the scope {scope[1]}" in answer.json["message"], (method, path)
            tried += 1
    assert tried > 30


NOT_THERE = (
    ("GET", "/nothing"),
    ("GET", "/customers//events"),
    ("GET", "/customers/nobody"),
    ("GET", "/customers/a/b/c"),
    ("GET", "/customers/%ff"),
    ("GET", "/devices/nothing"),
    ("GET", "/devices/nothing/history"),
    ("GET", "/events/nothing"),
    ("GET", "/events/%00"),
    ("GET", f"/campaigns/{NOBODY}"),
    ("GET", "/campaigns/no-id"),
    ("GET", f"/campaigns/{NOBODY}/report"),
    ("POST", f"/campaigns/{NOBODY}/cancel"),
    ("GET", f"/deliveries?campaign={NOBODY}"),
    ("GET", f"/sources/{NOBODY}/refusals"),
    ("GET", "/sources/no-id"),
    ("POST", f"/keys/{NOBODY}/revoke"),
    ("DELETE", f"/firebase-apps/{NOBODY}"),
    ("POST", f"/firebase-apps/{NOBODY}/resume"),
    ("GET", "/docs/more"),
)


async def test_what_is_not_there_is_not_found(service: Service) -> None:
    for method, path in NOT_THERE:
        assert_is(await service.ask(method, path), ErrorCode.NOT_FOUND)


async def test_a_slash_at_the_end_is_none(service: Service) -> None:
    assert await service.get("/customers/") == await service.get("/customers")


async def test_paths_beside_the_api_are_not_found_either(service: Service) -> None:
    assert_is(await service.ask("GET", "/nowhere"), ErrorCode.NOT_FOUND)


async def test_another_method_is_told_which_there_are(service: Service) -> None:
    for method, path in (("PUT", "/customers"), ("DELETE", "/events/x"), ("POST", "/workspace")):
        answer = await service.ask(method, path)
        assert_is(answer, ErrorCode.METHOD_NOT_ALLOWED)
        assert "GET" in answer.headers["allow"]


MALFORMED = (
    b"",
    b"   ",
    b"{",
    b"[]",
    b'"text"',
    b"null",
    b'{"name": "x"} more',
    b'{"name": "\xff"}',
    b'{"name": "\\ud800"}',
    b'{"name": "a\\u0000b"}',
    b"\x1f\x8b\x08\x00",
)


@pytest.mark.parametrize("path", ["/sources", "/campaigns"])
async def test_a_body_that_is_no_object_is_malformed(service: Service, path: str) -> None:
    for raw in MALFORMED:
        assert_is(await service.ask("POST", path, raw=raw), ErrorCode.MALFORMED)


@pytest.mark.parametrize(
    "name", [b"1e999", b"123456789012345678901234567890", b"[" * 5_000 + b"]" * 5_000]
)
async def test_a_value_that_is_no_name_is_never_a_defect(service: Service, name: bytes) -> None:
    for path in ("/sources", "/campaigns"):
        answer = await service.ask("POST", path, raw=b'{"name": ' + name + b"}")
        assert answer.status in (400, 422), answer.text


async def test_a_text_about_the_forbidden_character_is_none(service: Service) -> None:
    made = await service.ask("POST", "/sources", raw=b'{"name": "about \\\\u0000"}')
    assert made.json["name"] == "about \\u0000"


async def test_a_body_too_large_is_refused_whole(service: Service) -> None:
    body = b'{"name": "' + b"x" * BODY_BYTES_MAX + b'"}'
    for path in ("/sources", "/campaigns", "/firebase-apps"):
        assert_is(await service.ask("POST", path, raw=body), ErrorCode.BODY_TOO_LARGE)


async def test_a_body_too_large_is_refused_when_its_length_is_not_told(service: Service) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * (BODY_BYTES_MAX // 10)

    transport = httpx.ASGITransport(app=service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://clarion.test") as client:
        answer = await client.post(
            "/api/v1/sources",
            content=pieces(),
            headers={"Authorization": f"Bearer {service.key}"},
        )
    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/sources", {}, "name"),
        ("/sources", {"name": 5}, "name"),
        ("/sources", {"name": " "}, "name"),
        ("/sources", {"name": "x" * 201}, "name"),
        ("/sources", {"name": "x", "colour": "red"}, "colour"),
        ("/sources", {"name": "x", "firebase_app_id": "no-id"}, "firebase_app_id"),
        ("/sources", {"name": "x", "firebase_app_id": NOBODY}, "firebase_app_id"),
        ("/keys", {"name": "x", "scopes": []}, "scopes"),
        ("/keys", {"name": "x", "scopes": ["root"]}, "scopes[0]"),
        ("/keys", {"name": "x", "scopes": "read"}, "scopes"),
    ],
)
async def test_a_wrong_field_is_named(
    service: Service, path: str, body: dict[str, Any], field: str
) -> None:
    answer = await service.ask("POST", path, body)
    assert_is(answer, ErrorCode.INVALID)
    assert [fault["field"] for fault in answer.json["faults"]] == [field]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/customers?limit=0", "limit"),
        ("/customers?limit=501", "limit"),
        ("/customers?limit=many", "limit"),
        ("/customers?limits=5", "limits"),
        ("/workspace?verbose=1", "verbose"),
        ("/customers?clk_0123456789012345678901234567890123456789=1", "query"),
        ("/deliveries", "campaign"),
        ("/deliveries?campaign=no-id", "campaign"),
        (f"/deliveries?campaign={NOBODY}&state=lost", "state"),
    ],
)
async def test_a_wrong_parameter_is_named(service: Service, path: str, field: str) -> None:
    answer = await service.ask("GET", path)
    assert_is(answer, ErrorCode.INVALID)
    assert [fault["field"] for fault in answer.json["faults"]] == [field]


async def test_who_misspells_a_parameter_or_its_word_is_told_what_there_is(
    service: Service,
) -> None:
    answer = await service.ask("GET", "/customers?limits=5&coursor=x")
    assert [fault["field"] for fault in answer.json["faults"]] == ["coursor", "limits"]
    for fault in answer.json["faults"]:
        assert "cursor" in fault["message"] and "limit" in fault["message"]
    (source,) = [(await service.ask("POST", "/sources", {"name": "app"})).json]
    answer = await service.ask("GET", f"/sources/{source['id']}/events?only=lost")
    assert_is(answer, ErrorCode.INVALID)
    [fault] = answer.json["faults"]
    assert fault["message"] == "must be one of accepted, duplicate, refused, warning"


@pytest.mark.parametrize(
    ("limit", "told"),
    [("0", "must be at least 1"), ("501", "must be at most 500"), ("x", "must be a whole number")],
)
async def test_a_number_out_of_bounds_is_told_its_bound(
    service: Service, limit: str, told: str
) -> None:
    answer = await service.ask("GET", f"/customers?limit={limit}")
    assert [fault["message"] for fault in answer.json["faults"]] == [told]


CURSORS = (
    "", "!", "AAAA", "-1", "zw", "xBAA", "92D______w", "ks8", "%00", "%ff", "x" * 5_000,
)  # fmt: skip


@pytest.mark.parametrize("path", ["/customers", "/devices", "/events", "/campaigns", "/deliveries"])
async def test_a_cursor_of_ones_own_making_is_refused(service: Service, path: str) -> None:
    query = "?"
    if path == "/deliveries":
        made = await service.post("/campaigns", CAMPAIGN)
        query = f"?campaign={made['id']}&"
    for cursor in CURSORS:
        assert_is(await service.ask("GET", f"{path}{query}cursor={cursor}"), ErrorCode.CURSOR)


async def test_a_cursor_of_another_list_is_refused(service: Service) -> None:
    for name in ("one", "two"):
        await service.post("/campaigns", CAMPAIGN | {"name": name})
    cursor = (await service.get("/campaigns?limit=1"))["next"]
    assert_is(await service.ask("GET", f"/events?cursor={cursor}"), ErrorCode.CURSOR)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": "authorized_user"}, "type"),
        ({"project_id": None}, "project_id"),
        ({"private_key": "-----BEGIN PRIVATE KEY-----\nsecret\n-----END"}, "private_key"),
        ({"client_email": "nobody"}, "client_email"),
        ({"token_uri": "x"}, "token_uri"),
    ],
)
async def test_a_broken_service_account_is_refused_without_telling_it(
    service: Service, change: dict[str, Any], field: str
) -> None:
    account = {
        "type": "service_account",
        "project_id": "shop",
        "private_key": "not a key",
        "client_email": "a@b.example",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    answer = await service.ask("POST", "/firebase-apps", account | change)
    assert_is(answer, ErrorCode.INVALID_CREDENTIALS)
    assert field in {fault["field"] for fault in answer.json["faults"]}
    assert "BEGIN" not in answer.text and "secret" not in answer.text


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff", b"x" * 70_000])
async def test_what_is_no_file_of_firebase_is_refused(service: Service, raw: bytes) -> None:
    answer = await service.ask("POST", "/firebase-apps", raw=raw)
    assert_is(answer, ErrorCode.INVALID_CREDENTIALS)


async def test_a_defect_is_told_by_an_id_and_logged_by_it(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    made = await service.post("/campaigns", CAMPAIGN)
    async with service.database.write() as connection:  # what no code of ours has written
        await connection.execute(
            update(campaigns).where(campaigns.c.id == UUID(made["id"])).values(state="nonsense")
        )
    answer = await service.ask("GET", f"/campaigns/{made['id']}")
    assert_is(answer, ErrorCode.INTERNAL)
    assert "nonsense" not in answer.text and "Error" not in answer.text
    defect_id = answer.json["message"].split()[-1].rstrip(".")
    written = capsys.readouterr()
    assert defect_id in written.out + written.err
    assert "nonsense" in written.out + written.err


async def test_a_lost_database_asks_to_come_again() -> None:
    database = Database(LOST)
    clock = SystemClock()
    broker = DatabaseBroker(database, clock)
    vault = Vault(Fernet.generate_key())
    api = create_api(database, broker, clock, MemoryProvider(), vault)
    transport = httpx.ASGITransport(app=api)
    async with httpx.AsyncClient(transport=transport, base_url="http://clarion.test") as client:
        for path in ("/api/v1/customers", "/readyz"):
            headers = {"Authorization": "Bearer clk_x"}
            answer = await client.get(path, headers=headers)
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            assert answer.json()["code"] == "unavailable"
            assert "127.0.0.1" not in answer.text
        assert (await client.get("/livez")).json() == {"success": True}
    await broker.close()
    await database.close()


async def test_a_disk_without_room_is_not_ready_but_alive(service: Service) -> None:
    async def shortage() -> Rejected:
        return DISK_LOW

    api = create_api(
        service.database,
        service.world.broker,
        service.clock,
        service.provider,
        service.world.vault,
        shortage=shortage,
    )
    transport = httpx.ASGITransport(app=api)
    async with httpx.AsyncClient(transport=transport, base_url="http://clarion.test") as client:
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["message"]) == (503, DISK_LOW.message)
        assert (await client.get("/livez")).status_code == 200


async def test_a_lost_broker_is_not_ready_but_alive(service: Service) -> None:
    lost = Database(LOST)
    broker = DatabaseBroker(lost, service.clock)
    api = create_api(service.database, broker, service.clock, service.provider, service.world.vault)
    transport = httpx.ASGITransport(app=api)
    async with httpx.AsyncClient(transport=transport, base_url="http://clarion.test") as client:
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert "broker" in json.loads(answer.text)["message"]
        assert (await client.get("/livez")).status_code == 200
    await broker.close()
    await lost.close()


async def test_health_is_asked_without_a_key(service: Service) -> None:
    for path in ("/livez", "/readyz"):
        answer = await service.ask("GET", path, key="")
        assert (answer.status, answer.json) == (200, {"success": True})
