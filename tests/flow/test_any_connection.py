"""Whatever comes over a connection is answered or hung up on, and nobody else notices; what of it
was taken is taken in.

`test_any_request` looks at each request as the server has read it; here HTTP itself is abused, too:
chunks, lengths, pipelines, thousands of headers, gzip of all sorts, callers who go in the middle.
"""

import gzip
import json
import re
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from clarion.accounts.actor import Scope
from clarion.accounts.api_key_store import create_key
from clarion.storage.database import Database
from clarion.storage.schema import jobs
from clarion.web.intilery.ingest import KINDS
from clarion.web.sdk.routes import METRICS, PIXELS, ROUTES
from support.book import WORKSPACE
from support.brand import BASE
from support.clock import FakeClock
from support.sampling import examples
from support.station import KEY, Station, prepare, track
from support.wire import basic, line, request

EXAMPLES = 30
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
_sentinels = count()


@dataclass(frozen=True)
class Conversation:
    """What one caller sends, and after how many bytes it goes; None: it stays for the answers."""

    raw: bytes
    goes_after: int | None


_texts = st.sampled_from(
    ["u", "", "D", "Register Push", "Device Deleted", "Push Subscription Change", "\ud83d", "\x00",
     "a\x00b", "\ufffd", "\u202e", "null", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-12:00",
     "iOS", "t" * 40, "x" * 300, "x" * 33_000]
)  # fmt: skip
_fields = st.sampled_from(
    ["type", "event", "userId", "anonymousId", "previousId", "messageId", "writeKey", "traits",
     "properties", "context", "integrations", "timestamp", "sentAt", "deviceId", "fcmToken", "fid",
     "deviceType", "device", "id", "token", "app", "os", "locale", "messaging_subscriptions",
     "marketingPreferences", "channels", "clarion_push", "email", "version"]
)  # fmt: skip
_numbers = st.sampled_from(
    [
        0,
        -1,
        2**31,
        2**53 + 1,
        2**63,
        2**64,
        -(2**63) - 1,
        10**400,
        1e308,
        float("nan"),
        float("inf"),
    ]
)
_values = st.recursive(
    st.none() | st.booleans() | _numbers | _texts,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_fields | _texts, inner, max_size=4)
    ),
    max_leaves=8,
)
_usual = {"type": "track", "event": "Register Push", "userId": "u"}
_push = {"deviceId": "D", "fcmToken": "t" * 40, "deviceType": "iOS"}
_events = st.dictionaries(_fields, _values, max_size=6).map(
    lambda own: {**_usual, "properties": _push, **own}
)
_bodies = st.one_of(
    _events.map(lambda event: json.dumps(event).encode()),
    st.lists(_events | _values, max_size=5).map(lambda many: json.dumps({"batch": many}).encode()),
    _events.map(lambda event: json.dumps(event).encode()[:-1] + b',"userId":"v","type":"page"}'),
    st.sampled_from(
        [b"", b"{", b"[" * 90_000, b'{"batch":[' + b"{}," * 90_000 + b"{}]}", b"\xff\xfe{\x00}\x00",
         b'{"a":' + b"9" * 90_000 + b"}", b"x" * 600_000, b"\\" * 90_000,
         b'{"type":"track","event":"x","userId":"u","traits":' + b'{"a":' * 62 + b"{" + b"}" * 64]
    ),
    st.binary(max_size=60),
)  # fmt: skip


def _packed(body: bytes, how: str) -> tuple[dict[str, str], bytes]:
    middle = len(body) // 2
    match how:
        case "gzip":
            return {"Content-Encoding": "gzip"}, gzip.compress(body)
        case "members":
            several = gzip.compress(body[:middle]) + gzip.compress(body[middle:])
            return {"Content-Encoding": "x-gzip"}, several
        case "garbage behind":
            return {"Content-Encoding": "gzip"}, gzip.compress(body) + b"garbage"
        case "cut":
            return {"Content-Encoding": "gzip"}, gzip.compress(body)[:-5]
        case "bomb":
            return {"Content-Encoding": "gzip"}, gzip.compress(b"0" * 9_000_000)
        case "deflate" | "br":
            return {"Content-Encoding": how}, zlib.compress(body)
        case _:
            return {}, body


