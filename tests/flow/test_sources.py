"""What a source may: several keys, how fast, from which pages; and how a mistake is undone."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from clarion.accounts.actor import Scope
from clarion.events.collector import CollectorOptions
from clarion.sources.auth_result import TooFast
from clarion.sources.authenticator import WriteKeyOptions
from clarion.sources.rate_limit import BYTES_OF_EVENT
from clarion.sources.source import VALID_KEYS_MAX
from clarion.storage.database import Database
from clarion.web.api.errors import ErrorCode
from support.api import Answer, Service, assert_is
from support.clock import FakeClock
from support.station import track

DAY = 86_400
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what no database decides."""
AT_ONCE = CollectorOptions(authenticator=WriteKeyOptions(remembered_seconds=0))


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock, collector_options=AT_ONCE) as service:
        yield service


@pytest.fixture
async def source(service: Service) -> dict[str, Any]:
    """The only one there is, made a minute ago."""
    (found,) = (await service.get("/sources"))["data"]
    service.clock.advance(60)
    return dict(found)


async def sent(service: Service, write_key: str, message_id: str = "m") -> int:
    """What an app hears that sends with this key."""
    return (await service.try_to_send(write_key, track(message_id))).status


async def keys_of(service: Service, source: dict[str, Any]) -> list[dict[str, Any]]:
    return list((await service.get(f"/sources/{source['id']}/write-keys"))["data"])


async def test_a_new_source_has_a_limit_unless_it_is_made_without(service: Service) -> None:
    made = await service.ask("POST", "/sources", {"name": "usual"})
    assert made.json["rate_limit"] == {"events_per_second": 1_000, "burst": 20_000}
    own = {"events_per_second": 5, "burst": 7}
    made = await service.ask("POST", "/sources", {"name": "own", "rate_limit": own})
    assert made.json["rate_limit"] == own
    made = await service.ask("POST", "/sources", {"name": "none", "rate_limit": None})
    assert made.json["rate_limit"] is None
    wrong = {"name": "wrong", "rate_limit": {"events_per_second": 0}}
    assert_is(await service.ask("POST", "/sources", wrong), ErrorCode.INVALID)


async def change(service: Service, source: dict[str, Any], **fields: Any) -> Answer:
    return await service.ask("PATCH", f"/sources/{source['id']}", fields)


# --- keys -----------------------------------------------------------------------------------


async def test_after_rotating_both_keys_send_until_the_former_is_retired(
    service: Service, source: dict[str, Any]
) -> None:
    path = f"/sources/{source['id']}/write-keys"
    former = source["write_key"]
    made = await service.post(path)
    assert made["write_key"] != former
    assert (await service.get(f"/sources/{source['id']}"))["write_key"] == made["write_key"]
    assert await sent(service, former, "m1") == 200
    assert await sent(service, made["write_key"], "m2") == 200
    first, second = await keys_of(service, source)
    assert (first["write_key"], second["write_key"]) == (former, made["write_key"])

    retired = await service.post(f"{path}/{first['id']}/retire")
    assert retired["retires_at"] is not None
    assert await sent(service, former) == 401
    assert await sent(service, made["write_key"]) == 200

    assert (await service.post(f"{path}/{first['id']}/restore"))["retires_at"] is None
    assert await sent(service, former) == 200
    events = (await service.get("/customers/u/events"))["data"]
    assert {event["source_id"] for event in events} == {source["id"]}


@on_sqlite
async def test_a_former_key_ends_by_itself_when_its_days_are_over(
    service: Service, source: dict[str, Any]
) -> None:
    await service.post(f"/sources/{source['id']}/write-keys", {"retire_former_after_days": 90})
    service.clock.advance(90 * DAY - 1)
    assert await sent(service, source["write_key"]) == 200
    service.clock.advance(1)
    assert await sent(service, source["write_key"]) == 401


@on_sqlite
async def test_a_key_may_be_retired_in_some_days_and_that_be_taken_back(
    service: Service, source: dict[str, Any]
) -> None:
    path = f"/sources/{source['id']}/write-keys"
    await service.post(path)
    first, _ = await keys_of(service, source)
    await service.post(f"{path}/{first['id']}/retire", {"after_days": 1})
    assert await sent(service, source["write_key"]) == 200
    await service.post(f"{path}/{first['id']}/restore")
    service.clock.advance(2 * DAY)
    assert await sent(service, source["write_key"]) == 200


