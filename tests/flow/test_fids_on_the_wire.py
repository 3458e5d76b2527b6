"""Tokens and FIDs against a simulator that knows who is registered, by the real client."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from clarion.customers.devices.device import DeviceState, TokenKind
from clarion.customers.devices.store import get_device
from clarion.deliveries.apps.store import get_app, put_app
from clarion.providers.fcm.client import FcmProvider
from clarion.reports.funnel_store import Report
from fcm_simulator.process import SimulatorProcess
from support.book import WORKSPACE
from support.clock import FakeClock
from support.database import sqlite_database
from support.world import APP, World

COUNT = 60


def fid(number: int, letter: str = "c") -> str:
    return f"{letter}FID{number:018d}"


def token(number: int) -> str:
    return f"{fid(number)}:APA91b-of-{number}"


class Scene:
    def __init__(self, world: World, simulator: SimulatorProcess) -> None:
        self.world = world
        self.simulator = simulator

    async def send(self) -> Report:
        """A campaign to everyone, with each agent's work in its turn."""
        world = self.world
        campaign_id = await world.campaign()
        await world.scheduler.step()
        while await world.planner.step():
            pass
        for _ in range(2):
            for _ in range(COUNT):
                await world.sender.step()
            world.clock.advance(1)
        found = await world.settle(campaign_id)
        assert found.balances
        return found

    async def times(self) -> Counter[str]:
        """How often each push was taken."""
        return Counter(
            message["data"]["clarion_push"]
            for message in await self.simulator.messages(limit=1_000)
        )

    async def is_calm(self) -> bool:
        async with self.world.database.read() as connection:
            app = await get_app(connection, WORKSPACE, APP)
        assert app is not None
        return app.removals_stopped_reason is None and app.paused_reason is None


@pytest.fixture
async def scene(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Scene]:
    database = await sqlite_database(tmp_path)
    async with SimulatorProcess(tmp_path / "simulator", strict=True) as simulator:
        world = await World(database, clock).open()
        key = simulator.key("demo")
        async with database.write() as writing:
            await put_app(
                writing,
                workspace_id=WORKSPACE,
                app_id=APP,
                project_id="demo",
                client_email=key["client_email"],
                private_key_id=key["private_key_id"],
                sealed_key=world.vault.seal(msgspec.json.encode(key)),
                now=clock.now(),
            )
        provider = FcmProvider(simulator.base_url, simulator.ca_file, clock)
        world.make_agents(provider)
        yield Scene(world, simulator)
        await provider.close()
    await database.close()


async def test_a_base_whose_app_only_reads_its_fids_gets_each_push_once(scene: Scene) -> None:
    await scene.simulator.register(*({"token": f"t-{n}"} for n in range(COUNT)))
    await scene.world.take(
        *(
            scene.world.app.register(0, f"D-{n}", user=f"U-{n}", token=f"t-{n}", fid=fid(n, "d"))
            for n in range(COUNT)
        )
    )
    found = await scene.send()
    assert (found.total.accepted, found.attempts) == (COUNT, 2 * COUNT)
    again = await scene.send()
    assert (again.total.accepted, again.attempts) == (COUNT, COUNT)
    assert set((await scene.times()).values()) == {1}
    assert await scene.is_calm()


async def test_a_base_that_moves_to_fids_at_one_release_gets_each_push_once(scene: Scene) -> None:
    await scene.simulator.register(*({"token": token(n), "fid": fid(n)} for n in range(COUNT)))
    await scene.world.take(
        *(
            scene.world.app.register(0, f"D-{n}", user=f"U-{n}", token=token(n))
            for n in range(COUNT)
        )
    )
    assert (await scene.send()).total.accepted == COUNT
    await scene.world.take(
        *(
            scene.world.app.register(1, f"D-{n}", user=f"U-{n}", token=None, fid=fid(n))
            for n in range(COUNT)
        )
    )
    for _ in range(2):
        found = await scene.send()
        assert (found.total.accepted, found.attempts) == (COUNT, COUNT)
    times = await scene.times()
    assert (len(times), set(times.values())) == (3 * COUNT, {1})
    assert await scene.is_calm()


async def test_phones_of_two_customers_that_share_a_fid_get_no_double(scene: Scene) -> None:
    await scene.simulator.register({"token": token(1), "fid": fid(1)})
    await scene.world.take(
        scene.world.app.register(0, "D-1", user="Ada", token=None, fid=fid(1)),
        scene.world.app.register(1, "D-2", user="Bob", token=None, fid=fid(1)),
    )
    found = await scene.send()
    assert (found.total.planned, found.total.accepted) == (1, 1)
    async with scene.world.database.read() as connection:
        first = await get_device(connection, WORKSPACE, "D-1")
        second = await get_device(connection, WORKSPACE, "D-2")
    assert first is not None and (first.state, first.reason) == (
        DeviceState.REMOVED,
        "token_moved",
    )
    assert second is not None and second.token_kind is TokenKind.FID
    assert set((await scene.times()).values()) == {1}
