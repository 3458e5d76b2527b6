"""What is launched when: launches of some days, past and to come, and the next times of a schedule.
Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from clarion.campaigns.campaign import CampaignState
from clarion.campaigns.timing.schedule import parse_wall, parse_when
from clarion.campaigns.timing.trigger import OnceInOwnTime, Recurring, Trigger, upcoming
from clarion.faults import Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEntry:
    """One launch at `at`. `launch_id` None: it is to come. `state`: of the launch, or of what is to
    launch: scheduled, or paused."""

    campaign_id: UUID
    name: str
    state: CampaignState
    at: datetime
    launch_id: UUID | None = None
    is_repeated: bool = False
    is_in_own_time: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The launches of some days, in their order. `is_whole`: there were not too many to be told."""

    entries: list[CalendarEntry]
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """When a schedule would launch. `zone`: where its local time is; None: it has none. `shifted`:
    clocks there skip the local time of the first, so that it launches at another one."""

    trigger: Trigger
    times: list[datetime]
    zone: str | None
    shifted: bool


def upcoming_times(
    timing: Mapping[str, Any], workspace_zone: str, now: datetime, limit: int
) -> Upcoming | Rejected:
    """The next times at which a campaign would launch that is scheduled by `timing` (`parse_when`
    reads it)."""
    trigger = parse_when(timing, now, workspace_zone)
    if isinstance(trigger, Rejected):
        return trigger
    times = list(islice(upcoming(trigger), limit))
    zone = _zone(timing, workspace_zone)
    shifted = False
    if zone is not None and not isinstance(trigger, OnceInOwnTime) and times:
        wall = trigger.next if isinstance(trigger, Recurring) else parse_wall(timing["at"])
        there = times[0].astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        shifted = wall != there
    return Upcoming(trigger=trigger, times=times, zone=zone, shifted=shifted)


def _zone(timing: Mapping[str, Any], workspace_zone: str) -> str | None:
    if timing.get("own_time") is not None:
        return None
    if timing.get("zone"):
        return str(timing["zone"])
    return workspace_zone if timing.get("repeat") is not None else None
