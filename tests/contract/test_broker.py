"""Every promise of `broker.py`, held by every adapter."""

import asyncio
import os
import random
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import Engine, event

from clarion.broker import (
    DEDUPE_WINDOW_SECONDS,
    PAYLOAD_BYTES_MAX,
    Broker,
    BrokerUnavailable,
    JobKind,
    Lease,
    NewJob,
)
from clarion.brokers.database import DatabaseBroker, DatabaseBrokerOptions
from clarion.clock import SystemClock
from clarion.storage.database import Database
from clarion.storage.schema import job_keys, jobs, metadata
from support.brokers import Stand
from support.clock import FakeClock
from support.nats import NatsServer
from support.patience import NEVER, PATIENCE, patience
from support.postgres import PostgresServer

LONG = NEVER
SHORT = 0.4
"""One that does."""
GLANCE = 0.15
"""How long a test looks for what must not come."""

_streams = count(1)


@pytest.fixture(params=["database-sqlite", "database-postgres", "jetstream", "on-demand"])
async def stand(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stand]:
    """Each kind of broker, empty."""
    match request.param:
        case "jetstream":
            nats: NatsServer = request.getfixturevalue("nats")
            stand = Stand(nats.url(f"test-{next(_streams)}"))
        case "database-sqlite" | "on-demand":
            url = f"sqlite:///{tmp_path}/clarion.db"
            stand = Stand(url, is_on_demand=request.param == "on-demand")
            await make_tables(stand.url)
        case _:
            postgres: PostgresServer = request.getfixturevalue("postgres")
            stand = Stand(postgres.url("postgres"))
            await make_tables(stand.url)
    yield stand
    await stand.close()


async def make_tables(url: str) -> None:
    """The broker's tables, empty, in a database that need not be."""
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.drop_all, [jobs, job_keys])
        await connection.run_sync(metadata.create_all, [jobs, job_keys])
    await database.close()


@pytest.fixture
async def broker(stand: Stand) -> Broker:
    return await stand.open()


def job(payload: bytes = b"job", *, kind: JobKind = JobKind.CHUNK, **more: object) -> NewJob:
    return NewJob(kind=kind, payload=payload, **more)  # type: ignore[arg-type]


def in_seconds(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def glance(broker: Broker, kind: JobKind = JobKind.CHUNK, limit: int = 10) -> Sequence[Lease]:
    """What is to be had now, or within a moment."""
    return await broker.fetch(kind, limit=limit, wait_seconds=GLANCE, lease_seconds=LONG)


async def one(
    broker: Broker, *, kind: JobKind = JobKind.CHUNK, lease_seconds: float = LONG
) -> Lease:
    """The next job, however long it takes to come."""
    [lease] = await broker.fetch(kind, limit=1, wait_seconds=PATIENCE, lease_seconds=lease_seconds)
    return lease


async def test_a_published_job_is_fetched_as_it_was(broker: Broker) -> None:
    payload = bytes(range(256))
    await broker.publish(job(payload))
    lease = await one(broker)
    assert lease.payload == payload
    assert lease.delivery_count == 1


async def test_a_job_survives_the_kill_of_who_published_it_and_of_who_held_it(
    stand: Stand,
) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    doomed = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "support.doomed", stand.url, str(SHORT),
        stdout=asyncio.subprocess.PIPE, env=environment,
    )  # fmt: skip
    assert doomed.stdout is not None
    held = (await doomed.stdout.readline()).strip()
    doomed.kill()
    await doomed.wait()
    broker = await stand.open()
    found = [await one(broker), await one(broker)]
    assert {lease.payload: lease.delivery_count for lease in found} == {
        b"first": 2 if held == b"first" else 1,
        b"second": 2 if held == b"second" else 1,
    }


async def test_a_leased_job_is_invisible_to_everybody(stand: Stand, broker: Broker) -> None:
    await broker.publish(job())
    await one(broker)
    assert not await glance(broker)
    assert not await glance(await stand.open())


async def test_a_lease_that_ends_brings_the_job_back_with_a_higher_delivery_count(
    broker: Broker,
) -> None:
    await broker.publish(job())
    counts = []
    for _ in range(3):
        began = monotonic()
        lease = await one(broker, lease_seconds=SHORT)
        counts.append(lease.delivery_count)
        assert len(counts) == 1 or monotonic() - began > SHORT / 2
    assert counts == [1, 2, 3]


