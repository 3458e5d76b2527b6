"""What files of `deploy/` declare, run as processes on the loopback: `Deployment`.

A service is what compose, a manifest or a unit makes of a program: its words, its whole
environment, what it waits for, and how it is asked whether it is well. These are taken from the
file as they stand there. Replaced are what no test may choose: addresses and ports of servers
(`REPLACED`), and the folders that an engine mounts. `NOT_RUN` says what of the files is not run.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.image import instructions
from support.pages import ROOT
from support.patience import PATIENCE, patience, until
from support.ports import free_ports

REPLACED = {
    "the image `clarion`": "the tests' own Clarion, with the image's environment and health check",
    "the image `postgres`": "the tests' PostgreSQL, which trusts connections of this machine",
    "the image `nats`": "the tests' NATS server, with the service's words",
    "host names of services, and ports": "127.0.0.1, and ports that are free",
    "secrets, volumes, and the folders of systemd": "folders of the test",
    "the users of images and units": "the user who runs the tests",
}
NOT_RUN = {
    "docker": "an engine and its registry are not on every machine; the image's steps are run by "
    "tests/flow/test_image.py",
    "kubectl": "a cluster is not on every machine",
    "systemctl": "a service manager does not run where tests do",
    "useradd": "tests change no accounts of their machine",
    "pipx": "not part of what the tests install",
    "uv": "not part of what the tests install",
}
"""Commands of pages that are not run, and why; what they name is run from the files."""

CLARION = (sys.executable, "-m", "clarion.cli")
Ask = Callable[[], Awaitable[bool]]

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


@dataclass(kw_only=True)
class Service:
    """A program as a file declares it."""

    name: str
    words: Sequence[str]
    environment: Mapping[str, str]
    """All of it: nothing of the tests' own is added but PATH."""
    after: Mapping[str, str] = field(default_factory=dict)
    """The services it waits for, each with compose's word for until when."""
    is_well: Ask | None = None
    directory: Path
    stop_seconds: float = 40
    prefix: Sequence[str] = ()
    """What shuts it in."""
    umask: int = -1


class Deployment:
    """Services, each started when what it waits for is so; stopped in order at the end."""

    def __init__(self, directory: Path) -> None:
        """`directory`: for logs."""
        self.directory = directory
        self.services: dict[str, Service] = {}
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._ended: dict[str, int] = {}

    async def up(self, services: Sequence[Service]) -> None:
        """Start them; returns when each that says how it is is well, or has done its work."""
        self.services |= {service.name: service for service in services}
        async with patience(), asyncio.TaskGroup() as tasks:
            started = {service.name: asyncio.Event() for service in services}
            for service in services:
                tasks.create_task(self._start(service, started))
        for service in services:
            if service.is_well is not None:
                await self.well(service.name)

    async def _start(self, service: Service, started: dict[str, asyncio.Event]) -> None:
        for name, condition in service.after.items():
            await started[name].wait()
            match condition:
                case "service_completed_successfully":
                    assert await self._running[name].wait() == 0, self.log(name)
                case "service_healthy":
                    await self.well(name)
                case "service_started":
                    pass
                case _:
                    raise AssertionError(f"not known here: {condition}")
        if service.words:
            self._running[service.name] = await self._spawn(service, service.words)
        started[service.name].set()

    async def well(self, name: str) -> None:
        """Returns when the service's own check says so."""
        ask = self.services[name].is_well
        assert ask is not None, f"{name} says not how it is"

        async def asked() -> bool:
            if (process := self._running.get(name)) is not None:
                assert process.returncode is None, self.log(name)
            return await ask()

        await until(asked, bool)

    async def execute(self, name: str, *words: str) -> str:
        """What a command prints beside a service, with what that is given: `docker exec`."""
        process = await self._spawn(self.services[name], [*CLARION, *words], piped=True)
        out, errors = await process.communicate()
        assert process.returncode == 0, out.decode() + errors.decode()
        return out.decode()

    async def down(self) -> dict[str, int]:
        """Stop those that run, the last started first; how each ended."""
        ended: dict[str, int] = {}
        for name, process in reversed(self._running.items()):
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                async with patience():
                    ended[name] = await process.wait()
        return ended

    async def kill(self) -> None:
        for process in self._running.values():
            if process.returncode is None:
                process.kill()
                await process.wait()

    def log(self, name: str) -> str:
        return (self.directory / f"{name}.log").read_text()[-3_000:]

    async def _spawn(
        self, service: Service, words: Sequence[str], *, piped: bool = False
    ) -> asyncio.subprocess.Process:
        with (self.directory / f"{service.name}.log").open("ab") as log:
            out = asyncio.subprocess.PIPE if piped else log
            return await asyncio.create_subprocess_exec(
                *service.prefix, *words, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                env={"PATH": os.environ["PATH"], **service.environment},
                cwd=service.directory, umask=service.umask,
            )  # fmt: skip


@dataclass
class Image:
    """What the Dockerfile gives every container of Clarion."""

    environment: dict[str, str] = field(default_factory=dict)
    health: list[str] = field(default_factory=list)

    @classmethod
    def read(cls) -> "Image":
        image = cls()
        dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
        for word, rest in instructions(dockerfile.rpartition("\nFROM ")[2].partition("\n")[2]):
            if word == "ENV":
                pairs = (pair.partition("=") for pair in rest.split())
                image.environment |= {name: value for name, _, value in pairs if name != "PATH"}
            elif word == "HEALTHCHECK":
                image.health = json.loads(rest.partition("CMD ")[2])
        return image


def interpolated(value: Any, given: Mapping[str, str]) -> Any:
    """A value of a compose file with its `${NAME:-default}` put in."""
    if isinstance(value, dict):
        return {key: interpolated(one, given) for key, one in value.items()}
    if isinstance(value, list):
        return [interpolated(one, given) for one in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: given.get(found[1]) or found[2] or "", value)
    return value


def replaced(text: str, by: Mapping[str, str]) -> str:
    """In one pass, the longest first: what is put in is not looked at again."""
    named = "|".join(map(re.escape, sorted(by, key=len, reverse=True)))
    return re.sub(named, lambda found: by[found[0]], text)


def on_loopback() -> dict[str, str]:
    """The ports of one container: all of them are on one machine here."""
    public, metrics = free_ports(2)
    return {
        "0.0.0.0:8080": f"127.0.0.1:{public}",
        "0.0.0.0:9464": f"127.0.0.1:{metrics}",
        "127.0.0.1:9464": f"127.0.0.1:{metrics}",
    }


def command_succeeds(words: Sequence[str]) -> Ask:
    """A check that runs a program."""

    async def ask() -> bool:
        process = await asyncio.create_subprocess_exec(
            *words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        return await asyncio.wait_for(process.wait(), PATIENCE) == 0

    return ask
