"""The demo's other campaign: it repeats every day at each customer's own time. For some of its
customers that is now, for the others tomorrow; then it is cancelled, and its books are checked."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from clarion.cli.demo.acts import Progress, until
from clarion.cli.demo.players import Players
from clarion.cli.demo.stage import Clarion
from clarion.cli.demo.verdict import Check
from clarion.cli.demo.world import PROMPTS, Call, Installation, Verb, World
from fcm_simulator.process import SimulatorProcess

PEOPLE = 40
AHEAD_SECONDS = 4.0
FIRST_ZONE = "Pacific/Kiritimati"
"""Where every day begins: the zone of customers who tell none."""
LAST_ZONE = "Etc/GMT+12"
"""Where it ends: 26 hours later."""
KNOWN_SECONDS_MAX = 30.0
SENT_SECONDS_MAX = 30.0
CONTENT = {"title": "Good morning, {{ customer.first_name | default: 'you' }}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Morning:
    """Devices whose customers' clocks show the time now, and those whose turn is to come; what the
    account said before and after the cancellation, and how many pushes FCM counted."""

    now: int
    later: int
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    pushes: int


async def send_morning(
    players: Players,
    clarion: Clarion,
    simulator: SimulatorProcess,
    world: World,
    settled: Progress,
) -> Morning:
    """Plays it. Raises TooSlow."""
    theirs = _reached(world)
    users = sorted(theirs)[:PEOPLE]
    far = users[::2]
    await _tell_zones(players, clarion, [theirs[user][0] for user in far])
    later = sum(len(theirs[user]) for user in far)
    now = sum(len(theirs[user]) for user in users) - later
    counted = (await simulator.stats())["distinct_pushes"]
    wall = datetime.now(ZoneInfo(FIRST_ZONE)) + timedelta(seconds=AHEAD_SECONDS)
    made = await clarion.post(
        "/campaigns",
        {
            "name": "Good morning",
            "content": CONTENT,
            "audience": {"user_ids": users},
            "at": wall.replace(microsecond=0, tzinfo=None).isoformat(),
            "own_time": {"fallback": FIRST_ZONE},
            "repeat": {"rule": "daily", "until": f"{wall + timedelta(days=7):%Y-%m-%d}"},
        },
    )
    campaign = f"/campaigns/{made['id']}"
    report: Mapping[str, Any] = {}

    async def has(name: str, count: int) -> bool:
        nonlocal report
        report = await clarion.get(f"{campaign}/report")
        settled(report["planned"] - report["in_flight"], now + later)
        return bool(report["planned"] == now + later and report[name] == count)

    await until(lambda: has("accepted", now), SENT_SECONDS_MAX, "the morning was not sent")
    before = report
    await clarion.post(f"{campaign}/cancel")
    await until(lambda: has("in_flight", 0), SENT_SECONDS_MAX, "the morning was not cancelled")
    pushes = (await simulator.stats())["distinct_pushes"] - counted
    return Morning(now=now, later=later, before=before, after=report, pushes=pushes)


def judge_morning(morning: Morning) -> list[Check]:
    """Its account beside the story and what FCM counted."""
    before, after = morning.before, morning.after
    return [
        Check(what="at own time: sent where it is time", expected=morning.now,
              found=before["accepted"]),
        Check(what="at own time: waiting for their turn", expected=morning.later,
              found=before["in_flight"]),
        Check(what="at own time: as FCM counted", expected=morning.now, found=morning.pushes),
        Check(what="at own time: cancelled with the campaign", expected=morning.later,
              found=after["cancelled"]),
        Check(what="at own time: it balances", expected=2,
              found=before["balances"] + after["balances"]),
    ]  # fmt: skip


def _reached(world: World) -> dict[str, list[Installation]]:
    """The devices of people all of whose devices are reached, by user id."""
    theirs: dict[str, list[Installation]] = defaultdict(list)
    for device in world.devices:
        if device.owner is not None:
            theirs[device.owner.user_id].append(device)
    return {user: devices for user, devices in theirs.items() if all(map(_is_reached, devices))}


def _is_reached(device: Installation) -> bool:
    """Whether its owner wants pushes, and FCM takes its token."""
    return device.is_reached and not device.token.startswith(tuple(PROMPTS))


async def _tell_zones(players: Players, clarion: Clarion, devices: list[Installation]) -> None:
    """Their customers live where the day ends."""
    calls = []
    for device in devices:
        assert device.owner is not None
        calls.append(
            Call(
                verb=Verb.IDENTIFY,
                platform=device.platform,
                at=datetime.now(UTC),
                message_id=f"zone-{device.owner.user_id}",
                user_id=device.owner.user_id,
                anonymous_id=None,
                fields={"timezone": LAST_ZONE},
            )
        )
    players.start(calls)

    async def is_known() -> bool:
        if players.is_playing:
            return False
        traits = [(await clarion.get(f"/customers/{call.user_id}"))["traits"] for call in calls]
        return all(trait.get("timezone") == LAST_ZONE for trait in traits)

    await until(is_known, KNOWN_SECONDS_MAX, "the zones were not taken in")
