"""How many events become customers and devices: collector and ingestor on one core, fed by HTTP."""

import http.client
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import perf_counter, sleep
from typing import Any
from urllib.parse import urlsplit

import msgspec
from rich.progress import Progress
from sqlalchemy import func, select, text

from bench.installation import Installation, Store, install
from bench.process import Memory, clarion, used
from bench.stories import Wire, bodies, hard, steady, steady_people
from clarion.storage.schema import customers, devices, events

BATCH_EVENTS = 100
CLIENTS = 8
WAITING_MAX = 60
"""Jobs. More than these, and the load waits: the queue is not what is measured."""
LOOK_SECONDS = 0.2
SECONDS_MAX = 1_800


async def measure(
    store: Store, count: int, progress: Progress, *, is_steady: bool = False
) -> dict[str, Any]:
    """Send `count` events in batches and wait until all of them are known. `is_steady`: of people
    who are known and stay who they are; they are made known before anything is measured."""
    installation = await install(store, {})
    log = store.directory / "ingestion.log"
    story = steady if is_steady else hard
    share = count // CLIENTS
    with clarion(["run", "collector", "ingestor"], installation.environment, log) as (url, pid):
        if is_steady:
            for _ in _feed(url, installation.write_key, [steady_people()]):
                pass
            _drain(url)
        known = await _count(installation)
        before, store_before, memory = used(pid), store.used(), Memory(pid)
        bytes_before = await _size(installation)
        began = perf_counter()
        name = f"{store.name}, steady" if is_steady else store.name
        task = progress.add_task(f"ingestion · {name}", total=count)
        stories = [story(share, seed=index) for index in range(CLIENTS)]
        for sent in _feed(url, installation.write_key, stories):
            progress.update(task, completed=sent)
        _drain(url)
        seconds = perf_counter() - began
        memory.close()
        cpu, store_cpu = used(pid).since(before), store.used().since(store_before)
    kept = await _count(installation)
    stored = kept["events"] - known["events"]
    assert stored == share * CLIENTS, f"{stored} of {count} events were kept"
    return {
        "events": count,
        "seconds": round(seconds, 1),
        "events/s": round(count / seconds),
        "CPU µs an event": round(cpu.total / count * 1e6, 1),
        "database CPU µs an event": round(store_cpu.total / count * 1e6, 1),
        "bytes in the database an event": round((await _size(installation) - bytes_before) / count),
        "bytes of an event": _body_bytes(story(1_000)),
        "customers": kept["customers"],
        "devices": kept["devices"],
        "memory MiB": memory.told(),
    }


def _feed(url: str, write_key: str, stories: Sequence[Iterator[Wire]]) -> Iterator[int]:
    """Send each story by a connection of its own; yields how many events have been sent. While more
    than WAITING_MAX jobs wait, nothing more is sent. One looks for all: that is a page of metrics
    each time, and its cost counts as ingestion's."""
    connection, may_send = _connect(url), Event()
    may_send.set()
    with ThreadPoolExecutor(len(stories)) as clients:
        sent: list[int] = []
        running = [
            clients.submit(_send, url, write_key, bodies(story, BATCH_EVENTS), sent, may_send)
            for story in stories
        ]
        while not all(one.done() for one in running):
            sleep(LOOK_SECONDS)
            if _waiting(connection) > WAITING_MAX:
                may_send.clear()
            else:
                may_send.set()
            yield sum(sent)
        for one in running:
            one.result()
    connection.close()


def _send(
    url: str, write_key: str, batches: Iterator[bytes], sent: list[int], may_send: Event
) -> None:
    connection = _connect(url)
    for body in batches:
        may_send.wait()
        connection.request("POST", "/v1/batch", body, {"X-Write-Key": write_key})
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 200 or b"refused" in said:
            raise RuntimeError(f"the collector said {answer.status}: {said[:300]!r}")
        sent.append(BATCH_EVENTS)
    connection.close()


def _drain(url: str) -> None:
    connection, until = _connect(url), perf_counter() + SECONDS_MAX
    while _waiting(connection) > 0:
        if perf_counter() > until:
            raise RuntimeError("the events were not taken in")
        sleep(LOOK_SECONDS)


def _waiting(connection: http.client.HTTPConnection) -> int:
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    wanted = 'clarion_jobs{kind="events"} '
    line = next(line for line in text.splitlines() if line.startswith(wanted))
    return int(float(line.removeprefix(wanted)))


def _connect(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    assert parts.hostname is not None
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)


def _body_bytes(events: Iterator[Wire]) -> int:
    sizes = [len(msgspec.json.encode(event)) for event in events]
    return round(sum(sizes) / len(sizes))


async def _size(installation: Installation) -> int:
    """Of the database, without its log: what was written is moved out of that first."""
    with installation.database() as database:
        async with database.engine.connect() as connection:
            if database.is_sqlite:
                await connection.execute(text("ROLLBACK"))
                await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
                statement = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
            else:
                statement = "SELECT pg_database_size(current_database())"
            size = (await connection.execute(text(statement))).scalar_one()
        await database.close()
    return int(size)


async def _count(installation: Installation) -> dict[str, int]:
    with installation.database() as database:
        async with database.read() as connection:
            counts = {
                table.name: (
                    await connection.execute(select(func.count()).select_from(table))
                ).scalar_one()
                for table in (events, customers, devices)
            }
        await database.close()
    return counts
