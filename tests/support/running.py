"""Agents as a process runs them: repeated by the runner until a test has seen enough."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from clarion.agent import Agent, Runner
from clarion.broker import BrokerUnavailable
from clarion.clock import Clock
from clarion.storage.database import StorageUnavailable
from clarion.telemetry import Metrics
from support.patience import PATIENCE


@asynccontextmanager
async def running(
    agents: Sequence[Agent], clock: Clock, metrics: Metrics | None = None
) -> AsyncIterator[Runner]:
    """A context: they run inside; at its end they are stopped and waited for."""
    outages = (StorageUnavailable, BrokerUnavailable)
    runner = Runner(clock, metrics or Metrics(), outages=outages)
    runner.start(agents)
    try:
        yield runner
    finally:
        runner.stop()
        assert await runner.end(PATIENCE), "a step under way did not end"
