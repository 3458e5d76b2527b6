"""No request makes the collector fail, and none of what it takes stops the ingestor."""

import gzip
import json
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from clarion.brokers.database import DatabaseBroker
from clarion.customers.ingestor import Ingestor, IngestorOptions
from clarion.events.collector import Collector
from clarion.storage.database import Database
from clarion.storage.schema import events, ingest_log, jobs
from clarion.web.sdk import CollectApp
from clarion.web.sdk.routes import ROUTES
from support.clock import FakeClock
from support.sampling import examples
from support.station import KEY, prepare
from support.wire import basic

ROUNDS = settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

_ids = st.sampled_from(
    ["u", "u2", "D", "D2", "a", 42, "\ud83d\ude00", "", "null", "<deviceId>", None, "x" * 300]
)
_texts = st.text(max_size=6) | st.sampled_from(
    ["Register Push", "Device Deleted", "\ud83d", "\x00"]
)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _texts | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)
_device = st.fixed_dictionaries(
    {}, optional={"deviceId": _ids, "fcmToken": _texts | st.just("T" * 20), "deviceType": _texts}
)
_kinds = st.sampled_from(["track", "identify", "alias", "page", "group"])
_names = st.sampled_from(["Register Push", "Device Deleted", "Push Notification Tapped", "Seen"])
_event = st.fixed_dictionaries(
    {"type": _kinds, "event": _names, "userId": _ids},
    optional={
        "anonymousId": _ids,
        "previousId": _ids,
        "timestamp": st.sampled_from(["2026-03-01T11:00:00Z", "0001-01-01", 1e300]) | _values,
        "sentAt": st.sampled_from(["2026-03-01T11:00:00Z", "9999-12-31T23:59:59Z"]) | _values,
        "properties": _device | _values,
        "traits": _values,
        "context": st.fixed_dictionaries({}, optional={"device": _values, "traits": _values}),
    },
) | st.dictionaries(
    st.sampled_from(["type", "event", "userId", "messageId", "context", "writeKey"]), _values
)
_batch = st.fixed_dictionaries(
    {"batch": st.lists(_event | _values, max_size=4) | _values},
    optional={"context": _values, "sentAt": _values, "writeKey": st.just(KEY) | _values},
)


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, bytes]:
    """A route and JSON as some SDK might write it for it, spoilt now and then."""
    path, said = draw(
        st.tuples(st.just("/v1/batch"), _batch)
        | st.tuples(st.sampled_from(["/v1/track", "/v1/identify", "/v1/alias"]), _event)
        | st.tuples(st.sampled_from(sorted(ROUTES)), _values)
    )
    raw = json.dumps(said).encode()
    how = draw(st.integers(0, 5))
    if how == 0:
        raw = raw.decode("unicode_escape", "replace").encode("utf-8", "surrogatepass")
    elif how == 1:
        at = draw(st.integers(0, len(raw)))
        raw = raw[:at] + draw(st.binary(max_size=3)) + raw[at + draw(st.integers(0, 3)) :]
    return path, raw


async def ask(
    app: CollectApp, method: str, path: str, headers: dict[str, str], parts: list[bytes]
) -> tuple[int, bytes]:
    """A call straight to the ASGI app, its body in `parts`."""
    said: list[MutableMapping[str, Any]] = []
    queue = [
        {"type": "http.request", "body": part, "more_body": number + 1 < len(parts)}
        for number, part in enumerate(parts)
    ]

    async def receive() -> MutableMapping[str, Any]:
        return queue.pop(0) if queue else {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message)

    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": raw}
    await app(scope, receive, send)
    return said[0]["status"], said[1]["body"]


@pytest.fixture
async def app(database: Database, clock: FakeClock) -> AsyncIterator[CollectApp]:
    await prepare(database, clock)
    broker = DatabaseBroker(database, clock)
    collector = Collector(database, broker, clock)
    yield CollectApp(collector)
    await collector.close()
    await broker.close()


@ROUNDS
@given(
    call=calls() | st.tuples(st.text(max_size=10), st.binary(max_size=100)),
    method=st.sampled_from(["POST", "POST", "POST", "GET", "OPTIONS"]),
    headers=st.fixed_dictionaries(
        {},
        optional={
            "Authorization": st.sampled_from([basic(KEY)["Authorization"], "Basic", "Bearer x"])
            | st.text(max_size=20).filter(lambda text: text.isascii()),
            "Content-Encoding": st.sampled_from(["gzip", "", "br"]),
            "Origin": st.just("https://shop.example"),
        },
    ),
    is_packed=st.booleans(),
)
async def test_no_request_makes_the_collector_fail(
    app: CollectApp,
    call: tuple[str, bytes],
    method: str,
    headers: dict[str, str],
    is_packed: bool,
) -> None:
    path, body = call
    sent = gzip.compress(body) if is_packed else body
    status, said = await ask(app, method, path, headers, [sent[:7], sent[7:]])
    assert status in (200, 204, 400, 401, 404, 405)
    if status == 200:
        assert json.loads(said)["success"] is True
    elif status != 204:
        assert json.loads(said)["success"] is False
        assert json.loads(said)["code"]
        assert json.loads(said)["message"]


@ROUNDS
@given(call=calls())
async def test_every_accepted_event_can_be_ingested(
    app: CollectApp, database: Database, call: tuple[str, bytes]
) -> None:
    clock = FakeClock()
    broker = DatabaseBroker(database, clock)
    ingestor = Ingestor(database, broker, clock, IngestorOptions(wait_seconds=0))
    before = await counts(database)
    status, said = await ask(app, "POST", call[0], basic(KEY), [call[1]])
    assert status in (200, 400)
    await ingestor.step()
    after = await counts(database)
    assert after["waiting"] == 0, "an events job was not taken in"
    refused = json.loads(said).get("refused", [])
    assert after["refusals"] - before["refusals"] >= len(refused)


async def counts(database: Database) -> dict[str, int]:
    async with database.read() as connection:
        return {
            name: (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for name, table in (("waiting", jobs), ("events", events), ("refusals", ingest_log))
        }
