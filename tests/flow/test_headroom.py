"""Events are refused by themselves before the disk is full, or the queue without end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from clarion.broker import JobKind, NewJob
from clarion.events.backpressure import BACKLOG_FULL, DISK_LOW, Backpressure, BackpressureOptions
from clarion.telemetry import Metrics
from support.brand import server_of
from support.clock import FakeClock
from support.station import Station, station_on_sqlite, track
from support.wire import request

ALL = 1 << 62
"""More than any disk has."""


@asynccontextmanager
async def serving(
    tmp_path: Path, clock: FakeClock, options: BackpressureOptions
) -> AsyncIterator[Station]:
    async with station_on_sqlite(tmp_path, clock, backpressure=options) as station:
        yield station


async def test_below_the_mark_nothing_is_taken_and_readyz_says_so(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with serving(tmp_path, clock, BackpressureOptions(disk_free_min=ALL)) as station:
        for path, body in (("/v1/track", track("m")), ("/v1/batch", {"batch": [track("m")]})):
            reply = await station.post(path, body, {"Origin": "https://shop.example"})
            assert (reply.status, reply.json["code"]) == (503, "disk_low")
            assert int(reply.headers["retry-after"]) >= 1
            assert reply.headers["access-control-allow-origin"] == "https://shop.example"
        server = await server_of(station)
        reply = await server.post("track", track("m"))
        assert (reply.status, reply.json["code"]) == (503, "disk_low")
        assert "retry-after" in reply.headers
        ready = await station.ask(request("/readyz", method="GET"))
        assert (ready.status, ready.json["code"]) == (503, "disk_low")
        assert (await station.ask(request("/livez", method="GET"))).status == 200
        assert await station.events() == []


async def test_a_backlog_has_an_end_and_goes_on_once_it_is_taken_in(
    tmp_path: Path, clock: FakeClock
) -> None:
    options = BackpressureOptions(disk_free_min=0, backlog_max=5_000, look_seconds=0)
    async with serving(tmp_path, clock, options) as station:
        taken = []
        for number in range(100):
            reply = await station.post("/v1/track", track(f"m{number}", x="x" * 500))
            if reply.status == 200:
                taken.append(f"m{number}")
            else:
                assert (reply.status, reply.json["code"]) == (503, "backlog_full")
        assert 5 < len(taken) < 20
        assert await station.message_ids() == taken
        for number in range(1_000):
            if (await station.post("/v1/track", track(f"n{number}"))).status == 200:
                return
        pytest.fail("nothing is taken though nothing waits")


async def test_a_full_backlog_is_logged_once_and_its_end_once(
    tmp_path: Path, clock: FakeClock
) -> None:
    options = BackpressureOptions(disk_free_min=0, backlog_max=10)
    async with serving(tmp_path, clock, options) as station:
        metrics = Metrics()
        backpressure = Backpressure(station.broker, options, directory=tmp_path, metrics=metrics)
        with capture_logs() as logs:
            await backpressure.look()
            await station.broker.publish(NewJob(kind=JobKind.EVENTS, payload=b"x" * 11))
            await backpressure.look()
            await backpressure.look()
            assert await backpressure.shortage() is BACKLOG_FULL
            assert b"clarion_backlog_bytes 11.0" in metrics.text()
            (lease,) = await station.broker.fetch(
                JobKind.EVENTS, limit=1, wait_seconds=0, lease_seconds=9
            )
            await lease.ack()
            await backpressure.look()
        told = [(log["event"], log["log_level"]) for log in logs]
        assert told == [("events_refused", "error"), ("events_taken_again", "warning")]
        assert (logs[0]["code"], logs[0]["backlog_bytes"]) == ("backlog_full", 11)


async def test_what_can_not_be_known_is_no_shortage(tmp_path: Path, clock: FakeClock) -> None:
    """A database and a broker on other machines: their own refusals are the limit."""
    async with serving(tmp_path, clock, BackpressureOptions()) as station:
        most = BackpressureOptions(disk_free_min=ALL)
        for directory in (None, tmp_path / "nowhere"):
            backpressure = Backpressure(station.broker, most, directory=directory)
            assert await backpressure.shortage() is None
        backpressure = Backpressure(station.broker, most, directory=tmp_path)
        assert await backpressure.shortage() is DISK_LOW
