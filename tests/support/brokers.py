"""Every broker there is, behind one door: `Stand.open` is what another process would have."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import nats
from nats.js.api import ConsumerConfig
from sqlalchemy import select

from clarion.broker import Broker
from clarion.brokers.database import DatabaseBroker, DatabaseBrokerOptions
from clarion.brokers.jetstream import JetStreamBroker
from clarion.brokers.on_demand import OnDemandBroker
from clarion.clock import SystemClock
from clarion.storage.database import Database
from clarion.storage.schema import jobs
from support.patience import PATIENCE


async def open_broker(
    url: str, *, poll_seconds: float = 0.02
) -> tuple[Broker, Callable[[], Awaitable[None]]]:
    """A broker of its own connections, and what closes them."""
    if url.startswith("nats:"):
        jetstream = await JetStreamBroker.connect(url)
        return jetstream, jetstream.close
    database = Database(url)
    options = DatabaseBrokerOptions(poll_seconds=poll_seconds)
    broker = DatabaseBroker(database, SystemClock(), options)

    async def close() -> None:
        await broker.close()
        await database.close()

    return broker, close


@dataclass
class Stand:
    """One kind of broker, empty at the beginning; `url` names its store. `is_on_demand`: it is
    connected to when something is asked of it."""

    url: str
    is_on_demand: bool = False
    _closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    async def open(self, *, poll_seconds: float = 0.02) -> Broker:
        async def connect() -> Broker:
            broker, close = await open_broker(self.url, poll_seconds=poll_seconds)
            self._closers.append(close)
            return broker

        return OnDemandBroker(connect) if self.is_on_demand else await connect()

    async def close(self) -> None:
        for close in self._closers:
            await close()

    async def rejected(self) -> list[tuple[str, bytes, str]]:
        """Kind, payload and reason of what was rejected, as a person would look it up."""
        if self.url.startswith("nats:"):
            return await self._rejected_in_stream()
        database = Database(self.url)
        try:
            async with database.read() as connection:
                rows = await connection.execute(
                    select(jobs).where(jobs.c.rejected_reason.is_not(None))
                )
                return [(row.kind, bytes(row.payload), row.rejected_reason) for row in rows]
        finally:
            await database.close()

    async def _rejected_in_stream(self) -> list[tuple[str, bytes, str]]:
        server, _, query = self.url.partition("?")
        stream = f"{query.removeprefix('stream=')}-rejected"
        client = await nats.connect(server)
        try:
            jetstream = client.jetstream()
            count = (await jetstream.stream_info(stream)).state.messages
            if not count:
                return []
            reader = await jetstream.pull_subscribe(
                f"{stream}.>", stream=stream, config=ConsumerConfig()
            )
            found = await reader.fetch(count, timeout=PATIENCE)
            return [
                (
                    message.subject.removeprefix(f"{stream}."),
                    message.data,
                    (message.headers or {})["Clarion-Reason"],
                )
                for message in found
            ]
        finally:
            await client.close()
