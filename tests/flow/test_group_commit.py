"""The collector's group commit: calls wait together, and none of them waits for ever."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clarion.broker import PAYLOAD_BYTES_MAX, BrokerUnavailable, JobKind, NewJob
from clarion.brokers.database import DatabaseBroker
from clarion.events.collector import (
    Collected,
    Collector,
    CollectorOptions,
    ComeAgain,
    Taken,
)
from clarion.events.envelope import decode
from clarion.sources.auth_result import UnknownKey
from clarion.storage.database import Database
from support.clock import FakeClock
from support.database import sqlite_database
from support.patience import patience
from support.station import KEY, prepare, track


class Gate(DatabaseBroker):
    """The database's broker behind a gate that a test opens, or breaks."""

    def __init__(self, database: Database, clock: FakeClock) -> None:
        super().__init__(database, clock)
        self.is_open = asyncio.Event()
        self.reached = asyncio.Event()
        self.failure: BaseException | None = None
        self.published: list[tuple[NewJob, ...]] = []

    async def publish(self, *jobs: NewJob) -> None:
        self.reached.set()
        await self.is_open.wait()
        if self.failure is not None:
            raise self.failure
        self.published.append(jobs)
        await super().publish(*jobs)

    def commits(self) -> list[list[str]]:
        """The messageIds that each commit took."""
        return [
            [
                item.message_id
                for job in jobs
                for parcel in decode(job.payload)
                for item in parcel.items
            ]
            for jobs in self.published
        ]


