"""Promises 3–6: each device once, for the right customer, with an account that balances."""

import asyncio
from datetime import datetime

import pytest
from sqlalchemy import select

from clarion.campaigns.campaign import CampaignState, cancel, pause, resume
from clarion.campaigns.content.spec import ContentSpec, parse_content
from clarion.campaigns.content.templates.template import Template
from clarion.customers.devices.device import Platform, Removal, TokenKind, token_hash
from clarion.customers.devices.store import device_history, get_device, remove_registrations
from clarion.customers.identity.identifier import device_row_id
from clarion.deliveries.apps.store import list_apps, resume_app
from clarion.deliveries.delivery import DeliveryState, Settled
from clarion.deliveries.planning.chunk_store import claim_chunk
from clarion.deliveries.planning.planner import Planner, PlannerOptions
from clarion.deliveries.sending.ledger_store import settle_chunk
from clarion.deliveries.sending.sender import TURN_STEPS
from clarion.sources.store import bind_firebase_app
from clarion.storage.database import Database
from clarion.storage.schema import chunks
from support.book import SOURCE, WORKSPACE
from support.clock import FakeClock
from support.scenarios import FID, OF_FID
from support.world import APP, World


@pytest.fixture
async def world(database: Database, clock: FakeClock) -> World:
    return await World(database, clock).open()


async def test_every_device_of_every_customer_gets_it_once(world: World) -> None:
    await world.devices(*(f"token-{number}" for number in range(23)))
    await world.devices("second", user="user-token-1")
    campaign_id = await world.campaign()
    found = await world.settle(campaign_id)
    assert found.total.planned == found.total.accepted == 24
    assert len(world.provider.accepted) == 24
    assert set(world.provider.accepted.values()) == {1}
    assert found.balances
    assert (await world.get(campaign_id)).state is CampaignState.DONE


async def test_each_outcome_has_its_place_in_the_account(world: World) -> None:
    await world.devices("ok", "dead-1", "bad-1", "slow-1", "down-1", "lost-1", "never-1")
    campaign_id = await world.campaign()
    found = await world.settle(campaign_id)
    assert found.total.accepted == 4
    assert found.total.unregistered == 1
    assert found.total.rejected == 1
    assert found.total.expired == 1
    assert found.reasons["unregistered"] == {"unregistered": 1}
    assert found.reasons["rejected"] == {"payload_too_big": 1}
    assert found.unanswered == 1
    assert found.balances


async def test_an_answer_lost_at_the_last_try_is_counted_too(world: World) -> None:
    """It may be on the device: "expired" alone would hide that."""
    await world.devices("lost-1", "ok")
    found = await world.settle(await world.campaign(content={"title": "Now", "ttl_seconds": 5}))
    assert (found.total.accepted, found.total.expired) == (1, 1)
    assert (found.attempts, found.unanswered) == (2, 1)
    assert found.reasons["expired"] == {"timeout": 1}


