"""Third-party SDKs for servers, as an app uses them: here in Python, or in a Node.js beside it.

A call is written as the event that it becomes: `{"type": "track", "userId": …, "event": …}`.
"""

import asyncio
import atexit
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
from customerio.analytics.client import Client as CustomerioClient
from rudderstack.analytics.client import Client as RudderstackClient
from segment.analytics.client import Client as SegmentClient

from support import npm
from support.chromium import CLIENTS, unpack

DRIVER = CLIENTS / "drive.mjs"

Call = Mapping[str, Any]

_CLIENTS = {
    "segment-python": SegmentClient,
    "rudderstack-python": RudderstackClient,
    "customerio-python": CustomerioClient,
}
_ARGUMENTS = {
    "userId": "user_id",
    "anonymousId": "anonymous_id",
    "groupId": "group_id",
    "previousId": "previous_id",
}


class Sdk(Protocol):
    """What an app sees of its SDK."""

    faults: list[str]
    """What it could not send, in its own words."""

    def say(self, *calls: Call) -> None:
        """Hand calls over; when they are sent is the SDK's own business."""


@dataclass
class PythonSdk:
    client: Any
    faults: list[str] = field(default_factory=list)

    def say(self, *calls: Call) -> None:
        for call in calls:
            arguments = {_ARGUMENTS.get(name, name): value for name, value in call.items()}
            done, _ = getattr(self.client, arguments.pop("type"))(**arguments)
            assert done


@dataclass
class NodeSdk:
    process: asyncio.subprocess.Process
    faults: list[str] = field(default_factory=list)

    def say(self, *calls: Call) -> None:
        assert self.process.stdin is not None
        for call in calls:
            self.process.stdin.write(msgspec.json.encode(call) + b"\n")

    async def listen(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.faults.append(line.decode().strip())


@asynccontextmanager
async def sdk(name: str, port: int, key: str) -> AsyncIterator[Sdk]:
    """The SDK `name`, sending to this machine's `port`."""
    url = f"http://127.0.0.1:{port}"
    opened = _python(name, url, key) if name in _CLIENTS else _node(name, url, key)
    async with opened as found:
        yield found


@asynccontextmanager
async def _python(name: str, url: str, key: str) -> AsyncIterator[Sdk]:
    faults: list[str] = []
    client = _CLIENTS[name](
        key,
        host=url,
        on_error=lambda error, batch: faults.append(str(error)),
        upload_interval=0.05,
        max_retries=1_000,  # an outage may last as long as this machine needs to start again
    )
    logging.getLogger(name.partition("-")[0]).setLevel(logging.CRITICAL)
    # Nobody waits for what it still tries to send, perhaps for minutes, once a test is over.
    atexit.unregister(client.join)
    try:
        yield PythonSdk(client, faults)
    finally:
        for consumer in client.consumers:
            consumer.pause()


@asynccontextmanager
async def _node(name: str, url: str, key: str) -> AsyncIterator[Sdk]:
    await asyncio.to_thread(npm.installed, CLIENTS, unpack)
    process = await asyncio.create_subprocess_exec(
        str(npm.NODE), str(DRIVER), name.removesuffix("-node"), url, key,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=npm.environment(),
    )  # fmt: skip
    node_sdk = NodeSdk(process)
    listening = asyncio.create_task(node_sdk.listen())
    try:
        yield node_sdk
    finally:
        process.kill()
        await process.wait()
        await listening
