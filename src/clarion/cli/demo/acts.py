"""The demo's three acts: a month is played, a campaign is sent, and opens come back."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from time import monotonic
from typing import Any

from clarion.cli.demo.players import Players
from clarion.cli.demo.stage import Clarion
from clarion.cli.demo.world import Call, Installation, Verb, World
from fcm_simulator.process import SimulatorProcess

AHEAD_SECONDS = 3.0
"""How far ahead the campaign is scheduled."""
LOOK_SECONDS = 0.1
LAUNCH_SECONDS_MAX = 15.0
SEND_SECONDS_MAX = 60.0
PLAY_SECONDS_MAX = 120.0
INGEST_SECONDS_MAX = 60.0
ATTRIBUTE_SECONDS_MAX = 20.0
THROTTLED = 0.0375
"""The share of deliveries that FCM turns away once for want of quota: 300 of 8,000."""
RETRY_AFTER_SECONDS = 3
OUTAGE_AFTER = 0.3
"""The share of deliveries after which FCM goes away."""
OUTAGE_SECONDS = 3
RECEIVED = 0.85
OPENED = 0.2
RATE_WINDOW_SECONDS = 0.5

CAMPAIGN = {
    "name": "Spring sale",
    "content": {
        "title": "{{ customer.first_name | default: 'Hello' }}, spring is here",
        "body": "Two days early{% if customer.plan == 'pro' %}, for you alone{% endif %}.",
        "link": "https://shop.example/spring",
        "data": {"screen": "spring"},
        "ttl_seconds": 86_400,
        "platforms": {"Web": {"link": "https://shop.example/web/spring"}},
    },
    "audience": {"everyone": True},
}

Progress = Callable[[int, int], None]
"""Hears how much is done, and of how much."""


class TooSlow(Exception):
    """An act did not end in its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How a campaign went. `peak` is pushes settled a second, over the best half second."""

    campaign_id: str
    report: Mapping[str, Any]
    seconds: float
    peak: float


async def play_month(
    players: Players, clarion: Clarion, world: World, played: Progress
) -> tuple[float, float]:
    """Play every call, and some twice; returns seconds until taken, and until taken in."""
    calls = [*world.calls, *world.repeats]
    began = monotonic()
    players.start(calls)

    async def is_taken() -> bool:
        played(players.taken, len(calls))
        return not players.is_playing

    await until(is_taken, PLAY_SECONDS_MAX, "the collector did not take every call")
    taken_seconds = monotonic() - began

    async def is_known() -> bool:
        return not await clarion.jobs_waiting("events")

    await until(is_known, INGEST_SECONDS_MAX, "the events were not taken in")
    return taken_seconds, monotonic() - began


async def send_campaign(
    clarion: Clarion, simulator: SimulatorProcess, planned: int, settled: Progress
) -> Sent:
    """Schedule the campaign a few seconds ahead and watch it, through throttling and an outage."""
    created = await clarion.post("/campaigns", CAMPAIGN)
    campaign_id = str(created["id"])
    at = datetime.now(UTC) + timedelta(seconds=AHEAD_SECONDS)
    await clarion.post(f"/campaigns/{campaign_id}/schedule", {"at": at.isoformat()})
    throttled = max(1, round(THROTTLED * planned))
    await simulator.faults(throttle_next=throttled, retry_after=RETRY_AFTER_SECONDS)

    async def is_launched() -> bool:
        campaign = await clarion.get(f"/campaigns/{campaign_id}")
        return str(campaign["state"]) != "scheduled"

    await until(is_launched, LAUNCH_SECONDS_MAX, "the campaign was not launched")
    began = monotonic()
    samples: list[tuple[float, int]] = [(began, 0)]
    is_out = False
    async with _limit(SEND_SECONDS_MAX, "the campaign was not sent"):
        while True:
            report = await clarion.get(f"/campaigns/{campaign_id}/report")
            done = report["planned"] - report["in_flight"]
            samples.append((monotonic(), done))
            settled(done, max(planned, report["planned"]))
            if not is_out and report["accepted"] >= OUTAGE_AFTER * planned:
                await simulator.faults(outage_seconds=OUTAGE_SECONDS)
                is_out = True
            if (await clarion.get(f"/campaigns/{campaign_id}"))["state"] == "done":
                break
            await asyncio.sleep(LOOK_SECONDS)
    report = await clarion.get(f"/campaigns/{campaign_id}/report")
    settled(report["planned"] - report["in_flight"], max(planned, report["planned"]))
    return Sent(
        campaign_id=campaign_id, report=report, seconds=monotonic() - began, peak=_peak(samples)
    )


async def open_pushes(
    players: Players,
    clarion: Clarion,
    world: World,
    messages: Sequence[Mapping[str, Any]],
    campaign_id: str,
    seen: Progress,
) -> tuple[dict[str, int], Mapping[str, Any]]:
    """Let apps report what they received and what was tapped; returns the counts, and the report
    once Clarion knows as much."""
    calls = _receipts(world, messages, datetime.now(UTC))
    opened = sum(call.name.endswith("Tapped") for call in calls)
    sent = {"received": len({call.fields["clarion_push"] for call in calls}), "opened": opened}
    players.start(calls)
    report: Mapping[str, Any] = {}
    try:
        async with _limit(ATTRIBUTE_SECONDS_MAX, "opens were not attributed"):
            while True:
                report = await clarion.get(f"/campaigns/{campaign_id}/report")
                seen(report["received"], sent["received"])
                counted = {name: report[name] for name in sent}
                if not players.is_playing and counted == sent:
                    break
                await asyncio.sleep(LOOK_SECONDS)
    except TooSlow:
        pass  # the verdict says which number is short
    return sent, report


def _receipts(world: World, messages: Sequence[Mapping[str, Any]], now: datetime) -> list[Call]:
    """What the apps that got a push say about it."""
    by_token = {device.token: device for device in world.devices}
    chance = Random(len(messages))
    calls: list[Call] = []
    for message in messages:
        push = message["data"]["clarion_push"]
        device = by_token[message["token"]]
        if chance.random() < RECEIVED:
            calls.append(_receipt(device, "Push Notification Received", push, now))
        if chance.random() < OPENED:
            later = now + timedelta(milliseconds=1)
            calls.append(_receipt(device, "Push Notification Tapped", push, later))
    return calls


def _receipt(installation: Installation, name: str, push: str, at: datetime) -> Call:
    return Call(
        verb=Verb.TRACK,
        platform=installation.platform,
        at=at,
        message_id=f"{name.split()[-1].lower()}-{push}",
        user_id=installation.owner.user_id if installation.owner else installation.device_id,
        anonymous_id=None,
        name=name,
        fields={"clarion_push": push, "action": "opened"},
    )


def _peak(samples: Sequence[tuple[float, int]]) -> float:
    """The steepest rise over any window of at least `RATE_WINDOW_SECONDS`."""
    best = 0.0
    start = 0
    for at, done in samples:
        while start + 1 < len(samples) and at - samples[start + 1][0] >= RATE_WINDOW_SECONDS:
            start += 1
        began, before = samples[start]
        if at - began >= RATE_WINDOW_SECONDS:
            best = max(best, (done - before) / (at - began))
    return best


async def until(holds: Callable[[], Awaitable[bool]], seconds: float, complaint: str) -> None:
    """Look until `holds`, at most `seconds`; then TooSlow."""
    async with _limit(seconds, complaint):
        while True:
            if await holds():
                return
            await asyncio.sleep(LOOK_SECONDS)


class _limit:
    """asyncio.timeout whose error says what did not happen."""

    def __init__(self, seconds: float, complaint: str) -> None:
        self._timeout = asyncio.timeout(seconds)
        self._complaint = f"{complaint} within {seconds:.0f} s"

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, *error: Any) -> None:
        try:
            await self._timeout.__aexit__(*error)
        except TimeoutError:
            raise TooSlow(self._complaint) from None