def _chunks(body: bytes, size: int) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return (
        b"".join(b"%x;odd=1\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\nX: 1\r\n\r\n"
    )


_further = st.sampled_from(
    [{}, {}, {"Origin": "https://a.example"}, {"Expect": "100-continue"}, {"Upgrade": "websocket"},
     {"X-Forwarded-For": "::1, 2"}, {f"X-{number}": "v" * 30 for number in range(2_000)}]
)  # fmt: skip
_keys = st.sampled_from(
    [basic(KEY), basic(KEY), basic(KEY), {}, {"Authorization": "Basic /////w=="}]
)


@st.composite
def _requests(draw: st.DrawFn) -> bytes:
    """One whole request, whose end is where it says."""
    path = draw(
        st.sampled_from(["/v1/batch", "/v1/track", f"{BASE}/track", f"{BASE}/batch"])
        | st.sampled_from([*ROUTES, *PIXELS, *METRICS, *(f"{BASE}/{kind}" for kind in KINDS)])
    )
    ways = ["plain", "plain", "gzip", "members", "garbage behind", "cut", "bomb", "deflate", "br"]
    packing, body = _packed(draw(_bodies), draw(st.sampled_from(ways)))
    headers = {"auth-token": "TOKEN", **draw(_keys), **draw(_further), **packing}
    if draw(st.booleans()):
        headers["Transfer-Encoding"] = "chunked"
        body = _chunks(body, draw(st.sampled_from([max(1, len(body) // 50), 1_000, 200_000])))
    method = draw(st.sampled_from(["POST"] * 6 + ["GET", "PUT", "OPTIONS"]))
    return request(path, body, headers, method=method)


_broken = st.sampled_from(
    [b"POST /v1/batch HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
     b"POST /v1/batch HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
     b"POST /v1/batch HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\n{}",
     b"POST /v1/batch HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n",
     b"POST /v1/batch HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
     b"ODD /v1/batch HTTP/1.1\r\n\r\n", b"POST /v1/\xff\x00 HTTP/1.1\r\n\r\n",
     b"\x16\x03\x01\x02\x00\x01", b"\x00" * 5_000]
)  # fmt: skip


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    raw = b"".join(draw(st.lists(_requests(), min_size=1, max_size=3)))
    if draw(st.integers(0, 3)):
        return Conversation(raw, None)
    raw += draw(_broken)
    return Conversation(raw, draw(st.integers(1, len(raw))))


@dataclass
class Service:
    station: Station
    token: bytes

    async def hold(self, conversation: Conversation) -> bytes:
        """Everything that the caller hears."""
        raw = conversation.raw.replace(b"TOKEN", self.token)
        async with line(self.station.port) as caller:
            if conversation.goes_after is not None:
                await caller.send(raw[: conversation.goes_after])
                caller.writer.transport.abort()
                return b""
            heard = bytearray()
            await caller.send(raw + b"GET /livez HTTP/1.1\r\nHost: c\r\nConnection: close\r\n\r\n")
            while part := await caller.reader.read(65_536):
                heard += part
            return bytes(heard)


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
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
    async with Station(database, clock) as station:
        yield Service(station, secret.encode())


@settings(
    max_examples=examples(EXAMPLES),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(conversation=conversations())
async def test_nothing_that_comes_over_a_connection_harms_anybody(
    service: Service, conversation: Conversation
) -> None:
    station = service.station
    heard = await service.hold(conversation)
    statuses = [int(status) for status in _STATUS.findall(heard)]
    assert all(status < 500 for status in statuses), heard[:2_000]
    assert statuses or conversation.goes_after is not None
    told = await station.post("/v1/track", track(f"sentinel-{next(_sentinels)}"))
    assert (told.status, told.json) == (200, {"success": True})
    await station.take_in()
    async with station.database.read() as connection:
        left = (await connection.execute(select(func.count()).select_from(jobs))).scalar_one()
    assert left == 0, "an events job was not taken in"