class Crowd:
    """Calls to one collector, each in a task of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.gate = Gate(database, FakeClock())
        self.collector = self.make_collector()

    def make_collector(self, options: CollectorOptions | None = None) -> Collector:
        self.collector = Collector(self.database, self.gate, FakeClock(), options)
        return self.collector

    async def begin(self) -> asyncio.Task[Collected]:
        """A first call, which stands before the gate when this returns."""
        first = await self.call("first")
        await self.gate.reached.wait()
        return first

    async def call(self, message_id: str, **fields: Any) -> asyncio.Task[Collected]:
        """A call that waits when this returns, if the source is remembered."""
        body = msgspec.json.encode(track(message_id, **fields))
        task = asyncio.create_task(self.collector.collect(body, write_key=KEY, type_hint="track"))
        await asyncio.sleep(0)
        return task


@pytest.fixture
async def crowd(tmp_path: Path) -> AsyncIterator[Crowd]:
    database = await sqlite_database(tmp_path)
    await prepare(database, FakeClock())
    crowd = Crowd(database)
    yield crowd
    await crowd.gate.close()
    await database.close()


async def test_calls_that_arrive_during_a_commit_share_the_next_one(crowd: Crowd) -> None:
    first = await crowd.begin()
    others = [await crowd.call(f"m{number}") for number in range(50)]
    assert not any(task.done() for task in (first, *others))
    crowd.gate.is_open.set()
    assert await asyncio.gather(first, *others) == [Taken(events=1, refused=[])] * 51
    assert crowd.gate.commits() == [["first"], [f"m{number}" for number in range(50)]]


async def test_what_is_too_much_for_one_job_becomes_several_in_one_commit(crowd: Crowd) -> None:
    first = await crowd.begin()
    others = [await crowd.call(f"m{number}", x="x" * 30_000) for number in range(60)]
    crowd.gate.is_open.set()
    await asyncio.gather(first, *others)
    assert len(crowd.gate.commits()) == 2
    jobs = crowd.gate.published[1]
    assert len(jobs) == 4
    assert all(len(job.payload) <= PAYLOAD_BYTES_MAX for job in jobs)


async def test_a_call_too_large_for_one_job_becomes_several_and_harms_no_other(
    crowd: Crowd,
) -> None:
    crowd.make_collector(CollectorOptions(job_bytes_max=2_000))
    first = await crowd.begin()
    body = msgspec.json.encode({"batch": [track(f"b{number}") for number in range(100)]})
    large = asyncio.create_task(crowd.collector.collect(body, write_key=KEY, type_hint=None))
    await asyncio.sleep(0)
    small = [await crowd.call(f"m{number}") for number in range(3)]
    crowd.gate.is_open.set()
    assert await asyncio.gather(first, large, *small) == [
        Taken(events=1, refused=[]),
        Taken(events=100, refused=[]),
        *[Taken(events=1, refused=[])] * 3,
    ]
    assert len(crowd.gate.published[1]) > 5
    assert all(len(job.payload) <= 2_000 for job in crowd.gate.published[1])
    assert sorted(crowd.gate.commits()[1]) == sorted(
        [*(f"b{number}" for number in range(100)), "m0", "m1", "m2"]
    )


@pytest.mark.parametrize("failure", [BrokerUnavailable("full"), ValueError("a defect")])
async def test_a_commit_that_fails_is_told_to_all_who_waited_and_the_next_may_succeed(
    crowd: Crowd, failure: Exception
) -> None:
    calls = [await crowd.begin(), *[await crowd.call(f"m{number}") for number in range(5)]]
    crowd.gate.failure = failure
    crowd.gate.is_open.set()
    assert all(isinstance(call, ComeAgain) for call in await asyncio.gather(*calls))
    crowd.gate.failure = None
    assert await (await crowd.call("again")) == Taken(events=1, refused=[])
    assert crowd.gate.commits() == [["again"]]


async def test_a_cancelled_commit_ends_every_waiting_call(crowd: Crowd) -> None:
    calls = [await crowd.begin(), *[await crowd.call(f"m{number}") for number in range(5)]]
    crowd.gate.failure = asyncio.CancelledError()
    crowd.gate.is_open.set()
    async with patience():
        assert all(isinstance(call, ComeAgain) for call in await asyncio.gather(*calls))
    crowd.gate.failure = None
    assert await (await crowd.call("again")) == Taken(events=1, refused=[])


async def test_a_caller_who_goes_harms_no_other_and_the_event_is_kept(crowd: Crowd) -> None:
    first = await crowd.begin()
    gone, other = await crowd.call("gone"), await crowd.call("other")
    first.cancel()
    gone.cancel()
    crowd.gate.is_open.set()
    assert await other == Taken(events=1, refused=[])
    assert first.cancelled()
    assert gone.cancelled()
    assert crowd.gate.commits() == [["first"], ["gone", "other"]]


async def test_closing_waits_until_all_who_wait_are_answered(crowd: Crowd) -> None:
    calls = [await crowd.begin(), await crowd.call("m1")]
    closing = asyncio.create_task(crowd.collector.close())
    await asyncio.sleep(0)
    assert not closing.done()
    crowd.gate.is_open.set()
    await closing
    assert await asyncio.gather(*calls) == [Taken(events=1, refused=[])] * 2


async def test_giving_up_a_close_loses_no_event(crowd: Crowd) -> None:
    calls = [await crowd.begin(), await crowd.call("m1")]
    closing = asyncio.create_task(crowd.collector.close())
    await asyncio.sleep(0)
    closing.cancel()
    assert await asyncio.gather(closing, return_exceptions=True)
    crowd.gate.is_open.set()
    assert await asyncio.gather(*calls) == [Taken(events=1, refused=[])] * 2
    assert await crowd.gate.depth(JobKind.EVENTS) == 2


async def test_when_too_much_waits_a_call_is_asked_to_come_again(crowd: Crowd) -> None:
    crowd.make_collector(CollectorOptions(waiting_bytes_max=5_000))
    first = await crowd.begin()
    kept = [await crowd.call(f"m{number}", x="x" * 2_000) for number in range(3)]
    assert isinstance(await (await crowd.call("more")), ComeAgain)
    crowd.gate.is_open.set()
    assert await asyncio.gather(first, *kept) == [Taken(events=1, refused=[])] * 4
    assert await (await crowd.call("more")) == Taken(events=1, refused=[])


async def test_an_unknown_key_of_any_length_is_answered(crowd: Crowd) -> None:
    crowd.gate.is_open.set()
    for key in ("", "x" * 256, "x" * 400_000, "nul\x00", "\U0001f600"):
        body = msgspec.json.encode(track("m", writeKey=key))
        found = await crowd.collector.collect(body, write_key=None, type_hint="track")
        assert isinstance(found, UnknownKey)
    assert crowd.gate.commits() == []
