"""Who of a process writes to SQLite next.

One writes at a time; whoever comes meanwhile waits, in the order they came. What is to leave at
once, such as a push to one customer, goes before what takes long, such as a page of a campaign: it
waits for the one that writes, and not for all that wait.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

PASSES_MAX = 8
"""So many go first one after the other. Then one that waits has its turn, so that none waits for
ever, whatever comes."""


class WriterTurn:
    """A lock with two queues. Like `asyncio.Lock` it belongs to one event loop."""

    def __init__(self) -> None:
        self._is_taken = False
        self._first: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()
        self._passes = 0
        """How many went first since one of the others had its turn."""

    @asynccontextmanager
    async def taken(self, *, first: bool = False) -> AsyncIterator[None]:
        """Nobody else has the turn in this block. `first`: before all that wait and do not."""
        await self._take(first)
        try:
            yield
        finally:
            self._give()

    async def _take(self, first: bool) -> None:
        if not self._is_taken:
            self._is_taken = True
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (self._first if first else self._others).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._give()  # it had the turn already
            raise

    def _give(self) -> None:
        """Hands the turn to the next one."""
        while self._first or self._others:
            is_passing = self._first and not (self._others and self._passes >= PASSES_MAX)
            turn = (self._first if is_passing else self._others).popleft()
            if turn.done():
                continue  # given up meanwhile
            self._passes = self._passes + 1 if is_passing and self._others else 0
            turn.set_result(None)
            return
        self._is_taken = False
