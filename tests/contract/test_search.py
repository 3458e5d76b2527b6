"""Finding customers, on both databases."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.profile.search_store import search_customers
from clarion.customers.profile.store import get_customer
from clarion.storage.database import Database
from contract.test_ingestion import take
from support.book import SOURCE, WORKSPACE
from support.history import App


async def found(database: Database, words: str, limit: int = 10) -> list[str | None]:
    async with database.read() as connection:
        customers = await search_customers(connection, WORKSPACE, words, limit=limit)
    return [customer.user_id for customer in customers]


async def people(database: Database) -> None:
    app = App()
    await take(
        database,
        [
            app.identify(1, "ada", traits={"email": " Ada@Shop.example "}),
            app.identify(2, "adam", traits={"email": "adam@shop.example"}),
            app.identify(3, "Äda", traits={"email": "äda@shop.example"}),
            app.identify(4, "100%_sure", traits={"email": 7}),
            app.identify(5, "zoe", traits={"email": "ADA@shop.example"}),
            app.register(6, "phone-1", user="ada", token="secret-token"),
            app.register(7, "phone-2", token="another-token"),
        ],
    )


FOUND_BY: dict[str, list[str | None]] = {
    "ada": ["ada", "adam", "zoe"],
    "adam": ["adam"],
    "ADA@SHOP.EXAMPLE": ["ada", "zoe"],
    " adam@shop ": ["adam"],
    "phone-1": ["ada"],
    "secret-token": ["ada"],
    "phone-2": [None],
    "another-token": [None],
    "Äd": ["Äda"],
    "100%": ["100%_sure"],
    "%": [],
    "secret": [],
    "phone": [],
    "shop.example": [],
    "  ": [],
    "\x00": [],
}


async def test_a_customer_is_found_by_what_people_have_at_hand(database: Database) -> None:
    await people(database)
    for words, whom in FOUND_BY.items():
        assert sorted(await found(database, words), key=str) == sorted(whom, key=str), words


async def test_the_exact_one_comes_first_and_a_limit_cuts_the_others(database: Database) -> None:
    app = App()
    await take(
        database,
        [app.identify(one, f"u{one}", traits={"email": f"u{one}@shop.example"}) for one in range(9)]
        + [app.identify(10, "u", traits={})],
    )
    assert await found(database, "u", limit=3) == ["u", "u0", "u1"]
    assert await found(database, "u8@shop.example") == ["u8"]


async def test_a_customer_is_found_by_the_id_that_clarion_gave(database: Database) -> None:
    await people(database)
    async with database.read() as connection:
        ada = await get_customer(connection, WORKSPACE, "ada")
    assert ada is not None
    assert await found(database, str(ada.id)) == ["ada"]


async def test_the_address_that_counts_is_the_one_that_is_found(database: Database) -> None:
    app = App()
    await take(database, [app.identify(1, "ada", traits={"email": "old@shop.example"})])
    await take(database, [app.identify(2, "ada", traits={"email": "new@shop.example"})])
    assert await found(database, "old@shop.example") == []
    assert await found(database, "new@shop.example") == ["ada"]
    await take(database, [app.identify(3, "ada", traits={"email": None})])
    assert await found(database, "new@shop.example") == []


async def test_no_way_of_searching_reads_a_whole_table(database: Database) -> None:
    app = App()
    await take(
        database,
        [
            one_event
            for one in range(400)
            for one_event in (
                app.identify(one, f"u{one}", traits={"email": f"u{one}@shop.example"}),
                app.register(one, f"phone-{one}", user=f"u{one}", token=f"token-{one}"),
            )
        ],
    )
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    plans: list[str] = []
    async with database.write() as connection:
        await connection.execute(text("ANALYZE"))
        if not database.is_sqlite:
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
        with heard(connection) as statements:
            await search_customers(connection, WORKSPACE, "u7", limit=100)
            await search_customers(connection, WORKSPACE, str(SOURCE), limit=100)
        for statement, values in statements:
            plan = await connection.exec_driver_sql(explain + statement, values)
            plans += [str(row[-1]) for row in plan]
    assert len(plans) > 10
    assert not [plan for plan in plans if re.search(r"^SCAN|Seq Scan", plan)]


@contextmanager
def heard(connection: AsyncConnection) -> Iterator[list[tuple[str, Any]]]:
    """The statements that go to the database meanwhile, with their values."""
    statements: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        statements.append((statement, values))

    event.listen(connection.sync_connection, "before_cursor_execute", hear)
    yield statements
    event.remove(connection.sync_connection, "before_cursor_execute", hear)
