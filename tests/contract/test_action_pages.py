"""Events searched by their action, some at a time, on both databases."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.events.action_store import Wanted, find_events
from clarion.storage.bulk import insert_new
from clarion.storage.database import Database
from clarion.storage.schema import events
from support.book import NOW, SOURCE, WORKSPACE

MINUTES = 200
RARE = (3, 90, 195)


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[AsyncConnection]:
    """An event a minute, of which another source has every second, and few are rare."""
    rows: list[dict[str, Any]] = []
    for minute in range(MINUTES):
        at = NOW + timedelta(minutes=minute)
        for source_id in (SOURCE, UUID(int=77)):
            rows.append(
                {
                    "workspace_id": WORKSPACE,
                    "source_id": source_id,
                    "message_id": f"{source_id.int}-{minute}",
                    "type": "track",
                    "name": "Rare" if minute in RARE else "Seen",
                    "at": at,
                    "received_at": at,
                    "body": "{}",
                }
            )
    async with database.write() as connection:
        await insert_new(connection, events, rows)
    async with database.read() as connection:
        yield connection


async def scrolled(
    connection: AsyncConnection, wanted: Wanted, limit: int = 2
) -> tuple[list[int], int]:
    """(The minutes of all that is found, in how many pages)."""
    minutes: list[int] = []
    further: int | None = None
    for page in range(1, 100):
        found = await find_events(
            connection, SOURCE, wanted, scrolled_to=further, limit=limit, looked_at_max=40
        )
        minutes += [minute_of(one.at) for one in found.events]
        further = found.further
        if further is None:
            return minutes, page
    raise AssertionError("it never ends")


def minute_of(at: datetime) -> int:
    return (at - NOW) // timedelta(minutes=1)


async def test_what_is_rare_is_found_in_pages_that_look_at_so_many_events(
    connection: AsyncConnection,
) -> None:
    assert await scrolled(connection, Wanted(include=["rare"])) == (sorted(RARE)[::-1], 6)
    assert (await scrolled(connection, Wanted(exclude=["seen"], oldest_first=True)))[0] == [*RARE]
    newest = Wanted(include=["seen"])
    expected = [minute for minute in reversed(range(MINUTES)) if minute not in RARE]
    assert (await scrolled(connection, newest, limit=7))[0] == expected


async def test_a_page_of_everything_or_after_others_looks_at_as_many_as_it_must(
    connection: AsyncConnection,
) -> None:
    everything = await scrolled(connection, Wanted(), limit=60)
    assert everything == ([*reversed(range(MINUTES))], 4)
    found = await find_events(
        connection, SOURCE, Wanted(include=["rare"]), skip=2, limit=2, looked_at_max=40
    )
    assert [minute_of(one.at) for one in found.events] == [3]
    assert found.further is None


async def test_a_start_is_found_wherever_it_lies(connection: AsyncConnection) -> None:
    for minute in (0, 1, 61, 100, 199, 300):
        for oldest_first in (False, True):
            start = NOW + timedelta(minutes=minute)
            wanted = Wanted(start=start, oldest_first=oldest_first)
            minutes, _ = await scrolled(connection, wanted, limit=30)
            expected = [*range(minute, MINUTES)]
            assert minutes == (expected if oldest_first else expected[::-1]), wanted


async def test_a_late_start_does_not_have_all_before_it_looked_at(
    connection: AsyncConnection,
) -> None:
    asked: list[str] = []
    pool = connection.sync_engine

    def note(_c: object, _k: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(pool, "before_cursor_execute", note)
    try:
        await find_events(connection, SOURCE, Wanted(start=NOW + timedelta(minutes=150)), limit=9)
    finally:
        event.remove(pool, "before_cursor_execute", note)
    assert len(asked) <= 3 + MINUTES.bit_length() + 1  # halved, not walked through
