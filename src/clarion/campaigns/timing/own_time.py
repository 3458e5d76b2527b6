"""Each customer's own time: a launch whose pushes leave when a clock where the customer is shows a
time. Pure.

Such a launch begins once, when the first zone on earth comes to that time, and is planned then, as
any other: who is in its audience, and in which zone each customer is, is read once. A chunk holds
devices of one instant and waits for it. So nobody gets it twice or is left out, whatever becomes of
their zone meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from clarion.time_zone import instant_at

AHEAD = timedelta(hours=14)
"""No zone's clock is further ahead of UTC (Pacific/Kiritimati)."""
BEHIND = timedelta(hours=12)
"""No zone's clock is further behind UTC (Etc/GMT+12)."""
_DAY = timedelta(days=1)


class PastZones(StrEnum):
    """What becomes of customers in whose zone the time is past when the launch is due."""

    AT_ONCE = "at_once"
    TOMORROW = "tomorrow"
    """They get it at that time of the next day on which it is not past."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTime:
    """`wall`: the local time, without a zone. `fallback`: the zone of customers of whom none is
    known."""

    wall: datetime
    fallback: str
    past: PastZones = PastZones.AT_ONCE


def begins_at(wall: datetime) -> datetime:
    """When the first zone comes to the time."""
    return wall.replace(tzinfo=UTC) - AHEAD


def ends_at(wall: datetime) -> datetime:
    """When the last one has."""
    return wall.replace(tzinfo=UTC) + BEHIND


def turn(own: OwnTime, zone: str, due_at: datetime) -> datetime:
    """When it is the turn of customers in a zone, of a launch that was due at `due_at`."""
    at = instant_at(own.wall, zone)
    if at >= due_at:
        return at
    if own.past is PastZones.AT_ONCE:
        return due_at
    wall = own.wall + _DAY * ((due_at - at) // _DAY)
    while (at := instant_at(wall, zone)) < due_at:
        wall += _DAY
    return at


def dump(own: OwnTime) -> dict[str, Any]:
    """Its saved form."""
    return {"wall": own.wall.isoformat(), "fallback": own.fallback, "past": own.past.value}


def load(saved: Mapping[str, Any]) -> OwnTime:
    """From the saved form."""
    return OwnTime(
        wall=datetime.fromisoformat(saved["wall"]),
        fallback=saved["fallback"],
        past=PastZones(saved["past"]),
    )
