"""The example's web page, built from its own lock, opened in a real Chromium: what it promises."""

import shutil
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import msgspec
import pytest
from playwright.async_api import Page
from sqlalchemy import select

from clarion.customers.profile.store import get_customer
from clarion.storage.schema import devices
from support import npm
from support.book import WORKSPACE
from support.chromium import chromium
from support.pages import ROOT
from support.patience import PATIENCE
from support.place import Place
from support.site import bundle, served
from support.station import KEY

EXAMPLE = ROOT / "examples" / "web"
PUSH = "00000000000000000000000000000001.00000000000000000000000000000002"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("example") / "www"
    shutil.copytree(EXAMPLE / "www", directory, ignore=shutil.ignore_patterns("built"))
    bundle(npm.installed(EXAMPLE), directory / "built", EXAMPLE / "main.js")
    with served(directory) as url:
        yield url


@pytest.fixture
async def page(site: str, place: Place) -> AsyncIterator[Page]:
    async with chromium() as browser:
        context = await browser.new_context()
        await context.grant_permissions(["notifications"], origin=site)
        page = await context.new_page()
        page.set_default_timeout(PATIENCE * 1_000)
        clarion = f"http://127.0.0.1:{place.port}"
        await page.goto(f"{site}/?writeKey={KEY}&clarion={clarion}")
        yield page


async def test_the_page_registers_its_device_and_its_customer(page: Page, place: Place) -> None:
    device_id = await page.text_content("#device")
    [installed] = await place.rows(1)
    assert (installed.name, installed.anonymous_id) == ("Application Installed", device_id)

    await page.fill("#push [name=token]", "token-1")
    await page.click("text=Receive push")
    await place.rows(2)
    nobody = await registered(place, device_id)
    await page.click("text=Sign in")
    await place.rows(4)
    ada = await registered(place, device_id)
    await page.click("text=Sign out")
    rows = await place.rows(5)
    nobody_again = await registered(place, device_id)

    async with place.database.read() as connection:
        customer = await get_customer(connection, WORKSPACE, "user-4711")
    assert customer is not None
    assert customer.traits == {"first_name": "Ada", "email": "ada@example.org"}
    assert len({nobody, ada, nobody_again}) == 3
    assert ada == customer.id
    # What was done before she signed in is hers, too; what comes after she has left is not.
    assert [row.customer_id for row in rows] == [ada] * 4 + [nobody_again]


async def registered(place: Place, device_id: str | None) -> UUID:
    """Whose the one device is."""
    assert place.station is not None
    await place.station.take_in()
    async with place.database.read() as connection:
        [device] = (await connection.execute(select(devices))).all()
    assert (device.device_id, device.token, device.platform) == (device_id, "token-1", "Web")
    owner: UUID = device.customer_id
    return owner


async def test_its_service_worker_reports_a_push_that_arrives(
    page: Page, place: Place, site: str
) -> None:
    session = await page.context.new_cdp_session(page)
    registrations: list[Any] = []
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: registrations.extend(event["registrations"]),
    )
    await session.send("ServiceWorker.enable")
    await page.click("text=Receive push")
    await place.rows(2)
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    push = {"notification": {"title": "Hello"}, "data": {"clarion_push": PUSH}}
    await session.send(
        "ServiceWorker.deliverPushMessage",
        {
            "origin": site,
            "registrationId": registrations[-1]["registrationId"],
            "data": msgspec.json.encode(push).decode(),
        },
    )
    rows = await place.rows(3)
    assert rows[-1].name == "Push Notification Received"
    assert msgspec.json.decode(rows[-1].body)["properties"] == {"clarion_push": PUSH}


async def test_the_page_says_why_nothing_can_be_sent(site: str, place: Place) -> None:
    async with chromium() as browser:
        page = await browser.new_page()
        await page.goto(f"{site}/?writeKey=wrong&clarion=http://127.0.0.1:{place.port}")
        told = page.locator("#said li", has_text="nothing can be sent")
        await told.wait_for(timeout=PATIENCE * 1_000)
        assert "write_key_unknown" in (await told.text_content() or "")
