"""The runner of agents: repeats their steps, and is the only place that does.

An agent is a name and a step: one batch of work, done from the rows up, so that it may fail or be
cut off anywhere and begin again. What all agents need around that is here: what to do after a step
that did nothing, back-off with jitter after one that failed, what the log says of it, metrics, a
prompt stop, and the leader lease of those of which only one process may work at a time.

    step ─┬─ did something ───────────────▶ step
          ├─ did nothing ─▶ idle_seconds ─▶ step      ends at once when stopped
          ├─ Pause ───────▶ its seconds ──▶ step
          └─ raised ──────▶ back-off ─────▶ step

Nothing here knows a database or a broker: which errors mean "not now" is told to the runner.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import structlog

from clarion.clock import Clock
from clarion.telemetry import AGENT_FAILURES, Metrics
from clarion.watchdog import is_exhausted

BACKOFF_SECONDS = 1.0
"""After the first failure; doubled by each that follows."""
OUTAGE_SECONDS_MAX = 5.0
"""The longest wait for a database or a broker: when it is back, work goes on soon."""
DEFECT_SECONDS_MAX = 30.0
"""The longest wait after what nobody expected, which may come again each time."""
STANDBY_SECONDS = 2.0
"""How often an agent that another process leads looks whether it may lead."""
RELEASE_SECONDS = 2.0
"""How long a stopping process tries to hand its leases back; else they end by themselves."""

log = structlog.get_logger(__name__)


class AgentName(StrEnum):
    """Every agent, as its metrics, its lease and the log name it."""

    INGESTOR = "ingestor"
    SCHEDULER = "scheduler"
    PLANNER = "planner"
    SENDER = "sender"
    PUSH_SENDER = "push_sender"
    """Sends pushes to single customers, beside the campaigns' chunks."""
    OVERDUE = "overdue"
    """Publishes chunks again whose job was lost or whose sender died."""
    INDEXER = "indexer"
    """Writes the deliveries of launches that have ended into the index by customer."""
    ATTRIBUTOR = "attributor"
    SWEEPER = "sweeper"
    ERASER = "eraser"
    REMOVER = "remover"
    """Removes what is older than its workspace keeps it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A step's answer: the next one comes after `seconds`, whatever was done."""

    seconds: float


class Leadership(Protocol):
    """The right of one process to run an agent, for as long as it keeps it up."""

    @property
    def renew_seconds(self) -> float:
        """How often it has to be renewed so that it is not lost."""

    async def hold(self) -> bool:
        """Before a step: take it or renew it, where that is due; False: another process has it."""

    async def keep(self) -> bool:
        """During a step or a pause: renew it if it is ours; False: it is not."""

    async def release(self) -> None:
        """Let another process take it at once."""


