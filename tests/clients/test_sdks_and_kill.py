"""All SDKs at once, for servers and in pages, against `clarion serve`, which is killed and started
again among them."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from clarion.storage.database import Database
from clarion.storage.schema import events
from support.chromium import chromium
from support.place import numbered
from support.ports import free_ports
from support.processes import Installation, Process, installation, until
from support.sdks import Call, Sdk, sdk
from support.site import PageSdk, analytics_js, build, page_sdk, served

COMING_AGAIN = [
    "segment-python",
    "rudderstack-python",
    "customerio-python",
    "segment-node",
    "rudderstack-node",
    "customerio-node",
]
GIVING_UP = ["jitsu-node", "dittofeed-node"]
"""They have no retries: what they say while nobody answers is lost, and their app is told."""
KEYS = {"jitsu-node": "{}:secret"}
"""An SDK's own way to write a key."""
PAGES = ["segment", "snippet", "rudderstack"]
FORGETFUL = ["customerio"]
"""They take any answer for success (`test_browser_sdks.py`): what is answered 503 while Clarion
starts is lost, and nothing comes twice."""
ROUND = 10


@dataclass
class Crowd:
    """Everybody who sends, and what they have said."""

    coming_again: Sequence[Sdk]
    giving_up: Sequence[Sdk]
    pages: Sequence[PageSdk]
    forgetful: Sequence[PageSdk]
    hoped: set[int] = field(default_factory=set)
    """What those have said: some of it may never come."""
    said: set[int] = field(default_factory=set)
    count: int = 0

    async def say(self) -> None:
        """Those who come again say something each."""
        for one in self.coming_again:
            one.say(*self._next())
        for page in self.pages:
            await page.say(self._next())
        for page in self.forgetful:
            first, self.count = self.count, self.count + ROUND
            self.hoped.update(range(first, self.count))
            await page.say(numbered(first, ROUND))

    def say_once(self) -> None:
        """Those who give up say something each."""
        for one in self.giving_up:
            one.say(*self._next())

    def say_in_vain(self) -> None:
        for one in self.giving_up:
            one.say(*numbered(self.count, 1))
            self.count += 1

    def _next(self) -> list[Call]:
        first, self.count = self.count, self.count + ROUND
        self.said.update(range(first, self.count))
        return numbered(first, ROUND)


async def test_what_every_sdk_says_outlives_kill_9(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    [port] = free_ports(1)
    settings = {
        "DATA_DIR": str(tmp_path / "data"),
        "LISTEN": f"127.0.0.1:{port}",
        "ANALYTICS_JS": str(analytics_js()),
    }
    database = Database(f"sqlite:///{tmp_path}/data/clarion.db")

    async def numbers() -> Counter[int]:
        """How often each event is stored."""
        async with database.read() as connection:
            bodies = (await connection.execute(select(events.c.body))).scalars()
        return Counter(msgspec.json.decode(body)["properties"]["number"] for body in bodies)

    async with installation(tmp_path, settings) as clarion:
        first = await serve(clarion)
        key = (await clarion.command("sources", "create", "SDKs"))["write_key"]
        async with crowd(tmp_path / "site", port, key) as everybody:
            await everybody.say()
            everybody.say_once()
            count = len(everybody.said)
            await until(numbers, lambda found: len(found.keys() - everybody.hoped) == count)
            await everybody.say()
            await first.kill()
            await everybody.say()
            everybody.say_in_vain()
            await until(faults_of(everybody.giving_up), all)
            await serve(clarion)
            await everybody.say()
            everybody.say_once()
            count = len(everybody.said)
            found = await until(numbers, lambda found: len(found.keys() - everybody.hoped) >= count)
            assert set(found.values()) == {1}
            assert found.keys() - everybody.hoped == everybody.said
            assert [one.faults for one in everybody.coming_again] == [[]] * len(COMING_AGAIN)
            assert [len(one.faults) for one in everybody.giving_up] == [1] * len(GIVING_UP)
    await database.close()


@asynccontextmanager
async def crowd(directory: Path, port: int, key: str) -> AsyncIterator[Crowd]:
    build(directory)
    async with AsyncExitStack() as stack:
        site = stack.enter_context(served(directory))
        browser = await stack.enter_async_context(chromium())
        yield Crowd(
            coming_again=[
                await stack.enter_async_context(sdk(name, port, key)) for name in COMING_AGAIN
            ],
            giving_up=[
                await stack.enter_async_context(sdk(name, port, KEYS.get(name, "{}").format(key)))
                for name in GIVING_UP
            ],
            pages=[await page_sdk(browser, site, name, port, key) for name in PAGES],
            forgetful=[await page_sdk(browser, site, name, port, key) for name in FORGETFUL],
        )


async def serve(clarion: Installation) -> Process:
    process = await clarion.serve()
    await process.listening()
    return process


def faults_of(sdks: Sequence[Sdk]) -> Callable[[], Awaitable[list[list[str]]]]:
    async def faults() -> list[list[str]]:
        return [one.faults for one in sdks]

    return faults
