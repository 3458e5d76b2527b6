"""Promise 2 on both databases: what the pure core says is what the rows say."""

import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, text

from clarion.customers.devices.registration_store import kept_device
from clarion.customers.devices.store import customer_history, device_history
from clarion.customers.identity.batch import Arrival
from clarion.customers.identity.identifier import User, customer_id_of
from clarion.customers.ingestion import Ingestion
from clarion.customers.profile.store import customers_in, get_customer
from clarion.events.envelope import open_parcel
from clarion.events.messages.message import Event
from clarion.events.ownership_store import customer_of
from clarion.storage.database import Database
from clarion.storage.schema import claims, customers, devices, events, metadata
from support.book import NOW, SOURCE, WORKSPACE, Book
from support.history import DAY, App
from support.sampling import examples
from support.scenarios import SCENARIOS, Scenario
from unit.test_identity import histories
from unit.test_order import Call, any_calls, parcel


async def take(database: Database, batch: list[Event]) -> int:
    async with database.write() as connection:
        ingestion = Ingestion(connection, WORKSPACE, NOW)
        return await ingestion.take([Arrival(event=event, source_id=SOURCE) for event in batch])


async def state(database: Database) -> dict[str, Any]:
    async with database.read() as connection:
        owners = await connection.execute(
            select(events.c.message_id, customer_of().label("customer_id"))
        )
        people = await customers_in(connection, select(customers))
        things = await connection.execute(select(devices))
        return {
            "owners": dict(sorted((row.message_id, row.customer_id) for row in owners)),
            "devices": {
                row.device_id: (
                    row.customer_id,
                    kept_device(row).registrations,
                    kept_device(row).facts,
                    row.last_seen_at,
                )
                for row in sorted(things, key=lambda row: row.device_id)
            },
            "customers": {
                row.id: (row.traits, row.push_opted_out, row.first_seen_at, row.last_seen_at)
                for row in sorted(people, key=lambda row: row.id)
            },
        }


def expected(history: list[Event]) -> dict[str, Any]:
    book = Book()
    book.take(history)
    said = book.state()
    return {name: said[name] for name in ("owners", "devices", "customers")}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_sampled_orders_of_the_scenarios_end_alike(
    database: Database, scenario: Scenario
) -> None:
    history = list(scenario.events)
    chance = random.Random(scenario.name)
    for _ in range(examples(2)):
        order = [*history, *history]
        chance.shuffle(order)
        while order:
            size = chance.randint(1, 3)
            await take(database, order[:size])
            order = order[size:]
        assert await state(database) == expected(history)
        await empty(database)


@settings(
    max_examples=examples(12),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories(), chance=st.randoms(use_true_random=False))
