"""What a call costs before it is known whose it is: counted in calls of functions, which are the
same on every machine."""

import gzip
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from clarion.faults import Rejected
from clarion.sources.auth_result import UnknownKey
from support.clock import FakeClock
from support.station import KEY, Station, station_on_sqlite
from support.wire import basic, line, request

SMALL, LARGE = 500, 2_000
FEW = 400
"""Calls of functions: looking a key up takes some dozens."""

HOSTILE: dict[str, Callable[[int], bytes]] = {
    "events without anything": lambda n: b'{"batch":[' + b"{}," * n + b"{}]}",
    "events": lambda n: b'{"batch":[' + b'{"type":"track","event":"a","userId":"u"},' * n + b"{}]}",
    "ids that are not exact": lambda n: (
        b'{"batch":[' + b'{"type":"page","userId":1.5},' * n + b"{}]}"
    ),
    "registrations": lambda n: (
        b'{"batch":[' + b'{"type":"track","event":"Register Push","userId":"u"},' * n + b"{}]}"
    ),
    "numbers that are none": lambda n: b'{"batch":[' + b"NaN," * n + b"1]}",
    "halves of emojis": lambda n: b'{"a":"' + b"\\ud83d" * n + b'"}',
    "quotes": lambda n: b"NaN" + b'"' * n,
    "NULs": lambda n: b'{"a":"' + b"\\u0000" * n + b'"}',
    "no UTF-8": lambda n: b'{"a":"' + b"\xff" * n + b'"}',
    "the same unknown key": lambda n: b'{"batch":[' + b'{"writeKey":"x"},' * n + b"{}]}",
    "lists in lists": lambda n: b"[" * n,
}


@pytest.fixture
async def station(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Station]:
    async with station_on_sqlite(tmp_path, clock) as station:
        yield station


async def calls_made(station: Station, body: bytes, **said: Any) -> tuple[int, Any]:
    """How many functions are called in Python to answer a call, and the answer."""
    packed = gzip.compress(body)
    answer = await station.collector.collect(packed, encoding="gzip", type_hint=None, **said)
    count = 0

    def counted(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(counted)
    try:
        await station.collector.collect(packed, encoding="gzip", type_hint=None, **said)
    finally:
        sys.setprofile(None)
    return count, answer


@pytest.mark.parametrize("how", HOSTILE)
@pytest.mark.parametrize("said", [{"write_key": None}, {"write_key": "x"}], ids=["body", "header"])
async def test_a_call_with_an_unknown_key_costs_the_same_whatever_its_size(
    station: Station, how: str, said: dict[str, Any]
) -> None:
    small, answer = await calls_made(station, HOSTILE[how](SMALL), **said)
    large, same = await calls_made(station, HOSTILE[how](LARGE), **said)
    assert isinstance(answer, UnknownKey | Rejected)
    assert type(answer) is type(same)
    assert large - small < 50, "the same work, whatever is in the body"
    assert large < FEW


@pytest.mark.parametrize("how", HOSTILE)
async def test_twice_as_much_by_a_known_key_is_twice_the_work_at_most(
    station: Station, how: str
) -> None:
    half, _ = await calls_made(station, HOSTILE[how](1_000), write_key=KEY)
    whole, _ = await calls_made(station, HOSTILE[how](2_000), write_key=KEY)
    assert whole < 2.5 * half


async def test_a_key_in_the_header_is_looked_up_before_the_body_has_come(station: Station) -> None:
    for path in ("/v1/batch", "/v1/track?writeKey=unknown"):
        headers = {"Content-Length": "400000", **({} if "?" in path else basic("unknown"))}
        async with line(station.port) as one:
            await one.send(request(path, b"{", headers))
            reply = await one.reply()
        assert (reply.status, reply.json["code"]) == (401, "write_key_unknown")
