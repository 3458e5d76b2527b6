"""HTTP/1.1 by hand, so that a test decides every byte and the moment it is sent."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from support.patience import patience


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return cast(dict[str, Any], json.loads(self.body))


class Line:
    """One connection to a server on this machine."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, raw: bytes) -> None:
        self.writer.write(raw)
        await self.writer.drain()

    async def reply(self) -> Reply:
        """The next reply. Raises IncompleteReadError where the server hangs up instead."""
        async with patience():
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            fields = (line.partition(":") for line in head[1:] if line)
            headers = {name.lower(): value.strip() for name, _, value in fields}
            length = int(headers.get("content-length", "0"))
            return Reply(int(head[0].split()[1]), headers, await self.reader.readexactly(length))

    async def ask(self, raw: bytes) -> Reply:
        await self.send(raw)
        return await self.reply()


@asynccontextmanager
async def line(port: int) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


def request(
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    method: str = "POST",
) -> bytes:
    """A whole request, its length told unless `headers` say otherwise."""
    fields = {"Host": "collector", "Content-Length": str(len(body)), **(headers or {})}
    if "Transfer-Encoding" in fields:
        del fields["Content-Length"]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


def chunked(*parts: bytes) -> bytes:
    """A body in HTTP chunks."""
    whole = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return whole + b"0\r\n\r\n"


def basic(user: str, password: str | None = "") -> dict[str, str]:
    """Basic authorization; `password` None: without the colon."""
    pair = user if password is None else f"{user}:{password}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
