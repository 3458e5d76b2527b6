"""Campaigns as people write them in a browser without a script: who signs in, and a draft."""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from clarion.accounts.actor import Role
from clarion.accounts.people.session import csrf_token_of
from clarion.web.console.page import TOKEN_FIELD
from console.test_guarded import ORIGIN, browser, signed_in
from support.api import Service, service_on_sqlite
from support.clock import FakeClock

FORM = {
    "name": "Spring",
    "title": "Hi {{ customer.first_name | default: 'you' }}",
    "whom": "everyone",
    "ttl_hours": "72",
    "priority": "high",
    "spread_minutes": "0",
    "when": "now",
    "zone": "UTC",
}
WEEKLY = {
    "when": "repeat",
    "at": "2026-03-05T09:00",
    "zone": "Europe/Vienna",
    "freq": "weekly",
    "on_MO": "1",
    "on_TH": "1",
    "except": "2026-03-09",
    "missed": "skip",
}


@pytest.fixture
async def service(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Service]:
    async with service_on_sqlite(tmp_path, clock) as opened:
        yield opened


class Person:
    """Somebody's browser."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self.client, self.token = client, token

    async def get(self, path: str) -> str:
        page = await self.client.get(f"/console{path}")
        assert page.status_code == 200, page.text
        return plain(page.text)

    async def post(self, path: str, form: dict[str, str]) -> httpx.Response:
        sent = {TOKEN_FIELD: csrf_token_of(self.token), **form}
        headers = {"Origin": ORIGIN}
        return await self.client.post(
            f"/console{path}", data=sent, headers=headers, follow_redirects=True
        )

    async def saves(self, form: dict[str, str], status: int = 200) -> str:
        """What the line says that tells of saving by itself."""
        line = await self.post("/campaigns/autosave", form)
        assert line.status_code == status, line.text
        return line.text


def plain(page: str) -> str:
    """A page as it is read: no drawings, one space for many."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)))


def hidden(page: str, name: str) -> str:
    match = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert match is not None, name
    return match.group(1)


def typed(page: str, name: str) -> str:
    """What stands in a field that people see."""
    match = re.search(rf'name="{name}" type="[^"]*" value="([^"]*)"', page)
    assert match is not None, name
    return match.group(1)


@pytest.fixture
async def eva(service: Service) -> AsyncIterator[Person]:
    token = await signed_in(service, Role.ADMIN)
    async with browser(service, token) as client:
        yield Person(client, token)


@pytest.fixture
async def tom(service: Service) -> AsyncIterator[Person]:
    token = await signed_in(service, Role.PUBLISHER)
    async with browser(service, token) as client:
        yield Person(client, token)


async def drafted(eva: Person, **more: str) -> tuple[str, dict[str, str]]:
    """The id of a draft that was saved by itself, and the form that goes on with it."""
    line = await eva.saves(FORM | more)
    draft = {name: hidden(line, name) for name in ("campaign_id", "updated_at")}
    return draft["campaign_id"], FORM | more | draft
