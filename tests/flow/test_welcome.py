"""What whoever opens Clarion's address is told."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from clarion import __version__
from clarion.web.api.welcome import PLACES
from support.api import Service, service_on_sqlite
from support.clock import FakeClock


@pytest.fixture
async def client(tmp_path: Path, clock: FakeClock) -> AsyncIterator[httpx.AsyncClient]:
    async with service_on_sqlite(tmp_path, clock) as service:
        yield visitor(service)


def visitor(service: Service) -> httpx.AsyncClient:
    """Somebody without a key."""
    transport = httpx.ASGITransport(app=service.app)
    return httpx.AsyncClient(transport=transport, base_url="http://clarion.test")


async def test_a_script_is_told_what_this_is_and_where_to_go_on(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    assert answer.status_code == 200
    told = answer.json()
    assert told["version"] == __version__
    assert "Clarion" in told["about"]
    assert [told[name] for name in PLACES] == [path for path, _ in PLACES.values()]


async def test_what_it_names_is_there(client: httpx.AsyncClient) -> None:
    for name, (path, _) in PLACES.items():
        if name not in ("collect", "console"):  # events are posted; people sign in first
            assert (await client.get(path)).status_code == 200, path


async def test_a_browser_is_led_to_the_console(client: httpx.AsyncClient) -> None:
    page = await client.get("/", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (page.status_code, page.headers["vary"]) == (303, "Accept")
    page = await client.get(page.headers["location"], headers={"Accept": "text/html"})
    assert page.headers["location"].startswith("/console/sign-in")


async def test_events_are_posted_where_it_says(client: httpx.AsyncClient) -> None:
    path, _ = PLACES["collect"]
    answer = await client.post(path, json={"batch": []})
    assert (answer.status_code, answer.json()["code"]) == (401, "write_key_unknown")