async def test_a_keys_last_use_is_shown(service: Service, source: dict[str, Any]) -> None:
    path = f"/sources/{source['id']}/write-keys"
    await service.post(path)
    await service.try_to_send(source["write_key"], track("m1"))
    await service.collector.close()  # what was used is written down aside
    first, second = await keys_of(service, source)
    assert (first["last_used_at"], second["last_used_at"]) == ("2026-03-01T12:01:00Z", None)
    service.clock.advance(59)
    await service.try_to_send(source["write_key"], track("m2"))
    await service.collector.close()
    assert (await keys_of(service, source))[0]["last_used_at"] == "2026-03-01T12:01:00Z"
    service.clock.advance(1)
    await service.try_to_send(source["write_key"], track("m3"))
    await service.collector.close()
    assert (await keys_of(service, source))[0]["last_used_at"] == "2026-03-01T12:02:00Z"


@on_sqlite
async def test_an_app_that_still_has_a_retired_key_is_seen(
    service: Service, source: dict[str, Any]
) -> None:
    path = f"/sources/{source['id']}/write-keys"
    await service.post(path)
    first, _ = await keys_of(service, source)
    await service.post(f"{path}/{first['id']}/retire")
    service.clock.advance(DAY)
    assert await sent(service, source["write_key"]) == 401
    await service.collector.close()
    assert (await keys_of(service, source))[0]["last_used_at"] == "2026-03-02T12:01:00Z"


@on_sqlite
async def test_the_last_key_that_stands_is_not_retired_by_mistake(
    service: Service, source: dict[str, Any]
) -> None:
    path = f"/sources/{source['id']}/write-keys"
    (only,) = await keys_of(service, source)
    assert_is(await service.ask("POST", f"{path}/{only['id']}/retire"), ErrorCode.SOURCE_KEYS)
    made = await service.post(path, {"retire_former_after_days": 1})
    answer = await service.ask("POST", f"{path}/{made['id']}/retire")
    assert_is(answer, ErrorCode.SOURCE_KEYS)
    assert await sent(service, made["write_key"]) == 200


@on_sqlite
async def test_a_source_has_no_more_keys_than_anybody_can_watch(
    service: Service, source: dict[str, Any]
) -> None:
    path = f"/sources/{source['id']}/write-keys"
    for _ in range(VALID_KEYS_MAX - 1):
        await service.post(path)
    assert_is(await service.ask("POST", path), ErrorCode.SOURCE_KEYS)
    first = (await keys_of(service, source))[0]
    await service.post(f"{path}/{first['id']}/retire")
    await service.post(path)
    answer = await service.ask("POST", f"{path}/{first['id']}/restore")
    assert_is(answer, ErrorCode.SOURCE_KEYS)


async def test_a_revoked_source_is_restored_with_the_keys_that_stood(
    service: Service, source: dict[str, Any]
) -> None:
    path = f"/sources/{source['id']}"
    made = await service.post(f"{path}/write-keys", {"retire_former_after_days": 0})
    await service.post(f"{path}/revoke")
    assert await sent(service, made["write_key"]) == 401
    assert (await service.post(f"{path}/restore"))["revoked_at"] is None
    assert await sent(service, made["write_key"]) == 200
    assert await sent(service, source["write_key"]) == 401


@on_sqlite
async def test_keys_of_another_workspace_and_of_another_source_are_not_there(
    service: Service, source: dict[str, Any]
) -> None:
    (key,) = await keys_of(service, source)
    other = await service.post("/sources", {"name": "other"})
    stranger = await service.make_key_elsewhere()
    for path, api_key in (
        (f"/sources/{source['id']}/write-keys", stranger),
        (f"/sources/{source['id']}/write-keys/{key['id']}/retire", stranger),
        (f"/sources/{other['id']}/write-keys/{key['id']}/retire", None),
        (f"/sources/{source['id']}/identity-secrets", stranger),
    ):
        assert_is(await service.ask("POST", path, key=api_key), ErrorCode.NOT_FOUND)
    reader = await service.make_key(Scope.WRITE)
    answer = await service.ask("POST", f"/sources/{source['id']}/identity-secrets", key=reader)
    assert_is(answer, ErrorCode.FORBIDDEN)
    for days in (-1, 4_000):
        answer = await service.ask(
            "POST", f"/sources/{source['id']}/write-keys", {"retire_former_after_days": days}
        )
        assert_is(answer, ErrorCode.INVALID)


# --- limits ---------------------------------------------------------------------------------