async def test_an_acknowledged_job_is_gone(broker: Broker) -> None:
    await broker.publish(job())
    lease = await one(broker, lease_seconds=SHORT)
    await lease.ack()
    assert await broker.depth(JobKind.CHUNK) == 0
    assert not await broker.fetch(
        JobKind.CHUNK, limit=1, wait_seconds=SHORT * 2, lease_seconds=LONG
    )


async def test_a_nack_brings_the_job_back_at_once(broker: Broker) -> None:
    await broker.publish(job())
    await (await one(broker)).nack()
    again = await one(broker)
    assert (again.payload, again.delivery_count) == (b"job", 2)


async def test_a_nack_with_a_delay_brings_the_job_back_not_before(
    stand: Stand, broker: Broker
) -> None:
    await broker.publish(job())
    lease = await one(broker)
    began = monotonic()
    await lease.nack(SHORT)
    again = await one(await stand.open())
    assert monotonic() - began >= SHORT
    assert again.delivery_count == 2


async def test_of_a_rejected_job_a_part_may_be_kept(stand: Stand, broker: Broker) -> None:
    await broker.publish(NewJob(kind=JobKind.EVENTS, payload=b"good and bad"))
    [lease] = await broker.fetch(JobKind.EVENTS, limit=1, wait_seconds=PATIENCE, lease_seconds=LONG)
    await lease.reject("no", keep=b"bad")
    assert await stand.rejected() == [("events", b"bad", "no")]


async def test_what_was_rejected_can_be_rewritten(stand: Stand, broker: Broker) -> None:
    await broker.publish(*(NewJob(kind=JobKind.EVENTS, payload=one) for one in (b"a", b"b", b"c")))
    await broker.publish(NewJob(kind=JobKind.CHUNK, payload=b"a"))
    for kind, count_ in ((JobKind.EVENTS, 3), (JobKind.CHUNK, 1)):
        for _ in range(count_):
            [lease] = await broker.fetch(kind, limit=1, wait_seconds=PATIENCE, lease_seconds=LONG)
            await lease.reject(f"because of {lease.payload.decode()}")
    changes = {b"a": b"A", b"c": b"C"}
    assert await broker.rewrite_rejected(JobKind.EVENTS, changes.get) == 2
    assert await broker.rewrite_rejected(JobKind.EVENTS, changes.get) == 0
    assert sorted((kind, payload, reason) for kind, payload, reason in await stand.rejected()) == [
        ("chunk", b"a", "because of a"),
        ("events", b"A", "because of a"),
        ("events", b"C", "because of c"),
        ("events", b"b", "because of b"),
    ]


async def test_a_rejected_job_never_comes_back_and_its_reason_is_kept(
    stand: Stand, broker: Broker
) -> None:
    await broker.publish(job(b"\x00not what it should be"))
    lease = await one(broker, lease_seconds=SHORT)
    await lease.reject("DecodeError: truncated (é)")
    assert not await broker.fetch(
        JobKind.CHUNK, limit=1, wait_seconds=SHORT * 2, lease_seconds=LONG
    )
    assert await broker.depth(JobKind.CHUNK) == 0
    assert await stand.rejected() == [
        ("chunk", b"\x00not what it should be", "DecodeError: truncated (é)")
    ]


async def test_an_extended_lease_holds_longer_than_it_was_first_given(broker: Broker) -> None:
    await broker.publish(job())
    lease = await one(broker, lease_seconds=SHORT)
    await lease.extend(LONG)
    assert not await broker.fetch(
        JobKind.CHUNK, limit=1, wait_seconds=SHORT * 2, lease_seconds=LONG
    )
    await lease.ack()
    assert await broker.depth(JobKind.CHUNK) == 0


async def test_an_extended_lease_ends_when_it_was_asked_to(broker: Broker) -> None:
    await broker.publish(job())
    lease = await one(broker, lease_seconds=LONG)
    began = monotonic()
    await lease.extend(SHORT)
    again = await one(broker)  # else it would not come back while anybody waits
    assert monotonic() - began >= SHORT
    assert again.delivery_count == 2


async def test_a_key_is_stored_once(stand: Stand, broker: Broker) -> None:
    await broker.publish(job(b"1", key="k"), job(b"2", key="k"), job(b"3", key="other"))
    await broker.publish(job(b"4", key="k"))
    await (await stand.open()).publish(job(b"5", key="k"))
    found = [await one(broker), await one(broker)]
    assert not await glance(broker)
    assert {lease.payload for lease in found} in ({b"1", b"3"}, {b"2", b"3"})


