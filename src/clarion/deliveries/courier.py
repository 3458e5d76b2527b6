"""Takes a chunk's pushes to the provider, no faster than it was granted."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from clarion.clock import Clock
from clarion.deliveries.pacing import SLICE_SECONDS, Grant
from clarion.deliveries.provider import Outcome, Provider, ProviderApp, Push, Throttled
from clarion.deliveries.provider import ThrottleScope as Scope


class Courier:
    """One for all chunks of a sender."""

    def __init__(self, provider: Provider, clock: Clock) -> None:
        self._provider = provider
        self._clock = clock
        self._is_stopping = False

    def stop(self) -> None:
        """Let nothing more leave. What is in the air is waited for."""
        self._is_stopping = True

    async def carry(
        self, app: ProviderApp, pushes: Sequence[Push], grant: Grant
    ) -> Sequence[Outcome]:
        """The outcomes of those that left: the first ones of `pushes`. Fewer than all leave when
        we are stopped, or when the provider refuses more for the whole app meanwhile."""
        began, began_at = self._clock.monotonic(), self._clock.now()

        def now() -> datetime:
            """However the clock is set meanwhile."""
            return began_at + timedelta(seconds=self._clock.monotonic() - began)

        if grant.ready(began_at) >= len(pushes) and not self._is_stopping:
            return await self._provider.send(app, pushes)  # nearly always
        flights: list[asyncio.Task[Sequence[Outcome]]] = []
        left = looked_at = 0
        try:
            while left < len(pushes) and not self._is_stopping:
                if any(_refuses_all(one) for one in flights[looked_at:] if one.done()):
                    break
                while looked_at < len(flights) and flights[looked_at].done():
                    looked_at += 1
                ready = min(grant.ready(now()), len(pushes))
                if ready > left:
                    sending = self._provider.send(app, pushes[left:ready])
                    flights.append(asyncio.ensure_future(sending))
                    left = ready
                else:
                    await self._clock.sleep(SLICE_SECONDS)
            return [outcome for one in flights for outcome in await one]
        finally:
            for one in flights:
                one.cancel()


def _refuses_all(flight: asyncio.Task[Sequence[Outcome]]) -> bool:
    return any(
        isinstance(outcome, Throttled) and outcome.scope is Scope.APP for outcome in flight.result()
    )
