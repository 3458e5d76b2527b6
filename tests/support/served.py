"""A `Station` as a process of its own, to be killed: `python -m support.served URL`."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from clarion.clock import SystemClock
from clarion.customers.ingestor import IngestorOptions
from clarion.storage.database import Database
from support.patience import patience
from support.running import running
from support.station import Station

TESTS = Path(__file__).parents[1]


class Served:
    """A context: collects and takes in on `port` until killed, or stopped at the end."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __aenter__(self) -> Self:
        path = os.pathsep.join(str(one) for one in (TESTS, TESTS.parent / "src"))
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", __name__, self._url,
            stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
        assert self._process.stdout is not None
        async with patience():
            self.port = int(await self._process.stdout.readline())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """`kill -9`: at once, whatever it is doing."""
        os.kill(self._process.pid, signal.SIGKILL)


async def main(url: str) -> None:
    database = Database(url)
    options = IngestorOptions(backoff_seconds=0.05)
    async with Station(database, SystemClock(), ingestor_options=options) as station:
        print(station.port, flush=True)
        async with running(station.ingestor.agents(), station.clock):
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