async def test_a_key_is_remembered_after_its_job_is_gone(broker: Broker) -> None:
    await broker.publish(job(key="k"))
    await (await one(broker)).ack()
    await broker.publish(job(key="k"))
    assert not await glance(broker)


async def test_jobs_without_a_key_are_all_stored(broker: Broker) -> None:
    await broker.publish(job(), job())
    await broker.publish(job())
    assert await broker.depth(JobKind.CHUNK) == 3


async def test_a_job_for_later_is_counted_but_not_found_before_its_time(broker: Broker) -> None:
    due = in_seconds(SHORT)
    await broker.publish(job(available_at=due))
    assert await broker.depth(JobKind.CHUNK) == 1
    lease = await one(broker)
    assert datetime.now(UTC) >= due
    assert lease.delivery_count == 1
    await lease.ack()
    assert await broker.depth(JobKind.CHUNK) == 0


async def test_a_job_for_much_later_does_not_stand_in_the_way(broker: Broker) -> None:
    await broker.publish(job(b"later", available_at=in_seconds(LONG)), job(b"now"))
    assert [lease.payload for lease in await glance(broker)] == [b"now"]


async def test_a_job_whose_time_has_passed_is_found_at_once(broker: Broker) -> None:
    await broker.publish(job(available_at=in_seconds(-LONG)))
    assert (await one(broker)).delivery_count == 1


async def test_a_key_holds_for_jobs_for_later_too(broker: Broker) -> None:
    await broker.publish(job(b"1", key="k", available_at=in_seconds(SHORT)))
    await broker.publish(job(b"2", key="k"), job(b"3", key="k", available_at=in_seconds(SHORT)))
    assert (await one(broker)).payload == b"1"
    assert not await glance(broker)


async def test_kinds_do_not_mix(broker: Broker) -> None:
    await broker.publish(*(job(kind.encode(), kind=kind) for kind in JobKind))
    for kind in JobKind:
        assert await broker.depth(kind) == 1
        assert [lease.payload for lease in await glance(broker, kind)] == [kind.encode()]


async def test_a_backlog_is_what_waits_in_jobs_and_bytes(broker: Broker) -> None:
    empty = await broker.backlog(JobKind.CHUNK)
    assert (empty.jobs, empty.size) == (0, 0)
    await broker.publish(*(job(b"x" * 10_000) for _ in range(5)))
    found = await broker.backlog(JobKind.CHUNK)
    assert found.jobs == 5
    assert 50_000 <= found.size < 60_000
    assert found.room is None or found.room > 0


async def test_the_oldest_job_is_told_by_when_it_was_due(broker: Broker) -> None:
    assert await broker.oldest_at(JobKind.CHUNK) is None
    before = datetime.now(UTC)
    await broker.publish(job(b"later", available_at=in_seconds(LONG)))
    assert await broker.oldest_at(JobKind.CHUNK) is None, "its time has not come"
    await broker.publish(job(b"first"))
    await broker.publish(job(b"second"), job(kind=JobKind.EVENTS))
    oldest = await broker.oldest_at(JobKind.CHUNK)
    assert oldest is not None
    # To the second: a broker on another machine has a clock of its own.
    assert abs((oldest - before).total_seconds()) < 60
    for _ in range(2):
        await (await one(broker)).ack()
    assert await broker.oldest_at(JobKind.CHUNK) is None
    assert await broker.oldest_at(JobKind.EVENTS) is not None


async def test_depth_counts_what_waits_and_what_is_leased(broker: Broker) -> None:
    assert await broker.depth(JobKind.CHUNK) == 0
    await broker.publish(*(job() for _ in range(5)))
    await broker.publish(job(kind=JobKind.LAUNCH))
    leases = await broker.fetch(JobKind.CHUNK, limit=3, wait_seconds=0, lease_seconds=LONG)
    assert await broker.depth(JobKind.CHUNK) == 5
    await leases[0].ack()
    await leases[1].nack(LONG)
    await leases[2].reject("no")
    assert await broker.depth(JobKind.CHUNK) == 3


async def test_the_largest_payload_is_taken_and_one_byte_more_is_not(
    stand: Stand, broker: Broker
) -> None:
    payload = random.Random(1).randbytes(PAYLOAD_BYTES_MAX)
    await broker.publish(job(payload))
    lease = await one(broker)
    assert lease.payload == payload
    await lease.reject("x" * 500)
    [(_, kept, _)] = await stand.rejected()
    assert kept == payload
    with pytest.raises(ValueError, match="900000 bytes"):
        await broker.publish(job(), job(payload + b"x"))
    assert await broker.depth(JobKind.CHUNK) == 0


