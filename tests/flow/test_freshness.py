"""Registrations by how long ago they were refreshed; what a sweep would remove, and what it did."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from clarion.customers.devices.freshness.sweeper import Sweeper
from clarion.storage.database import Database
from clarion.web.api.errors import ErrorCode
from support.api import Service, assert_is, register
from support.clock import FakeClock

DAY = timedelta(days=1).total_seconds()


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


async def source(service: Service) -> str:
    return str((await service.get("/sources"))["data"][0]["write_key"])


async def aged(service: Service) -> str:
    """D1 registered 70 days ago, D2 40 days ago, D3 (on the Web) now."""
    key = await source(service)
    await service.send(key, register("m1", "D1", "token-1", user="ada"))
    service.clock.advance(30 * DAY)
    await service.send(key, register("m2", "D2", "token-2", user="bob"))
    service.clock.advance(40 * DAY)
    await service.send(key, register("m3", "D3", "token-3", user="cy", platform="Web"))
    return key


def ids(page: dict[str, Any]) -> list[str]:
    return [one["device_id"] for one in page["data"]]


async def sweep(service: Service) -> int:
    return await Sweeper(service.database, service.clock).step()


async def test_cohorts_show_what_does_not_refresh(service: Service) -> None:
    await aged(service)
    told = await service.get("/freshness?by=platform")
    assert (told["due_after_days"], told["stale_after_days"]) == (30, 60)
    android, web = told["cohorts"]
    assert android == {
        "value": "Android", "fresh": 0, "due": 1, "stale": 1, "removed": 0, "fresh_share": 0.0,
        "notifications_off": 0,
    }  # fmt: skip
    assert (web["value"], web["fresh"], web["fresh_share"]) == ("Web", 1, 1.0)
    (by_source,) = (await service.get("/freshness?by=source"))["cohorts"]
    assert (by_source["fresh"], by_source["due"], by_source["stale"]) == (1, 1, 1)
    assert by_source["value"] == (await service.get("/sources"))["data"][0]["name"]


async def test_cohorts_by_app_version_show_the_app_that_does_not_refresh(service: Service) -> None:
    key = await aged(service)
    context = {"app": {"version": "2.1"}, "locale": "de"}
    await service.send(key, register("m4", "D2", "token-2", user="bob") | {"context": context})
    told = (await service.get("/freshness?by=app_version"))["cohorts"]
    assert [(one["value"], one["fresh"], one["stale"]) for one in told] == [
        (None, 1, 1),
        ("2.1", 1, 0),
    ]
    device = await service.get("/devices/D2")
    assert device["facts"]["app_version"] == "2.1"
    assert device["facts"]["push_permission"] is None
    (only,) = device["registrations"]
    assert (only["token_kind"], only["state"], device["cure"]) == ("fcm", "active", None)


async def test_cohorts_and_devices_tell_whose_notifications_are_off(service: Service) -> None:
    key = await aged(service)
    for number, enabled in enumerate(("false", "true", "false")):
        told = register(f"off-{number}", "D1", "token-1", user="ada")
        told["properties"]["push_enabled"] = enabled
        await service.send(key, told)
    (android, web) = (await service.get("/freshness?by=platform"))["cohorts"]
    assert (android["notifications_off"], web["notifications_off"]) == (1, 0)
    device = await service.get("/devices/D1")
    assert device["facts"]["push_permission"] == "denied"
    assert "notifications" in device["cure"]
    assert (await service.get("/devices/D2"))["cure"] is None


async def test_a_preview_tells_what_the_next_sweep_removes_and_removes_nothing(
    service: Service,
) -> None:
    await aged(service)
    preview = await service.get("/freshness/preview")
    assert (preview["devices"], preview["platforms"]) == (1, {"Android": 1})
    assert ids(await service.get("/freshness/stale")) == ["D1"]
    assert (await service.get("/devices/D1"))["state"] == "active"
    assert await sweep(service) == preview["devices"]
    assert ids(await service.get("/freshness/stale")) == []
    assert (await service.get("/devices/D1"))["reason"] == "stale"


async def test_a_preview_answers_for_another_setting_and_for_later(service: Service) -> None:
    await aged(service)
    assert (await service.get("/freshness/preview?stale_after_days=35"))["devices"] == 2
    assert (await service.get("/freshness/preview?in_days=25"))["devices"] == 2
    assert (await service.get("/freshness/preview?in_days=365"))["devices"] == 3
    stale = await service.every("/freshness/stale?in_days=365", limit=1)
    assert [one["device_id"] for one in stale] == ["D1", "D2", "D3"]
    assert_is(
        await service.ask("GET", "/freshness/preview?stale_after_days=366"), ErrorCode.INVALID
    )


async def test_a_sweep_is_reported_and_what_comes_back_lives_again(service: Service) -> None:
    key = await aged(service)
    await sweep(service)
    (swept,) = (await service.get("/freshness/swept"))["data"]
    assert (swept["device_id"], swept["customer"]["user_id"]) == ("D1", "ada")
    (day,) = (await service.get("/freshness/swept/days"))["data"]
    assert day["removed"] == 1
    assert day["day"].endswith("T00:00:00Z")
    assert swept["at"].startswith(day["day"][:10])
    (android, _) = (await service.get("/freshness?by=platform"))["cohorts"]
    assert (android["stale"], android["removed"]) == (0, 1)
    await service.send(key, register("m4", "D1", "token-1", user="ada"))
    (android, _) = (await service.get("/freshness?by=platform"))["cohorts"]
    assert (android["fresh"], android["removed"]) == (1, 0)
    assert (await service.get("/devices/D1"))["state"] == "active"


async def test_nothing_is_due_later_than_it_is_stale(service: Service) -> None:
    await aged(service)
    await service.ask("PATCH", "/workspace", {"stale_after_days": 10})
    told = await service.get("/freshness?by=platform")
    assert (told["due_after_days"], told["stale_after_days"]) == (10, 10)
    assert [(one["due"], one["stale"]) for one in told["cohorts"]] == [(0, 2), (0, 0)]
