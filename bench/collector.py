"""How many calls the collector makes durable, and how long they take: wrk against it."""

import subprocess
from pathlib import Path
from typing import Any

import msgspec

from bench.installation import Store, install
from bench.process import LOAD_CORE, Memory, clarion, pin, used

SCRIPT = Path(__file__).with_name("collect.lua")
BATCH_EVENTS = 100
SINGLE_CONNECTIONS = 64
BATCH_CONNECTIONS = 16


async def measure(store: Store, seconds: int) -> dict[str, Any]:
    """Single events, then batches, each for `seconds`."""
    found: dict[str, Any] = {}
    for name, size, connections in (
        ("single", 1, SINGLE_CONNECTIONS),
        ("batch", BATCH_EVENTS, BATCH_CONNECTIONS),
    ):
        installation = await install(store, {})
        log = store.directory / "collector.log"
        with clarion(["run", "collector"], installation.environment, log) as (url, pid):
            _load(url, installation.write_key, size, connections, 2)
            before, store_before, memory = used(pid), store.used(), Memory(pid)
            told = _load(url, installation.write_key, size, connections, seconds)
            memory.close()
            events = told["requests"] * size
            found[name] = {
                "connections": connections,
                "requests/s": round(told["requests"] / told["seconds"]),
                "events/s": round(events / told["seconds"]),
                "p50 ms": round(told["p50"] / 1000, 1),
                "p99 ms": round(told["p99"] / 1000, 1),
                "errors": told["errors"],
                "CPU µs an event": round(used(pid).since(before).total / events * 1e6, 1),
                "database CPU µs an event": round(
                    store.used().since(store_before).total / events * 1e6, 1
                ),
                "memory MiB": memory.told(),
            }
    return found


def _load(url: str, write_key: str, size: int, connections: int, seconds: int) -> dict[str, Any]:
    path = "/v1/track" if size == 1 else "/v1/batch"
    ended = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(SCRIPT),
         f"{url}{path}", "--", write_key, str(size)],
        capture_output=True, text=True, check=True, preexec_fn=lambda: pin(LOAD_CORE),
    )  # fmt: skip
    told = next(line for line in ended.stdout.splitlines() if line.startswith("{"))
    return msgspec.json.decode(told, type=dict[str, Any])
