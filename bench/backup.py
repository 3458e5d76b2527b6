"""How long a backup and a restore take, and a plain copy of the same bytes beside them:
`python -m bench.backup [devices] [sqlite|postgresql]`, with PYTHONPATH=tests.

Each device has a customer, and one event; rows are written directly.
"""

import asyncio
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from bench.audiences import BODY
from bench.campaign import people
from bench.installation import Installation, Store, install, make_database, store
from clarion.clock import SystemClock
from clarion.storage.bulk import append
from clarion.storage.database import Database
from clarion.storage.schema import events

PART = 10_000


async def measure(store: Store, devices: int) -> dict[str, str]:
    """What each took, and the size of the copy."""
    installation = await install(store, {})
    with installation.database() as database:
        await people(database, installation, devices)
        await _events(database, installation, devices)
        await database.close()
    here = {**os.environ, **installation.environment}
    if store.programs is not None:
        here["PATH"] = f"{store.programs}:{here['PATH']}"
    copy = store.directory / "clarion.backup"
    found = {"backup": _timed(lambda: _clarion(here, "backup", str(copy)))}
    # Bytes of the same number, to disk, for what this machine's disk gives.
    plain = store.directory / "plain"
    found["a plain copy of that file"] = _timed(lambda: _copied(copy, plain))
    found["size"] = f"{copy.stat().st_size / 1e6:,.0f} MB"
    if store.pid is None:
        there = here | {"CLARION_DATA_DIR": str(store.directory / "restored")}
        there["CLARION_DATABASE_URL"] = f"sqlite:///{store.directory}/restored/clarion.db"
        (store.directory / "restored").mkdir(mode=0o700)
    else:
        await make_database(store)
        there = here
    found["restore"] = _timed(lambda: _clarion(there, "restore", str(copy)))
    return found


async def _events(database: Database, installation: Installation, count: int) -> None:
    now = SystemClock().now()
    for start in range(0, count, PART):
        rows: list[dict[str, Any]] = []
        for number in range(start, min(count, start + PART)):
            at = now - timedelta(seconds=number)
            rows.append(
                {"workspace_id": installation.workspace_id, "message_id": f"seen-{number}",
                 "name": "Seen", "source_id": installation.source_id, "type": "track", "at": at,
                 "user_id": f"user-{number}", "anonymous_id": None, "device_id": None,
                 "received_at": at, "clock_at": at, "order_at": None, "key": f"user-{number}",
                 "body": BODY}
            )  # fmt: skip
        async with database.write() as connection:
            await append(connection, events, rows)


def _timed(do: Callable[[], object]) -> str:
    """Seconds that passed, and seconds of CPU of what it started."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), monotonic()
    do()
    after, passed = resource.getrusage(resource.RUSAGE_CHILDREN), monotonic() - began
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return f"{passed:.1f} s, {used:.1f} s of CPU"


def _clarion(environment: Mapping[str, str], *tokens: str) -> None:
    command = [sys.executable, "-m", "clarion.cli", *tokens]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)


def _copied(source: Path, target: Path) -> None:
    subprocess.run(["dd", f"if={source}", f"of={target}", "bs=1M", "conv=fsync", "status=none"],
                   check=True)  # fmt: skip


async def main(devices: int, name: str) -> None:
    directory = Path(tempfile.mkdtemp(prefix="clarion-bench-"))
    try:
        with store(name, directory) as made:
            for what, value in (await measure(made, devices)).items():
                sys.stdout.write(f"{what}: {value}\n")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    asyncio.run(main(wanted, sys.argv[2] if len(sys.argv) > 2 else "sqlite"))