async def test_publishing_nothing_is_nothing(broker: Broker) -> None:
    await broker.publish()
    assert await broker.depth(JobKind.CHUNK) == 0


async def test_a_fetch_without_a_wait_returns_at_once(stand: Stand) -> None:
    broker = await stand.open(poll_seconds=LONG)
    async with patience():
        assert not await broker.fetch(JobKind.CHUNK, limit=5, wait_seconds=0, lease_seconds=LONG)


async def test_a_waiting_fetch_returns_empty_when_its_wait_is_over(broker: Broker) -> None:
    began = monotonic()
    for limit in (1, 5):
        assert not await broker.fetch(
            JobKind.CHUNK, limit=limit, wait_seconds=SHORT, lease_seconds=LONG
        )
    assert monotonic() - began >= 2 * SHORT - 0.01


@pytest.mark.parametrize("limit", [1, 10])
async def test_a_waiting_fetch_wakes_at_once_for_a_job(stand: Stand, limit: int) -> None:
    broker = await stand.open(poll_seconds=LONG)
    fetching = asyncio.create_task(
        broker.fetch(JobKind.CHUNK, limit=limit, wait_seconds=LONG, lease_seconds=LONG)
    )
    done, _ = await asyncio.wait({fetching}, timeout=GLANCE)
    assert not done
    await broker.publish(job())
    async with patience():
        [lease] = await fetching
    assert lease.delivery_count == 1


async def test_everybody_who_waits_is_woken_when_there_is_work_for_all(stand: Stand) -> None:
    broker = await stand.open(poll_seconds=LONG)
    chance = random.Random(1)
    for _ in range(100):
        fetching: list[asyncio.Task[Lease]] = []
        publishing: list[asyncio.Task[None]] = []
        for step in chance.sample(("fetch", "fetch", "publish"), 3):
            if step == "fetch":
                fetching.append(asyncio.create_task(one(broker)))
            else:
                jobs = job(b"first"), job(b"second")
                publishing.append(asyncio.create_task(broker.publish(*jobs)))
            await asyncio.wait([*fetching, *publishing], timeout=chance.random() / 200)
        async with patience():
            leases = await asyncio.gather(*fetching)
            await asyncio.gather(*publishing)
        assert {lease.payload for lease in leases} == {b"first", b"second"}


async def test_those_who_wait_on_find_jobs_when_another_has_waited_long_enough(
    stand: Stand,
) -> None:
    """What another process publishes wakes nobody: it has to be looked for."""
    ours, theirs = await stand.open(poll_seconds=0.02), await stand.open()
    waits = [GLANCE, LONG, LONG]
    fetching = [
        asyncio.create_task(
            ours.fetch(JobKind.CHUNK, limit=1, wait_seconds=wait, lease_seconds=LONG)
        )
        for wait in waits
    ]
    async with patience():
        assert await fetching[0] == []
        for _ in fetching[1:]:
            await theirs.publish(job())
        leases = await asyncio.gather(*fetching[1:])
    assert [len(lease) for lease in leases] == [1, 1]


async def test_many_who_wait_look_as_seldom_as_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/clarion.db"
    await make_tables(url)
    database = Database(url)
    looks: Counter[str] = Counter()

    def count_look(*args: Any) -> None:
        looks[args[2].split()[0]] += 1

    event.listen(Engine, "before_cursor_execute", count_look)
    broker = DatabaseBroker(database, SystemClock(), DatabaseBrokerOptions(poll_seconds=0.05))
    fetches = 20
    await asyncio.gather(
        *(
            broker.fetch(JobKind.CHUNK, limit=1, wait_seconds=1, lease_seconds=LONG)
            for _ in range(fetches)
        )
    )
    event.remove(Engine, "before_cursor_execute", count_look)
    await broker.close()
    await database.close()
    # Each looks when it comes; then one look is for all of them: 20 a second, and not 400.
    assert looks["SELECT"] <= fetches + 20 + 5


async def test_a_fetch_takes_no_more_than_its_limit(stand: Stand, broker: Broker) -> None:
    await broker.publish(*(job(b"%d" % number) for number in range(30)))
    brokers = [broker, await stand.open(), await stand.open()]
    taken = await asyncio.gather(
        *(one.fetch(JobKind.CHUNK, limit=7, wait_seconds=1, lease_seconds=LONG) for one in brokers)
    )
    assert all(0 < len(leases) <= 7 for leases in taken)
    payloads = [lease.payload for leases in taken for lease in leases]
    assert len(set(payloads)) == len(payloads)


