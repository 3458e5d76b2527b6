"""No request to any of the collector's paths is answered 5xx, hangs, or leaves anything behind."""

import asyncio
import gc
import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator, MutableMapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clarion.accounts.actor import Scope
from clarion.accounts.api_key_store import create_key
from clarion.brokers.database import DatabaseBroker
from clarion.events.collector import Collector, CollectorOptions
from clarion.sources.authenticator import WriteKeyOptions
from clarion.web.intilery import TrackApp
from clarion.web.intilery.ingest import KINDS
from clarion.web.sdk import CollectApp
from clarion.web.sdk.routes import METRICS, PIXELS, ROUTES, SOURCE_CONFIG
from clarion.web.server import WebApp
from support.book import WORKSPACE
from support.brand import BASE
from support.clock import FakeClock
from support.database import sqlite_database
from support.patience import patience, until
from support.sampling import examples
from support.station import KEY, prepare
from support.wire import basic

EXAMPLES = 150
"""For one request. One that is answered takes milliseconds; the rest is for a busy machine."""

REMEMBERED_MAX = 20
"""Keys that the collector remembers here, so that it is soon seen to forget."""

TASKS_MAX = 3
"""Of the test and of the server that waits for calls."""
LEFT_BEHIND_BYTES = 15_000
"""By a round of 160 or 241 requests: a key kept of every fourth would be 20,000. sqlite3 alone
forgets its cursors by the hundred, which looks like 5,000 a round for a while."""

PATHS = [
    *ROUTES, *PIXELS, *METRICS, SOURCE_CONFIG,
    f"/v1/projects/{KEY}/settings", "/customerio/v1/projects/nobody/settings",
    *(f"{BASE}/{call}" for call in KINDS), "/track/c/a/NONE/v1/track",
    f"{BASE}/events", f"{BASE}/profiles", f"{BASE}/profiles/userId:u/events",
    f"{BASE}/profiles/email:u/meta", f"{BASE}/profiles/id:u/traits",
]  # fmt: skip


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: bytes
    headers: list[tuple[bytes, bytes]]
    parts: list[bytes]
    is_cut_off: bool


# --- what may come --------------------------------------------------------------------------

_texts = st.sampled_from(
    ["u", "", "Register Push", "send_push", "identify", "\ud83d", "\x00", "null", "2026-03-01"]
) | st.text(max_size=8)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _texts | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=5,
)
_fields = st.sampled_from(
    ["type", "event", "userId", "anonymousId", "previousId", "messageId", "writeKey", "traits",
     "properties", "context", "integrations", "timestamp", "sentAt", "originalTimestamp"]
)  # fmt: skip
_usual = {"type": "track", "event": "Seen", "userId": "u", "context": {"direct": True}}
_event = st.dictionaries(_fields, _values, max_size=6).map(lambda own: {**_usual, **own})
_batch = st.fixed_dictionaries(
    {"batch": st.lists(_event | _values, max_size=4) | _values},
    optional={"context": _values, "sentAt": _values, "integrations": _values, "writeKey": _values},
)
_odd_bodies = st.sampled_from(
    [b"", b"{", b"[]", b"[" * 90_000, b'{"batch":' * 50_000, b'{"batch":[' + b'"' * 9_999,
     b'{"a":' + b"9" * 20_000 + b"}", b"\xef\xbb\xbf{}", b"x" * 600_000, b"\\" * 100_000,
     gzip.compress(b"0" * 9_000_000), b"\x1f\x8b"]
)  # fmt: skip
_bodies = (
    (_event | _event | _batch | _batch | _values).map(lambda said: json.dumps(said).encode())
    | _odd_bodies
    | st.binary(max_size=200)
)
_header_values = st.binary(max_size=30).filter(lambda value: not set(b"\r\n\x00") & set(value))


def _one_of(name: bytes, *values: bytes) -> st.SearchStrategy[tuple[bytes, bytes]]:
    return st.tuples(st.just(name), st.sampled_from(values) | _header_values)


