"""What the collector had accepted before an erasure, and what was in hand then, comes to nothing:
from an app's call through the broker to the rows, on either broker."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import httpx
import pytest

from clarion.broker import Broker, JobKind
from clarion.brokers.database import DatabaseBroker
from clarion.brokers.jetstream import JetStreamBroker
from clarion.customers.ingestor import Ingestor, IngestorOptions
from clarion.events.collector import Collector
from clarion.storage.database import Database
from clarion.web.sdk import CollectApp
from clarion.web.server import WebApp
from flow.test_durability import poison
from flow.test_erasure import ADA, BROWSER, IDS, LIFE, PHONE, TABLET, WORDS, at, left, track
from support.api import register
from support.book import WORKSPACE
from support.brokers import Stand
from support.clock import FakeClock
from support.nats import NatsServer
from support.privacy import Regulator
from support.station import KEY, prepare

_streams = count(1)
SAID = {"traits": {"email": "Ada.Lovelace@shop.example"}}
HERS = [
    track("w1", "Late", userId=ADA, anonymousId="adas-new-browser"),
    {"type": "nonsense", "messageId": "w5", "userId": ADA},
]
MIXED = [
    track("w2", "Late", anonymousId=BROWSER),
    register("w3", PHONE, "token-that-waits", user=ADA) | at(50),
    track("w4", "Late", userId="bob"),
    track("poison", "Late", userId="bob"),
]


@pytest.fixture(params=["database", "jetstream"])
async def stand(
    request: pytest.FixtureRequest, database_url: str
) -> AsyncIterator[tuple[Stand, Broker | None]]:
    if request.param == "database":
        yield Stand(database_url), None
        return
    nats: NatsServer = request.getfixturevalue("nats")
    url = nats.url(f"erasing-{next(_streams)}")
    broker = await JetStreamBroker.connect(url)
    yield Stand(url), broker
    await broker.close()


async def test_what_waits_at_an_erasure_is_dropped_and_nothing_of_it_is_put_aside(
    stand: tuple[Stand, Broker | None], database: Database, clock: FakeClock
) -> None:
    aside, broker = stand
    broker = broker or DatabaseBroker(database, clock)
    await prepare(database, clock)
    await poison(database, "poison")
    options = IngestorOptions(wait_seconds=0.5, tries_max=1)
    ingestor = Ingestor(database, broker, clock, options)
    collector = Collector(database, broker, clock)
    app = WebApp(collect=CollectApp(collector), api=None, metrics=_nothing, is_ready=_ready)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://clarion.test") as client:

        async def post(*events: dict[str, Any], **call: Any) -> None:
            answer = await client.post("/v1/batch", json={"batch": events, **call}, auth=(KEY, ""))
            assert answer.status_code == 200, answer.text

        await post(*LIFE, register("b1", TABLET, "token-bobs", user="bob") | at(10))
        while await broker.depth(JobKind.EVENTS):
            await ingestor.step()
        await asyncio.gather(post(*HERS, context=SAID), post(*MIXED))
        assert await broker.depth(JobKind.EVENTS)

        assert await Regulator(database, broker, clock).erase(WORKSPACE, ADA, by="test")

        while await broker.depth(JobKind.EVENTS):
            await ingestor.step()
        words = [*WORDS, "adas-new-browser", "token-that-waits"]
        assert await left(database, words, IDS) == []
        assert len(await left(database, ['"messageid":"w4"'], [])) == 1, "bob's is taken in"
        [(_, payload, _)] = await aside.rejected()
        assert b"poison" in payload
        told = payload.decode(errors="replace").lower()
        assert [word for word in words if word.lower() in told] == []
    await collector.close()


async def _nothing() -> bytes:
    return b""


async def _ready() -> bool:
    return True
