"""The runner of agents: what it waits, what it tells, and when it stops."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from clarion.agent import (
    BACKOFF_SECONDS,
    DEFECT_SECONDS_MAX,
    OUTAGE_SECONDS_MAX,
    STANDBY_SECONDS,
    Agent,
    AgentName,
    LeadershipLost,
    Pause,
    Runner,
    Streak,
    backoff_seconds,
    pause_after,
)
from clarion.telemetry import Metrics
from support.clock import FakeClock
from support.patience import patience

NAME = AgentName.SWEEPER


class Away(Exception):
    cure = "switch it on"


async def nothing() -> int:
    return 0


def agent(step: Callable[[], Awaitable[int | Pause]] = nothing, **fields: Any) -> Agent:
    return Agent(name=NAME, step=step, **{"idle_seconds": 60.0, **fields})


@pytest.mark.parametrize(
    ("done", "seconds"), [(0, 60.0), (1, 0.0), (500, 0.0), (Pause(seconds=7), 7.0)]
)
def test_an_agent_pauses_when_there_is_nothing_to_do_or_when_it_says_so(
    done: int | Pause, seconds: float
) -> None:
    assert pause_after(agent(), done) == seconds


def test_back_off_doubles_to_its_longest() -> None:
    waits = [backoff_seconds(failures, longest=5, chance=1) for failures in (1, 2, 3, 4, 1_000)]
    assert waits == [1, 2, 4, 5, 5]


def test_back_off_is_between_a_half_and_all_of_it_by_chance() -> None:
    assert [backoff_seconds(3, 30, chance) for chance in (0, 0.5, 1)] == [2, 3, 4]


def test_a_failure_is_news_the_first_time_and_for_another_reason() -> None:
    streak = Streak()
    told = [streak.failed(reason, now=now) for now, reason in enumerate(("a", "a", "b", "b", "a"))]
    assert told == [True, False, True, False, True]


def test_working_again_tells_how_long_nothing_worked_once() -> None:
    streak = Streak()
    assert streak.worked(now=1) is None
    streak.failed("a", now=10)
    streak.failed("a", now=20)
    assert streak.worked(now=25) == 15
    assert streak.worked(now=26) is None
    assert streak.failed("a", now=30)


class Steps:
    """An agent's steps as a test wants them, one after another; then nothing is to be done."""

    def __init__(self, *answers: int | Pause | BaseException) -> None:
        self._answers = list(answers)
        self.count = 0

    async def __call__(self) -> int | Pause:
        self.count += 1
        answer = self._answers.pop(0) if self._answers else 0
        if isinstance(answer, BaseException):
            raise answer
        return answer


class Leads:
    """A lease that is ours or not, as a test says."""

    renew_seconds = 1.0

    def __init__(self, *, ours: bool) -> None:
        self.ours = ours
        self.kept = 0
        self.is_released = False

    async def hold(self) -> bool:
        return self.ours

    async def keep(self) -> bool:
        self.kept += 1
        return self.ours

    async def release(self) -> None:
        self.is_released = True


class Running:
    """A runner on a clock to be moved."""

    def __init__(self, clock: FakeClock, *agents: Agent) -> None:
        self.clock = clock
        self.metrics = Metrics()
        self.exhausted: list[AgentName] = []
        self.runner = Runner(
            clock, self.metrics, outages=(Away,), on_exhausted=self.exhausted.append
        )
        self.agents = agents

    async def __aenter__(self) -> "Running":
        self.runner.start(self.agents)
        await self.clock.someone_sleeps()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.runner.stop()
        async with patience():
            await self.runner.end()

    async def after(self, seconds: float) -> None:
        """Let so much time pass, and what follows of it happen."""
        self.clock.advance(seconds)
        for _ in range(20):
            await asyncio.sleep(0)

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, {"agent": NAME.value, **labels})


async def test_what_did_something_goes_on_at_once_and_what_did_not_pauses(
    clock: FakeClock,
) -> None:
    steps = Steps(5, 1, 0, Pause(seconds=10), 0)
    async with Running(clock, agent(steps)) as running:
        assert steps.count == 3
        await running.after(59)
        assert steps.count == 3
        await running.after(1)
        assert steps.count == 4
        await running.after(10)
        assert steps.count == 5


async def test_an_outage_is_told_once_with_its_cure_and_again_when_it_is_over(
    clock: FakeClock,
) -> None:
    steps = Steps(Away("the disk is full"), Away("the disk is full"), Away("the disk is full"), 0)
    with capture_logs() as logs:
        async with Running(clock, agent(steps)) as running:
            for _ in range(3):
                await running.after(OUTAGE_SECONDS_MAX)
            assert steps.count == 4
    assert [entry for entry in logs if entry["log_level"] != "debug"] == [
        {
            "event": "agent_waits",
            "log_level": "warning",
            "agent": "sweeper",
            "reason": "the disk is full",
            "cure": "switch it on",
        },
        {
            "event": "agent_goes_on",
            "log_level": "info",
            "agent": "sweeper",
            "after_seconds": 15.0,
        },
    ]


