"""Clarion as an operator runs it on several machines: one process for each role."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from support.patience import PATIENCE, patience, until

__all__ = ["Installation", "Process", "api_client", "installation", "until"]


class Process:
    """A running `clarion run …`."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self.log = log
        self.url = ""

    async def listening(self) -> str:
        """Its address, once it answers there."""
        assert self._process.stdout is not None
        async with patience():
            while b"listens on" not in (line := await self._process.stdout.readline()):
                assert line, f"it ended: {self.log.read_text()[-2_000:]}"
        self.url = line.decode().split("listens on ")[1].split()[0]
        return self.url

    async def kill(self) -> None:
        """`kill -9`."""
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> int:
        """Ask it to end, as a service manager does; returns how it did."""
        self._process.terminate()
        return await self.ended()

    async def ended(self) -> int:
        """How it ended, once it has."""
        async with patience():
            return await self._process.wait()

    @property
    def is_running(self) -> bool:
        return self._process.returncode is None


class Installation:
    """Settings that its processes share; killed at the end, whatever still runs."""

    def __init__(
        self, directory: Path, settings: Mapping[str, str], code: Path | None = None
    ) -> None:
        """`directory`: for logs; `code`: a folder with another version's package `clarion`."""
        self.directory = directory
        own = {name: value for name, value in os.environ.items() if name[:8] != "CLARION_"}
        self._environment = own | {f"CLARION_{name}": value for name, value in settings.items()}
        if code is not None:
            self._environment["PYTHONPATH"] = str(code)
        self._processes: list[Process] = []

    async def command(self, *arguments: str) -> Any:
        """What a `clarion` command prints as JSON."""
        process = await self._spawn(*arguments, "--json", stderr=asyncio.subprocess.PIPE)
        out, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
        return json.loads(out)

    async def ends(self, *arguments: str) -> tuple[int | None, str]:
        """How a command ends that need not succeed, and all that it prints."""
        process = await self._spawn(*arguments, stderr=asyncio.subprocess.STDOUT)
        printed, _ = await process.communicate()
        return process.returncode, " ".join(printed.decode().split())

    async def run(self, *roles: str) -> Process:
        return await self._start("run", *roles)

    async def serve(self) -> Process:
        return await self._start("serve")

    def logs(self) -> str:
        return "".join(process.log.read_text() for process in self._processes)

    async def stop(self) -> list[int]:
        """Ask all that still run to end; returns how they did."""
        running = [process for process in self._processes if process.is_running]
        return await asyncio.gather(*(process.stop() for process in running))

    async def end(self) -> None:
        for process in self._processes:
            if process.is_running:
                with suppress(ProcessLookupError):
                    await process.kill()

    async def _start(self, *arguments: str) -> Process:
        log = self.directory / f"{len(self._processes)}-{arguments[-1]}.log"
        with log.open("wb") as told:
            process = Process(await self._spawn(*arguments, stderr=told), log)
        self._processes.append(process)
        return process

    async def _spawn(self, *arguments: str, stderr: Any) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "clarion.cli", *arguments,
            env=self._environment, cwd=self.directory,
            stdout=asyncio.subprocess.PIPE, stderr=stderr,
        )  # fmt: skip


@asynccontextmanager
async def installation(
    directory: Path, settings: Mapping[str, str], code: Path | None = None
) -> AsyncIterator[Installation]:
    found = Installation(directory, settings, code)
    try:
        yield found
    finally:
        await found.end()


@asynccontextmanager
async def api_client(url: str, key: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE) as client:
        yield client
