"""Received and opened: what apps report is entered in the right delivery, in any order, once."""

import asyncio
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select

from clarion.accounts.workspace_store import create_workspace
from clarion.customers.identity.batch import Arrival
from clarion.customers.identity.identifier import device_row_id
from clarion.customers.ingestion import Ingestion
from clarion.deliveries.delivery import push_key
from clarion.deliveries.store import list_deliveries
from clarion.events.messages.message import Envelope, Event, read
from clarion.reports.attributor import Attributor, AttributorOptions
from clarion.storage.database import Database
from clarion.storage.schema import launches
from support.book import SOURCE, WORKSPACE
from support.clock import FakeClock
from support.world import World

TAPPED, RECEIVED = "Push Notification Tapped", "Push Notification Received"
_numbers = count(1)


@pytest.fixture
async def world(database: Database, clock: FakeClock) -> World:
    return await World(database, clock).open()


def event(
    name: str, properties: Any, *, at: datetime, received_at: datetime | None = None
) -> Event:
    """What an app sends, read as the collector reads it."""
    wire = {
        "type": "track",
        "event": name,
        "anonymousId": "somebody",
        "timestamp": at.isoformat(),
        "properties": properties,
    }
    found = read(
        msgspec.json.encode(wire),
        type_="track",
        message_id=f"receipt-{next(_numbers)}",
        envelope=Envelope(received_at=received_at or at, sent_at=received_at or at),
    )
    assert isinstance(found, Event)
    return found


async def take(world: World, *events: Event, workspace: UUID = WORKSPACE) -> None:
    async with world.database.write() as connection:
        ingestion = Ingestion(connection, workspace, world.clock.now())
        await ingestion.take([Arrival(event=one, source_id=SOURCE) for one in events])


async def attribute(world: World) -> None:
    while await world.attributor.step():
        pass


async def key_of(world: World, campaign_id: UUID, token: str) -> str:
    """The key that the push to `token` carries, sent or not."""
    async with world.database.read() as connection:
        rows = await connection.execute(
            select(launches.c.id).where(launches.c.campaign_id == campaign_id)
        )
    return push_key(rows.scalar_one(), device_row_id(WORKSPACE, f"D-{token}"))


async def seen(world: World, campaign_id: UUID) -> dict[str, tuple[Any, Any]]:
    """(received at, opened at) of every device of the campaign."""
    async with world.database.read() as connection:
        rows = await list_deliveries(connection, WORKSPACE, campaign_id=campaign_id, limit=100)
    return {str(row.device_id): (row.received_at, row.opened_at) for row in rows}


async def sent(world: World, *tokens: str) -> UUID:
    await world.devices(*tokens)
    campaign_id = await world.campaign()
    await world.settle(campaign_id)
    return campaign_id


async def test_what_apps_report_is_in_the_report(world: World) -> None:
    campaign_id = await sent(world, "one", "two", "three", "four")
    keys = {token: await key_of(world, campaign_id, token) for token in ("one", "two", "three")}
    now = world.clock.now()
    await take(
        world,
        event(RECEIVED, {"clarion_push": keys["one"]}, at=now),
        event(RECEIVED, {"clarion_push": keys["two"]}, at=now),
        event(TAPPED, {"clarion_push": keys["two"]}, at=now),
        event("Push Opened", {"clarion_push": keys["three"]}, at=now),
    )
    assert (await world.report(campaign_id)).total.received == 0
    await attribute(world)
    found = await world.report(campaign_id)
    assert (found.total.received, found.total.opened) == (3, 2)
    assert (found.platforms["Android"].received, found.platforms["Android"].opened) == (3, 2)
    assert (found.total.accepted, found.balances) == (4, True)


async def test_opened_implies_received(world: World) -> None:
    campaign_id = await sent(world, "one")
    now = world.clock.now()
    await take(
        world, event(TAPPED, {"clarion_push": await key_of(world, campaign_id, "one")}, at=now)
    )
    await attribute(world)
    assert await seen(world, campaign_id) == {"D-one": (now, now)}


