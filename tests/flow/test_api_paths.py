"""Whatever an app calls a person, a device or a message: the API finds it under that name."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from clarion.web.server import WebServer, bind
from support.api import Service, register, service_on_sqlite
from support.clock import FakeClock
from support.wire import line, request

NAMES = (
    "plain",
    "a/b",
    "a//b",
    "/leading",
    "trailing/",
    "two words",
    "100%",
    "%2F",
    "%252F",
    "a+b",
    "a&b=c",
    "what?",
    "part#1",
    "semi;colon",
    "ada@example.com",
    "Ünïcödé/ñ",
    "日本語 🎉",
    "back\\slash",
    '"quoted"',
    "{user_id:str}",
    "a/events",
    "a/devices/history",
    "events",
    "x" * 255,
    "ü/" * 100,
)


@pytest.fixture
async def service(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Service]:
    async with service_on_sqlite(tmp_path, clock) as service:
        (source,) = (await service.get("/sources"))["data"]
        await service.send(
            source["write_key"],
            *(
                register(f"{name[:90]}:m", f"{name[:200]}:d", f"t{index}", user=name)
                for index, name in enumerate(NAMES)
            ),
        )
        yield service


async def test_any_user_id_names_its_customer(service: Service) -> None:
    for name in NAMES:
        path = f"/customers/{quote(name, safe='')}"
        customer = await service.get(path)
        assert customer["user_id"] == name
        assert [one["device_id"] for one in customer["devices"]] == [f"{name[:200]}:d"]
        events = await service.get(f"{path}/events")
        assert [event["user_id"] for event in events["data"]] == [name]
        history = await service.get(f"{path}/devices/history")
        assert [one["customer_id"] for one in history["data"]] == [customer["id"]]
        assert (await service.get(f"/customers/{customer['id']}")) == customer


async def test_any_device_id_and_message_id_names_one(service: Service) -> None:
    for name in NAMES:
        device = await service.get(f"/devices/{quote(f'{name[:200]}:d', safe='')}")
        assert device["customer"]["user_id"] == name
        history = await service.get(f"/devices/{quote(f'{name[:200]}:d', safe='')}/history")
        assert [one["change"] for one in history["data"]] == ["registered"]
        event = await service.get(f"/events/{quote(f'{name[:90]}:m', safe='')}")
        assert event["customer"]["user_id"] == name


async def test_a_real_server_tells_slashes_apart_too(service: Service) -> None:
    listener = bind("127.0.0.1", 0)
    server = WebServer(service.app, listener)
    running = asyncio.create_task(server.run())
    await server.started()
    port = listener.getsockname()[1]
    key = {"Authorization": f"Bearer {service.key}"}
    async with line(port) as one:
        for name in NAMES:
            path = f"/api/v1/customers/{quote(name, safe='')}"
            answer = await one.ask(request(path, headers=key, method="GET"))
            assert (answer.status, answer.json["user_id"]) == (200, name)
        answer = await one.ask(request("/api/v1/customers/a/b", headers=key, method="GET"))
        assert answer.status == 404
    server.stop()
    await running
    listener.close()


async def test_a_name_that_looks_like_an_id_is_a_name_first(service: Service) -> None:
    plain = await service.get("/customers/plain")
    (source,) = (await service.get("/sources"))["data"]
    await service.send(source["write_key"], register("m", "d", "t", user=plain["id"]))
    assert (await service.get(f"/customers/{plain['id']}"))["user_id"] == plain["id"]


async def test_head_is_get_without_a_body(service: Service) -> None:
    transport = httpx.ASGITransport(app=service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://clarion.test") as client:
        answer = await client.head("/livez")
    assert (answer.status_code, answer.content) == (200, b"")
