"""Clarion as an operator runs it on several machines: one process for each role."""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from support.patience import PATIENCE, patience, until
from support.ready_command import Program, end_of, reader_of, started

__all__ = ["Installation", "Process", "api_client", "installation", "until"]


class Process:
    """A running `clarion run …`; `printed`: what it prints."""

    def __init__(self, process: Program, printed: asyncio.StreamReader, log: Path) -> None:
        self._process = process
        self._printed = printed
        self.log = log
        self.url = ""

    async def listening(self) -> str:
        """Its address, once it answers there."""
        async with patience():
            while b"listens on" not in (line := await self._printed.readline()):
                assert line, f"it ended: {self.log.read_text()[-2_000:]}"
        self.url = line.decode().split("listens on ")[1].split()[0]
        return self.url

    async def kill(self) -> None:
        """`kill -9`."""
        self._process.kill()
        await self.ended()

    async def stop(self) -> int:
        """Ask it to end, as a service manager does; returns how it did."""
        self._process.terminate()
        return await self.ended()

    async def ended(self) -> int:
        """How it ended, once it has."""
        async with patience():
            return await end_of(self._process)

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None


class Installation:
    """Settings that its processes share; killed at the end, whatever still runs."""

    def __init__(
        self,
        directory: Path,
        settings: Mapping[str, str],
        code: Path | None = None,
        *,
        real: bool = False,
    ) -> None:
        """`directory`: for logs; `code`: a folder with another version's package `clarion`; `real`:
        processes begin with their interpreter (see `ready_command`)."""
        self.directory = directory
        self._is_real = real or code is not None
        own = {name: value for name, value in os.environ.items() if name[:8] != "CLARION_"}
        self._environment = own | {f"CLARION_{name}": value for name, value in settings.items()}
        if code is not None:
            self._environment["PYTHONPATH"] = str(code)
        self._processes: list[Process] = []

    async def command(self, *arguments: str) -> Any:
        """What a `clarion` command prints as JSON."""
        process = self._spawn(*arguments, "--json", stderr=subprocess.PIPE)
        out, errors = await asyncio.to_thread(process.communicate)
        assert process.returncode == 0, errors.decode()
        return json.loads(out)

    async def ends(self, *arguments: str) -> tuple[int | None, str]:
        """How a command ends that need not succeed, and all that it prints."""
        process = self._spawn(*arguments, stderr=subprocess.STDOUT)
        printed, _ = await asyncio.to_thread(process.communicate)
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
            program = self._spawn(*arguments, stderr=told)
        process = Process(program, await reader_of(program), log)
        self._processes.append(process)
        return process

    def _spawn(self, *arguments: str, stderr: Any) -> Program:
        return started(
            *arguments, real=self._is_real, environment=self._environment,
            directory=self.directory, stdout=subprocess.PIPE, stderr=stderr,
        )  # fmt: skip


@asynccontextmanager
async def installation(
    directory: Path, settings: Mapping[str, str], code: Path | None = None, *, real: bool = False
) -> AsyncIterator[Installation]:
    found = Installation(directory, settings, code, real=real)
    try:
        yield found
    finally:
        await found.end()


@asynccontextmanager
async def api_client(url: str, key: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE) as client:
        yield client
