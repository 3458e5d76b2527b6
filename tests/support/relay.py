"""A wire between two that can be cut at the worst moment, or go dead without a word."""

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
    carried: int = 0
    """How many connections have been made."""
    is_deaf: bool = False
    """New connections are taken, and nothing of them passes."""
    _dead: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def swallow(self) -> None:
        """From now on nothing passes on the connections that there are, either way, and nobody is
        told: what is sent is taken, and lost. New ones work."""
        self._dead.set()
        self._dead = asyncio.Event()

    async def carry(self, near: asyncio.StreamReader, nearly: asyncio.StreamWriter) -> None:
        try:
            far, farther = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            nearly.transport.abort()
            return
        self._writers |= {nearly, farther}
        is_told = False
        dead = self._dead
        if self.is_deaf:
            dead = asyncio.Event()
            dead.set()
        self.carried += 1

        async def ask() -> None:
            nonlocal is_told
            while data := await near.read(65_536):
                if dead.is_set():
                    continue
                is_told = is_told or data.startswith(b"POST")
                farther.write(data)
                await farther.drain()

        async def answer() -> None:
            while data := await far.read(65_536):
                if dead.is_set():
                    continue
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
            self._writers.discard(writer)

    def end(self) -> None:
        """Cut whatever still stands: a server waits for its connections when it closes."""
        for writer in self._writers:
            writer.transport.abort()


@asynccontextmanager
async def relay(target: int) -> AsyncIterator[Relay]:
    """To the server on this machine's port `target`."""
    found = Relay(target)
    async with await asyncio.start_server(found.carry, "127.0.0.1", 0) as server:
        found.port = server.sockets[0].getsockname()[1]
        yield found
        server.close()
        found.end()
