"""Both databases keep what they are given, exactly, and take turns when many write at once."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, Text, func, insert, select, text, update

from clarion.storage.bulk import append, insert_new, update_known, upsert
from clarion.storage.database import Database, StorageUnavailable, is_conflict
from clarion.storage.dialect import Id, Instant
from clarion.storage.schema.columns import Json
from support.patience import patience
from support.postgres import PostgresServer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
tables = MetaData()
things = Table(
    "things",
    tables,
    Column("number", Integer, primary_key=True),
    Column("workspace_id", Id),
    Column("id", Id),
    Column("at", Instant),
    Column("about", Json),
    Column("name", Text),
)


@pytest.fixture
async def store(database_url: str) -> Any:
    """A database with a table of every type of ours."""
    database = Database(database_url)
    async with database.engine.begin() as connection:
        await connection.run_sync(tables.create_all)
    yield database
    await database.close()


def thing(number: int, **values: Any) -> dict[str, Any]:
    return {
        "number": number,
        "workspace_id": None,
        "id": None,
        "at": None,
        "about": None,
        "name": None,
        **values,
    }


async def keep(store: Database, *rows: dict[str, Any]) -> None:
    async with store.write() as connection:
        await insert_new(connection, things, rows)


async def kept(store: Database, column: Any = things.c.number) -> list[Any]:
    async with store.read() as connection:
        rows = await connection.execute(select(column).order_by(things.c.number))
        return list(rows.scalars())


# --- values ---------------------------------------------------------------------------------

instants = st.datetimes(
    min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29), timezones=st.just(UTC)
)
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(-(2**53), 2**53)  # a greater one comes back from PostgreSQL as an integer
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)


def drawn(strategy: st.SearchStrategy[Any], number: int) -> list[Any]:
    """Some values of a strategy, for a test that needs a loop of its own."""
    found: list[Any] = []

    @settings(max_examples=number, database=None)
    @given(strategy)
    def draw(value: Any) -> None:
        found.append(value)

    draw()
    return found


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("at", instants),
        ("id", st.uuids() | st.sampled_from([UUID(int=0), UUID(int=2**128 - 1)])),
        ("about", st.dictionaries(texts, json_values, max_size=4) | st.lists(json_values)),
        ("name", texts),
    ],
)
@pytest.mark.parametrize("way", ["in bulk", "appended", "one by one"])
async def test_every_value_reads_back_as_it_was(
    store: Database, name: str, values: st.SearchStrategy[Any], way: str
) -> None:
    column = things.c[name]
    given_values = [*drawn(values, 60), None]
    rows = [thing(number, **{name: value}) for number, value in enumerate(given_values)]
    async with store.write() as connection:
        if way == "in bulk":
            await insert_new(connection, things, rows)
        elif way == "appended":
            await append(connection, things, rows)
        else:
            for row in rows:
                await connection.execute(insert(things), row)
    assert await kept(store, column) == given_values


async def test_instants_and_ids_sort_and_compare_as_in_python(store: Database) -> None:
    at = sorted(drawn(instants, 30))
    ids = sorted(drawn(st.uuids(), 30))
    await keep(store, *(thing(number, at=one) for number, one in enumerate(reversed(at))))
    await keep(store, *(thing(1_000 + number, id=one) for number, one in enumerate(ids)))
    async with store.read() as connection:

        async def found(column: Any, *where: Any) -> list[Any]:
            rows = await connection.execute(
                select(column).where(column.is_not(None), *where).order_by(column)
            )
            return list(rows.scalars())

        assert await found(things.c.at) == at
        assert await found(things.c.id) == ids
        middle, middle_id = at[len(at) // 2], ids[len(ids) // 2]
        assert await found(things.c.at, things.c.at <= middle) == [x for x in at if x <= middle]
        assert await found(things.c.id, things.c.id > middle_id) == [
            x for x in ids if x > middle_id
        ]


async def test_an_instant_of_another_zone_is_the_same_instant_in_utc(store: Database) -> None:
    at = datetime(2026, 3, 1, 13, 30, 0, 1, tzinfo=timezone(timedelta(hours=1, minutes=30)))
    await keep(store, thing(1, at=at))
    [found] = await kept(store, things.c.at)
    assert (found, found.utcoffset()) == (at, timedelta(0))


async def test_a_time_without_a_zone_is_refused(store: Database) -> None:
    with pytest.raises(Exception, match=r"naive|offset"):
        await keep(store, thing(1, at=datetime(2026, 3, 1)))
    assert await kept(store) == []


async def test_no_json_is_null_and_not_the_word(store: Database) -> None:
    await keep(store, thing(1), thing(2, about={}))
    async with store.read() as connection:
        rows = await connection.execute(
            select(func.count()).select_from(things).where(things.c.about.is_(None))
        )
        assert rows.scalar_one() == 1


# --- many rows ------------------------------------------------------------------------------


async def test_what_is_there_already_stays_as_it_is(store: Database) -> None:
    await keep(store, thing(1, name="old"))
    await keep(store, thing(1, name="new"), thing(2, name="two"), thing(2, name="three"))
    assert await kept(store, things.c.name) == ["old", "two"]


async def test_nothing_to_insert_is_nothing_done(store: Database) -> None:
    await keep(store)
    async with store.write() as connection:
        await upsert(connection, things, [], key=("number",))
    assert await kept(store) == []


async def test_as_many_rows_as_one_likes_are_one_statement(store: Database) -> None:
    await keep(store, *(thing(number, name=str(number)) for number in range(20_000)))
    assert (await kept(store, things.c.name))[-1] == "19999"


@pytest.mark.parametrize("write", [insert_new, append])
async def test_what_is_alike_in_all_rows_is_in_each_of_them(
    store: Database, write: Callable[..., Awaitable[None]]
) -> None:
    rows = [{"number": number, "name": str(number)} for number in range(3)]
    async with store.write() as connection:
        await write(connection, things, rows, {"at": NOW, "about": {"a": 1}, "id": None})
    assert await kept(store, things.c.at) == [NOW] * 3
    assert await kept(store, things.c.about) == [{"a": 1}] * 3
    assert await kept(store, things.c.id) == [None] * 3
    assert await kept(store, things.c.name) == ["0", "1", "2"]


async def test_rows_of_one_workspace_or_of_several_keep_their_own(store: Database) -> None:
    one, other = UUID(int=1), UUID(int=2)
    of_rows: list[list[UUID | None]] = [[one, one], [one, other], [None, one], [None, None]]
    for first, workspaces in enumerate(of_rows):
        rows = [
            thing(10 * first + number, workspace_id=workspace_id)
            for number, workspace_id in enumerate(workspaces)
        ]
        await keep(store, *rows)
        async with store.write() as connection:
            await upsert(connection, things, rows, key=("number",))
    found = await kept(store, things.c.workspace_id)
    assert found == [one, one, one, other, None, one, None, None]


async def test_rows_that_are_appended_are_lost_with_their_transaction(store: Database) -> None:
    with pytest.raises(RuntimeError, match="given up"):
        async with store.write() as connection:
            await append(connection, things, [thing(1)])
            raise RuntimeError("given up")
    assert await kept(store) == []


async def test_an_upsert_overwrites_the_columns_it_names(store: Database) -> None:
    await keep(store, thing(1, name="old", at=NOW))
    async with store.write() as connection:
        rows = [{"number": 1, "name": "new"}, {"number": 2, "name": "two"}]
        await upsert(connection, things, rows, key=("number",))
    assert await kept(store, things.c.name) == ["new", "two"]
    assert await kept(store, things.c.at) == [NOW, None]


async def test_an_upsert_changes_only_the_columns_it_is_to_change(store: Database) -> None:
    await keep(store, thing(1, name="old", at=NOW))
    async with store.write() as connection:
        later = NOW + timedelta(hours=1)
        rows = [{"number": one, "name": "new", "at": later} for one in (1, 2)]
        await upsert(connection, things, rows, key=("number",), changes=("at",))
    assert await kept(store, things.c.name) == ["old", "new"]
    assert await kept(store, things.c.at) == [later, later]


async def test_an_update_of_rows_that_are_there_makes_none(store: Database) -> None:
    one, other, later = UUID(int=1), UUID(int=2), NOW + timedelta(hours=1)
    await keep(store, thing(1, name="old", at=NOW, about={"a": 1}), thing(2, name="two", id=one))
    async with store.write() as connection:
        rows: list[dict[str, Any]] = [
            {"number": 1, "at": later, "about": {"b": 2}, "id": other},
            {"number": 2, "at": None, "about": None, "id": None},
            {"number": 3, "at": later, "about": {}, "id": other},
        ]
        await update_known(connection, things, rows, key="number")
        await update_known(connection, things, [], key="number")
        await update_known(connection, things, [{"name": "new", "number": 1}], key="number")
    assert await kept(store, things.c.name) == ["new", "two"]
    assert await kept(store, things.c.at) == [later, None]
    assert await kept(store, things.c.about) == [{"b": 2}, None]
    assert await kept(store, things.c.id) == [other, None]


async def test_an_upsert_that_combines_keeps_the_least_or_the_greatest(store: Database) -> None:
    async def put(at: datetime, name: str) -> None:
        async with store.write() as connection:
            await upsert(
                connection,
                things,
                [{"number": 1, "at": at, "name": name}],
                key=("number",),
                combine={"at": "least", "name": "greatest"},
            )

    for hours, name in ((1, "b"), (2, "a"), (0, "c"), (3, "b")):
        await put(NOW + timedelta(hours=hours), name)
    assert (await kept(store, things.c.at), await kept(store, things.c.name)) == ([NOW], ["c"])


# --- transactions ---------------------------------------------------------------------------


async def test_a_transaction_is_seen_by_others_when_it_ends_and_not_before(
    store: Database,
) -> None:
    async with store.write() as connection:
        await insert_new(connection, things, [thing(1)])
        assert await kept(store) == []
    assert await kept(store) == [1]


async def test_a_cancelled_transaction_leaves_nothing_and_its_turn_to_others(
    store: Database,
) -> None:
    inside = asyncio.Event()

    async def never_ends() -> None:
        async with store.write() as connection:
            await insert_new(connection, things, [thing(1)])
            inside.set()
            await asyncio.Event().wait()

    writing = asyncio.create_task(never_ends())
    await inside.wait()
    writing.cancel()
    await asyncio.wait([writing])
    await keep(store, thing(2))
    assert await kept(store) == [2]


async def test_a_reader_of_sqlite_sees_one_snapshot(tmp_path: Path) -> None:
    store = Database(f"sqlite:///{tmp_path}/clarion.db")
    async with store.engine.begin() as connection:
        await connection.run_sync(tables.create_all)
    await keep(store, thing(1))
    async with store.read() as connection:
        numbers = select(things.c.number)
        assert list((await connection.execute(numbers)).scalars()) == [1]
        await keep(store, thing(2))
        assert list((await connection.execute(numbers)).scalars()) == [1]
    assert await kept(store) == [1, 2]
    await store.close()


async def count_up(store: Database, times: int) -> None:
    """Read a number and write it back, one more, in a transaction each."""
    for _ in range(times):
        async with store.write() as connection:
            rows = await connection.execute(
                select(things.c.name).where(things.c.number == 1).with_for_update()
            )
            number = int(rows.scalar_one())
            await asyncio.sleep(0)
            await connection.execute(
                update(things).where(things.c.number == 1).values(name=str(number + 1))
            )


async def test_writers_side_by_side_lose_nothing(store: Database, database_url: str) -> None:
    await keep(store, thing(1, name="0"))
    other = Database(database_url)  # as another process would open it
    writers = [count_up(one, 10) for one in (store, store, store, other, other, other)]
    await asyncio.gather(*writers)
    assert await kept(store, things.c.name) == ["60"]
    await other.close()


async def test_many_readers_wait_for_no_writer(store: Database) -> None:
    await keep(store, thing(1))
    async with store.write() as connection:
        await insert_new(connection, things, [thing(2)])
        async with patience():
            found = await asyncio.gather(*(kept(store) for _ in range(30)))
    assert found == [[1]] * 30


async def test_of_two_that_block_each_other_one_may_try_again(postgres: PostgresServer) -> None:
    """PostgreSQL alone has two writers at once; who loses hears of a conflict, not of an outage."""
    async with postgres.new_database() as url:
        store = Database(url)
        async with store.engine.begin() as connection:
            await connection.run_sync(tables.create_all)
        await keep(store, thing(1, name=""), thing(2, name=""))
        both_inside = asyncio.Barrier(2)

        async def write(name: str, *numbers: int) -> None:
            async with store.write() as connection:
                for number in numbers:
                    await connection.execute(
                        update(things)
                        .where(things.c.number == number)
                        .values(name=things.c.name + name)
                    )
                    if number == numbers[0] and not both_inside.broken:
                        await both_inside.wait()

        ended = await asyncio.gather(write("a", 1, 2), write("b", 2, 1), return_exceptions=True)
        [lost] = [one for one in ended if one is not None]
        assert isinstance(lost, Exception) and is_conflict(lost)
        assert not isinstance(lost, StorageUnavailable)
        await both_inside.abort()
        await write("c", 1, 2)
        assert await kept(store, things.c.name) in (["ac", "ac"], ["bc", "bc"])
        await store.close()


# --- not now --------------------------------------------------------------------------------


async def test_a_full_disk_is_an_outage_and_what_was_there_stays(tmp_path: Path) -> None:
    store = Database(f"sqlite:///{tmp_path}/clarion.db")
    async with store.engine.begin() as connection:
        await connection.run_sync(tables.create_all)
    await keep(store, thing(1))
    async with store.write() as connection:
        pages = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
        await connection.execute(text(f"PRAGMA max_page_count = {pages + 4}"))
    with pytest.raises(StorageUnavailable, match="full"):
        await keep(store, *(thing(2 + number, name="x" * 5_000) for number in range(50)))
    assert await kept(store) == [1]
    async with store.write() as connection:
        await connection.execute(text("PRAGMA max_page_count = 1000000"))
    await keep(store, thing(2))
    assert await kept(store) == [1, 2]
    await store.close()


async def test_a_file_that_another_process_has_locked_is_an_outage(tmp_path: Path) -> None:
    path = tmp_path / "clarion.db"
    store = Database(f"sqlite:///{path}")
    async with store.engine.begin() as connection:
        await connection.run_sync(tables.create_all)
        await connection.execute(text("PRAGMA busy_timeout = 50"))  # else it waits long
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnavailable, match="locked"):
        await keep(store, thing(1))
    assert await kept(store) == []
    other.execute("ROLLBACK")
    await keep(store, thing(1))
    assert await kept(store) == [1]
    other.close()
    await store.close()


@pytest.mark.parametrize("state", ["53100", "53200", "53300", "57014", "57P03", "58030", "25006"])
async def test_a_server_that_can_not_now_is_an_outage(postgres: PostgresServer, state: str) -> None:
    """Disk, memory or connections used up; stopped; starting; input and output; only reads."""
    async with postgres.new_database() as url:
        store = Database(url)
        with pytest.raises(StorageUnavailable):
            async with store.write() as connection:
                await connection.exec_driver_sql(
                    f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$"
                )
        await store.ping()
        await store.close()


async def test_a_server_lost_within_a_transaction_is_an_outage_and_nothing_is_kept() -> None:
    with PostgresServer() as server:
        async with server.new_database() as url:
            store = Database(url)
            async with store.engine.begin() as connection:
                await connection.run_sync(tables.create_all)
            await keep(store, thing(1))
            with pytest.raises(StorageUnavailable):
                async with store.write() as connection:
                    await insert_new(connection, things, [thing(2)])
                    server.lose()
                    await insert_new(connection, things, [thing(3)])
            with pytest.raises(StorageUnavailable):
                await kept(store)
            server.start()
            assert await kept(store) == [1]
            await keep(store, thing(2))
            assert await kept(store) == [1, 2]
            await store.close()
