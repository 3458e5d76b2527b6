"""The demo from curtain to curtain."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from clarion.cli.demo import acts, verdict
from clarion.cli.demo.morning import judge_morning, send_morning
from clarion.cli.demo.players import Players
from clarion.cli.demo.showing import Story, act, show
from clarion.cli.demo.stage import Clarion, demo_settings, serving, set_up
from clarion.cli.demo.world import make_world
from clarion.cli.output import Ending, ExitCode, console
from clarion.clock import SystemClock
from clarion.storage.database import Database
from fcm_simulator.process import SimulatorProcess

__all__ = ["perform", "show"]

PROJECT = "clarion-demo"
DATABASE_FILE = "clarion.db"
PAGE = 5_000


async def perform(
    stack: AsyncExitStack, directory: Path, scale: float, seed: int, began: float
) -> tuple[Clarion, Story]:
    """Play everything; Clarion and the simulator go on until `stack` is closed."""
    simulator = await stack.enter_async_context(SimulatorProcess(directory / "simulator"))
    environment = demo_settings(directory, simulator.base_url, str(simulator.ca_file))
    credentials = await set_up(environment, SystemClock(), simulator.key(PROJECT))
    clarion = await stack.enter_async_context(serving(environment, credentials.api_key))
    database = Database(f"sqlite:///{directory / DATABASE_FILE}")
    stack.push_async_callback(database.close)
    players = Players(clarion.url, credentials.write_keys)
    stack.callback(players.close)
    world = make_world(datetime.now(UTC), seed, scale)
    _introduce(clarion, simulator, len(world.people), len(world.devices), len(world.calls))
    try:
        total = len(world.calls) + len(world.repeats)
        with act(console, "A month of events is played", total) as hear:
            taken_seconds, known_seconds = await acts.play_month(players, clarion, world, hear)
        checks = await verdict.judge_rows(database, credentials.workspace_id, world)
        with act(console, "A campaign is sent", len(world.devices)) as hear:
            sent = await acts.send_campaign(clarion, simulator, len(world.devices), hear)
        messages = await _accepted(simulator)
        with act(console, "Opens come back", 1) as hear:
            receipts, report = await acts.open_pushes(
                players, clarion, world, messages, sent.campaign_id, hear
            )
        stats = await simulator.stats()
        with act(console, "Another repeats at own times", 1) as hear:
            morning = await send_morning(players, clarion, simulator, world, hear)
    except acts.TooSlow as error:
        raise Ending(ExitCode.FAILURE, f"The demo was given up: {error}.") from error
    checks += verdict.judge_campaign(world, report, stats, receipts)
    checks += judge_morning(morning)
    story = Story(
        calls=len(world.calls) + len(world.repeats),
        taken_seconds=taken_seconds,
        known_seconds=known_seconds,
        sent=sent,
        report=report,
        stats=stats,
        removals=await verdict.removals(database, credentials.workspace_id),
        checks=checks,
        faults=players.faults,
        seconds=monotonic() - began,
    )
    return clarion, story


async def _accepted(simulator: SimulatorProcess) -> list[dict[str, Any]]:
    """Every push that FCM took, as the devices got it."""
    messages: list[dict[str, Any]] = []
    while True:
        after = messages[-1]["number"] if messages else 0
        page = await simulator.messages(after=after, limit=PAGE)
        if not page:
            return messages
        messages += page


def _introduce(
    clarion: Clarion, simulator: SimulatorProcess, people: int, devices: int, calls: int
) -> None:
    console.print(
        f"Clarion serves on {clarion.url}; the FCM simulator on {simulator.base_url}.\n"
        f"{people:,} people and {devices:,} devices make {calls:,} calls through "
        "segment-analytics-python.",
        highlight=False,
        soft_wrap=True,
    )