async def test_the_earliest_report_counts_whatever_the_order(world: World) -> None:
    campaign_id = await sent(world, "one")
    key = await key_of(world, campaign_id, "one")
    now = world.clock.now()
    minutes = [now + timedelta(minutes=number) for number in range(4)]
    late = now + timedelta(hours=1)
    for name, at in (
        (TAPPED, minutes[3]),
        (RECEIVED, minutes[2]),
        (TAPPED, minutes[2]),
        (RECEIVED, minutes[0]),
        (RECEIVED, minutes[1]),
    ):
        await take(world, event(name, {"clarion_push": key}, at=at, received_at=late))
        await attribute(world)
    assert await seen(world, campaign_id) == {"D-one": (minutes[0], minutes[2])}


async def test_many_reports_of_one_push_at_once_are_one(world: World) -> None:
    campaign_id = await sent(world, "one", "two")
    key = await key_of(world, campaign_id, "one")
    now = world.clock.now()
    later = now + timedelta(minutes=5)
    await take(
        world,
        *(
            event(name, {"clarion_push": key}, at=at, received_at=later)
            for name in (TAPPED, RECEIVED)
            for at in (later, now, now)
        ),
    )
    await attribute(world)
    assert await seen(world, campaign_id) == {"D-one": (now, now), "D-two": (None, None)}
    found = await world.report(campaign_id)
    assert (found.total.received, found.total.opened) == (1, 1)


async def test_a_report_that_is_taken_in_twice_changes_nothing(world: World) -> None:
    campaign_id = await sent(world, "one")
    tapped = event(
        TAPPED, {"clarion_push": await key_of(world, campaign_id, "one")}, at=world.clock.now()
    )
    await take(world, tapped)
    await attribute(world)
    before = await seen(world, campaign_id)
    await take(world, tapped)
    assert await world.attributor.step() == 0
    assert await seen(world, campaign_id) == before


@pytest.mark.parametrize(
    "properties",
    [
        {"clarion_push": "KEY"},
        {"campaign": {"clarion_push": "KEY"}},
        {"notification": {"userInfo": {"aps": {}, "clarion_push": "KEY"}}},
        {"messages": [{"other": 1}, {"clarion_push": "KEY"}]},
        {"payload": '{"clarion_push": "KEY"}'},
        {"payload": '{"data": "{\\"clarion_push\\":\\"KEY\\"}"}'},
    ],
    ids=["flat", "nested", "deep", "in a list", "as JSON", "as JSON in JSON"],
)
async def test_the_key_is_found_wherever_the_app_puts_it(world: World, properties: Any) -> None:
    campaign_id = await sent(world, "one")
    key = await key_of(world, campaign_id, "one")
    placed = msgspec.json.decode(msgspec.json.encode(properties).replace(b"KEY", key.encode()))
    await take(world, event(TAPPED, placed, at=world.clock.now()))
    await attribute(world)
    assert (await world.report(campaign_id)).total.opened == 1


async def test_names_are_read_in_any_case_with_spaces_or_underscores(world: World) -> None:
    tokens = ("one", "two", "three")
    campaign_id = await sent(world, *tokens)
    names = ("push_notification_tapped", "PUSH NOTIFICATION TAPPED", "Push_Notification Received")
    for name, token in zip(names, tokens, strict=True):
        key = await key_of(world, campaign_id, token)
        await take(world, event(name, {"clarion_push": key}, at=world.clock.now()))
    await attribute(world)
    found = await world.report(campaign_id)
    assert (found.total.received, found.total.opened) == (3, 2)


