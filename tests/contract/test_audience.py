"""A rule means in SQL what it means in Python, on both databases."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from clarion.audiences import matching, query
from clarion.audiences.condition_query import matches
from clarion.audiences.matching import KnownCustomer
from clarion.audiences.rule import Everyone, Rule, TraitsEqual, UserIds, dump
from clarion.audiences.rule_parser import USER_IDS_MAX, parse
from clarion.storage.bulk import insert_new
from clarion.storage.database import Database
from clarion.storage.schema import customers
from support.book import WORKSPACE
from support.clock import START, FakeClock
from support.database import make_tables
from support.postgres import PostgresServer
from support.sampling import examples
from support.world import World

Person = tuple[str | None, Mapping[str, Any]]

NAMES = (
    "plan", "", "a.b", "$.a", "$", "a[0]", "it's", 'say "hi"', "back\\slash", "tab\there",
    "line\nbreak", "bell\x07", "\x7f", "naïve", "nai\u0308ve", "名前", "🙂", "%", "?", ":x", "{a}",
    "null", "key", "value", "type", "atom", "0", "1",
)  # fmt: skip
NUMBERS = (
    0, 1, -1, 30, 2**53, 2**53 - 1, -(2**53), 0.0, -0.0, 1.0, 30.0, 0.1, 0.30000000000000004,
    1e16, 1e22, 1e-7, 5e-324, 1.7976931348623157e308, float(2**53),
)  # fmt: skip
BEYOND = (2**53 + 1, 2**63 - 1, 2**63, 2**64 + 1, 10**22, -(10**30))
TEXTS = (
    "", "gold", "Gold", "gold ", "30", "30.0", "1", "0", "true", "false", "null", "None", "'", '"',
    "\\", "\\u0041", "A", "é", "e\u0301", "ß", "ss", "🙂", "\x01", "\x1f", "\u2028", "\uffff", "[]",
    "{}",
)  # fmt: skip

texts = st.sampled_from(TEXTS) | st.text(
    st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8
)
numbers = st.sampled_from(NUMBERS) | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False)
scalars = st.none() | st.booleans() | texts | numbers.filter(lambda one: abs(one) != float("inf"))
names = st.sampled_from(NAMES) | st.text(
    st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=6
)
kept = scalars | st.sampled_from(BEYOND) | st.lists(scalars, max_size=2)
values = kept | st.dictionaries(names, kept, max_size=2)
people = st.tuples(st.none() | texts, st.dictionaries(names, values, max_size=4))


def _id(person: Person) -> object:
    return object() if person[0] is None else person[0]


@st.composite
def cases(draw: st.DrawFn) -> tuple[Rule, list[Person]]:
    """People, and a rule that is likely to reach some of them."""
    crowd: list[Person] = list(draw(st.lists(people, max_size=8, unique_by=_id)))
    known = [
        (name, value)
        for _, traits in crowd
        for name, value in traits.items()
        if not isinstance(value, list | dict) and value not in BEYOND
    ]
    pairs: st.SearchStrategy[tuple[str, Any]] = st.tuples(names, scalars)
    if known:
        pairs = st.sampled_from(known) | pairs
    wanted = draw(st.lists(pairs, min_size=1, max_size=2, unique_by=lambda pair: pair[0]))
    return TraitsEqual(traits=tuple(wanted)), crowd


class Table:
    """The customers table of one database, asked from outside its loop."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        self._database = Database(url)
        self._runner.run(self._create())

    def reached(self, rule: Rule, crowd: Sequence[Person]) -> set[int]:
        """Which of `crowd`, by their place in it, the rule's SQL reaches."""
        return self._runner.run(self._reached(rule, crowd))

    def close(self) -> None:
        self._runner.run(self._database.close())
        self._runner.close()

    async def _create(self) -> None:
        await make_tables(self._database)

    async def _reached(self, rule: Rule, crowd: Sequence[Person]) -> set[int]:
        rows = [
            {
                "id": UUID(int=place),
                "workspace_id": WORKSPACE,
                "user_id": user_id,
                "key": None,
                "traits": traits,
                "stamps": {},
                "push_stamp": None,
                "push_opted_out": False,
                "first_seen_at": START,
                "last_seen_at": START,
            }
            for place, (user_id, traits) in enumerate(crowd)
        ]
        async with self._database.write() as connection:
            await connection.execute(delete(customers))
            await insert_new(connection, customers, rows)
        async with self._database.read() as connection:
            found = await connection.execute(select(customers.c.id).where(matches(rule, START)))
            return {row.int for row in found.scalars()}


@contextmanager
def table(url: str) -> Iterator[Table]:
    found = Table(url)
    try:
        yield found
    finally:
        found.close()


@pytest.fixture(scope="module")
def sqlite_table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    path: Path = tmp_path_factory.mktemp("audience") / "clarion.db"
    with table(f"sqlite:///{path}") as found:
        yield found


@pytest.fixture(scope="module")
def postgres_table(postgres: PostgresServer) -> Iterator[Table]:
    runner = asyncio.Runner()
    creating = postgres.new_database()
    with table(runner.run(creating.__aenter__())) as found:
        yield found
    runner.run(creating.__aexit__(None, None, None))
    runner.close()


@pytest.fixture(params=["sqlite", "postgres"])
def rows(request: pytest.FixtureRequest) -> Table:
    found: Table = request.getfixturevalue(f"{request.param}_table")
    return found