class LeadershipLost(Exception):
    """Another process leads by now; the transaction that found it out has changed nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """What the runner repeats."""

    name: AgentName
    step: Callable[[], Awaitable[int | Pause]]
    """Does one batch; returns how much was done, 0 if there was nothing to do, or a Pause."""
    idle_seconds: float = 0.0
    """Waited after a step that did nothing. 0 for a step that waits for its job itself."""
    copies: int = 1
    """Steps of it that run side by side."""
    leadership: Leadership | None = None
    """Set where only one process may run it at a time."""
    lag_seconds: Callable[[], float] | None = None
    """How long what the last step worked on had waited by then; 0 if nothing waited."""
    stop: Callable[[], None] | None = None
    """Asks the steps under way to end soon; they are waited for. None: they are cancelled, and
    what they had in hand comes back by its lease."""


@dataclass(slots=True)
class Streak:
    """The failures of an agent since a step of it last worked: decides what the log is told."""

    failures: int = 0
    since: float = 0.0
    """When the first of them happened, by the monotonic clock."""
    reason: str = ""

    def failed(self, reason: str, now: float) -> bool:
        """True if this is news: the first failure, or one for another reason."""
        is_news = self.failures == 0 or reason != self.reason
        if self.failures == 0:
            self.since = now
        self.failures += 1
        self.reason = reason
        return is_news

    def worked(self, now: float) -> float | None:
        """How many seconds nothing had worked; None if nothing had failed."""
        if self.failures == 0:
            return None
        self.failures, self.reason = 0, ""
        return now - self.since


def backoff_seconds(failures: int, longest: float, chance: float) -> float:
    """How long to wait after so many failures in a row (1 or more): doubled each time up to
    `longest`, and between a half and all of that, by `chance` in [0, 1)."""
    doubled = BACKOFF_SECONDS * 2.0 ** min(failures - 1, 16)
    return min(doubled, longest) * (0.5 + chance / 2)


def pause_after(agent: Agent, done: int | Pause) -> float:
    """Seconds from one step that worked to the next."""
    if isinstance(done, Pause):
        return done.seconds
    return 0.0 if done else agent.idle_seconds


@dataclass(eq=False, slots=True)
class _Running:
    """An agent that was started."""

    agent: Agent
    steps: set[asyncio.Task[None]] = field(default_factory=set)
    keeper: asyncio.Task[None] | None = None
    streak: Streak = field(default_factory=Streak)
    leads: bool | None = None
    """What the log was last told; None before the first answer."""


class Runner:
    """Runs the agents of one process: `start`, later `stop`, then `end`."""

    def __init__(
        self,
        clock: Clock,
        metrics: Metrics,
        *,
        outages: tuple[type[Exception], ...],
        on_exhausted: Callable[[AgentName], None] | None = None,
    ) -> None:
        """`outages`: errors that say that something is away and comes back; their text is the
        reason, and their attribute `cure`, if any, what to do. `on_exhausted` is called when memory
        or threads of the process are used up: then waiting does not help."""
        self._clock = clock
        self._metrics = metrics.agents
        self._outages = outages
        self._on_exhausted = on_exhausted
        self._running: list[_Running] = []
        self._waiting: set[asyncio.Task[None]] = set()
        self._is_stopping = False

    def start(self, agents: Iterable[Agent]) -> None:
        """Begin to repeat the steps of `agents`."""
        for agent in agents:
            running = _Running(agent)
            self._running.append(running)
            self._metrics.begin(agent.name, leads=agent.leadership is not None)
            for number in range(agent.copies):
                task = asyncio.create_task(self._repeat(running), name=f"{agent.name} {number}")
                running.steps.add(task)
            if agent.leadership is not None:
                running.keeper = asyncio.create_task(
                    self._keep(running, agent.leadership), name=f"{agent.name} lease"
                )

    def stop(self) -> None:
        """Begin no further step. Pauses end now; steps under way are cancelled, or asked to end
        where the agent can be asked. May be called more than once."""
        if self._is_stopping:
            return
        self._is_stopping = True
        for task in self._waiting:
            task.cancel()
        for running in self._running:
            if running.agent.stop is not None:
                running.agent.stop()
            else:
                for task in running.steps:
                    task.cancel()

    async def end(self, drain_seconds: float = 0.0) -> bool:
        """Return when nothing runs any more, after `stop`. Steps that were asked to end have
        `drain_seconds` for it and are cancelled then; False if any had to be."""
        tasks = {task for running in self._running for task in running.steps}
        asked = {task for running in self._running if running.agent.stop for task in running.steps}
        unfinished: set[asyncio.Task[None]] = set()
        if asked:
            _, unfinished = await asyncio.wait(asked, timeout=drain_seconds)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(self._give_back(running) for running in self._running))
        return not unfinished

    async def _repeat(self, running: _Running) -> None:
        agent = running.agent
        failures = 0
        while not self._is_stopping:
            try:
                if agent.leadership is not None and not await agent.leadership.hold():
                    self._tell_leads(running, leads=False)
                    pause = STANDBY_SECONDS
                else:
                    self._tell_leads(running, leads=True)
                    done = await agent.step()
                    self._worked(running)
                    failures = 0
                    pause = pause_after(agent, done)
            except LeadershipLost:
                self._tell_leads(running, leads=False)
                pause = STANDBY_SECONDS
            except asyncio.CancelledError:
                if self._is_stopping or _is_cancelled():
                    raise
                # Something within the step was cancelled, not the agent: it must not end by that.
                failures += 1
                pause = self._failed(running, RuntimeError("a part of the step ended"), failures)
            except Exception as error:
                if is_exhausted(error) and self._on_exhausted is not None:
                    self._on_exhausted(agent.name)
                    return
                failures += 1
                pause = self._failed(running, error, failures)
            await self._wait(pause)

    async def _wait(self, seconds: float) -> None:
        if self._is_stopping:
            return
        with self._interruptible():
            await self._clock.sleep(seconds)

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """`stop` ends the task that is in here."""
        task = asyncio.current_task()
        assert task is not None
        self._waiting.add(task)
        try:
            yield
        finally:
            self._waiting.discard(task)

    def _worked(self, running: _Running) -> None:
        agent = running.agent
        self._metrics.worked(
            agent.name, self._clock.now(), agent.lag_seconds and agent.lag_seconds()
        )
        seconds = running.streak.worked(self._clock.monotonic())
        if seconds is not None:
            log.info("agent_goes_on", agent=agent.name.value, after_seconds=round(seconds, 1))

    def _failed(self, running: _Running, error: Exception, failures: int) -> float:
        """Log and count what a step raised; returns how long to wait."""
        name = running.agent.name.value
        is_outage = isinstance(error, self._outages)
        self._metrics.failures.labels(name, AGENT_FAILURES[not is_outage]).inc()
        reason = str(error) if is_outage else f"{type(error).__name__}: {error}"
        is_news = running.streak.failed(reason, self._clock.monotonic())
        if is_outage:
            if is_news:
                cure = getattr(error, "cure", "") or "none: it goes on by itself"
                log.warning("agent_waits", agent=name, reason=reason, cure=cure)
        else:
            self._metrics.restarts.labels(name).inc()
            if is_news:
                log.error(
                    "agent_failed",
                    agent=name,
                    cure="report it with its traceback; the agent begins again from the rows",
                    exc_info=error,
                )
        longest = OUTAGE_SECONDS_MAX if is_outage else DEFECT_SECONDS_MAX
        return backoff_seconds(failures, longest, self._clock.chance())

    def _tell_leads(self, running: _Running, *, leads: bool) -> None:
        if running.agent.leadership is None or running.leads is leads:
            return
        name = running.agent.name.value
        self._metrics.leads.labels(name).set(leads)
        log.info("agent_leads" if leads else "agent_stands_by", agent=name)
        running.leads = leads

    async def _keep(self, running: _Running, leadership: Leadership) -> None:
        """Renew the lease during steps and pauses that are longer than it lasts."""
        while True:
            await self._clock.sleep(leadership.renew_seconds)
            try:
                if running.leads and not await leadership.keep():
                    self._tell_leads(running, leads=False)
            except Exception as error:
                # The step meets the same, or the lease ends; either is told there.
                log.debug("lease_not_renewed", agent=running.agent.name.value, reason=str(error))

    async def _give_back(self, running: _Running) -> None:
        if running.keeper is None or running.agent.leadership is None:
            return
        running.keeper.cancel()
        await asyncio.gather(running.keeper, return_exceptions=True)
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                await running.agent.leadership.release()
        except Exception as error:
            log.debug("lease_not_released", agent=running.agent.name.value, reason=str(error))


def _is_cancelled() -> bool:
    """Whether somebody asked this very task to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
