"""The simulator as a subprocess, for tests, the demo and benchmarks.

Where nothing is asynchronous:

    with simulated_fcm() as fcm:
        key = fcm.key("shop")
        ...  # a sender that is told of `key`, `fcm.base_url` and `fcm.ca_file`
        assert fcm.stats()["accepted"] == 1
"""

import asyncio
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import msgspec
import requests

from fcm_simulator.credentials import CA_FILE, ensure_certificates, make_key
from fcm_simulator.server.serving import SimulatorOptions, free_port

START_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 5.0
_POLL_SECONDS = 0.05


@contextmanager
def simulated_fcm(data_dir: Path | None = None, **options: Any) -> Iterator["SimulatedFcm"]:
    """A simulator on a port of its own while the block runs.

    `data_dir`: where its certificates and accounts are; a temporary directory by default.
    `options`: of `SimulatorOptions`, such as `plain=True` or `strict=True`.
    """
    with TemporaryDirectory() as temporary:
        directory = data_dir or Path(temporary)
        chosen = _choose(directory, options)
        ensure_certificates(directory, chosen.host)
        process = subprocess.Popen(_command(chosen), stdout=subprocess.DEVNULL)
        try:
            fcm = SimulatedFcm(chosen)
            until = monotonic() + START_SECONDS_MAX
            while not fcm.answers():
                if process.poll() is not None or monotonic() > until:
                    raise RuntimeError("the simulator does not start")
                sleep(_POLL_SECONDS)
            yield fcm
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class SimulatedFcm:
    """A running simulator's control side. Every call waits for its answer."""

    def __init__(self, options: SimulatorOptions) -> None:
        self._options = options
        self.base_url = options.url
        self.ca_file = str(options.data_dir / CA_FILE)

    def key(self, project: str) -> dict[str, str]:
        """A service-account JSON for `project`."""
        return make_key(project, self.base_url, self._options.data_dir)

    def stats(self) -> dict[str, Any]:
        return self._call("GET", "stats")

    def messages(self, *, after: int = 0, limit: int = 1_000) -> list[dict[str, Any]]:
        """What was accepted after message number `after`."""
        page = self._call("GET", f"messages?after={after}&limit={limit}")
        messages: list[dict[str, Any]] = page["messages"]
        return messages

    def faults(self, **orders: Any) -> None:
        """Order trouble: outage_seconds, throttle_next, plan …; see `control`."""
        self._call("POST", "faults", orders)

    def register(self, *registrations: dict[str, Any]) -> None:
        """List registrations: `{"token": …, "fid": …, "state": …}`; see `registrations`."""
        self._call("POST", "registrations", registrations)

    def change(self, name: str, **changes: Any) -> dict[str, Any]:
        """Change the listed registration with this token or FID; what it is then."""
        return self._call("PATCH", f"registrations/{quote(name, safe='')}", changes)

    def registration(self, name: str) -> dict[str, Any]:
        """The listed one with this token or FID."""
        return self._call("GET", f"registrations/{quote(name, safe='')}")

    def reset(self) -> None:
        """Forget counts, messages, orders, topics and who was listed since the start."""
        self._call("POST", "reset")

    def answers(self) -> bool:
        """Whether it does yet."""
        try:
            self.stats()
        except requests.ConnectionError:
            return False
        return True

    def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        reply = requests.request(
            method, f"{self.base_url}/simulator/{path}", json=body, verify=self.ca_file, timeout=10
        )
        reply.raise_for_status()
        parsed: dict[str, Any] = reply.json()
        return parsed


class SimulatorProcess:
    """`async with SimulatorProcess(data_dir) as simulator:` — running when the block begins."""

    def __init__(self, data_dir: Path, **options: Any) -> None:
        """`options`: of `SimulatorOptions`."""
        self._options = _choose(data_dir, options)
        self._process: asyncio.subprocess.Process | None = None
        self._fcm = SimulatedFcm(self._options)
        self.base_url = self._fcm.base_url
        self.ca_file = self._fcm.ca_file
        self.key = self._fcm.key

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
        ensure_certificates(self._options.data_dir, self._options.host)
        self._process = await asyncio.create_subprocess_exec(
            *_command(self._options), stdout=asyncio.subprocess.DEVNULL
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

    async def stats(self) -> dict[str, Any]:
        return await asyncio.to_thread(self._fcm.stats)

    async def messages(self, *, after: int = 0, limit: int = 1_000) -> list[dict[str, Any]]:
        return await asyncio.to_thread(self._fcm.messages, after=after, limit=limit)

    async def faults(self, **orders: Any) -> None:
        await asyncio.to_thread(self._fcm.faults, **orders)

    async def register(self, *registrations: dict[str, Any]) -> None:
        await asyncio.to_thread(self._fcm.register, *registrations)

    async def change(self, name: str, **changes: Any) -> dict[str, Any]:
        return await asyncio.to_thread(self._fcm.change, name, **changes)

    async def registration(self, name: str) -> dict[str, Any]:
        return await asyncio.to_thread(self._fcm.registration, name)

    async def reset(self) -> None:
        await asyncio.to_thread(self._fcm.reset)

    async def _until_it_answers(self) -> None:
        assert self._process is not None
        options = self._options
        trusting = None if options.plain else ssl.create_default_context(cafile=self.ca_file)
        while True:
            if self._process.returncode is not None:
                raise RuntimeError(f"the simulator ended with {self._process.returncode}")
            try:
                _, writer = await asyncio.open_connection(options.host, options.port, ssl=trusting)
            except OSError:
                await asyncio.sleep(_POLL_SECONDS)
                continue
            writer.close()
            return


def _choose(data_dir: Path, options: dict[str, Any]) -> SimulatorOptions:
    host = options.get("host", "127.0.0.1")
    return SimulatorOptions(data_dir=data_dir, **{"port": free_port(host)} | options)


def _command(options: SimulatorOptions) -> list[str]:
    wire = msgspec.json.encode(options, enc_hook=str).decode()
    return [sys.executable, "-m", "fcm_simulator.server", wire]