def expected(rule: Rule, crowd: Sequence[Person]) -> set[int]:
    return {
        place
        for place, (user_id, traits) in enumerate(crowd)
        if matching.matches(
            rule, KnownCustomer(id=WORKSPACE, user_id=user_id, traits=traits), START
        )
    }


@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(cases())
def test_the_query_reaches_whom_the_rule_matches(
    rows: Table, case: tuple[Rule, list[Person]]
) -> None:
    one, crowd = case
    assert rows.reached(one, crowd) == expected(one, crowd)


def test_every_known_value_is_told_from_every_other(rows: Table) -> None:
    values: list[Any] = [*NUMBERS, *TEXTS, True, False, None]
    crowd: list[Person] = [(None, {"x": value}) for value in (*values, *BEYOND, [1], {"x": 1})]
    crowd.append((None, {}))
    for value in values:
        traits_equal = TraitsEqual(traits=(("x", value),))
        assert rows.reached(traits_equal, crowd) == expected(traits_equal, crowd), repr(value)


@pytest.mark.parametrize("name", NAMES)
def test_a_trait_may_have_any_name(rows: Table, name: str) -> None:
    crowd: list[Person] = [(None, {other: other}) for other in NAMES]
    for one in (TraitsEqual(traits=((name, name),)), TraitsEqual(traits=((name, None),))):
        assert rows.reached(one, crowd) == expected(one, crowd)


def test_everyone_is_everyone_and_user_ids_are_those(rows: Table) -> None:
    crowd: list[Person] = [(None, {}), ("u", {}), ("U", {}), ("u ", {}), ("it's", {}), ("ü", {})]
    for one in (Everyone(), UserIds(user_ids=("u", "it's", "nobody"))):
        assert rows.reached(one, crowd) == expected(one, crowd)


def test_as_many_user_ids_as_a_rule_may_have_are_asked_for_at_once(rows: Table) -> None:
    ids = tuple(f"user-{number}" for number in range(USER_IDS_MAX))
    crowd: list[Person] = [("user-0", {}), ("user-9999", {}), ("user-10000", {})]
    assert rows.reached(UserIds(user_ids=ids), crowd) == {0, 1}


async def test_reach_counts_people_devices_and_those_who_opted_out(
    database: Database, clock: FakeClock
) -> None:
    world = await World(database, clock).open()
    await world.devices("one", "two", "three")
    await world.devices("second", user="user-one")
    await world.take(world.app.register(0, "D-anon", token="anon", platform="iOS"))
    no = {"marketingPreferences": {"channels": [{"channel": "push", "subscribed": False}]}}
    await world.take(
        world.app.identify(1, "user-two", traits=no),
        world.app.identify(1, "user-three", traits={"plan": "gold"}),
        world.app.identify(1, "nobody-with-a-device", traits={"plan": "gold"}),
        *(
            world.app.told(1, "Application Opened", device, anon="x", properties=said)
            for device, said in (
                ("D-one", {"push_enabled": False}),
                ("D-two", {"push_enabled": False}),
                ("D-three", {"push_enabled": True}),
            )
        ),
    )
    async with database.read() as connection:
        found = await query.reach(connection, WORKSPACE, Everyone(), now=START)
        gold = await query.reach(
            connection, WORKSPACE, TraitsEqual(traits=(("plan", "gold"),)), now=START
        )
        nobody = await query.reach(connection, UUID(int=9), Everyone(), now=START)
    assert (found.customers, found.devices, found.opted_out) == (4, 5, 1)
    assert (found.notifications_off, found.skipped) == (1, 2)
    assert found.platforms == {"Android": 4, "iOS": 1}
    assert (gold.customers, gold.devices, gold.opted_out) == (1, 1, 0)
    assert (nobody.customers, nobody.devices, nobody.platforms) == (0, 0, {})


async def test_a_device_is_counted_once_by_the_reason_that_planning_finds_first(
    database: Database, clock: FakeClock
) -> None:
    world = await World(database, clock).open()
    await world.devices("one", "two", "three", "four")
    off = {"push_enabled": False}
    apple = "0123456789abcdef" * 4
    await world.take(
        world.app.register(1, "D-apple", user="apple", token=apple, platform="iOS"),
        world.app.register(1, "D-both", user="both", token=apple[::-1], platform="iOS"),
        world.app.told(2, "Application Opened", "D-both", anon="x", properties=off),
        world.app.told(2, "Application Opened", "D-one", anon="x", properties=off),
    )
    async with database.read() as connection:
        reached = await query.reach(connection, WORKSPACE, Everyone(), now=START)
        apples = UserIds(user_ids=("apple", "both"))
        anybody = await query.reaches_anybody(
            connection, WORKSPACE, apples, now=START, is_silent=True
        )
    assert (reached.devices, reached.apns_token, reached.notifications_off) == (6, 2, 1)
    assert (reached.opted_out, reached.no_firebase_app, reached.skipped) == (0, 0, 3)
    assert not anybody
    report = await world.settle(await world.campaign())
    assert report.reasons["skipped"] == {"apns_token": 2, "notifications_off": 1}


def test_what_is_saved_is_what_was_meant() -> None:
    wire = {"traits": {"plan": "gold", "age": 30, "vip": True, "left": None}}
    one = parse(wire)
    assert isinstance(one, TraitsEqual)
    assert parse(msgspec.json.decode(msgspec.json.encode(dump(one)))) == one
