"""Promises 4, 5 and 6 on the wire: whatever FCM answers and whatever happens on the way, with
processes that die in between, every delivery is settled, no healthy registration is removed and no
dead one kept, and a device whose answer was seen gets no second push.

The real client against a real simulator over HTTP/2; only time is ours.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clarion.campaigns.campaign import CampaignState
from clarion.customers.devices.store import get_device
from clarion.deliveries.apps.store import get_app, put_app, resume_app
from clarion.deliveries.delivery import DeliveryState, push_key
from clarion.deliveries.store import list_deliveries
from clarion.providers.fcm.client import FcmOptions, FcmProvider
from clarion.providers.fcm.http.easy_handle import TransportOptions
from clarion.storage.database import Database
from fcm_simulator.process import SimulatorProcess
from support.book import WORKSPACE
from support.clock import FakeClock
from support.database import make_tables
from support.faults import Crash, Doom, Process, look
from support.sampling import examples
from support.world import APP, World

DEVICES = 6
ROUNDS_MAX = 100
DEAD = (
    "dead",
    "malformed",
    "apns-dead",
    "apns-bad",
    "mismatch",
    "dead-apns",
    "malformed-field",
    "malformed-argument",
    "apns-topic",
)
PASSING = ("quota-once", "quota-device-once", "flaky", "internal-once", "html-once")
FINAL = ("payload", "authless", "payload-bare", "unaddressed", "unknown-field")
KINDS = ("ok", "ok-too", *DEAD, *PASSING, *FINAL)
"""How a token begins; the simulator answers by it."""
TROUBLES = (
    "ok",
    "throttled",
    "internal",
    "unavailable",
    "html",
    "reset",
    "lost",
    "silence",
    "refused",
    "goaway",
    "denied",
    "credentials-expired",
    "credentials-missing",
    "unspecified",
    "throttled-device",
    "authless-missing",
    "not-found",
)


@dataclass(frozen=True)
class Story:
    """What a campaign to some devices meets."""

    kinds: list[str]
    troubles: list[str]
    """One for each request, in the order they come in; after that none."""
    crashes: list[int]
    """For one process after the other: after how many points it dies."""


stories = st.builds(
    Story,
    kinds=st.lists(st.sampled_from(KINDS), min_size=DEVICES, max_size=DEVICES),
    troubles=st.lists(st.sampled_from(TROUBLES), max_size=8),
    crashes=st.lists(st.integers(1, 60), max_size=3),
)


class Theatre:
    """A world and a simulator in which one story is played after the other."""

    def __init__(self, directory: Path) -> None:
        self._runner = asyncio.Runner()
        self._database = Database(f"sqlite:///{directory}/clarion.db")
        self._world = World(self._database, FakeClock())
        self._simulator = SimulatorProcess(directory / "simulator", http2_faults=True)
        self._number = 0
        self._runner.run(self._open())

    def play(self, story: Story) -> None:
        self._runner.run(self._play(story))

    def close(self) -> None:
        self._runner.run(self._close())
        self._runner.close()

    async def _open(self) -> None:
        await self._simulator.start()
        await make_tables(self._database)
        world = await self._world.open()
        self._provider = FcmProvider(
            self._simulator.base_url,
            self._simulator.ca_file,
            world.clock,
            FcmOptions(transport=TransportOptions(timeout_seconds=1)),
        )
        key = self._simulator.key("demo")
        async with self._database.write() as connection:
            await put_app(
                connection,
                workspace_id=WORKSPACE,
                app_id=APP,
                project_id="demo",
                client_email=key["client_email"],
                private_key_id=key["private_key_id"],
                sealed_key=world.vault.seal(msgspec.json.encode(key)),
                now=world.clock.now(),
            )

    async def _close(self) -> None:
        await self._provider.close()
        await self._database.close()
        await self._simulator.stop()

    async def _play(self, story: Story) -> None:
        world = self._world
        self._number += 1
        tokens = [f"{kind}-{self._number}-{one}" for one, kind in enumerate(story.kinds)]
        await world.forget_answers()
        await world.devices(*tokens)
        await self._simulator.reset()
        await self._simulator.faults(plan=story.troubles)
        campaign_id = await world.campaign({"user_ids": [f"user-{token}" for token in tokens]})
        crashes = iter(story.crashes)
        process = Process(world, Doom(next(crashes, None)), self._provider)
        for _ in range(ROUNDS_MAX):
            try:
                if await process.work(campaign_id):
                    break
            except Crash:
                process = Process(world, Doom(next(crashes, None)), self._provider)
            world.clock.advance(100)
            await Process(world, Doom()).sweep()
            async with world.database.write() as connection:
                await resume_app(connection, WORKSPACE, APP)
        else:
            raise AssertionError("the campaign never settles")
        found = await look(world, campaign_id)
        assert (found.total.planned, found.total.in_flight) == (DEVICES, 0)
        taken = Counter(
            message["data"]["clarion_push"] for message in await self._simulator.messages()
        )
        async with self._database.read() as connection:
            rows = await list_deliveries(connection, WORKSPACE, campaign_id=campaign_id, limit=100)
            assert (await world.get(campaign_id)).state is _ending(rows)
            app = await get_app(connection, WORKSPACE, APP)
            for row in rows:
                assert row.device_id is not None
                device = await get_device(connection, WORKSPACE, row.device_id)
                assert device is not None
                kind = row.device_id.removeprefix("D-").rsplit("-", 2)[0]
                times = taken[push_key(row.launch_id, row.device_row_id)]
                assert times <= 1 + row.unanswered, row
                assert (row.state is DeliveryState.UNREGISTERED) == (
                    device.state.value == "removed"
                ), row
                if kind not in DEAD:
                    assert device.state.value == "active", row
                if row.state is DeliveryState.ACCEPTED:
                    assert times > 0, row
                elif times:
                    assert row.unanswered > 0, row
                if not story.troubles and not story.crashes:
                    assert row.state.value == EXPECTED.get(kind, "accepted"), row
        assert app is not None and app.removals_stopped_reason is None


def _ending(rows: list[Any]) -> CampaignState:
    """Failed: nobody got it, and somebody would have but for a fault; a dead device is none."""
    states = {row.state for row in rows}
    if DeliveryState.ACCEPTED in states:
        return CampaignState.DONE
    faults = {DeliveryState.REJECTED, DeliveryState.EXPIRED}
    return CampaignState.FAILED if states & faults else CampaignState.DONE


EXPECTED = dict.fromkeys(DEAD, "unregistered") | dict.fromkeys(FINAL, "rejected")
EXPECTED["authless"] = "expired"


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    found = Theatre(tmp_path_factory.mktemp("wire"))
    yield found
    found.close()


@settings(
    max_examples=examples(8),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(story=stories)
def test_whatever_is_answered_the_right_ones_stay_and_nobody_gets_it_twice(
    theatre: Theatre, story: Story
) -> None:
    theatre.play(story)


@pytest.mark.parametrize("start", range(0, len(KINDS), DEVICES))
def test_every_kind_of_answer_has_its_end(theatre: Theatre, start: int) -> None:
    kinds = [KINDS[(start + one) % len(KINDS)] for one in range(DEVICES)]
    theatre.play(Story(kinds=kinds, troubles=[], crashes=[]))
