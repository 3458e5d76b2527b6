"""Merging two customers by hand, and taking it back, on both databases."""

import asyncio
import random
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from clarion.accounts.actor import system
from clarion.clock import SystemClock
from clarion.customers.commands import merge_customers, unmerge_customer
from clarion.customers.devices.store import device_history
from clarion.customers.identity.identifier import device_row_id
from clarion.customers.identity.merges.merger import (
    MERGED,
    SAME,
    UNKNOWN,
    merge_users,
    unmerge_users,
)
from clarion.customers.identity.merges.store import Merge, active_merges_of, list_merges
from clarion.customers.profile.store import find_customer, get_customer
from clarion.events.messages.message import Event
from clarion.faults import Rejected
from clarion.storage.database import Database
from clarion.storage.schema import devices
from contract.test_ingestion import empty, state, take
from support.book import NOW, WORKSPACE
from support.clock import FakeClock
from support.database import make_tables
from support.history import App
from support.patience import patience, until
from support.postgres import PostgresServer
from support.sampling import examples
from support.services import services
from unit.test_identity import histories

ME = system(WORKSPACE, "me")


async def merged(database: Database, number: int = 1) -> None:
    merge = Merge(
        id=FakeClock(NOW + timedelta(seconds=number)).new_id(),
        from_user="V",
        into_user="U",
        made_at=NOW,
        made_by="test",
        undone_at=None,
        undone_by=None,
    )
    async with database.write() as connection:
        await merge_users(connection, WORKSPACE, merge)


async def unmerged(database: Database) -> None:
    async with database.write() as connection:
        [merge] = await active_merges_of(connection, WORKSPACE, ["V"])
        await unmerge_users(connection, WORKSPACE, merge, NOW, "test")


async def whole(database: Database) -> dict[str, Any]:
    """Everything that must not depend on order, and when each customer was seen."""
    found = await state(database)
    async with database.read() as connection:
        found["seen"] = {
            user: (customer.id, customer.first_seen_at, customer.last_seen_at)
            for user in ("U", "V", "W")
            if (customer := await get_customer(connection, WORKSPACE, user)) is not None
        }
    return found


@settings(
    max_examples=examples(8),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories(), chance=st.randoms(use_true_random=False))
async def test_any_order_of_events_and_merges_ends_alike(
    database: Database, history: list[Event], chance: random.Random
) -> None:
    await empty(database)
    await take(database, history)
    without = await whole(database)
    await merged(database)
    expected = await whole(database)
    await unmerged(database)
    assert await whole(database) == without

    await empty(database)
    order: list[Event | str] = [*history]
    chance.shuffle(order)
    first, second, third = sorted(chance.randint(0, len(order)) for _ in range(3))
    order = [*order[:first], "merge", *order[first:second], "undo", *order[second:third],
             "merge again", *order[third:]]  # fmt: skip
    for one in order:
        if isinstance(one, Event):
            await take(database, [one])
        elif one == "undo":
            await unmerged(database)
        else:
            await merged(database, len(one))
    assert await whole(database) == expected
    await unmerged(database)
    assert await whole(database) == without


async def test_a_merged_customer_is_one_with_the_other_and_late_events_follow(
    database: Database,
) -> None:
    app = App()
    await take(
        database,
        [
            app.identify(1, "U", traits={"plan": "gold"}),
            app.track(2, anon="A"),
            app.identify(3, "V", anon="A", traits={"plan": "tin", "age": 7}),
            app.register(4, "D", user="V", token="T"),
        ],
    )
    parts = services(database, FakeClock(NOW))
    assert isinstance(await merge_customers(parts, ME, "V", "U"), Merge)
    await take(database, [app.track(5, anon="A"), app.identify(6, "V", traits={"age": 8})])
    async with database.read() as connection:
        customer = await get_customer(connection, WORKSPACE, "U")
        assert await get_customer(connection, WORKSPACE, "V") is None
        assert await find_customer(connection, WORKSPACE, "V") == customer
        lines = await device_history(connection, WORKSPACE, "D")
    assert customer is not None
    assert customer.traits == {"plan": "tin", "age": 8}
    found = await state(database)
    assert set(found["owners"].values()) == {customer.id}
    assert found["devices"]["D"][0] == customer.id
    assert [(line.change, line.reason) for line in lines] == [
        ("registered", None),
        ("moved", "merged"),
    ]


