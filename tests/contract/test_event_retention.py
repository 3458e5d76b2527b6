"""Old events are removed, and nobody is somebody else for it."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from clarion.accounts.workspace_store import create_workspace
from clarion.customers.identity.identifier import User
from clarion.customers.identity.merges.merger import merge_users, unmerge_users
from clarion.customers.identity.merges.store import Merge, active_merges_of
from clarion.customers.ingestion import Ingestion
from clarion.customers.profile.compaction import CLAIMS_MAX
from clarion.events.messages.message import Event
from clarion.retention.aged_event_store import AgedEvents
from clarion.retention.claim_compactor import ClaimCompactor, CompactorOptions
from clarion.sources.store import create_source
from clarion.storage.database import Database
from clarion.storage.schema import ownership_periods, trait_claims
from contract.test_ingestion import empty, state, take
from support.book import NOW, SOURCE, WORKSPACE
from support.clock import FakeClock
from support.history import DAY, App
from support.sampling import examples
from unit.test_identity import histories

ALL_CLAIMS = CompactorOptions(kept_max=0, claims_max=3, pause_seconds=0)
MINUTES_A_DAY = 1_440


def days_apart(event: Event) -> Event:
    """At a day of its own, where `histories` takes minutes."""
    at = DAY + (event.at - DAY) * MINUTES_A_DAY
    return msgspec.structs.replace(event, at=at, received_at=at)


async def make_source(database: Database) -> None:
    await empty(database)
    async with database.write() as connection:
        await create_workspace(connection, workspace_id=WORKSPACE, name="test", now=NOW)
        await create_source(
            connection, workspace_id=WORKSPACE, name="shop", source_id=SOURCE, now=NOW
        )


async def remove(database: Database, before: datetime, limit: int = 2) -> int:
    count, aged = 0, AgedEvents()
    while True:
        async with database.read() as connection:
            found = await aged.find(connection, WORKSPACE, before, limit)
        if found is None:
            return count
        async with database.write() as connection:
            count += await aged.remove(connection, found, NOW)


async def known(database: Database) -> dict[str, Any]:
    """All that must not depend on what is removed: whom there is, and whose each key is."""
    found = await state(database)
    del found["owners"]  # of the events that are stored
    async with database.read() as connection:
        rows = await connection.execute(select(ownership_periods))
        found["periods"] = sorted(map(tuple, rows), key=repr)
    return found


async def merge(database: Database, is_merged: bool) -> None:
    async with database.write() as connection:
        if is_merged:
            [active] = await active_merges_of(connection, WORKSPACE, ["V"])
            await unmerge_users(connection, WORKSPACE, active, NOW, "test")
            return
        made = Merge(
            id=FakeClock(NOW).new_id(),
            from_user="V",
            into_user="U",
            made_at=NOW,
            made_by="test",
            undone_at=None,
            undone_by=None,
        )
        await merge_users(connection, WORKSPACE, made)


Step = list[Event] | str


async def play(database: Database, steps: Sequence[Step], *, removes: Sequence[datetime]) -> Any:
    """What is known after these steps. Behind each, the events older than that are removed, and
    trait claims that decide nothing."""
    await make_source(database)
    is_merged = False
    for number, step in enumerate(steps):
        if isinstance(step, str):
            await merge(database, is_merged)
            is_merged = not is_merged
        else:
            await take(database, step)
        if removes:
            await remove(database, removes[number])
            await ClaimCompactor(database, FakeClock(NOW), ALL_CLAIMS).step()
    return await known(database)


@settings(
    max_examples=examples(12),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    history=histories(),
    chance=st.randoms(use_true_random=False),
    merges=st.integers(0, 2),
)
async def test_any_history_ends_alike_whatever_old_events_are_removed_meanwhile(
    database: Database, history: list[Event], chance: random.Random, merges: int
) -> None:
    order = [days_apart(event) for event in (*history, *chance.sample(history, len(history) // 2))]
    chance.shuffle(order)
    steps: list[Step] = []
    while order:
        size = chance.randint(1, 4)
        steps.append(order[:size])
        order = order[size:]
    for _ in range(merges):
        steps.insert(chance.randint(0, len(steps)), "merge")
    removes = [DAY + timedelta(days=chance.randint(0, 14)) for _ in steps]
    expected = await play(database, steps, removes=())
    assert await play(database, steps, removes=removes) == expected


async def claims_by_key(database: Database) -> dict[str, int]:
    async with database.read() as connection:
        rows = await connection.execute(
            select(trait_claims.c.key, func.count()).group_by(trait_claims.c.key)
        )
        return {key: int(count) for key, count in rows}


async def test_of_a_person_who_says_much_what_decides_nothing_is_dropped(
    database: Database,
) -> None:
    await make_source(database)
    app, many = App(), CLAIMS_MAX + 20
    email = {"email": "u@shop.example"}
    for user, traits in (("U", email), ("few", email), ("no-address", {})):
        days = range(many if user != "few" else CLAIMS_MAX)
        said = [app.identify(day, user, traits={"visits": day} | traits) for day in days]
        await take(database, said)
    await take(database, [app.identify(200, "U", context={"active": False}, traits={"visits": 0})])
    await take(database, [app.identify(201, "U", traits={"visits": 1, "email": "u@shop.example"})])
    before = await known(database)
    clock = FakeClock(NOW)
    compactor = ClaimCompactor(database, clock, CompactorOptions(claims_max=50, pause_seconds=0))
    assert await compactor.step() == many
    # Of U the last stays, and the one at which they were not there: its event is stored.
    assert await claims_by_key(database) == {"U": 2, "few": CLAIMS_MAX, "no-address": many}
    assert await compactor.step() == 0, "once a day"
    async with database.write() as connection:
        everybody = [User(name) for name in ("U", "few", "no-address")]
        await Ingestion(connection, WORKSPACE, NOW).make_anew(everybody)
    assert await known(database) == before
