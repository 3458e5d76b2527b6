"""What a sender can make grow costs in proportion: twice as much takes about twice the work.

Work is counted as lines of Clarion's own code that run, which no machine's speed changes.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import clarion
from clarion.customers.identity.batch import Arrival
from clarion.customers.identity.merges.merger import merge_users
from clarion.customers.identity.merges.store import Merge
from clarion.customers.ingestion import Ingestion
from clarion.events.envelope import Item, Parcel, open_parcel
from clarion.events.messages.message import Event
from clarion.storage.database import Database
from clarion.storage.schema import metadata
from support.book import NOW, SOURCE, WORKSPACE
from support.database import sqlite_database
from support.history import DAY, App

N = 120
RATIO_MAX = 2.5
OURS = str(Path(clarion.__file__).parent)
Make = Callable[[App, int], list[Event]]


class Counter:
    lines = 0


@contextmanager
def counted() -> Iterator[Counter]:
    counter = Counter()

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(OURS):
            return None
        if event == "line":
            counter.lines += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield counter
    finally:
        sys.settrace(before)


@pytest.fixture
async def sqlite(tmp_path: Path) -> Any:
    database = await sqlite_database(tmp_path)
    yield database
    await database.close()


async def empty(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)


async def take(database: Database, events: list[Event]) -> int:
    async with database.write() as connection:
        ingestion = Ingestion(connection, WORKSPACE, NOW)
        with counted() as counter:
            await ingestion.take([Arrival(event=event, source_id=SOURCE) for event in events])
    return counter.lines


def turns(app: App, count: int) -> list[Event]:
    """Two people take turns on one device: the batch that once froze a process for good."""
    people = [app.identify(at, "UV"[at % 2], context_device="D") for at in range(1, count)]
    return [app.register(0, "D", user="U"), *people]


def turns_backwards(app: App, count: int) -> list[Event]:
    return [app.register(count - at, "D", user="UV"[at % 2]) for at in range(count)]


def sign_outs(app: App, count: int) -> list[Event]:
    return [app.register(at, "D", user=None if at % 2 else "U") for at in range(count)]


def many_owners(app: App, count: int) -> list[Event]:
    return [app.register(at, "D", user=f"user-{at}") for at in range(count)]


def tokens(app: App, count: int) -> list[Event]:
    return [app.register(at, "D", user="U", token=f"token-{at}") for at in range(count)]


def one_token_on_many_devices(app: App, count: int) -> list[Event]:
    return [app.register(at, f"D{at}", user="U", token="token") for at in range(count)]


def traits(app: App, count: int) -> list[Event]:
    return [app.identify(at, "U", traits={f"name-{at}": at, "plan": at}) for at in range(count)]


def devices(app: App, count: int) -> list[Event]:
    return [app.register(at, f"D{at}", user="U", token=f"token-{at}") for at in range(count)]


def deletions(app: App, count: int) -> list[Event]:
    gone = [app.told(at, "Device Deleted", "D", user="U") for at in range(1, count)]
    return [app.register(0, "D", user="U"), *gone]


def aliases(app: App, count: int) -> list[Event]:
    return [app.alias(at, "U", f"anonymous-{at}") for at in range(count)]


def anonymous(app: App, count: int) -> list[Event]:
    return [app.track(at, anon="A") for at in range(count)]


def refused(app: App, count: int) -> list[Event]:
    return [app.register(at, "D", user="U", token="") for at in range(count)]


def facts(app: App, count: int) -> list[Event]:
    return [
        app.track(at, user="U", device="D", context={"app": {"version": f"1.{at}"}})
        for at in range(count)
    ]


def use_before_a_handover(app: App, count: int) -> list[Event]:
    """What was left to the events of a day is read from them once somebody else comes."""
    use = [app.track(at, user="U", context_device="D") for at in range(count - 1)]
    return [*use, app.identify(count, "V", context_device="D")]


def handovers_day_after_day(app: App, count: int) -> list[Event]:
    return [app.track(at * 720, user="UV"[at % 2], context_device="D") for at in range(count)]


KINDS = [
    use_before_a_handover, handovers_day_after_day,
    turns, turns_backwards, sign_outs, many_owners, tokens, one_token_on_many_devices, traits,
    devices, deletions, aliases, anonymous, refused, facts,
]  # fmt: skip


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
async def test_twice_as_many_in_one_batch_are_twice_the_work(sqlite: Database, make: Make) -> None:
    await take(sqlite, make(App("warm"), N))
    await empty(sqlite)
    once = await take(sqlite, make(App("a"), N))
    await empty(sqlite)
    twice = await take(sqlite, make(App("b"), 2 * N))
    assert twice / once < RATIO_MAX


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
async def test_one_more_after_twice_as_many_is_not_more_than_twice_the_work(
    sqlite: Database, make: Make
) -> None:
    await take(sqlite, make(App("warm"), N))
    spent = []
    for count in (N, 2 * N):
        await empty(sqlite)
        events = make(App("a"), count + 1)
        await take(sqlite, events[:-1])
        spent.append(await take(sqlite, events[-1:]))
    assert spent[1] / spent[0] < RATIO_MAX


async def test_a_batch_of_two_thousand_turns_leaves_a_key_that_is_nobodys_and_costs_nothing(
    sqlite: Database,
) -> None:
    first = await take(sqlite, turns(App("a"), 100))
    many = await take(sqlite, turns(App("b"), 2_000))
    assert many / first < 25
    after = await take(sqlite, [App("c").register(9_999, "D", user="W")])
    assert after < first


async def test_merges_and_what_comes_after_them_cost_in_proportion(sqlite: Database) -> None:
    spent = []
    for count in (N, 2 * N):
        await empty(sqlite)
        app = App("a")
        await take(sqlite, [app.identify(0, f"user-{one}", anon="A") for one in range(count)])
        async with sqlite.write() as connection:
            with counted() as counter:
                for one in range(1, count):
                    merge = Merge(
                        id=type(SOURCE)(int=one), from_user=f"user-{one}", into_user="user-0",
                        made_at=NOW, made_by="test", undone_at=None, undone_by=None,
                    )  # fmt: skip
                    if one % 20 == 0:
                        await merge_users(connection, WORKSPACE, merge)
        spent.append(counter.lines + await take(sqlite, [app.identify(9, "user-1", anon="A")]))
    assert spent[1] / spent[0] < RATIO_MAX * 2


def test_a_call_of_twice_as_many_at_one_instant_is_twice_the_work() -> None:
    """Opening a call, too: its events are told apart by their place."""
    spent = []
    for count in (N, 2 * N):
        raw = b'{"type":"track","event":"Seen","userId":"u","timestamp":"2026-03-01T00:00:00Z"}'
        items = [Item(raw, "track", f"m{one}") for one in range(count)]
        parcel = Parcel(WORKSPACE, SOURCE, DAY, None, b"", items, [])
        open_parcel(parcel)
        with counted() as counter:
            open_parcel(parcel)
        spent.append(counter.lines)
    assert spent[1] / spent[0] < RATIO_MAX
