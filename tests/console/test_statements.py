"""A page asks the database as often whether it lists few or twice as many."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, event

from clarion.accounts.actor import Role
from console.test_guarded import browser, signed_in
from support.api import Service, register, service_on_sqlite
from support.book import SOURCE
from support.clock import FakeClock
from support.world import APP

NUMBER = 6
PAGES = (
    "",
    "campaigns",
    "customers",
    "customers?q=user",
    "customers/{customer}",
    "devices?id=phone-0",
    "audiences",
    "audiences/new",
    "audiences/audience-0",
    "connections",
    "connections/freshness",
    "connections/freshness?counted=1",
    f"sources/{SOURCE}",
    f"sources/{SOURCE}/identity",
    f"firebase-apps/{APP}",
    "settings",
    "settings/team",
    "settings/keys",
    "settings/sending",
    "settings/privacy",
    "settings/audit",
    "me",
)


@pytest.fixture
async def service(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Service]:
    async with service_on_sqlite(tmp_path, clock) as opened:
        yield opened


async def test_a_page_asks_as_often_for_twice_as_many_things(service: Service) -> None:
    token = await signed_in(service, Role.ADMIN)
    await fill(service, 0, NUMBER)
    async with browser(service, token) as client:
        customer = (await service.get("/customers/user-0"))["id"]
        paths = [f"/console/{page.format(customer=customer)}" for page in PAGES]
        few = [await statements(client, path) for path in paths]
        await fill(service, NUMBER, 2 * NUMBER)
        many = [await statements(client, path) for path in paths]
    assert dict(zip(paths, many, strict=True)) == dict(zip(paths, few, strict=True))
    assert max(many) <= 40


async def statements(client: httpx.AsyncClient, path: str) -> int:
    """How often a page asks. It never asks for what is among nothing: SQLite would look through
    the whole table."""
    asked = 0

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        nonlocal asked
        asked += 1
        assert "1!=1" not in statement, (path, statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        answer = await client.get(path)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert answer.status_code == 200, path
    return asked


async def fill(service: Service, start: int, end: int) -> None:
    """One of everything for each number. Of one customer, there are more devices and events."""
    key = (await service.get(f"/sources/{SOURCE}"))["write_key"]
    for number in range(start, end):
        user = f"user-{number}"
        await service.send(
            key,
            {"type": "identify", "messageId": f"i{number}", "userId": user, "traits": {"n": 1}},
            register(f"r{number}", f"phone-{number}", f"ok-{number}", user=user),
            register(f"s{number}", f"second-{number}", f"ok-s{number}", user="user-0"),
            {"type": "track", "event": "Seen", "messageId": f"t{number}", "userId": "user-0"},
        )
        rule = {"trait": "n", "test": "equals", "value": number}
        audience = {"code": f"audience-{number}", "name": user, "rule": rule}
        await service.post("/audiences", audience)
        listed = {"code": f"list-{number}", "name": user, "rule": None}
        await service.post("/audiences", listed)
        campaign = {"name": user, "content": {"title": "x"}, "audience": {"everyone": True}}
        await service.post("/campaigns", campaign)
        await service.post("/sources", {"name": user})
        await service.post("/keys", {"name": user, "scopes": ["read"]})