async def test_a_cancelled_fetch_keeps_no_job(broker: Broker) -> None:
    fetching = asyncio.create_task(one(broker))
    await asyncio.wait({fetching}, timeout=GLANCE)
    fetching.cancel()
    await asyncio.gather(fetching, return_exceptions=True)
    await broker.publish(job())
    assert (await one(broker)).payload == b"job"


@pytest.mark.parametrize("kind", ["database-sqlite", "database-postgres", "jetstream"])
async def test_a_lost_store_raises_unavailable_soon(kind: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        if kind == "jetstream":
            server = stack.enter_context(NatsServer())
            stand = Stand(server.url("lost"))
            broker = await stand.open()
            server.kill()
        else:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            lost = {
                "database-sqlite": f"sqlite:///{tmp_path}/without-tables.db",
                "database-postgres": f"postgresql://clarion@127.0.0.1:{port}/clarion",
            }
            stand = Stand(lost[kind])
            broker = await stand.open()
        async with patience():
            with pytest.raises(BrokerUnavailable):
                await broker.publish(job())
            with pytest.raises(BrokerUnavailable):
                await broker.fetch(JobKind.CHUNK, limit=1, wait_seconds=LONG, lease_seconds=LONG)
            with pytest.raises(BrokerUnavailable):
                await broker.depth(JobKind.CHUNK)
        await stand.close()


async def test_a_key_is_forgotten_when_its_window_is_over(
    database: Database, clock: FakeClock
) -> None:
    """JetStream's window is the server's own: see `test_jetstream.py`."""
    broker = DatabaseBroker(database, clock)
    await broker.publish(job(key="k"))
    clock.advance(DEDUPE_WINDOW_SECONDS)
    await broker.publish(job(key="k"))
    assert await broker.depth(JobKind.CHUNK) == 1
    clock.advance(1)
    await broker.publish(job(key="k"))
    assert await broker.depth(JobKind.CHUNK) == 2


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_is_lost_or_held_twice_whatever_the_workers_do(
    stand: Stand, seed: int
) -> None:
    """Publishers and workers of several processes, each doing what chance says with a job."""
    count_of_jobs, workers = 120, 4
    chance = random.Random(seed)
    held: set[bytes] = set()
    done: Counter[bytes] = Counter()
    seen: Counter[bytes] = Counter()

    async def publish(broker: Broker, numbers: Sequence[int]) -> None:
        left = list(numbers)
        while left:
            size = chance.randint(1, 9)
            group, left = left[:size], left[size:]
            later = in_seconds(chance.random() / 4) if chance.random() < 0.3 else None
            await broker.publish(*(job(b"%d" % number, available_at=later) for number in group))

    async def work(broker: Broker) -> None:
        until = monotonic() + PATIENCE
        while len(done) < count_of_jobs and monotonic() < until:
            leases = await broker.fetch(
                JobKind.CHUNK, limit=chance.randint(1, 8), wait_seconds=GLANCE, lease_seconds=LONG
            )
            for lease in leases:
                name = lease.payload
                assert name not in held, "two hold the same job"
                assert name not in done, "an acknowledged job came back"
                seen[name] += 1
                assert lease.delivery_count == seen[name]
                held.add(name)
            for lease in leases:
                name = lease.payload
                held.discard(name)
                match chance.choice(("ack", "ack", "nack", "delay", "die", "extend")):
                    case "ack":
                        done[name] += 1
                        await lease.ack()
                    case "nack":
                        await lease.nack()
                    case "delay":
                        await lease.nack(chance.random() / 5)
                    case "die":
                        await lease.extend(0.1)
                    case "extend":
                        held.add(name)
                        await lease.extend(LONG * 2)
                        held.discard(name)
                        done[name] += 1
                        await lease.ack()

    brokers = [await stand.open() for _ in range(workers)]
    async with asyncio.TaskGroup() as group:
        group.create_task(publish(brokers[0], range(0, count_of_jobs, 2)))
        group.create_task(publish(brokers[1], range(1, count_of_jobs, 2)))
        for broker in brokers:
            group.create_task(work(broker))
    assert done == {b"%d" % number: 1 for number in range(count_of_jobs)}
    assert await brokers[0].depth(JobKind.CHUNK) == 0