@on_sqlite
async def test_the_limit_counts_bytes_beside_events_wherever_they_come_from(
    service: Service, source: dict[str, Any]
) -> None:
    """Large events, a context that is copied into each, and a body that can not be read."""
    key = source["write_key"]
    await change(service, source, rate_limit={"events_per_second": 10, "burst": 20})
    large = track("m1", properties={"text": "x" * 20 * BYTES_OF_EVENT})
    small = {"batch": [track(f"c{number}") for number in range(15)], "context": {"a": "x" * 8_000}}
    for body in (large, small, b"{" + b" " * 20 * BYTES_OF_EVENT):
        service.clock.advance(60)
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        taken = await service.collector.collect(
            raw, write_key=key, type_hint=None if body is small else "track"
        )
        assert not isinstance(taken, TooFast)
        assert await sent(service, key) == 429, raw[:20]


@on_sqlite
async def test_a_call_over_the_rate_limit_is_answered_with_retry_after(
    service: Service, source: dict[str, Any]
) -> None:
    limit = {"events_per_second": 2, "burst": 3}
    assert (await change(service, source, rate_limit=limit)).json["rate_limit"] == limit
    key = source["write_key"]
    batch = [track(f"m{number}") for number in range(7)]
    page = {"Origin": "https://shop.example"}
    assert (await service.try_to_send(key, *batch)).status == 200, "larger than the burst"
    for _ in range(2):
        answer = await service.try_to_send(key, track("again"), headers=page)
        assert (answer.status, answer.json["code"]) == (429, "too_fast")
        assert answer.json["message"]
        assert answer.headers["retry-after"] == answer.headers["x-ratelimit-reset"] == "3"
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert "Retry-After" in answer.headers["access-control-expose-headers"]
    service.clock.set_back(3_600)  # a limit counts what has passed, whatever the clock says
    service.clock.advance(2)
    assert await sent(service, key) == 429
    service.clock.advance(1)
    assert await sent(service, key) == 200
    events = (await service.get("/customers/u/events"))["data"]
    assert len(events) == 8, "nothing of a refused call is kept"


@on_sqlite
async def test_each_key_has_a_limit_of_its_own_and_none_once_it_is_ended(
    service: Service, source: dict[str, Any]
) -> None:
    other = await service.post(f"/sources/{source['id']}/write-keys")
    answer = await change(service, source, rate_limit={"events_per_second": 1, "burst": 1})
    assert answer.status == 200
    assert [await sent(service, source["write_key"]) for _ in range(2)] == [200, 429]
    assert await sent(service, other["write_key"]) == 200
    assert (await change(service, source, rate_limit=None)).json["rate_limit"] is None
    assert [await sent(service, source["write_key"]) for _ in range(3)] == [200] * 3


@on_sqlite
async def test_a_limit_that_can_not_be_is_refused(service: Service, source: dict[str, Any]) -> None:
    given = await change(service, source, rate_limit={"events_per_second": 10})
    assert given.json["rate_limit"] == {"events_per_second": 10, "burst": 50}
    for wrong in ({"events_per_second": 0}, {"events_per_second": 1, "burst": 0}, {"burst": 5}):
        assert_is(await change(service, source, rate_limit=wrong), ErrorCode.INVALID)
    assert (await service.get(f"/sources/{source['id']}"))["rate_limit"]["burst"] == 50


# --- origins --------------------------------------------------------------------------------


@on_sqlite
async def test_only_pages_of_allowed_origins_send_and_apps_go_on(
    service: Service, source: dict[str, Any]
) -> None:
    origins = ["https://shop.example", "https://*.shop.example"]
    told = await change(service, source, allowed_origins=[*origins, "HTTPS://SHOP.example/"])
    assert told.json["allowed_origins"] == origins
    key = source["write_key"]
    for origin in ("https://shop.example", "https://m.shop.example"):
        answer = await service.try_to_send(key, track(origin), headers={"Origin": origin})
        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == origin
    assert await sent(service, key, "an app") == 200
    for origin in ("https://evil.example", "null", "http://shop.example"):
        answer = await service.try_to_send(key, track("m"), headers={"Origin": origin})
        assert (answer.status, answer.json["code"]) == (403, "origin_not_allowed")
        assert answer.json["message"]
        assert answer.headers["access-control-allow-origin"] == origin, "else no page could read it"
    assert len((await service.get("/customers/u/events"))["data"]) == 3
    assert (await change(service, source, allowed_origins=[])).json["allowed_origins"] == []
    answer = await service.try_to_send(key, track("m"), headers={"Origin": "https://evil.example"})
    assert answer.status == 200


@on_sqlite
async def test_what_is_no_origin_is_refused_by_its_place(
    service: Service, source: dict[str, Any]
) -> None:
    answer = await change(
        service, source, allowed_origins=["https://shop.example", "shop.example", "*"]
    )
    assert_is(answer, ErrorCode.INVALID)
    assert [fault["field"] for fault in answer.json["faults"]] == [
        "allowed_origins[1]",
        "allowed_origins[2]",
    ]
