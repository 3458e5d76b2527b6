"""Databases that earlier versions left behind: brought to this one, nothing is lost, and what was
under way goes on."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import Text, column, select, table

from clarion.campaigns.campaign import CampaignState
from clarion.customers.devices.device import TokenKind
from clarion.customers.identity.identifier import Provisional, User, customer_id_of
from clarion.customers.ingestion import Ingestion
from clarion.deliveries.apps.store import open_app
from clarion.deliveries.provider import ProviderApp
from clarion.events.ownership_store import customer_of
from clarion.events.store import get_event
from clarion.privacy.eraser import Eraser
from clarion.privacy.erasure_request_store import unfinished
from clarion.sources.auth_result import AuthResult
from clarion.sources.key_store import find_admissions
from clarion.storage.database import Database
from clarion.storage.dialect import Id
from clarion.storage.migrate import REVISIONS, is_current, migrate
from clarion.storage.schema import campaigns, customers, devices, events, write_keys
from flow.test_erasure import left
from support.book import WORKSPACE
from support.clock import FakeClock
from support.history import DAY, App
from support.kept_database import (
    BASE,
    DATABASES,
    IDENTITY_SECRET,
    LEFT_AT,
    SENT_CHUNKS,
    SINCE_0010,
    bring_back,
    vault,
)
from support.sampling import is_soak
from support.world import APP, World

_OLD_EVENTS = table("events", column("message_id", Text), column("customer_id", Id))
"""As it was up to `EVENTS_HAD_OWNERS_UNTIL`."""
SIGN_OUTS = [DAY + timedelta(minutes=34)]
"""After which somebody nobody knows used a device."""
KEPT = sorted({file.name.partition(".")[0] for file in DATABASES.iterdir()})
TRIED = KEPT if is_soak() else [KEPT[0], KEPT[-1]]
"""The oldest goes through every revision; the newest is where most operators come from."""
EVENTS_HAD_OWNERS_UNTIL = "0012"


@pytest.fixture(params=TRIED)
async def world(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[World]:
    """A kept database at the newest schema, and the agents that go on with it."""
    await bring_back(request.param, database_url)
    await migrate(database_url)
    assert await is_current(database_url)
    world = World(Database(database_url), FakeClock(LEFT_AT), app=App(prefix="later"))
    world.go_on(vault())
    yield world
    await world.broker.close()
    await world.database.close()


def test_a_database_is_kept_of_every_version_that_has_been_released() -> None:
    """A revision that lands brings its own: `python -m support.kept_database REVISION`."""
    assert set(KEPT) <= set(REVISIONS)
    assert {"0002", "0033"} <= set(KEPT)


async def test_customers_devices_and_their_owners_are_what_they_were(world: World) -> None:
    async with world.database.read() as connection:
        found = (await connection.execute(select(devices))).all()
        known = {row.user_id: row.traits for row in await connection.execute(select(customers))}
        heard = (await connection.execute(select(events.c.message_id))).scalars().all()
    owners = {row.device_id: (row.customer_id, row.state, row.token) for row in found}
    ada, bob = (customer_id_of(WORKSPACE, User(name)) for name in ("ada", "bob"))
    assert owners["phone"] == (ada, "active", "ok-phone-1")
    assert owners["tablet"] == (bob, "active", "ok-tablet-2")
    assert owners["old"][:2] == (bob, "removed")
    assert {f"D-{token}" for token in BASE} <= owners.keys()
    assert owners["D-dead-1"][1] == "removed"
    assert known["ada"] == {"email": "ada@shop.example", "n": 1.5}
    assert known["bob"] == {"plan": "free", "city": "Graz", "tags": ["a", "é"]}
    since = SINCE_0010 if "hands01" in heard else 0
    assert len(heard) == len(set(heard)) == 15 + len(BASE) + 3 + since
    assert {row.token_kind for row in found} == {TokenKind.FCM.value}


@pytest.mark.parametrize("name", TRIED)
async def test_events_are_whose_they_were_and_customers_are_made_anew_alike(
    database_url: str, name: str
) -> None:
    await bring_back(name, database_url)
    database = Database(database_url)
    owned = select(events.c.message_id, customer_of().label("customer_id"))
    was = owned if name > EVENTS_HAD_OWNERS_UNTIL else select(_OLD_EVENTS)
    async with database.read() as connection:
        owners = {row.message_id: row.customer_id for row in await connection.execute(was)}
    await database.close()
    await migrate(database_url)
    database = Database(database_url)
    async with database.write() as connection:
        now = {row.message_id: row.customer_id for row in await connection.execute(owned)}
        assert now == owners
        by_id = select(customers).order_by(customers.c.id)
        people = (await connection.execute(by_id)).all()
        users = [User(person.user_id) for person in people if person.user_id is not None]
        strangers = [
            Provisional(person.key, since)
            for person in people
            if person.key is not None
            for since in (None, *SIGN_OUTS)
            if customer_id_of(WORKSPACE, Provisional(person.key, since)) == person.id
        ]
        assert len(users) + len(strangers) == len(people)
        await Ingestion(connection, WORKSPACE, LEFT_AT).make_anew([*users, *strangers])
        assert (await connection.execute(by_id)).all() == people
    await database.close()


async def test_what_comes_now_is_taken_in_beside_what_was(world: World) -> None:
    await world.take(world.app.identify(600, "bob-2", traits={"plan": "gold"}))
    async with world.database.read() as connection:
        rows = await connection.execute(
            select(customers.c.traits).where(customers.c.user_id == "bob")
        )
        assert rows.scalar_one()["plan"] == "gold", "the merge still holds"


async def test_the_finished_campaign_s_account_balances(world: World) -> None:
    [first, _] = await campaign_ids(world)
    account = await world.report(first)
    assert account.balances
    total = account.total
    assert (total.accepted, total.unregistered, total.rejected) == (len(BASE) + 1, 1, 1)
    assert (total.received, total.in_flight) == (3, 0)


async def test_a_receipt_that_waited_is_attributed(world: World) -> None:
    [first, _] = await campaign_ids(world)
    waits = await world.attributor.step()
    assert waits == (1 if await hears(world, "receipt01") else 0)
    assert (await world.report(first)).total.opened == waits
    assert await world.attributor.step() == 0


async def test_the_campaign_half_sent_is_finished(world: World) -> None:
    [_, second] = await campaign_ids(world)
    before = await world.report(second)
    assert before.balances
    assert before.attempts == SENT_CHUNKS * 2
    account = await world.settle(second)
    assert account.balances
    assert (await world.get(second)).state is CampaignState.DONE
    assert account.total.planned == before.total.planned
    assert account.total.in_flight == 0
    assert (account.total.rejected, account.total.skipped) == (1, 1)
    assert "ok-quiet" not in {push.token for push in world.provider.pushes}
    assert len(world.provider.accepted) == account.total.accepted - before.total.accepted


async def test_the_erasure_under_way_is_finished(world: World) -> None:
    world.clock.advance(3_600)
    assert await Eraser(world.database, world.broker, world.clock).step() == 1
    async with world.database.read() as connection:
        assert await unfinished(connection) == []
    assert await left(world.database, ["erased@shop.example", "ok-gone"], []) == []


async def test_what_was_sealed_opens(world: World) -> None:
    async with world.database.read() as connection:
        app = await open_app(connection, vault(), APP, now=world.clock.now())
        keys = (await connection.execute(select(write_keys.c.write_key))).scalars().all()
        opened = await find_admissions(connection, keys, world.clock.now(), vault())
    assert isinstance(app, ProviderApp)
    assert msgspec.json.encode(app.service_account) == b'{"project_id":"demo"}'
    [admission] = opened.values()
    assert isinstance(admission, AuthResult)
    assert [secret.text for secret in admission.secrets] == [IDENTITY_SECRET]


async def campaign_ids(world: World) -> list[UUID]:
    async with world.database.read() as connection:
        return list(
            (await connection.execute(select(campaigns.c.id).order_by(campaigns.c.id))).scalars()
        )


async def hears(world: World, message_id: str) -> bool:
    """Whether an event is stored."""
    async with world.database.read() as connection:
        return await get_event(connection, WORKSPACE, message_id) is not None
