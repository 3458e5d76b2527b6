"""The ledger is written once: what is planned stands in its chunk, and a delivery's row is written
when it is settled, or when it must wait longer than its chunk."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from clarion.customers.identity.identifier import User, customer_id_of, device_row_id
from clarion.deliveries.counts_store import add_to_counts
from clarion.deliveries.delivery import ACCEPTED, DeliveryState, push_key
from clarion.deliveries.engagement.receipt_store import AppReport, mark_seen
from clarion.deliveries.erasure_store import NOBODY, make_nobodys
from clarion.deliveries.planning.chunk import NewChunk, unpack
from clarion.deliveries.planning.chunk_store import claim_chunk
from clarion.deliveries.sending.ledger_store import settle_chunk
from clarion.deliveries.store import Wanted, list_deliveries
from clarion.reports.timeline_store import pushes_of
from clarion.storage.database import Database
from clarion.storage.schema import chunks, deliveries, launches
from support.book import WORKSPACE
from support.clock import FakeClock
from support.ledger import check_counts
from support.world import World


@pytest.fixture
async def world(database: Database, clock: FakeClock) -> World:
    return await World(database, clock).open()


async def planned(world: World, *tokens: str) -> UUID:
    """A campaign to a device for each token, planned in chunks of two, nothing sent."""
    await world.devices(*tokens)
    campaign_id = await world.campaign()
    await world.scheduler.step()
    while await world.planner.step():
        pass
    return campaign_id


async def rows(world: World) -> Sequence[Any]:
    async with world.database.read() as connection:
        return (await connection.execute(select(deliveries))).all()


async def members(world: World) -> set[UUID]:
    async with world.database.read() as connection:
        packed = (await connection.execute(select(chunks.c.members))).scalars().all()
    return {member.device_id for one in packed for member in unpack(one)}


async def listed(world: World, campaign_id: UUID, limit: int, **which: Any) -> list[Any]:
    found: list[Any] = []
    while True:
        after = (found[-1].launch_id, found[-1].device_row_id) if found else None
        async with world.database.read() as connection:
            page = await list_deliveries(
                connection,
                WORKSPACE,
                campaign_id=campaign_id,
                wanted=Wanted(**which),
                after=after,
                limit=limit,
            )
        found += page
        if len(page) < limit:
            return found


def device(token: str) -> UUID:
    return device_row_id(WORKSPACE, f"D-{token}")


async def test_planning_writes_no_row_for_a_device_that_will_be_sent_to(world: World) -> None:
    tokens = [f"ok-{number}" for number in range(7)]
    campaign_id = await planned(world, *tokens)
    assert await rows(world) == []
    assert await members(world) == {device(token) for token in tokens}
    await check_counts(world.database, campaign_id)
    await world.settle(campaign_id)
    assert await members(world) == set()
    assert {row.device_id for row in await rows(world)} == {device(token) for token in tokens}


async def test_only_what_is_tried_again_has_a_row_before_it_is_settled(world: World) -> None:
    campaign_id = await planned(world, "ok-1", "down-1")
    assert await world.sender.step() == 1
    found = {row.device_id: row for row in await rows(world)}
    assert (found[device("ok-1")].state, found[device("ok-1")].chunk_id) == ("accepted", None)
    waiting = found[device("down-1")]
    assert (waiting.state, waiting.reason, waiting.attempts) == ("pending", "unavailable", 1)
    assert waiting.first_tried_at is not None
    assert await members(world) == set()
    await check_counts(world.database, campaign_id)
    assert (await world.settle(campaign_id)).total.accepted == 2


async def test_what_no_push_left_for_goes_on_without_a_row(world: World) -> None:
    campaign_id = await planned(world, "ok-1", "ok-2")
    now = world.clock.now()
    async with world.database.write() as connection:
        chunk_id = (await connection.execute(select(chunks.c.id))).scalar_one()
        chunk = await claim_chunk(connection, chunk_id, now=now, lease_until=now)
        assert chunk is not None
        rest = NewChunk(
            id=world.clock.new_id(), due_at=now, device_ids=[device("ok-2")], tried=False
        )
        tally = await settle_chunk(
            connection,
            chunk,
            settled={device("ok-1"): ACCEPTED},
            sent=[device("ok-1")],
            unanswered=[],
            again=[rest],
            now=now,
        )
        assert tally is not None
        await add_to_counts(connection, chunk.launch_id, tally)
    assert [row.device_id for row in await rows(world)] == [device("ok-1")]
    assert await members(world) == {device("ok-2")}
    await check_counts(world.database, campaign_id)
    world.clock.advance(60)
    await world.sender.sweep()
    assert (await world.settle(campaign_id)).total.accepted == 2


async def test_a_half_sent_campaign_is_listed_whole_whatever_the_pages(world: World) -> None:
    tokens = [*(f"ok-{number}" for number in range(9)), "down-1", "dead-1"]
    campaign_id = await planned(world, *tokens)
    await world.sender.step()
    await report(world, campaign_id, "ok-3", "ok-4")
    await world.sender.step()
    expected = sorted(device(token) for token in tokens)
    states = {}
    for limit in (1, 2, 3, 5, 100):
        found = await listed(world, campaign_id, limit)
        assert [one.device_row_id for one in found] == expected
        states = {one.device_row_id: one.state for one in found}
    pending = [one for one in expected if states[one] is DeliveryState.PENDING]
    assert 0 < len(pending) < len(expected)
    for limit in (1, 2, 100):
        waiting = await listed(world, campaign_id, limit, state=DeliveryState.PENDING)
        assert [one.device_row_id for one in waiting] == pending
    assert {one.user_id for one in found} == {f"user-{token}" for token in tokens}


async def report(world: World, campaign_id: UUID, *tokens: str) -> None:
    """Their apps say that the push came."""
    async with world.database.write() as connection:
        launch_id = (
            await connection.execute(
                select(launches.c.id).where(launches.c.campaign_id == campaign_id)
            )
        ).scalar_one()
        at = world.clock.now()
        seen = [
            AppReport(
                launch_id=launch_id, device_row_id=device(token), at=at, opened=token == "ok-1"
            )
            for token in tokens
        ]
        await mark_seen(connection, WORKSPACE, seen)


async def test_a_report_that_comes_while_the_push_is_in_the_air_is_kept(world: World) -> None:
    campaign_id = await planned(world, "ok-1", "down-1")
    world.provider.opened.clear()
    sending = asyncio.create_task(world.sender.step())
    await world.provider.waiting.wait()
    await report(world, campaign_id, "ok-1", "down-1")
    await check_counts(world.database, campaign_id)
    world.provider.opened.set()
    await sending
    await check_counts(world.database, campaign_id)
    found = {row.device_id: row for row in await rows(world)}
    assert found[device("ok-1")].state == "accepted"
    assert found[device("ok-1")].opened_at == world.clock.now()
    assert found[device("down-1")].state == "pending"
    assert found[device("down-1")].received_at == world.clock.now()
    total = (await world.report(campaign_id)).total
    assert (total.received, total.opened) == (2, 1)


async def test_a_customer_s_pushes_show_what_is_planned(world: World) -> None:
    campaign_id = await planned(world, "ok-1", "ok-2")
    customer_id = customer_id_of(WORKSPACE, User("user-ok-1"))

    async def pushes() -> list[tuple[UUID, str]]:
        async with world.database.read() as connection:
            found = await pushes_of(connection, WORKSPACE, customer_id, None, 10)
        assert all(one.campaign_id == campaign_id for one in found)
        return [(one.device_row_id, one.state.value) for one in found]

    assert await pushes() == [(device("ok-1"), "pending")]
    await world.settle(campaign_id)
    assert await pushes() == [(device("ok-1"), "accepted")]


async def test_nothing_is_written_of_who_was_erased_while_the_push_was_in_the_air(
    world: World,
) -> None:
    campaign_id = await planned(world, "ok-1", "ok-2")
    world.provider.opened.clear()
    sending = asyncio.create_task(world.sender.step())
    await world.provider.waiting.wait()
    async with world.database.write() as connection:
        launch_ids = list((await connection.execute(select(launches.c.id))).scalars())
        count = await make_nobodys(
            connection,
            launch_ids,
            own_devices=[device("ok-1")],
            past_devices=[],
            customer_ids=[customer_id_of(WORKSPACE, User("user-ok-1"))],
            new_id=world.clock.new_id,
            now=world.clock.now(),
        )
    assert count == 1
    assert await members(world) == {device("ok-2")}
    await check_counts(world.database, campaign_id)
    world.provider.opened.set()
    await sending
    await check_counts(world.database, campaign_id)
    found = {row.device_id: row for row in await rows(world)}
    assert device("ok-1") not in found
    assert sorted((row.state, row.reason) for row in found.values()) == [
        ("accepted", None), ("skipped", "erased"),
    ]  # fmt: skip
    assert NOBODY in {row.customer_id for row in found.values()}


async def test_a_device_that_is_given_to_another_after_planning_is_skipped(world: World) -> None:
    campaign_id = await planned(world, "ok-1", "ok-2")
    await world.take(world.app.register(60, "D-ok-1", user="user-ok-2", token="ok-1"))
    found = await world.settle(campaign_id)
    assert found.reasons["skipped"] == {"device_moved": 1}
    assert found.total.accepted == 1
    [launch_id] = {row.launch_id for row in await rows(world)}
    assert world.provider.accepted[push_key(launch_id, device("ok-1"))] == 0
