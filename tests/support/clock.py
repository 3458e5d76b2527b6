"""A clock that stands still until a test moves it."""

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

from clarion.clock import uuid7
from support.patience import patience

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class FakeClock:
    """`advance` moves it, and wakes those whose sleep is over. Ids and chance are repeatable."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._elapsed = 0.0
        self._count = count(1)
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._asleep = asyncio.Event()

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._elapsed

    def set_back(self, seconds: float) -> None:
        """As an administrator does, or NTP: no time passes by it."""
        self._now -= timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        until = self._elapsed + seconds
        heapq.heappush(self._sleepers, (until, next(self._count), woken))
        self._asleep.set()
        await woken

    async def someone_sleeps(self) -> None:
        """Return once somebody waits for the clock to be moved."""
        async with patience():
            await self._asleep.wait()

    def new_id(self) -> UUID:
        milliseconds = int(self._now.timestamp() * 1000)
        return uuid7(milliseconds, next(self._count).to_bytes(10, "big"))

    def chance(self) -> float:
        return 0.5

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._elapsed += seconds
        while self._sleepers and self._sleepers[0][0] <= self._elapsed:
            _, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
        if not self._sleepers:
            self._asleep.clear()
