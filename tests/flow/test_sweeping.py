"""Registrations that no app refreshes any more are removed, and come back when one does."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete

from clarion.accounts.workspace_store import create_workspace, set_stale_after_days
from clarion.customers.devices.device import STALE, DeviceState, TokenKind
from clarion.customers.devices.freshness.sweeper import Sweeper, SweeperOptions
from clarion.customers.devices.freshness.token_age_store import count_stale, list_swept, swept_days
from clarion.customers.devices.store import Device, device_history, get_device
from clarion.customers.identity.batch import Arrival
from clarion.customers.identity.identifier import User, customer_id_of
from clarion.customers.ingestion import Ingestion
from clarion.events.messages.message import Event
from clarion.storage.database import Database
from clarion.storage.schema import events
from support.book import SOURCE, WORKSPACE
from support.clock import FakeClock
from support.history import DAY, App
from support.running import running
from support.scenarios import FID, OF_FID

DAY_MINUTES = 24 * 60
OTHER = UUID(int=77)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(DAY)


class Base:
    """A workspace whose devices register at minutes after DAY."""

    def __init__(self, database: Database, clock: FakeClock) -> None:
        self.database = database
        self.clock = clock
        self.app = App()

    async def open(self, *workspaces: UUID) -> "Base":
        async with self.database.write() as connection:
            for number, workspace_id in enumerate(workspaces or (WORKSPACE,)):
                await create_workspace(
                    connection, workspace_id=workspace_id, name=str(number), now=self.clock.now()
                )
        return self

    async def take(self, *events: Event, workspace_id: UUID = WORKSPACE) -> None:
        async with self.database.write() as connection:
            ingestion = Ingestion(connection, workspace_id, self.clock.now())
            await ingestion.take([Arrival(event=event, source_id=SOURCE) for event in events])

    async def sweep(self, options: SweeperOptions | None = None) -> int:
        return await Sweeper(self.database, self.clock, options).step()

    async def device(self, device_id: str = "D", workspace_id: UUID = WORKSPACE) -> Device:
        async with self.database.read() as connection:
            device = await get_device(connection, workspace_id, device_id)
        assert device is not None
        return device

    async def history(self, device_id: str = "D") -> list[tuple[str, str | None, str | None]]:
        async with self.database.read() as connection:
            lines = await device_history(connection, WORKSPACE, device_id)
        return [(line.change, line.reason, line.message_id) for line in lines]


@pytest.fixture
async def base(database: Database, clock: FakeClock) -> Base:
    return await Base(database, clock).open()


async def test_a_registration_lives_for_exactly_60_days(base: Base) -> None:
    await base.take(base.app.register(0, "D", user="U"))
    base.clock.advance(timedelta(days=60).total_seconds())
    assert await base.sweep() == 0
    assert (await base.device()).state is DeviceState.ACTIVE
    base.clock.advance(0.001)
    assert await base.sweep() == 1
    swept = await base.device()
    assert (swept.state, swept.reason) == (DeviceState.REMOVED, STALE)
    assert swept.customer_id == customer_id_of(WORKSPACE, User("U"))
    assert await base.sweep() == 0


async def test_a_refresh_with_the_same_token_keeps_a_registration(base: Base) -> None:
    await base.take(base.app.register(0, "D", user="U"))
    await base.take(base.app.register(45 * DAY_MINUTES, "D", user="U"))
    base.clock.advance(timedelta(days=104).total_seconds())
    assert await base.sweep() == 0
    base.clock.advance(timedelta(days=2).total_seconds())
    assert await base.sweep() == 1


async def test_other_events_of_its_customer_do_not_refresh_a_registration(base: Base) -> None:
    await base.take(base.app.register(0, "D", user="U"))
    await base.take(base.app.track(59 * DAY_MINUTES, user="U", device="D"))
    base.clock.advance(timedelta(days=61).total_seconds())
    assert await base.sweep() == 1


async def test_each_workspace_has_its_own_number_of_days(
    database: Database, clock: FakeClock
) -> None:
    base = await Base(database, clock).open(WORKSPACE, OTHER)
    async with database.write() as connection:
        await set_stale_after_days(connection, OTHER, 10)
    for workspace_id in (WORKSPACE, OTHER):
        event = base.app.register(0, "D", user="U")
        await base.take(event, workspace_id=workspace_id)
    clock.advance(timedelta(days=11).total_seconds())
    assert await base.sweep() == 1
    assert (await base.device("D", WORKSPACE)).state is DeviceState.ACTIVE
    assert (await base.device("D", OTHER)).state is DeviceState.REMOVED
    async with database.write() as connection:
        await set_stale_after_days(connection, WORKSPACE, 11)
    assert await base.sweep() == 0
    async with database.write() as connection:
        await set_stale_after_days(connection, WORKSPACE, 10)
    assert await base.sweep() == 1


async def test_a_registration_after_the_sweep_revives_the_device(base: Base) -> None:
    await base.take(base.app.register(0, "D", user="U", token="T1"))
    base.clock.advance(timedelta(days=61).total_seconds())
    await base.sweep()
    await base.take(base.app.register(61 * DAY_MINUTES, "D", user="U", token="T1"))
    assert (await base.device()).state is DeviceState.ACTIVE
    assert await base.history() == [
        ("registered", None, "m01"),
        ("removed", STALE, None),
        ("revived", None, "m02"),
    ]
    assert await base.sweep() == 0


async def test_a_registration_made_before_the_sweep_that_arrives_after_it_revives(
    base: Base,
) -> None:
    await base.take(base.app.register(0, "D", user="U", token="T1"))
    base.clock.advance(timedelta(days=61).total_seconds())
    await base.sweep()
    await base.take(base.app.register(40 * DAY_MINUTES, "D", user="U", token="T1"))
    assert (await base.device()).state is DeviceState.ACTIVE
    assert await base.sweep() == 0


async def test_neither_a_repeat_nor_an_older_registration_revives(base: Base) -> None:
    first = base.app.register(10, "D", user="U", token="T1")
    await base.take(first)
    base.clock.advance(timedelta(days=61).total_seconds())
    await base.sweep()
    await base.take(first)
    await base.take(base.app.register(5, "D", user="U", token="T1"))
    await base.take(base.app.track(60 * DAY_MINUTES, user="U", device="D"))
    assert (await base.device()).state is DeviceState.REMOVED
    assert [change for change, _, _ in await base.history()] == ["registered", "removed"]


async def test_a_device_that_is_stale_by_token_and_by_fid_is_removed_once(base: Base) -> None:
    await base.take(
        base.app.register(0, "D", user="U", token=OF_FID, fid=FID),
        base.app.register(5, "D", user="U", token=None, fid=FID),
    )
    base.clock.advance(timedelta(days=61).total_seconds())
    async with base.database.read() as connection:
        before = base.clock.now() - timedelta(days=60)
        preview = await count_stale(connection, WORKSPACE, registered_before=before)
    assert await base.sweep() == sum(preview.values()) == 1
    assert await base.sweep() == 0
    assert (await base.device()).state is DeviceState.REMOVED
    assert await base.history() == [("registered", None, "m01"), ("removed", STALE, None)]
    async with base.database.read() as connection:
        assert len(await list_swept(connection, WORKSPACE, before_seq=None, limit=9)) == 1
        (day,) = await swept_days(connection, WORKSPACE, since=DAY)
    assert day.removed == 1


async def test_a_stale_token_leaves_the_device_to_its_fresh_apns_token(base: Base) -> None:
    apns = "ab" * 32
    await base.take(
        base.app.register(0, "D", user="U", token="T1", platform="iOS"),
        base.app.register(59 * DAY_MINUTES, "D", user="U", token=apns, platform="iOS"),
    )
    base.clock.advance(timedelta(days=61).total_seconds())
    assert await base.sweep() == 1
    assert await base.sweep() == 0
    device = await base.device()
    assert (device.state, device.token_kind) == (DeviceState.ACTIVE, TokenKind.APNS)
    assert (await base.history())[-1] == ("token", STALE, None)
    async with base.database.read() as connection:
        assert len(await list_swept(connection, WORKSPACE, before_seq=None, limit=9)) == 1


async def test_the_history_tells_when_and_whose_it_was(base: Base) -> None:
    await base.take(base.app.register(0, "D", user="U", token="T1"))
    base.clock.advance(timedelta(days=61).total_seconds())
    await base.sweep()
    async with base.database.read() as connection:
        line = (await device_history(connection, WORKSPACE, "D"))[-1]
    assert (line.change, line.reason, line.at) == ("removed", STALE, base.clock.now())
    assert line.customer_id == customer_id_of(WORKSPACE, User("U"))
    assert line.token_fingerprint == (await base.device()).token_fingerprint


async def test_only_stale_registrations_are_removed_a_part_at_a_time(base: Base) -> None:
    old = [base.app.register(number, f"old-{number}", token=f"T{number}") for number in range(7)]
    new = [
        base.app.register(50 * DAY_MINUTES, f"new-{number}", token=f"N{number}")
        for number in range(3)
    ]
    await base.take(*old, *new)
    base.clock.advance(timedelta(days=61).total_seconds())
    few = SweeperOptions(registrations_max=3)
    assert [await base.sweep(few) for _ in range(4)] == [3, 3, 1, 0]
    for number in range(3):
        assert (await base.device(f"new-{number}")).state is DeviceState.ACTIVE


async def test_a_removed_registration_is_not_removed_again(base: Base) -> None:
    await base.take(base.app.register(0, "D1", user="U", token="T1"))
    await base.take(base.app.register(1, "D2", user="U", token="T1"))
    base.clock.advance(timedelta(days=61).total_seconds())
    assert await base.sweep() == 1
    assert (await base.device("D1")).reason == "token_moved"
    assert (await base.device("D2")).reason == STALE


async def test_the_sweeper_comes_back_every_hour(base: Base) -> None:
    await base.take(base.app.register(0, "D", user="U"))
    async with running(Sweeper(base.database, base.clock).agents(), base.clock):
        await base.clock.someone_sleeps()
        base.clock.advance(timedelta(days=60, hours=-3).total_seconds())
        for _ in range(9):
            await base.clock.someone_sleeps()
            if (await base.device()).state is DeviceState.REMOVED:
                break
            base.clock.advance(3_600)
    assert base.clock.now() - DAY == timedelta(days=60, hours=1)


async def test_a_message_id_outlives_its_event_by_its_days_and_then_counts_anew(
    database: Database, clock: FakeClock
) -> None:
    base = await Base(database, clock).open()
    early, late = base.app.track(1, anon="a"), base.app.track(60 * 24 * 50, anon="a")
    options = SweeperOptions(seen_days=60, seen_rows=1)
    sweeper = Sweeper(database, clock, options)

    async def take_again() -> int:
        async with database.write() as connection:
            ingestion = Ingestion(connection, WORKSPACE, clock.now())
            return await ingestion.take(
                [Arrival(event=event, source_id=SOURCE) for event in (early, late)]
            )

    assert await take_again() == 2
    clock.advance(timedelta(days=59).total_seconds())
    assert await sweeper.forget_messages() == 0
    assert await take_again() == 0
    clock.advance(timedelta(hours=23).total_seconds())
    assert await sweeper.forget_messages() == 0, "once a day is enough"
    clock.advance(timedelta(days=1).total_seconds())
    assert await sweeper.forget_messages() == 0, "its event is stored"
    async with database.write() as connection:
        await connection.execute(delete(events))
    assert await take_again() == 0
    clock.advance(timedelta(days=1).total_seconds())
    assert await sweeper.forget_messages() == 1
    assert await take_again() == 1, "the early one"