async def test_any_history_ends_in_the_state_the_pure_core_says(
    database: Database, history: list[Event], chance: random.Random
) -> None:
    await empty(database)
    order = [*history, *chance.sample(history, len(history) // 2)]
    chance.shuffle(order)
    while order:
        size = chance.randint(1, 4)
        await take(database, order[:size])
        order = order[size:]
    assert await state(database) == expected(history)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(calls=any_calls(), chance=st.randoms(use_true_random=False))
async def test_any_clocks_end_in_the_state_the_pure_core_says(
    database: Database, calls: list[Call], chance: random.Random
) -> None:
    """Late, ahead and without a time, with the events that such a clock moves filed anew."""
    await empty(database)
    history = [event for call in calls for event in open_parcel(parcel(call))[0]]
    for event in chance.sample(history, len(history)):
        await take(database, [event])
    assert await state(database) == expected(history)


async def test_a_repeated_message_id_changes_nothing(database: Database) -> None:
    app = App()
    event = app.register(1, "D", user="U")
    assert await take(database, [event, event]) == 1
    before = await state(database)
    assert await take(database, [event]) == 0
    assert await state(database) == before


async def test_profiles_are_made_without_the_events_that_taught_them(database: Database) -> None:
    app = App()
    await take(
        database,
        [
            app.identify(1, "U", anon="A", traits={"plan": "free", "city": "Graz"}),
            app.identify(2, "U", traits={"plan": "pro", "pushEnabled": False}),
            app.identify(3, "V", anon="B", traits={"plan": "basic"}),
            app.identify(4, "W", context={"active": False}),
        ],
    )
    before = await state(database)
    async with database.write() as connection:
        await connection.execute(delete(events))
        everybody = [User(name) for name in "UVW"]
        await Ingestion(connection, WORKSPACE, NOW).make_anew(everybody)
    assert (await state(database))["customers"] == before["customers"]
    await take(database, [app.alias(5, "U", "B"), app.identify(6, "U", traits={"n": 1})])
    async with database.read() as connection:
        customer = await get_customer(connection, WORKSPACE, "U")
    assert customer is not None
    assert customer.traits == {"plan": "pro", "city": "Graz", "pushEnabled": False, "n": 1}


async def test_what_is_left_to_events_is_found_there(database: Database) -> None:
    """A day of one person's use claims a device once; somebody who had it between, and is heard of
    late, had it between all the same."""
    app, history = App(), []
    history.append(app.identify(0, "U", context_device="D"))
    for minute in range(10, 100, 10):
        history.append(app.track(minute, user="U", context_device="D"))
    for event in history:
        await take(database, [event])
    async with database.read() as connection:
        stored = await connection.execute(select(func.count()).select_from(claims))
        assert stored.scalar_one() == 1
    late = app.track(45, user="V", anon="D")
    anonymous = [app.track(minute, anon="D") for minute in (44, 46, 51)]
    for event in (*anonymous, late):
        await take(database, [event])
    assert await state(database) == expected([*history, *anonymous, late])
    owners = (await state(database))["owners"]
    of_u, of_v = (customer_id_of(WORKSPACE, User(user)) for user in ("U", "V"))
    assert [owners[one.message_id] for one in anonymous] == [of_u, of_v, of_u]


async def test_a_device_tells_every_owner_and_token_and_what_caused_them(
    database: Database,
) -> None:
    app = App()
    await take(
        database,
        [
            app.register(1, "D", token="T1"),
            app.register(2, "D", user="U", token="T1"),
            app.register(3, "D", user="U", token="T2"),
            app.register(4, "D", token="T2"),
        ],
    )
    await take(database, [app.register(5, "D", user="V", token="T2")])
    async with database.read() as connection:
        lines = await device_history(connection, WORKSPACE, "D")
        theirs = await customer_history(connection, WORKSPACE, customer_id_of(WORKSPACE, User("U")))
    assert [(line.change, line.message_id) for line in lines] == [
        ("registered", "m01"),
        ("moved", "m02"),
        ("token", "m03"),
        ("moved", "m04"),
        ("moved", "m05"),
    ]
    assert [line.message_id for line in theirs] == ["m02", "m03", "m04"]


async def test_a_removal_names_the_event_that_caused_it_and_its_time(database: Database) -> None:
    app = App()
    await take(
        database,
        [
            app.told(1, "Device Created or Updated", "D", user="U", token="T1"),
            app.told(4, "Device Deleted", "D", user="U", token="T1"),
            app.register(1, "E", user="U", token="T2"),
        ],
    )
    await take(database, [app.register(6, "F", user="V", token="T2")])
    await take(database, [app.told(9, "Device Created or Updated", "D", anon="X", token="T1")])
    removed = {}
    async with database.read() as connection:
        for device_id in ("D", "E"):
            lines = await device_history(connection, WORKSPACE, device_id)
            removed[device_id] = [
                (line.reason, line.message_id, line.at)
                for line in lines
                if line.change == "removed"
            ]
    assert removed == {
        "D": [("deleted_by_app", "m02", DAY + timedelta(minutes=4))],
        "E": [("token_moved", "m04", DAY + timedelta(minutes=6))],
    }


async def test_an_absorbed_anonymous_customer_is_gone(database: Database) -> None:
    app = App()
    await take(database, [app.track(1, anon="A")])
    await take(database, [app.identify(2, "U", anon="A", traits={"plan": "gold"})])
    async with database.read() as connection:
        people = (await connection.execute(select(customers))).all()
        known = await get_customer(connection, WORKSPACE, "U")
    assert len(people) == 1
    assert known is not None
    assert known.traits == {"plan": "gold"}
    assert known.first_seen_at < known.last_seen_at


async def empty(database: Database) -> None:
    async with database.write() as connection:
        for table in metadata.sorted_tables:
            await connection.execute(text(f"DELETE FROM {table.name}"))  # noqa: S608
