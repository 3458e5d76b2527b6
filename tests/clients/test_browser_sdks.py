"""The real browser SDKs, in a real Chromium, against the real collector on another origin."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest
from sqlalchemy import select

from clarion.customers.profile.store import get_customer
from clarion.storage.schema import devices
from clarion.web.sdk.library import Library
from support.book import WORKSPACE
from support.chromium import chromium
from support.patience import patience
from support.place import Place, new_place, numbered
from support.processes import until
from support.relay import relay
from support.sdks import Call
from support.site import PageSdk, analytics_js, build, page_sdk, served
from support.station import KEY
from support.trouble import break_storage, mend_storage

SDKS = ["segment", "snippet", "rudderstack", "customerio"]
COMING_AGAIN = ["segment", "snippet", "rudderstack"]
WAITING_AS_TOLD = {"segment", "snippet"}
TRAITS = {"email": "ada@example.org", "plan": "gold", "age": 36, "vip": True}
ORDER = {"total": 9.95, "currency": "EUR", "products": [{"sku": "1", "quantity": 2}]}
PUSH = {"deviceId": "D", "fcmToken": "token-of-D", "deviceType": "Web"}
CALLS: list[Call] = [
    {"type": "identify", "userId": "u", "traits": TRAITS},
    {"type": "track", "event": "Order Completed", "properties": ORDER},
    {"type": "track", "event": "Register Push", "properties": PUSH},
    {"type": "page", "name": "Home", "properties": {"campaign": "spring"}},
    {"type": "group", "groupId": "g", "traits": {"name": "Group"}},
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("site")
    build(directory)
    with served(directory) as url:
        yield url


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with new_place(tmp_path, Library.read(analytics_js())) as found:
        yield found


@asynccontextmanager
async def visit(site: str, name: str, port: int, query: str = "") -> AsyncIterator[PageSdk]:
    """The page of an SDK, which asks nobody but its site and the collector for anything."""
    async with chromium() as browser:
        page = await page_sdk(browser, site, name, port, KEY, query)
        yield page
    assert page.hosts == {urlsplit(site).netloc, f"127.0.0.1:{port}"}


@pytest.mark.parametrize("name", SDKS)
async def test_what_a_page_says_is_stored_as_it_was_said(
    site: str, place: Place, name: str
) -> None:
    async with visit(site, name, place.port) as page:
        await page.say(CALLS)
        rows = await place.rows(len(CALLS))
    assert set(place.calls.statuses) == {200}
    bodies = [msgspec.json.decode(row.body) for row in rows]
    found = {(body["type"], body.get("event")): body for body in bodies}
    assert len(rows) == len(found) == len(CALLS)
    for call in CALLS:
        body = found[call["type"], call.get("event")]
        for part in ("groupId", "name"):
            assert body.get(part) == call.get(part)
        assert body["userId"] == "u"
        assert call.get("properties", {}).items() <= body.get("properties", {}).items()
    async with place.database.read() as connection:
        customer = await get_customer(connection, WORKSPACE, "u")
        registered = select(devices.c.device_id, devices.c.token, devices.c.customer_id)
        [device] = (await connection.execute(registered)).all()
    assert customer is not None
    assert customer.traits == TRAITS
    assert device == ("D", "token-of-D", customer.id)


@pytest.mark.parametrize("name", COMING_AGAIN)
async def test_a_page_comes_again_after_503_and_loses_nothing(
    site: str, place: Place, name: str
) -> None:
    async with visit(site, name, place.port) as page:
        await break_storage(place.database)
        await page.say(numbered(0))
        async with patience():
            await place.calls.refused.wait()
        await mend_storage(place.database)
        assert await place.numbers(10) == Counter(range(10))


@pytest.mark.parametrize("name", COMING_AGAIN)
async def test_a_page_comes_again_after_429_and_loses_nothing(
    site: str, place: Place, name: str
) -> None:
    await place.limit(1)  # before the collector has ever heard of the source
    async with visit(site, name, place.port) as page:
        await page.say(numbered(0, 2))
        assert await place.numbers(2) == Counter(range(2))
    if name in WAITING_AS_TOLD:
        assert place.calls.statuses.count(429) == 1, "it came before it was told to"
        assert place.calls.waited() >= 0.9


async def test_customer_ios_page_takes_any_answer_for_success(site: str, place: Place) -> None:
    """It comes again only where there was no answer at all: what is refused meanwhile is lost."""
    async with visit(site, "customerio", place.port) as page:
        await break_storage(place.database)
        await page.say(numbered(0, 1))
        async with patience():
            await place.calls.refused.wait()
        await mend_storage(place.database)
        await page.say(numbered(1, 1))
        assert await place.numbers(1) == Counter([1])
    assert place.calls.statuses == [503, 200]


async def test_customer_ios_page_loses_what_is_too_fast(site: str, place: Place) -> None:
    await place.limit(1)
    async with visit(site, "customerio", place.port) as page:
        await page.say(numbered(0, 3))
        answers = await until(place.answered, lambda told: len(told) == 3)
        assert len(await place.rows(1)) == 1
    assert sorted(answers) == [200, 429, 429]
    assert place.calls.statuses == answers


@pytest.mark.parametrize("name", SDKS)
async def test_what_a_page_sends_again_after_a_cut_connection_is_stored_once(
    site: str, place: Place, name: str
) -> None:
    """It was stored, but the page never heard so."""
    async with relay(place.port) as wire, visit(site, name, wire.port) as page:
        wire.cutting = 1
        await page.say(numbered(0))
        assert await until(place.repeated, bool)
        assert await place.numbers(10) == Counter(range(10))
    assert wire.cutting == 0


@pytest.mark.parametrize("name", SDKS)
async def test_a_page_survives_a_restart_of_the_server(site: str, place: Place, name: str) -> None:
    async with visit(site, name, place.port) as page:
        await page.say(numbered(0, 1))
        await place.numbers(1)
        await place.close()
        await page.say(numbered(1))
        await place.missed()
        await place.open()
        assert await place.numbers(11) == Counter(range(11))


async def test_the_snippet_loads_the_librarys_pieces_from_its_host(site: str, place: Place) -> None:
    async with visit(site, "snippet", place.port, query="?ajs_uid=u&ajs_event=Clicked"):
        rows = await place.rows(2)  # what a piece reads out of the page's address
    assert {(row.type, row.name, row.user_id) for row in rows} == {
        ("identify", None, "u"),
        ("track", "Clicked", "u"),
    }


async def test_without_a_library_the_snippet_tells_what_to_set(site: str, tmp_path: Path) -> None:
    async with new_place(tmp_path) as place, chromium() as browser:
        page = await page_sdk(browser, site, "snippet", place.port, KEY)

        async def console() -> str:
            return "\n".join(page.console)

        await until(console, lambda said: "CLARION_ANALYTICS_JS" in said)
