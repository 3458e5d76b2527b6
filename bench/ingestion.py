"""How many events become customers and devices: collector and ingestor on one core, fed by HTTP."""

import http.client
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import perf_counter, sleep
from typing import Any
from urllib.parse import urlsplit

from rich.progress import Progress
from sqlalchemy import func, select

from bench.installation import Installation, Store, install
from bench.process import Memory, clarion, used
from bench.stories import bodies
from clarion.storage.schema import customers, devices, events

BATCH_EVENTS = 100
CLIENTS = 8
WAITING_MAX = 60
"""Jobs. More than these, and the load waits: the queue is not what is measured."""
LOOK_SECONDS = 0.2
SECONDS_MAX = 1_800


async def measure(store: Store, count: int, progress: Progress) -> dict[str, Any]:
    """Send `count` events in batches and wait until all of them are known."""
    installation = await install(store, {})
    log = store.directory / "ingestion.log"
    with clarion(["run", "collector", "ingestor"], installation.environment, log) as (url, pid):
        before, store_before, memory = used(pid), store.used(), Memory(pid)
        began = perf_counter()
        task = progress.add_task(f"ingestion · {store.name}", total=count)
        for sent in _feed(url, installation.write_key, count):
            progress.update(task, completed=sent)
        _drain(url)
        seconds = perf_counter() - began
        memory.close()
        cpu, store_cpu = used(pid).since(before), store.used().since(store_before)
    kept = await _count(installation)
    assert kept["events"] == count, f"{kept['events']} of {count} events were kept"
    return {
        "events": count,
        "seconds": round(seconds, 1),
        "events/s": round(count / seconds),
        "CPU µs an event": round(cpu.total / count * 1e6, 1),
        "database CPU µs an event": round(store_cpu.total / count * 1e6, 1),
        "customers": kept["customers"],
        "devices": kept["devices"],
        "memory MiB": memory.told(),
    }


def _feed(url: str, write_key: str, count: int) -> Iterator[int]:
    """Send from CLIENTS connections side by side; yields how many events have been sent. While more
    than WAITING_MAX jobs wait, nothing more is sent. One looks for all: that is a page of metrics
    each time, and its cost counts as ingestion's."""
    connection, may_send = _connect(url), Event()
    may_send.set()
    with ThreadPoolExecutor(CLIENTS) as clients:
        sent: list[int] = []
        share = count // CLIENTS
        running = [
            clients.submit(
                _send, url, write_key, bodies(share, BATCH_EVENTS, seed=index), sent, may_send
            )
            for index in range(CLIENTS)
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