async def test_a_defect_is_told_with_its_traceback_and_the_agent_begins_again(
    clock: FakeClock,
) -> None:
    defect = ValueError("never seen before")
    steps = Steps(defect, defect, 0)
    with capture_logs() as logs:
        async with Running(clock, agent(steps)) as running:
            for _ in range(2):
                await running.after(DEFECT_SECONDS_MAX)
            assert steps.count == 3
            assert running.value("clarion_agent_restarts_total") == 2
            assert running.value("clarion_agent_failures_total", failure="defect") == 2
            assert running.value("clarion_agent_failures_total", failure="unavailable") == 0
    failed = [entry for entry in logs if entry["event"] == "agent_failed"]
    assert [entry["exc_info"] for entry in failed] == [defect]
    assert "agent_goes_on" in {entry["event"] for entry in logs}


async def test_a_cancellation_from_within_a_step_does_not_end_the_agent(clock: FakeClock) -> None:
    steps = Steps(asyncio.CancelledError(), 0)
    async with Running(clock, agent(steps)) as running:
        await running.after(BACKOFF_SECONDS)
        assert steps.count == 2
        assert running.value("clarion_agent_restarts_total") == 1


async def test_metrics_tell_steps_success_and_lag_and_a_zero_before_all(clock: FakeClock) -> None:
    lag = 0.0
    steps = Steps(Away(), 3)
    began = clock.now()
    async with Running(clock, agent(steps, lag_seconds=lambda: lag)) as running:
        assert running.value("clarion_agent_steps_total") == 0
        assert running.value("clarion_agent_restarts_total") == 0
        assert running.value("clarion_agent_last_success_timestamp_seconds") == 0
        assert running.value("clarion_agent_failures_total", failure="unavailable") == 1
        lag = 12.5
        await running.after(BACKOFF_SECONDS)
        assert steps.count == 3
        assert running.value("clarion_agent_steps_total") == 2
        assert running.value("clarion_agent_lag_seconds") == 12.5
        assert (
            running.value("clarion_agent_last_success_timestamp_seconds")
            == began.timestamp() + BACKOFF_SECONDS
        )


async def test_an_agent_that_another_process_leads_does_nothing_until_it_may(
    clock: FakeClock,
) -> None:
    steps, leads = Steps(), Leads(ours=False)
    async with Running(clock, agent(steps, leadership=leads)) as running:
        await running.after(STANDBY_SECONDS)
        assert steps.count == 0
        assert running.value("clarion_agent_leads") == 0
        leads.ours = True
        await running.after(STANDBY_SECONDS)
        assert steps.count == 1
        assert running.value("clarion_agent_leads") == 1
    assert leads.is_released


async def test_a_lease_is_renewed_during_a_long_pause(clock: FakeClock) -> None:
    leads = Leads(ours=True)
    async with Running(clock, agent(leadership=leads)) as running:
        for _ in range(10):
            await running.after(leads.renew_seconds)
        assert leads.kept == 10


async def test_a_step_that_finds_its_lease_lost_is_no_failure(clock: FakeClock) -> None:
    steps, leads = Steps(LeadershipLost("taken")), Leads(ours=True)
    with capture_logs() as logs:
        async with Running(clock, agent(steps, leadership=leads)) as running:
            assert running.value("clarion_agent_leads") == 0
            assert running.value("clarion_agent_restarts_total") == 0
            await running.after(STANDBY_SECONDS)
            assert steps.count == 2
    assert [entry["event"] for entry in logs if entry["log_level"] != "debug"] == [
        "agent_leads",
        "agent_stands_by",
        "agent_leads",
    ]


async def test_a_stop_ends_a_long_pause_and_a_long_step_at_once(clock: FakeClock) -> None:
    async def long_step() -> int:
        await asyncio.Event().wait()
        return 0

    async with Running(clock, agent(), agent(long_step)):
        assert len(asyncio.all_tasks()) > 1
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_step_that_can_be_asked_to_end_is_waited_for(clock: FakeClock) -> None:
    asked = asyncio.Event()
    ended = []

    async def step() -> int:
        await asked.wait()
        await asyncio.sleep(0)
        ended.append(True)
        return 1

    runner = Runner(clock, Metrics(), outages=())
    runner.start([agent(step, stop=asked.set, copies=2)])
    await asyncio.sleep(0)
    runner.stop()
    assert await runner.end(drain_seconds=30)
    assert ended == [True, True]


async def test_a_step_that_does_not_end_in_time_is_cut_off_and_that_is_said(
    clock: FakeClock,
) -> None:
    async def step() -> int:
        await asyncio.Event().wait()
        return 1

    runner = Runner(clock, Metrics(), outages=())
    runner.start([agent(step, stop=lambda: None)])
    await asyncio.sleep(0)
    runner.stop()
    assert not await runner.end(drain_seconds=0.01)


async def test_the_end_of_memory_ends_the_agent_and_is_told_to_the_process(
    clock: FakeClock,
) -> None:
    steps = Steps(MemoryError())
    async with Running(clock, agent(steps), agent()) as running:
        await running.after(DEFECT_SECONDS_MAX)
        assert (steps.count, running.exhausted) == (1, [NAME])