_header = (
    _one_of(b"authorization", basic(KEY)["Authorization"].encode(), b"Basic", b"Bearer x")
    | _one_of(b"content-encoding", b"gzip", b"br", b"identity")
    | _one_of(b"origin", b"https://shop.example", b"null")
    | _one_of(b"access-control-request-headers", b"x-a, x-b")
    | _one_of(b"host", b"clarion.example:8080")
    | _one_of(b"x-forwarded-host", b"a, b")
    | _one_of(b"x-forwarded-proto", b"https")
    | _one_of(b"x-forwarded-for", b"::1, 2", b"203.0.113.7")
    | _one_of(b"user-agent", b"Customer.io")
    | _one_of(b"x-write-key", KEY.encode())
)
_keyed = [(b"authorization", basic(KEY)["Authorization"].encode())]
_headers = st.sampled_from([_keyed, _keyed, []]).flatmap(
    lambda known: st.lists(_header, max_size=4).map(lambda further: known + further)
)
_queries = (
    st.sampled_from([b"", b"data=", b"data=e30", b"a.b.c=1&a=2", b"." * 3_000, b"=&" * 2_000])
    | st.builds(
        lambda name, value: name + b"=" + value,
        st.sampled_from([b"include", b"start", b"end", b"sort", b"from", b"size", b"scrollId"]),
        st.sampled_from([b"1", b"asc", b"2026-03-01T12:00:00Z", b"0001-01-01", b"AAAAAAAAAAA"])
        | st.binary(max_size=12),
    )
    | st.just(b"event=Seen&userId=u&writeKey=" + KEY.encode())
    | st.binary(max_size=40)
)
_paths = (
    st.sampled_from(PATHS)
    | st.sampled_from(PATHS)
    | st.builds(
        lambda path, at, noise: path[:at] + noise + path[at:],
        st.sampled_from(PATHS),
        st.integers(1, 20),
        st.sampled_from(["/", "//", "/v1", "%2F", "%00", "..", "é", "%FF", "?"])
        | st.text(max_size=3),
    )
)
_requests = st.builds(
    Request,
    method=st.sampled_from(["POST", "POST", "POST", "GET", "OPTIONS", "HEAD", "DELETE", "ODD"]),
    path=_paths,
    query=_queries,
    headers=_headers,
    parts=st.builds(
        lambda body, is_packed, at: _cut(gzip.compress(body) if is_packed else body, at),
        _bodies,
        st.booleans(),
        st.integers(0, 50),
    ),
    is_cut_off=st.sampled_from([False, False, False, True]),
)


def _cut(body: bytes, at: int) -> list[bytes]:
    return [body[:at], body[at:]] if at else [body]


# --- the service ----------------------------------------------------------------------------