class TurnClock(FakeClock):
    """Knows at which turn of the event loop it was read."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = 0
        self.turns_read: set[int] = set()

    def now(self) -> datetime:
        self.turns_read.add(self.turn)
        return super().now()

    async def count(self) -> None:
        while True:
            self.turn += 1
            await asyncio.sleep(0)


async def test_dear_texts_leave_the_loop_to_others_between_two_pushes(database: Database) -> None:
    """/livez, the collector and the API live on the same loop."""
    clock = TurnClock()
    world = await World(database, clock).open()
    world.planner = Planner(
        database, world.broker, clock, PlannerOptions(chunk_deliveries=50, wait_seconds=0)
    )
    await world.devices(*(f"token-{number}" for number in range(20)))
    dear = "{% for i in (1..900) %}{% assign a = customer.a | append: 'x' %}{% endfor %}"
    turns = {}
    for body in ("{{ customer.a }}", dear * 3):
        await world.campaign(content={"title": "Hello", "body": body})
        await world.scheduler.step()
        while await world.planner.step():
            pass
        clock.turns_read.clear()
        counting = asyncio.create_task(clock.count())
        assert await world.sender.step() == 20
        counting.cancel()
        turns[body] = len(clock.turns_read)
    content = parse_content({"title": "Hello", "body": dear * 3})
    assert isinstance(content, ContentSpec)
    template = Template(content)
    template.render(Platform.ANDROID, user_id=None, traits={})
    a_turn = -(-TURN_STEPS // template.steps)
    assert turns[dear * 3] - turns["{{ customer.a }}"] >= 20 // a_turn - 1 >= 9


async def test_a_push_for_now_or_never_is_tried_once(world: World) -> None:
    await world.devices("ok", "down-1", "slow-1")
    found = await world.settle(await world.campaign(content={"title": "Now", "ttl_seconds": 0}))
    assert (found.total.accepted, found.total.expired, found.attempts) == (1, 2, 3)
    assert found.reasons["expired"] == {"unavailable": 1, "throttled": 1}


class FickleClock(FakeClock):
    """Each chance is another one."""

    _chances = 0

    def chance(self) -> float:
        self._chances += 1
        return self._chances * 0.618 % 1


async def test_what_fails_together_is_tried_again_together(database: Database) -> None:
    """Else an outage would leave a chunk for every delivery, each with its own transactions."""
    world = await World(database, FickleClock()).open()
    await world.devices("never-1", "never-2")
    campaign_id = await world.campaign()
    found = await world.settle(campaign_id)
    assert found.total.expired == 2
    assert found.attempts >= 12
    async with world.database.read() as connection:
        sizes = await connection.execute(select(chunks.c.size))
        assert set(sizes.scalars()) == {2}


async def test_what_one_platform_can_not_have_holds_up_no_other(world: World) -> None:
    await world.devices("one")
    await world.take(world.app.register(0, "D-apns", user="user-2", token="apns-1", platform="iOS"))
    campaign_id = await world.campaign()
    found = await world.settle(campaign_id)
    assert found.reasons == {"expired": {"third_party_auth": 1}}
    assert (found.total.accepted, found.platforms["iOS"].expired) == (1, 1)
    async with world.database.read() as connection:
        [app] = await list_apps(connection, WORKSPACE)
    assert app.paused_reason is None


async def test_only_the_dead_registration_is_removed_and_registering_revives_it(
    world: World,
) -> None:
    await world.devices("ok", "dead-1", "bad-1", "never-1")
    await world.settle(await world.campaign())
    async with world.database.read() as connection:
        states = {
            token: await get_device(connection, WORKSPACE, f"D-{token}")
            for token in ("ok", "dead-1", "bad-1", "never-1")
        }
    assert {token: device and device.state.value for token, device in states.items()} == {
        "ok": "active",
        "dead-1": "removed",
        "bad-1": "active",
        "never-1": "active",
    }
    await world.take(world.app.register(9_000, "D-dead-1", user="user-dead-1", token="new"))
    async with world.database.read() as connection:
        revived = await get_device(connection, WORKSPACE, "D-dead-1")
    assert revived is not None
    assert revived.state.value == "active"


async def test_a_token_refreshed_in_between_survives_the_old_ones_death(world: World) -> None:
    await world.devices("old")
    await world.take(world.app.register(5, "D-old", user="user-old", token="new"))
    async with world.database.write() as connection:
        removed = await remove_registrations(
            connection,
            [
                Removal(
                    device_row_id=device_row_id(WORKSPACE, "D-old"),
                    token_hash=token_hash("old"),
                    reason="unregistered",
                )
            ],
            world.clock.now(),
        )
        device = await get_device(connection, WORKSPACE, "D-old")
    assert removed == 0
    assert device is not None
    assert device.state.value == "active"


async def test_a_device_that_moved_to_a_fid_gets_one_push_and_by_the_fid(world: World) -> None:
    await world.take(
        world.app.register(0, "D", user="U", token=OF_FID),
        world.app.register(1, "D", user="U", token=None, fid=FID),
        world.app.register(2, "D-old", user="U", token=f"{OF_FID}-old"),
        world.app.register(3, "D", user="U", token=OF_FID, fid=FID),
    )
    found = await world.settle(await world.campaign())
    assert (found.total.planned, found.total.accepted) == (1, 1)
    assert [(push.token, push.token_kind) for push in world.provider.pushes] == [
        (FID, TokenKind.FID)
    ]


async def test_the_death_of_the_former_kind_leaves_the_newer_one(world: World) -> None:
    await world.take(world.app.register(0, "D", user="U", token="dead-token"))
    campaign_id = await world.campaign()
    await world.scheduler.step()
    await world.planner.step()
    world.provider.opened.clear()
    sending = asyncio.create_task(world.sender.step())
    await world.provider.waiting.wait()
    await world.take(world.app.register(1, "D", user="U", token=None, fid="the-fid"))
    world.provider.opened.set()
    await sending
    assert (await world.report(campaign_id)).total.unregistered == 1
    found = await world.settle(await world.campaign())
    assert found.total.accepted == 1
    assert [push.token for push in world.provider.pushes] == ["the-fid"]


async def test_a_dead_fid_gives_way_to_the_token_at_once_and_lives_again_behind_it(
    world: World,
) -> None:
    await world.take(
        world.app.register(0, "D", user="U", token="the-token"),
        world.app.register(1, "D", user="U", token=None, fid="dead-fid"),
    )
    first = await world.settle(await world.campaign())
    second = await world.settle(await world.campaign())
    assert (first.total.accepted, second.total.accepted) == (1, 1)
    assert (first.attempts, second.attempts) == (2, 1)
    await world.take(world.app.register(9_000, "D", user="U", token=None, fid="dead-fid"))
    async with world.database.read() as connection:
        device = await get_device(connection, WORKSPACE, "D")
        lines = await device_history(connection, WORKSPACE, "D")
    assert device is not None
    assert (device.state.value, device.token_kind) == ("active", TokenKind.FCM)
    assert [registration.state.value for registration in device.registrations] == [
        "active",
        "active",
    ]
    assert [(line.change, line.reason) for line in lines][:3] == [
        ("registered", None),
        ("token", None),
        ("token", "unregistered"),
    ]


async def test_a_push_is_never_sent_to_a_device_that_has_moved(world: World) -> None:
    await world.devices("one", "two", "three")
    campaign_id = await world.campaign()
    await world.scheduler.step()
    await world.planner.step()
    await world.take(world.app.register(10, "D-two", user="somebody-else", token="two"))
    await world.take(
        world.app.identify(
            11,
            "user-three",
            traits={
                "marketingPreferences": {"channels": [{"channel": "push", "subscribed": False}]}
            },
        )
    )
    found = await world.settle(campaign_id)
    assert found.total.accepted == 1
    assert found.reasons["skipped"] == {"device_moved": 1, "opted_out": 1}
    assert found.balances


async def test_what_is_not_sent_is_planned_with_its_reason(world: World) -> None:
    async with world.database.write() as connection:
        await bind_firebase_app(connection, WORKSPACE, SOURCE, None)
    await world.devices("one", "two")
    campaign_id = await world.campaign()
    found = await world.settle(campaign_id)
    assert found.reasons["skipped"] == {"no_firebase_app": 2}
    assert (await world.get(campaign_id)).state is CampaignState.FAILED


async def test_the_words_are_rendered_for_each_customer(world: World) -> None:
    await world.devices("one", "two")
    await world.take(world.app.identify(1, "user-one", traits={"name": "Ada", "plan": "gold"}))
    await world.settle(
        await world.campaign(
            content={"title": 'Hi {{ customer.name | default: "there" }}', "body": "News"}
        )
    )
    assert {push.token: push.content.title for push in world.provider.pushes} == {
        "one": "Hi Ada",
        "two": "Hi there",
    }


async def test_an_audience_by_user_ids_and_by_traits(world: World) -> None:
    await world.devices("one", "two", "three")
    await world.take(
        world.app.identify(1, "user-one", traits={"plan": "gold", "age": 30, "vip": True}),
        world.app.identify(1, "user-two", traits={"plan": "gold", "age": "30", "vip": 1}),
    )

    async def reached(audience: dict[str, object]) -> set[str]:
        world.provider.pushes.clear()
        await world.settle(await world.campaign(audience))
        return {push.token for push in world.provider.pushes}

    assert await reached({"user_ids": ["user-one", "user-three", "nobody"]}) == {"one", "three"}
    assert await reached({"traits": {"plan": "gold"}}) == {"one", "two"}
    assert await reached({"traits": {"age": 30}}) == {"one"}
    assert await reached({"traits": {"age": "30"}}) == {"two"}
    assert await reached({"traits": {"vip": True}}) == {"one"}
    assert await reached({"traits": {"plan": None}}) == {"three"}


async def test_a_cancelled_campaign_sends_nothing_more(world: World) -> None:
    await world.devices(*(f"token-{number}" for number in range(6)))
    campaign_id = await world.campaign()
    await world.scheduler.step()
    await world.planner.step()
    await world.sender.step()
    await world.change(campaign_id, cancel)
    found = await world.settle(campaign_id)
    assert found.total.accepted == 2
    assert found.total.cancelled == 4
    assert found.balances


async def test_a_paused_campaign_goes_on_where_it_stood(world: World) -> None:
    await world.devices(*(f"token-{number}" for number in range(6)))
    campaign_id = await world.campaign()
    await world.scheduler.step()
    await world.planner.step()
    await world.sender.step()
    await world.change(campaign_id, pause)
    found = await world.settle(campaign_id, hours=0.2)
    assert (found.total.accepted, found.total.in_flight) == (2, 4)
    await world.change(campaign_id, resume)
    found = await world.settle(campaign_id)
    assert found.total.accepted == 6
    assert set(world.provider.accepted.values()) == {1}


async def test_wrong_credentials_pause_the_firebase_app_and_lose_nothing(world: World) -> None:
    await world.devices("one", "two", "three")
    world.provider.broken = True
    campaign_id = await world.campaign()
    found = await world.settle(campaign_id, hours=2)
    assert found.total.in_flight == 3
    async with world.database.write() as connection:
        (app,) = await list_apps(connection, WORKSPACE)
        assert app.paused_reason == "permission_denied: the key was withdrawn"
        await resume_app(connection, WORKSPACE, APP)
    world.provider.broken = False
    found = await world.settle(campaign_id)
    assert found.total.accepted == 3
    assert found.balances


async def test_a_sender_believed_dead_changes_nothing_any_more(world: World) -> None:
    await world.devices("one")
    campaign_id = await world.campaign()
    await world.scheduler.step()
    await world.planner.step()
    now = world.clock.now()
    async with world.database.write() as connection:
        chunk_id = (await connection.execute(select(chunks.c.id))).scalar_one()
        late = await claim_chunk(connection, chunk_id, now=now, lease_until=now)
    world.clock.advance(1)
    found = await world.settle(campaign_id)
    assert found.total.accepted == 1
    assert late is not None
    async with world.database.write() as connection:
        ours = await settle_chunk(
            connection,
            late,
            settled={device_row_id(WORKSPACE, "D-one"): Settled(state=DeliveryState.REJECTED)},
            sent=(),
            unanswered=(),
            again=(),
            now=now,
        )
    assert not ours
    assert await world.report(campaign_id) == found


async def test_a_doubled_job_sends_nothing_twice(world: World) -> None:
    await world.devices(*(f"token-{number}" for number in range(7)))
    campaign_id = await world.campaign()
    await world.scheduler.step()
    await world.scheduler.nudge()
    await world.settle(campaign_id)
    world.clock.advance(1_000)
    await world.sender.sweep()
    while await world.sender.step():
        pass
    assert set(world.provider.accepted.values()) == {1}
    assert len(world.provider.accepted) == 7


async def test_a_platform_without_credentials_is_told_once(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(5):
        await world.take(
            world.app.register(
                0, f"D-{number}", user=f"user-{number}", token=f"apns-{number}", platform="iOS"
            )
        )
    found = await world.settle(await world.campaign())
    assert found.reasons == {"expired": {"third_party_auth": 5}}
    assert capsys.readouterr().out.count("platform_refused") == 1
