"""The collecting half of Clarion, served: HTTP in, rows out."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import msgspec
from sqlalchemy import Row, select

from clarion.accounts.workspace_store import create_workspace
from clarion.broker import JobKind
from clarion.brokers.database import DatabaseBroker, DatabaseBrokerOptions
from clarion.clock import Clock
from clarion.customers.ingestor import Ingestor, IngestorOptions
from clarion.events.backpressure import Backpressure, BackpressureOptions
from clarion.events.collector import Collector, CollectorOptions
from clarion.events.ownership_store import stored_event
from clarion.sources.store import create_source
from clarion.storage.database import Database
from clarion.storage.schema import events, ingest_log
from clarion.web.connections import Limits
from clarion.web.intilery import TrackApp
from clarion.web.sdk import CollectApp
from clarion.web.sdk.library import Library
from clarion.web.sdk.read_body import BODY_SECONDS_MAX
from clarion.web.server import Asgi, WebApp, WebServer, bind
from support.book import SOURCE, WORKSPACE
from support.database import sqlite_database
from support.wire import Reply, basic, line, request

KEY = "write-key"


async def prepare(database: Database, clock: Clock) -> None:
    """A workspace with one source."""
    async with database.write() as connection:
        await create_workspace(connection, workspace_id=WORKSPACE, name="test", now=clock.now())
        await create_source(
            connection,
            workspace_id=WORKSPACE,
            name="app",
            source_id=SOURCE,
            now=clock.now(),
            write_key=KEY,
        )


@dataclass
class Station:
    """A context: serves on `port` inside, stops as a process does that is asked to."""

    database: Database
    clock: Clock
    port: int = 0
    collector_options: CollectorOptions | None = None
    body_seconds: float = BODY_SECONDS_MAX
    library: Library | None = None
    limits: Limits | None = None
    backpressure: BackpressureOptions | None = None
    """None: nobody looks whether there is room."""
    around: Callable[[Asgi], Asgi] | None = None
    """Stands between the server and the collector's routes."""
    ingestor_options: IngestorOptions = field(
        default_factory=lambda: IngestorOptions(wait_seconds=0)
    )

    async def __aenter__(self) -> Self:
        options = DatabaseBrokerOptions(poll_seconds=0.02)
        self.broker = DatabaseBroker(self.database, self.clock, options)
        room = (
            Backpressure(self.broker, self.backpressure, directory=Path())
            if self.backpressure
            else None
        )
        self.collector = Collector(
            self.database, self.broker, self.clock, self.collector_options, backpressure=room
        )
        self.ingestor = Ingestor(self.database, self.broker, self.clock, self.ingestor_options)
        self._listener = bind("127.0.0.1", self.port)
        self.port = self._listener.getsockname()[1]
        collect: Asgi = CollectApp(
            self.collector, library=self.library, body_seconds=self.body_seconds
        )
        if self.around is not None:
            collect = self.around(collect)
        track = TrackApp(self.collector, self.database, self.clock, body_seconds=self.body_seconds)
        app = WebApp(
            collect=collect,
            track=track,
            api=None,
            metrics=_nothing,
            is_ready=_ready,
            shortage=None if room is None else room.shortage,
        )
        self._server = WebServer(app, self._listener, self.limits)
        self._running = asyncio.create_task(self._server.run())
        await self._server.started()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.stop()
        await self._running
        await self.collector.close()
        await self.broker.close()
        self._listener.close()

    async def ask(self, raw: bytes) -> Reply:
        """One call on a connection of its own."""
        async with line(self.port) as one:
            return await one.ask(raw)

    async def post(
        self,
        path: str,
        body: Any,
        headers: Mapping[str, str] | None = None,
        *,
        key: str | None = KEY,
    ) -> Reply:
        """`body` as JSON unless it is bytes, with `key` by Basic authorization."""
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return await self.ask(
            request(path, raw, {**(basic(key) if key else {}), **(headers or {})})
        )

    async def take_in(self) -> None:
        """Let the ingestor work until nothing waits."""
        while await self.broker.depth(JobKind.EVENTS):
            await self.ingestor.step()

    async def events(self) -> Sequence[Row[Any]]:
        """What is stored once everything waiting is taken in, in the order of arrival."""
        await self.take_in()
        async with self.database.read() as connection:
            rows = await connection.execute(stored_event().order_by(events.c.seq))
            found: Sequence[Row[Any]] = rows.all()
            return found

    async def message_ids(self) -> list[str]:
        return [row.message_id for row in await self.events()]

    async def refusals(self) -> list[tuple[str, str, str | None]]:
        """(stage, code, messageId) of everything refused, in the order it was recorded."""
        await self.take_in()
        async with self.database.read() as connection:
            told = select(ingest_log).where(ingest_log.c.stage.is_not(None))
            rows = await connection.execute(told.order_by(ingest_log.c.seq))
            return [(row.stage, row.code, row.message_id) for row in rows]


def track(message_id: str | None, **fields: Any) -> dict[str, Any]:
    """A small event of user u."""
    return {
        "type": "track",
        "event": "Seen",
        "userId": "u",
        "messageId": message_id,
        **fields,
    }


def source_row(name: str, number: int, write_key: str) -> dict[str, Any]:
    """What `create_source` needs for another source."""
    return {
        "workspace_id": WORKSPACE,
        "name": name,
        "source_id": UUID(int=number),
        "write_key": write_key,
    }


async def _nothing() -> bytes:
    return b""


async def _ready() -> bool:
    return True


@asynccontextmanager
async def station_on_sqlite(
    directory: Path, clock: Clock, **options: Any
) -> AsyncIterator[Station]:
    """For what is decided before a database is asked: on one of its own, with what `prepare` makes.
    `options`: those of `Station`."""
    database = await sqlite_database(directory)
    await prepare(database, clock)
    async with Station(database, clock, **options) as station:
        yield station
    await database.close()
