"""A `Station` as a process of its own, to be killed: `python -m support.served URL`."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Self

from clarion.clock import SystemClock
from clarion.customers.ingestor import IngestorOptions
from clarion.storage.database import Database
from support.patience import patience
from support.ready_command import end_of, reader_of, started
from support.running import running
from support.station import Station

TESTS = Path(__file__).parents[1]


class Served:
    """A context: collects and takes in on `port` until killed, or stopped at the end."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __aenter__(self) -> Self:
        path = os.pathsep.join(str(folder) for folder in (TESTS, TESTS.parent / "src"))
        self._process = started(
            self._url, module=__name__, environment={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
        )  # fmt: skip
        printed = await reader_of(self._process)
        async with patience():
            self.port = int(await printed.readline())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._process.kill()
        await end_of(self._process)

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """`kill -9`: at once, whatever it is doing."""
        self._process.kill()


async def main(url: str) -> None:
    database = Database(url)
    options = IngestorOptions(backoff_seconds=0.05)
    async with Station(database, SystemClock(), ingestor_options=options) as station:
        print(station.port, flush=True)
        async with running(station.ingestor.agents(), station.clock):
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
