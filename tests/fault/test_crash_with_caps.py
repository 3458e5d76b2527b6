"""A process may die anywhere while frequency caps hold: what they count is what was accepted."""

from collections import defaultdict
from uuid import UUID

import pytest
from sqlalchemy import select

from clarion.campaigns.limits.caps import Cap
from clarion.campaigns.limits.limits import Limits
from clarion.campaigns.limits.store import save_limits
from clarion.deliveries.delivery import DeliveryState
from clarion.deliveries.limits.recent import unpack
from clarion.storage.database import Database
from clarion.storage.schema import deliveries, recent_pushes
from fault.test_crash_everywhere import FEW_POINTS, a_campaign_each
from support.book import WORKSPACE
from support.clock import FakeClock
from support.faults import Crash
from support.world import World


@pytest.fixture
async def world(database: Database, clock: FakeClock) -> World:
    return await World(database, clock).open()


async def test_what_caps_count_is_what_was_accepted_wherever_a_process_dies(world: World) -> None:
    async with world.database.write() as connection:
        limits = Limits(caps=(Cap(pushes=1, days=30),))
        await save_limits(connection, WORKSPACE, limits, world.clock.now())
    assert await a_campaign_each(world, Crash, points=FEW_POINTS)
    async with world.database.read() as connection:
        rows = (await connection.execute(select(deliveries))).all()
        counted = (await connection.execute(select(recent_pushes))).all()
    accepted: dict[UUID, set[bytes]] = defaultdict(set)
    for row in rows:
        if row.state == DeliveryState.ACCEPTED.value:
            accepted[row.customer_id].add(row.launch_id.bytes)
    assert {
        row.customer_id: {push.launch for push in unpack(row.pushes)}
        for row in counted
        if row.pushes and unpack(row.pushes)
    } == accepted
    assert {len(launches) for launches in accepted.values()} == {1}