async def test_rubbish_is_passed_over_and_the_rest_is_entered(world: World) -> None:
    campaign_id = await sent(world, "one")
    key = await key_of(world, campaign_id, "one")
    launch, _, device = key.partition(".")
    nowhere = "0" * 32
    rubbish: list[Any] = [
        None, [], "text", {}, {"clarion_push": None}, {"clarion_push": 5}, {"clarion_push": ""},
        {"clarion_push": "x" * 65}, {"clarion_push": key[:-1]}, {"clarion_push": f"{key}0"},
        {"clarion_push": {"deeper": 1}}, {"clarion_push": f"{nowhere}.{device}"},
        {"clarion_push": f"{launch}.{nowhere}"}, {"clarion_push": f"{nowhere}.{nowhere}"},
    ]  # fmt: skip
    now = world.clock.now()
    await take(world, *(event(TAPPED, one, at=now) for one in rubbish))
    await take(world, event(RECEIVED, {"clarion_push": key}, at=now))
    await attribute(world)
    assert await seen(world, campaign_id) == {"D-one": (now, None)}
    assert await world.attributor.step() == 0


async def test_a_key_of_another_workspace_says_nothing(world: World) -> None:
    campaign_id = await sent(world, "one")
    key = await key_of(world, campaign_id, "one")
    other = UUID(int=99)
    async with world.database.write() as connection:
        await create_workspace(connection, workspace_id=other, name="other", now=world.clock.now())
    tapped = event(TAPPED, {"clarion_push": key}, at=world.clock.now())
    await take(world, tapped, workspace=other)
    await attribute(world)
    assert await seen(world, campaign_id) == {"D-one": (None, None)}


async def test_a_report_may_come_before_the_provider_s_answer_is_written(world: World) -> None:
    await world.devices("one", "dead-1")
    campaign_id = await world.campaign()
    await world.scheduler.step()
    await world.planner.step()
    now = world.clock.now()
    await take(
        world, event(TAPPED, {"clarion_push": await key_of(world, campaign_id, "one")}, at=now)
    )
    await attribute(world)
    found = await world.report(campaign_id)
    assert (found.total.in_flight, found.total.opened, found.balances) == (2, 1, True)
    found = await world.settle(campaign_id)
    assert (found.total.accepted, found.total.opened, found.balances) == (1, 1, True)
    assert (await seen(world, campaign_id))["D-one"] == (now, now)


async def test_what_the_app_has_already_is_not_sent_again(world: World) -> None:
    """Its first answer was lost, so it would be; but meanwhile the app has said that it came."""
    await world.devices("lost-1", "lost-2")
    campaign_id = await world.campaign()
    await world.scheduler.step()
    await world.planner.step()
    await world.sender.step()
    key = await key_of(world, campaign_id, "lost-1")
    await take(world, event(RECEIVED, {"clarion_push": key}, at=world.clock.now()))
    await attribute(world)
    found = await world.settle(campaign_id)
    assert found.reasons["accepted"] == {"reported_by_app": 1}
    assert (found.total.accepted, found.unanswered, found.attempts) == (2, 2, 3)
    assert world.provider.accepted[key] == 1


async def test_a_report_that_nobody_can_have_sent_yet_does_not_stop_the_push(world: World) -> None:
    await world.devices("one")
    campaign_id = await world.campaign()
    await world.scheduler.step()
    await world.planner.step()
    key = await key_of(world, campaign_id, "one")
    await take(world, event(RECEIVED, {"clarion_push": key}, at=world.clock.now()))
    await attribute(world)
    await world.settle(campaign_id)
    assert world.provider.accepted[key] == 1


async def test_more_reports_than_a_step_takes_are_all_entered_by_several_attributors(
    world: World,
) -> None:
    tokens = [f"token-{number}" for number in range(30)]
    campaign_id = await sent(world, *tokens)
    now = world.clock.now()
    many = [
        event(TAPPED, {"clarion_push": await key_of(world, campaign_id, token)}, at=now)
        for token in tokens
    ]
    await take(world, *many)
    options = AttributorOptions(receipts_max=7)
    attributors = [Attributor(world.database, world.clock, options) for _ in range(3)]
    while any(await asyncio.gather(*(attributor.step() for attributor in attributors))):
        pass
    found = await world.report(campaign_id)
    assert (found.total.received, found.total.opened) == (30, 30)
