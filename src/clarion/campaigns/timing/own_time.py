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


class LateTurns(StrEnum):
    """What becomes of customers whose turn has passed longer ago than the campaign allows."""

    TOMORROW = "tomorrow"
    """They wait for that time of the next day on which it is not past."""
    SKIP = "skip"
    """They do not get it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTime:
    """`wall`: the local time, without a zone. `fallback`: the zone of customers of whom none is
    known. `late_after_minutes`: what the campaign allows, once it has launched; None: any delay."""

    wall: datetime
    fallback: str
    past: PastZones = PastZones.AT_ONCE
    late: LateTurns = LateTurns.TOMORROW
    late_after_minutes: int | None = None


def begins_at(wall: datetime) -> datetime:
    """When the first zone comes to the time."""
    return wall.replace(tzinfo=UTC) - AHEAD


def ends_at(wall: datetime) -> datetime:
    """When the last one has."""
    return wall.replace(tzinfo=UTC) + BEHIND


def turn(own: OwnTime, zone: str, due_at: datetime) -> datetime:
    """When it is the turn of customers in a zone, of a launch that was due at `due_at`."""
    at = instant_at(own.wall, zone)
    if at >= due_at or own.past is PastZones.TOMORROW:
        return next_turn(own, zone, due_at)
    return due_at


def is_late(own: OwnTime, at: datetime, now: datetime) -> bool:
    """Whether a turn at `at` is overdue for longer than the campaign allows."""
    minutes = own.late_after_minutes
    return minutes is not None and now - at > timedelta(minutes=minutes)


def next_turn(own: OwnTime, zone: str, earliest: datetime) -> datetime:
    """When it is the turn of customers in a zone, on the first day on which that is not before
    `earliest`."""
    at = instant_at(own.wall, zone)
    if at >= earliest:
        return at
    wall = own.wall + _DAY * ((earliest - at) // _DAY)
    while (at := instant_at(wall, zone)) < earliest:
        wall += _DAY
    return at


def dump(own: OwnTime) -> dict[str, Any]:
    """Its saved form. What stands for itself is left out, as versions before this one did: an
    approval is bound to it."""
    saved: dict[str, Any] = {
        "wall": own.wall.isoformat(),
        "fallback": own.fallback,
        "past": own.past.value,
    }
    if own.late is not LateTurns.TOMORROW:
        saved["late"] = own.late.value
    if own.late_after_minutes is not None:
        saved["late_after_minutes"] = own.late_after_minutes
    return saved


def load(saved: Mapping[str, Any]) -> OwnTime:
    """From the saved form."""
    return OwnTime(
        wall=datetime.fromisoformat(saved["wall"]),
        fallback=saved["fallback"],
        past=PastZones(saved["past"]),
        late=LateTurns(saved.get("late", LateTurns.TOMORROW)),
        late_after_minutes=saved.get("late_after_minutes"),
    )
