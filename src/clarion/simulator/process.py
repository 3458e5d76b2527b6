"""The simulator as a subprocess, for tests, the demo and benchmarks."""

import asyncio
import socket
import ssl
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from clarion.simulator.authority import CA_FILE, ensure_certificates, make_key

START_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 5.0


class SimulatorProcess:
    """`async with SimulatorProcess(data_dir) as simulator:` — running when the block begins."""

    def __init__(
        self, data_dir: Path, *, host: str = "127.0.0.1", port: int = 0, schema: bool | None = None
    ) -> None:
        """`schema`: see `serving.serve`."""
        self._data_dir = data_dir
        self._host = host
        self._port = port or _free_port(host)
        self._schema = schema
        self._process: asyncio.subprocess.Process | None = None
        self.base_url = f"https://{host}:{self._port}"
        self.ca_file = str(data_dir / CA_FILE)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Run, on the same port each time; what was counted before is forgotten."""
        ensure_certificates(self._data_dir, self._host)
        asked = {True: ["schema"], False: ["basic"], None: []}[self._schema]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "clarion.simulator",
            self._host,
            str(self._port),
            str(self._data_dir),
            *asked,
            stdout=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(START_SECONDS_MAX):
            await self._until_it_answers()

    async def stop(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS_MAX):
                await process.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End it without a word to anybody."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def key(self, project: str) -> dict[str, str]:
        """A service-account JSON for `project`."""
        return make_key(project, self.base_url, self._data_dir)

    async def stats(self) -> dict[str, Any]:
        return await self._call("GET", "/simulator/stats")

    async def messages(self, *, after: int = 0, limit: int = 1_000) -> list[dict[str, Any]]:
        """What was accepted after message number `after`."""
        page = await self._call("GET", f"/simulator/messages?after={after}&limit={limit}")
        found: list[dict[str, Any]] = page["messages"]
        return found

    async def faults(self, **wanted: Any) -> None:
        """Order trouble: outage_seconds, throttle_next, plan …; see `serving`."""
        await self._call("POST", "/simulator/faults", wanted)

    async def reset(self) -> None:
        """Forget counts, messages and orders."""
        await self._call("POST", "/simulator/reset")

    async def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        def call() -> dict[str, Any]:
            reply = requests.request(
                method, self.base_url + path, json=body, verify=self.ca_file, timeout=10
            )
            reply.raise_for_status()
            parsed: dict[str, Any] = reply.json()
            return parsed

        return await asyncio.to_thread(call)

    async def _until_it_answers(self) -> None:
        assert self._process is not None
        trusting = ssl.create_default_context(cafile=self.ca_file)
        while True:
            if self._process.returncode is not None:
                raise RuntimeError(f"the simulator ended with {self._process.returncode}")
            try:
                _, writer = await asyncio.open_connection(self._host, self._port, ssl=trusting)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