@dataclass
class Service:
    app: WebApp
    token: bytes

    async def answer(self, request: Request) -> tuple[int, dict[bytes, bytes], bytes] | None:
        """(Status, headers, body); None for a caller who went away and is not answered."""
        said: list[MutableMapping[str, Any]] = []
        queue: list[MutableMapping[str, Any]] = [
            {
                "type": "http.request",
                "body": part,
                "more_body": request.is_cut_off or number + 1 < len(request.parts),
            }
            for number, part in enumerate(request.parts)
        ]

        async def receive() -> MutableMapping[str, Any]:
            return queue.pop(0) if queue else {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            said.append(message)

        raw_path = quote(request.path, safe="/%:~").encode()
        headers = [
            (name, self.token if value == b"token" else value) for name, value in request.headers
        ]
        scope = {
            "type": "http",
            "method": request.method,
            "path": unquote(raw_path.decode()),
            "raw_path": raw_path,
            "query_string": request.query,
            "headers": [*headers, (b"auth-token", self.token)],
            "scheme": "http",
            "server": ("127.0.0.1", 8080),
            "client": ("127.0.0.1", 4711),
        }
        async with patience():
            await self.app(scope, receive, send)
        if not said:
            return None
        start, *rest = said
        body = b"".join(message.get("body", b"") for message in rest)
        return start["status"], dict(start["headers"]), body


@pytest.fixture
async def service(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Service]:
    database = await sqlite_database(tmp_path)
    await prepare(database, clock)
    async with database.write() as connection:
        _, secret = await create_key(
            connection,
            workspace_id=WORKSPACE,
            name="server",
            scopes=[Scope.WRITE],
            key_id=clock.new_id(),
            now=clock.now(),
        )
    broker = DatabaseBroker(database, clock)
    options = CollectorOptions(authenticator=WriteKeyOptions(remembered_max=REMEMBERED_MAX))
    collector = Collector(database, broker, clock, options)

    async def nothing() -> bytes:
        return b""

    async def ready() -> bool:
        return True

    app = WebApp(
        collect=CollectApp(collector),
        track=TrackApp(collector, database, clock),
        api=None,
        metrics=nothing,
        is_ready=ready,
    )
    yield Service(app, secret.encode())
    await collector.close()
    await broker.close()
    await database.close()


@settings(
    max_examples=examples(EXAMPLES),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(any_request=_requests)
async def test_no_request_is_answered_5xx_or_hangs(service: Service, any_request: Request) -> None:
    answered = await service.answer(any_request)
    if answered is None:
        assert any_request.is_cut_off
        return
    status, headers, body = answered
    assert 200 <= status < 500
    assert int(headers[b"content-length"]) == len(body)
    assert not any(set(b"\r\n") & set(value) for value in headers.values())
    if status >= 400:
        said = json.loads(body)
        fault = said.get("error", said)
        assert fault["code"]
        assert fault["message"]


async def test_requests_leave_nothing_behind(service: Service) -> None:
    """The same odd requests over and over: after the first rounds nothing grows any more."""
    key = (b"authorization", basic(KEY)["Authorization"].encode())
    event = json.dumps({**_usual, "messageId": "m"}).encode()
    bodies = [event, b"{", b'{"batch":[' + event + b"]}", gzip.compress(b"0" * 2_000_000)]
    requests = [
        Request(method, path, query, headers, _cut(body, number % 3), number % 7 == 0)
        for path in ("/v1/track", "/v1/batch", f"{BASE}/batch", "/v1/pixel/track", "/v1/none")
        for method in ("POST", "GET")
        for number, body in enumerate(bodies)
        for query in (b"", b"writeKey=nobody&event=x")
        for headers in ([key], [(b"content-encoding", b"gzip")])
    ]
    await assert_flat(service, [requests] * 8)


async def test_what_is_new_in_each_request_leaves_nothing_behind(service: Service) -> None:
    """Keys, origins, brands and accounts that nobody has ever heard of, each longer than a line."""
    key = (b"authorization", basic(KEY)["Authorization"].encode())
    rounds: list[list[Any]] = []
    for number in range(8):
        rounds.append(requests := [])
        for one in range(60):
            new = f"{number}-{one}-{'x' * 200}"
            body = json.dumps({**_usual, "type": "none", "writeKey": new}).encode()
            origin = (b"origin", f"https://{new}.example".encode())
            requests += [
                Request("POST", "/v1/batch", b"", [(b"x-write-key", new.encode())], [body], False),
                Request("POST", "/v1/track", b"", [], [body], False),
                Request("POST", "/v1/none", b"", [key, origin], [body], False),
                Request("GET", f"/v1/projects/-{new}/settings", b"", [], [b""], False),
            ]
        requests += [Request("POST", f"/track/a/b/{new}/v1/track", b"", [], [body], False)]
    await assert_flat(service, rounds)


async def count_tasks() -> int:
    return len(asyncio.all_tasks())


async def assert_flat(service: Service, rounds: Sequence[Sequence[Request]]) -> None:
    """From the second on, most rounds leave next to nothing behind. What leaks does so in each; a
    table that grows by a jump does so in one."""
    sizes = []
    tracemalloc.start()
    try:
        for requests in rounds:
            await asyncio.gather(*map(service.answer, requests))
            # Of calls that were cut off nobody hears when the server is done with them.
            await until(count_tasks, lambda count: count <= TASKS_MAX)
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    growth = [after - before for before, after in pairwise(sizes[1:])]
    assert median(growth) < LEFT_BEHIND_BYTES, sizes
