"""A wire between an SDK and the collector that can be cut at the worst moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Relay:
    """Passes bytes on, both ways."""

    target: int
    port: int = 0
    cutting: int = 0
    """How many of the next answers to a POST end in a cut connection instead: whoever asked hears
    nothing, and what was sent is stored."""
    cut: asyncio.Event = field(default_factory=asyncio.Event)

    async def carry(self, near: asyncio.StreamReader, nearly: asyncio.StreamWriter) -> None:
        try:
            far, farther = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            nearly.transport.abort()
            return
        is_told = False

        async def ask() -> None:
            nonlocal is_told
            while data := await near.read(65_536):
                is_told = is_told or data.startswith(b"POST")
                farther.write(data)
                await farther.drain()

        async def answer() -> None:
            while data := await far.read(65_536):
                if self.cutting and is_told:
                    self.cutting -= 1
                    self.cut.set()
                    nearly.transport.abort()
                    return
                nearly.write(data)
                await nearly.drain()

        asking = asyncio.create_task(ask())
        with suppress(ConnectionError):
            await answer()
        asking.cancel()
        with suppress(asyncio.CancelledError, ConnectionError):
            await asking
        for writer in (nearly, farther):
            writer.close()


@asynccontextmanager
async def relay(target: int) -> AsyncIterator[Relay]:
    """To the server on this machine's port `target`."""
    found = Relay(target)
    async with await asyncio.start_server(found.carry, "127.0.0.1", 0) as server:
        found.port = server.sockets[0].getsockname()[1]
        yield found
        server.close()
