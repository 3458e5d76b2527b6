"""The API's page, in a real Chromium: it shows every call and asks nobody but its server."""

import asyncio
import socket
from urllib.parse import urlsplit

from cryptography.fernet import Fernet

from clarion.brokers.database import DatabaseBroker
from clarion.clock import SystemClock
from clarion.storage.database import Database
from clarion.storage.vault import Vault
from clarion.web.api import create_api
from clarion.web.api.description.description import describe
from clarion.web.server import WebServer
from support.chromium import chromium
from support.patience import PATIENCE
from support.provider import MemoryProvider


async def test_the_page_shows_every_call_and_asks_its_own_server_alone() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    clock = SystemClock()
    broker = DatabaseBroker(database, clock)
    api = create_api(database, broker, clock, MemoryProvider(), Vault(Fernet.generate_key()))
    listener = socket.create_server(("127.0.0.1", 0))
    host = f"127.0.0.1:{listener.getsockname()[1]}"
    server = WebServer(api, listener)
    serving = asyncio.create_task(server.run())
    asked: set[str] = set()
    complaints: list[str] = []
    async with chromium() as browser:
        page = await browser.new_page()
        page.set_default_timeout(PATIENCE * 1_000)
        page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(f"http://{host}/api/v1/docs")
        await page.locator(".nav-bar-path").first.wait_for()
        shown = [text.split() for text in await page.locator(".nav-bar-path").all_text_contents()]
    described = [
        [method.upper(), *operation["summary"].split()]
        for item in describe()["paths"].values()
        for method, operation in item.items()
    ]
    server.stop()
    await serving
    await broker.close()
    await database.close()
    assert sorted(shown) == sorted(described)
    assert asked - {""} == {host}
    assert complaints == []
