"""Promises 5 and 6: whatever the provider answers, whoever dies, whoever pauses or cancels, and
whoever works at the same time, every delivery is settled once and the account balances throughout.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clarion.campaigns.campaign import CampaignState
from clarion.campaigns.commands import pause_campaign
from clarion.customers.identity.identifier import device_row_id
from clarion.deliveries.apps.store import resume_app
from clarion.deliveries.commands import cancel_campaign, resume_campaign
from clarion.deliveries.delivery import DeliveryState, push_key
from clarion.deliveries.engagement.receipt_store import AppReport, mark_seen
from clarion.deliveries.provider import (
    Accepted,
    Misconfigured,
    Outcome,
    ProviderApp,
    Push,
    Rejected,
    Throttled,
    ThrottleScope,
    Unavailable,
    Unregistered,
)
from clarion.deliveries.store import list_deliveries
from clarion.storage.database import Database
from support.book import WORKSPACE
from support.clock import FakeClock
from support.database import make_tables
from support.faults import Crash, Doom, Process, look
from support.postgres import PostgresServer
from support.sampling import examples
from support.world import APP, World

DEVICES = 5
ROUNDS_MAX = 250
ANSWERS: dict[str, tuple[bool, Outcome]] = {
    "accepted": (True, Accepted()),
    "lost": (True, Unavailable(reason="timeout", maybe_accepted=True)),
    "never came": (False, Unavailable(reason="reset", maybe_accepted=True)),
    "down": (False, Unavailable(reason="unavailable")),
    "throttled": (False, Throttled(scope=ThrottleScope.APP, retry_after_seconds=30)),
    "throttled long": (False, Throttled(scope=ThrottleScope.APP, retry_after_seconds=9_000)),
    "rejected": (False, Rejected(reason="payload_too_big")),
    "dead": (False, Unregistered(reason="unregistered")),
    "broken": (False, Misconfigured(reason="permission_denied")),
}
"""Whether the push was taken, and what the sender is told."""
STEPS = {"pause": pause_campaign, "resume": resume_campaign, "cancel": cancel_campaign}


@dataclass
class Script:
    """A provider that answers each push from a list of its own; after that it accepts."""

    answers: dict[str, list[str]] = field(default_factory=dict)
    taken: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    tags: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    async def send(self, app: ProviderApp, pushes: Sequence[Push]) -> Sequence[Outcome]:
        return [self._answer(push) for push in pushes]

    def _answer(self, push: Push) -> Outcome:
        rest = self.answers.get(push.token, [])
        name = rest.pop(0) if rest else "accepted"
        taken, outcome = ANSWERS[name]
        self.taken[push.delivery_id] += taken
        self.left[push.delivery_id] += name != "broken"  # then nothing was tried
        self.tags[push.delivery_id].add(push.tag)
        return outcome


@dataclass(frozen=True)
class Story:
    """What happens to one campaign."""

    answers: list[list[str]]
    """For each device, from its first attempt on."""
    crashes: list[int]
    """For one process after the other: after how many points it dies."""
    steps: list[tuple[int, str]]
    """(round, step) that people take."""
    reports: list[tuple[int, int]]
    """(round, device): the app says that it has the push, if it has."""


stories = st.builds(
    Story,
    answers=st.lists(
        st.lists(st.sampled_from(list(ANSWERS)), max_size=4), min_size=DEVICES, max_size=DEVICES
    ),
    crashes=st.lists(st.integers(1, 60), max_size=5),
    steps=st.lists(st.tuples(st.integers(0, 6), st.sampled_from(list(STEPS))), max_size=4),
    reports=st.lists(st.tuples(st.integers(0, 6), st.integers(0, DEVICES - 1)), max_size=3),
)


class Theatre:
    """A world in which one story is played after the other."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        self._database = Database(url)
        self._world = World(self._database, FakeClock())
        self._number = 0
        self._runner.run(self._open())

    def play(self, story: Story) -> None:
        self._runner.run(self._play(story))

    def close(self) -> None:
        self._runner.run(self._database.close())
        self._runner.close()

    async def _open(self) -> None:
        await make_tables(self._database)
        await self._world.open()

    async def _play(self, story: Story) -> None:
        world = self._world
        self._number += 1
        tokens = [f"token-{self._number}-{one}" for one in range(DEVICES)]
        await world.forget_answers()
        await world.devices(*tokens)
        script = Script(dict(zip(tokens, map(list, story.answers), strict=True)))
        campaign_id = await world.campaign({"user_ids": [f"user-{token}" for token in tokens]})
        crashes = iter(story.crashes)
        processes = [Process(world, Doom(next(crashes, None)), script) for _ in range(2)]
        settled: dict[UUID, DeliveryState] = {}
        for number in range(ROUNDS_MAX):
            for at, name in story.steps:
                if at == number:
                    await self._take(campaign_id, name)
            await self._report(
                script, campaign_id, [one for at, one in story.reports if at == number]
            )
            ended = await asyncio.gather(
                *(process.work(campaign_id) for process in processes), return_exceptions=True
            )
            for place, one in enumerate(ended):
                if isinstance(one, Crash):
                    processes[place] = Process(world, Doom(next(crashes, None)), script)
                elif isinstance(one, BaseException):
                    raise one
            settled = await self._never_changed(settled, campaign_id)
            if True in ended:
                break
            await self._go_on(campaign_id, number)
        else:
            raise AssertionError("the campaign never settles")
        await self._check(script, campaign_id)

    async def _take(self, campaign_id: UUID, name: str) -> None:
        """Where the campaign can not take it, nothing changes."""
        await STEPS[name](self._world.services, self._world.actor, campaign_id)

    async def _report(self, script: Script, campaign_id: UUID, devices: list[int]) -> None:
        """The apps of some devices say that they have the push, as the attributor enters it."""
        world = self._world
        token = f"token-{self._number}-"
        ids = {device_row_id(WORKSPACE, f"D-{token}{device}") for device in devices}
        async with world.database.write() as connection:
            rows = await list_deliveries(connection, WORKSPACE, campaign_id=campaign_id, limit=100)
            seen = [
                AppReport(
                    launch_id=row.launch_id,
                    device_row_id=row.device_row_id,
                    at=world.clock.now(),
                    opened=False,
                )
                for row in rows
                if row.device_row_id in ids
                and script.taken[push_key(row.launch_id, row.device_row_id)]
            ]
            await mark_seen(connection, WORKSPACE, seen)

    async def _never_changed(
        self, before: dict[UUID, DeliveryState], campaign_id: UUID
    ) -> dict[UUID, DeliveryState]:
        """What is settled now; what was before is so still."""
        async with self._database.read() as connection:
            rows = await list_deliveries(connection, WORKSPACE, campaign_id=campaign_id, limit=100)
        now: dict[UUID, DeliveryState] = {
            row.id: row.state for row in rows if row.state is not DeliveryState.PENDING
        }
        assert before.items() <= now.items()
        return now

    async def _go_on(self, campaign_id: UUID, number: int) -> None:
        """Time passes; what was paused is resumed in the end."""
        world = self._world
        world.clock.advance(100)
        await Process(world, Doom()).sweep()
        if number > 8:
            await self._take(campaign_id, "resume")
        async with world.database.write() as connection:
            await resume_app(connection, WORKSPACE, APP)

    async def _check(self, script: Script, campaign_id: UUID) -> None:
        world = self._world
        found = await look(world, campaign_id)
        campaign = await world.get(campaign_id)
        async with self._database.read() as connection:
            rows = await list_deliveries(connection, WORKSPACE, campaign_id=campaign_id, limit=100)
        assert found.total.in_flight == 0
        assert found.total.planned == len(rows)
        if campaign.state is not CampaignState.CANCELLED:
            assert len(rows) == DEVICES
        for row in rows:
            key = push_key(row.launch_id, row.device_row_id)
            assert script.taken[key] <= 1 + row.unanswered, row
            assert script.left[key] <= row.attempts, row
            assert script.tags[key] <= {row.id.hex}, row
            if row.state is DeliveryState.ACCEPTED:
                assert script.taken[key] > 0, row
            elif script.taken[key]:
                assert row.unanswered > 0, row


@pytest.fixture(scope="module")
def sqlite_theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    path: Path = tmp_path_factory.mktemp("theatre") / "clarion.db"
    theatre = Theatre(f"sqlite:///{path}")
    yield theatre
    theatre.close()


@pytest.fixture(scope="module")
def postgres_theatre(postgres: PostgresServer) -> Iterator[Theatre]:
    runner = asyncio.Runner()
    creating = postgres.new_database()
    theatre = Theatre(runner.run(creating.__aenter__()))
    yield theatre
    theatre.close()
    runner.run(creating.__aexit__(None, None, None))
    runner.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
@settings(
    max_examples=examples(8),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(story=stories)
def test_whatever_happens_every_delivery_is_settled_once(
    request: pytest.FixtureRequest, kind: str, story: Story
) -> None:
    theatre: Theatre = request.getfixturevalue(f"{kind}_theatre")
    theatre.play(story)
