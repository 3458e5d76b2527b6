"""Takes a chunk's pushes to the provider, no faster than it was granted."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from clarion.clock import Clock
from clarion.deliveries.apps.pacing import SLICE_SECONDS, Grant
from clarion.deliveries.provider import (
    Accepted,
    Outcome,
    Platform,
    Provider,
    ProviderApp,
    Push,
    Throttled,
)
from clarion.deliveries.provider import ThrottleScope as Scope
from clarion.deliveries.sending.belief import limited_platforms


class PacedSender:
    """Sends the pushes of chunks at the granted rate; one for all chunks of a sender."""

    def __init__(self, provider: Provider, clock: Clock) -> None:
        self._provider = provider
        self._clock = clock
        self._is_stopping = False

    def stop(self) -> None:
        """Starts no further request. Requests in flight are waited for."""
        self._is_stopping = True

    async def carry(
        self, app: ProviderApp, pushes: Sequence[Push], grant: Grant
    ) -> Sequence[Outcome]:
        """Sends `pushes` in order and returns the outcomes of those that left, which are the first
        ones. Fewer than all leave if the sender is stopped, or if the provider throttles the whole
        app meanwhile."""
        began, began_at = self._clock.monotonic(), self._clock.now()

        def now() -> datetime:
            """The time, however the clock is set meanwhile."""
            return began_at + timedelta(seconds=self._clock.monotonic() - began)

        if grant.ready(began_at) >= len(pushes) and not self._is_stopping:
            return await self._provider.send(app, pushes)  # nearly always
        flights: list[asyncio.Task[Sequence[Outcome]]] = []
        heard = Heard()
        left = looked_at = 0
        try:
            while left < len(pushes) and not self._is_stopping:
                while looked_at < len(flights) and flights[looked_at].done():
                    heard.take(pushes[heard.count :], flights[looked_at].result())
                    looked_at += 1
                if heard.refuses_all:
                    break
                ready = min(grant.ready(now()), len(pushes))
                if ready > left:
                    sending = self._provider.send(app, pushes[left:ready])
                    flights.append(asyncio.ensure_future(sending))
                    left = ready
                else:
                    await self._clock.sleep(SLICE_SECONDS)
            return [outcome for flight in flights for outcome in await flight]
        finally:
            for flight in flights:
                flight.cancel()


class Heard:
    """The answers to a chunk's first pushes."""

    def __init__(self) -> None:
        self.count = 0
        self._throttled: Counter[Platform] = Counter()
        self._accepted: Counter[Platform] = Counter()

    def take(self, pushes: Sequence[Push], outcomes: Sequence[Outcome]) -> None:
        """Counts the outcomes of the next pushes, which are the first of `pushes`."""
        self.count += len(outcomes)
        for push, outcome in zip(pushes, outcomes, strict=False):
            if isinstance(outcome, Accepted):
                self._accepted[push.platform] += 1
            elif isinstance(outcome, Throttled) and outcome.scope is Scope.APP:
                self._throttled[push.platform] += 1

    @property
    def refuses_all(self) -> bool:
        """Whether the provider throttles the whole project."""
        return bool(self._throttled) and not limited_platforms(self._throttled, self._accepted)
