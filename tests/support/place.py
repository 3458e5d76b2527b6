"""A collector for the SDKs to send to, that can be closed and opened again; and what to send."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Row, select

from clarion.clock import SystemClock
from clarion.events.collector import CollectorOptions
from clarion.sources.rate_limit import Limit
from clarion.storage.database import Database
from clarion.storage.schema import ingest_log
from clarion.web.sdk.library import Library
from support.book import SOURCE, WORKSPACE
from support.database import sqlite_database
from support.patience import patience
from support.processes import until
from support.sdks import Call
from support.sources import set_source
from support.station import Station, prepare
from support.trouble import Calls

RETRY_SECONDS = 1


@dataclass
class Place:
    """A collector that can be closed and opened again on the same port and database."""

    database: Database
    clock: SystemClock = field(default_factory=SystemClock)
    calls: Calls = field(default_factory=Calls)
    port: int = 0
    library: Library | None = None

    def __post_init__(self) -> None:
        self.station: Station | None = None

    async def open(self) -> Station:
        options = CollectorOptions(retry_after_seconds=RETRY_SECONDS)
        self.station = Station(
            self.database,
            self.clock,
            port=self.port,
            collector_options=options,
            library=self.library,
            around=self.calls.around,
        )
        await self.station.__aenter__()
        self.port = self.station.port
        return self.station

    async def close(self) -> None:
        if self.station is not None:
            await self.station.__aexit__()
            self.station = None

    async def limit(self, events_per_second: int) -> None:
        """What follows the first call at once is too fast."""
        async with self.database.write() as connection:
            limit = Limit(events_per_second=events_per_second, burst=1)
            await set_source(connection, WORKSPACE, SOURCE, limit=limit)

    async def missed(self) -> None:
        """Return once somebody has called in vain while it was closed."""
        called = asyncio.Event()

        def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.transport.abort()
            called.set()

        async with await asyncio.start_server(refuse, "127.0.0.1", self.port):
            async with patience():
                await called.wait()

    async def rows(self, count: int) -> Sequence[Row[Any]]:
        """What is stored once `count` events or more are."""
        assert self.station is not None
        return await until(self.station.events, lambda rows: len(rows) >= count)

    async def answered(self) -> list[int]:
        """What its routes have answered so far."""
        return self.calls.statuses

    async def repeated(self) -> set[str]:
        """The messageIds that came again."""
        assert self.station is not None
        await self.station.take_in()
        async with self.database.read() as connection:
            return set(
                (
                    await connection.execute(
                        select(ingest_log.c.message_id).where(ingest_log.c.outcome == "duplicate")
                    )
                ).scalars()
            )

    async def numbers(self, count: int) -> Counter[int]:
        """How often each numbered event is stored once `count` or more are."""
        rows = await self.rows(count)
        return Counter(msgspec.json.decode(row.body)["properties"]["number"] for row in rows)


@asynccontextmanager
async def new_place(directory: Path, library: Library | None = None) -> AsyncIterator[Place]:
    """Open, on a database of its own."""
    database = await sqlite_database(directory)
    place = Place(database, library=library)
    await prepare(database, place.clock)
    await place.open()
    yield place
    await place.close()
    await database.close()


def numbered(first: int, count: int = 10) -> list[Call]:
    """Events to be counted, each larger than a page of the database."""
    return [
        {
            "type": "track",
            "userId": f"u{number % 3}",
            "event": "Seen",
            "properties": {"number": number, "text": "text" * 2_000},
        }
        for number in range(first, first + count)
    ]