async def test_what_can_not_be_merged_is_refused_with_a_reason(database: Database) -> None:
    app = App()
    await take(database, [app.identify(n, user) for n, user in enumerate("UVWX")])
    await take(database, [app.register(9, "D", token="T")])
    parts = services(database, FakeClock(NOW))

    async def fault(one: str, other: str) -> Rejected | None:
        answer = await merge_customers(parts, ME, one, other)
        return answer if isinstance(answer, Rejected) else None

    assert await fault("U", "U") is SAME
    assert await fault("U", "nobody") is UNKNOWN
    assert await fault("D", "U") is UNKNOWN
    assert await fault("V", "U") is None
    assert await fault("V", "W") is MERGED
    assert await fault("U", "V") is MERGED
    assert await fault("U", "W") is MERGED
    assert await fault("W", "V") is MERGED
    assert await fault("W", "U") is None
    you = system(WORKSPACE, "you")
    assert isinstance(await unmerge_customer(parts, ME, "X"), Rejected)
    assert isinstance(await unmerge_customer(parts, you, "V"), Merge)
    assert isinstance(await unmerge_customer(parts, you, "V"), Rejected)
    async with database.read() as connection:
        told = await list_merges(connection, WORKSPACE, after=None, limit=10)
    assert [(one.from_user, one.made_by, one.undone_by) for one in told] == [
        ("V", "me", "you"),
        ("W", "me", None),
    ]


async def test_of_two_administrators_at_once_one_does_it(database: Database) -> None:
    app = App()
    await take(database, [app.identify(n, user) for n, user in enumerate("UVWX")])
    parts = services(database, SystemClock())

    async def done(*asked: Awaitable[Merge | Rejected]) -> list[Merge]:
        return [one for one in await asyncio.gather(*asked) if isinstance(one, Merge)]

    for _ in range(5):
        merges = [merge_customers(parts, ME, *pair) for pair in ("VU", "UV", "VW")]
        [made] = await done(*merges)
        undos = [unmerge_customer(parts, system(WORKSPACE, by), made.from_user) for by in "abc"]
        [undone] = await done(*undos)
        assert undone.id == made.id


async def test_devices_change_hands_in_the_order_in_which_everybody_locks_them(
    postgres: PostgresServer, clock: FakeClock
) -> None:
    """PostgreSQL alone locks rows. Somebody who has the first device by id, and goes on to the
    last, must not meet a merge that has the last and waits for the first."""
    app = App()
    names = [f"D{number}" for number in range(8)]
    names.sort(key=lambda name: device_row_id(WORKSPACE, name))
    assert names != sorted(names), "else the two orders are the same"
    async with postgres.new_database() as url:
        database = Database(url)
        await make_tables(database)
        await take(database, [app.register(1, name, user="V") for name in names])
        await take(database, [app.identify(2, "U")])

        def lock(name: str) -> Any:
            row_id = device_row_id(WORKSPACE, name)
            return select(devices.c.id).where(devices.c.id == row_id).with_for_update(nowait=True)

        async with database.write() as other:
            await other.execute(lock(names[0]))
            merging = asyncio.create_task(merge_customers(services(database, clock), ME, "V", "U"))
            await until_blocked(database)
            for name in names[1:]:
                await other.execute(lock(name))
        async with patience():
            assert isinstance(await merging, Merge)
        await database.close()


async def until_blocked(database: Database) -> None:
    """Return once a transaction waits for a row that another has locked."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")

    async def count() -> int:
        async with database.read() as connection:
            return int((await connection.execute(waiting)).scalar_one())

    await until(count, lambda blocked: blocked > 0)
