"""All SDKs at once against `clarion serve`, which is killed and started again among them."""

from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from clarion.storage.database import Database
from clarion.storage.schema import events
from fakes.nats import free_ports
from fakes.place import numbered
from fakes.processes import Process, installation, until
from fakes.sdks import Sdk, sdk

SDKS = [
    "segment-python",
    "rudderstack-python",
    "customerio-python",
    "segment-node",
    "rudderstack-node",
    "customerio-node",
]
ROUND = 10
SECONDS_MAX = 40


async def test_what_every_sdk_says_outlives_kill_9(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    [port] = free_ports(1)
    settings = {"DATA_DIR": str(tmp_path / "data"), "LISTEN": f"127.0.0.1:{port}"}
    database = Database(f"sqlite:///{tmp_path}/data/clarion.db")

    async def numbers() -> Counter[int]:
        """How often each event is stored."""
        async with database.read() as connection:
            bodies = (await connection.execute(select(events.c.body))).scalars()
        return Counter(msgspec.json.decode(body)["properties"]["number"] for body in bodies)

    async with AsyncExitStack() as stack:
        clarion = await stack.enter_async_context(installation(tmp_path, settings))
        stack.push_async_callback(database.close)

        async def serve() -> Process:
            process = await clarion.serve()
            await process.listening()
            return process

        first = await serve()
        key = (await clarion.command("sources", "create", "SDKs"))["write_key"]
        opened = [await stack.enter_async_context(sdk(name, port, key)) for name in SDKS]
        count = say(opened, 0)
        await until(numbers, lambda found: len(found) > ROUND, seconds=SECONDS_MAX)
        count += say(opened, count)
        await first.kill()
        count += say(opened, count)
        await serve()
        count += say(opened, count)
        found = await until(numbers, lambda found: len(found) >= count, seconds=SECONDS_MAX)
        assert found == Counter(range(count))
        assert [one.faults for one in opened] == [[]] * len(SDKS)


def say(sdks: list[Sdk], first: int) -> int:
    """Let each say something; returns how much all have said."""
    for place, one in enumerate(sdks):
        one.say(*numbered(first + place * ROUND, ROUND))
    return len(sdks) * ROUND
