"""Promise 5: a process may die anywhere, or lose its database or broker anywhere; nothing planned
is lost, and nothing is sent twice unless an answer was lost, and then it is counted.

Every point of a campaign's way is tried in `make soak`, and in `make test` a sample with each kind
of point in it: a whole campaign is sent for each, through parts that fail there (`support.faults`).
The account is looked at after every step.
"""

import random
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from clarion.broker import BrokerUnavailable
from clarion.deliveries.delivery import DeliveryState, push_key
from clarion.deliveries.store import list_deliveries
from clarion.storage.database import Database, StorageUnavailable
from support.book import WORKSPACE
from support.clock import FakeClock
from support.database import sqlite_database
from support.faults import Crash, Doom, Process, look
from support.sampling import is_soak
from support.world import World

TOKENS = ("ok", "dead", "slow", "lost")
POINTS = 18
"""Of more than a hundred, in `make test`."""
FEW_POINTS = 6
"""Where a campaign is sent in another way, whose own steps are what is new."""
ROUNDS_MAX = 20


@pytest.fixture
async def world(database: Database, clock: FakeClock) -> World:
    return await World(database, clock).open()


@pytest.fixture
async def sqlite_world(tmp_path: Path, clock: FakeClock) -> AsyncIterator[World]:
    """What is lost is lost in the wrapping, whichever database there is inside."""
    database = await sqlite_database(tmp_path)
    yield await World(database, clock).open()
    await database.close()


def tokens_of(number: int) -> list[str]:
    return [f"{token}-{number}" for token in TOKENS]


async def send(world: World, process: Process, campaign_id: UUID) -> None:
    """Work until the campaign is settled; raises Crash where the process dies."""
    for _ in range(ROUNDS_MAX):
        if await process.work(campaign_id):
            return
        world.clock.advance(world.round_seconds)
        await process.sweep()
    raise AssertionError("the campaign never settles")


async def check(world: World, campaign_id: UUID, number: int, *, has_died: bool) -> None:
    """Every delivery is settled as its token says, and what left is what is counted. Only a death
    makes a push leave twice: a process that lives remembers what it has heard."""
    async with world.database.read() as connection:
        rows = await list_deliveries(connection, WORKSPACE, campaign_id=campaign_id, limit=100)
    assert {row.device_id for row in rows} == {f"D-{token}" for token in tokens_of(number)}
    provider = world.provider
    for row in rows:
        key = push_key(row.launch_id, row.device_row_id)
        is_dead = str(row.device_id).startswith("D-dead")
        assert row.state is (DeliveryState.UNREGISTERED if is_dead else DeliveryState.ACCEPTED)
        assert (provider.accepted[key] == 0) is is_dead
        assert provider.accepted[key] <= 1 + row.unanswered, row
        assert provider.left[key] <= row.attempts, row
        if not has_died:
            tries = 1 if str(row.device_id).startswith(("D-ok", "D-dead")) else 2
            assert provider.left[key] == tries, row
        assert {push.tag for push in provider.pushes if push.delivery_id == key} <= {row.id.hex}


async def a_campaign_each(
    world: World, error: type[BaseException], *, points: int = POINTS
) -> set[str]:
    """Send a campaign for every point there is, failing there; returns the kinds that were tried.
    In `make test` it is a sample of `points` at least, until each kind was among them; `FEW_POINTS`
    on PostgreSQL are no more than that."""
    kinds = await undisturbed(world, error)
    numbers = list(range(1, len(kinds) + 1))
    random.shuffle(numbers)
    # One of each kind comes first, so that the sample has them soon.
    numbers = list({kinds[number - 1]: number for number in numbers}.values()) + numbers
    numbers = list(dict.fromkeys(numbers))
    tried: set[str] = set()
    needs_each = world.database.is_sqlite or points > FEW_POINTS
    for count, number in enumerate(numbers):
        if count >= points and (tried >= set(kinds) or not needs_each) and not is_soak():
            break
        # Which point has which number differs a little from campaign to campaign.
        tried.add(await a_failing_campaign(world, number, error))
    return tried


async def a_failing_campaign(world: World, number: int, error: type[BaseException]) -> str:
    """What kind of point it failed at."""
    campaign_id = await a_campaign(world, number)
    doom = Doom(number, error)
    try:
        await send(world, Process(world, doom), campaign_id)
    except Crash:
        world.clock.advance(300)  # the dead process's leases end
        await look(world, campaign_id)
        await send(world, Process(world, Doom()), campaign_id)
    await check(world, campaign_id, number, has_died=error is Crash and doom.has_struck)
    return doom.where


async def undisturbed(world: World, error: type[BaseException]) -> list[str]:
    """The names of all points where the error may come, in the order in which they are passed."""
    campaign_id = await a_campaign(world, 0)
    doom = Doom(error=error)
    await send(world, Process(world, doom), campaign_id)
    await check(world, campaign_id, 0, has_died=False)
    return doom.passed


async def a_campaign(world: World, number: int) -> UUID:
    """To four devices of its own."""
    tokens = tokens_of(number)
    await world.devices(*tokens)
    await world.forget_answers()
    return await world.campaign({"user_ids": [f"user-{token}" for token in tokens]})


async def test_a_process_may_die_anywhere(world: World) -> None:
    points = await a_campaign_each(
        world, Crash, points=POINTS if world.database.is_sqlite else POINTS // 2
    )
    assert {"after a commit", "when half of the pushes have left", "after an ack"} <= points


async def test_the_database_may_be_lost_anywhere_for_a_while(sqlite_world: World) -> None:
    points = await a_campaign_each(sqlite_world, StorageUnavailable)
    assert {"read", "before a statement", "before a commit", "after a commit"} <= points


async def test_the_broker_may_be_lost_anywhere_for_a_while(sqlite_world: World) -> None:
    points = await a_campaign_each(sqlite_world, BrokerUnavailable)
    assert {"before a publish", "after a publish", "before an ack", "after an ack"} <= points
