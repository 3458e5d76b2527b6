"""Quiet hours: between two times on the customer's own clock nothing is pushed. Pure.

They begin at `start` and end before `end`; where `end` is the earlier one, they go over midnight.
Where clocks are put forward or back, `time_zone.instant_at` says what a time on the wall means.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from clarion.faults import Fault
from clarion.time_zone import instant_at

_CLOCK = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]")
_FIELDS = ("start", "end", "action")


class QuietAction(StrEnum):
    """What becomes of a push that would leave in quiet hours."""

    HOLD = "hold"
    """It waits until they end."""
    SKIP = "skip"
    """It is not sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    start: time
    end: time
    action: QuietAction = QuietAction.HOLD


def quiet_until(quiet: QuietHours, zone: str, now: datetime) -> datetime | None:
    """When the quiet hours end in which it is `now` in `zone`; None: it is not quiet there."""
    today = now.astimezone(ZoneInfo(zone)).date()
    for days in (-1, 0):
        day = today + timedelta(days=days)
        begins = instant_at(datetime.combine(day, quiet.start), zone)
        last = day if quiet.start < quiet.end else day + timedelta(days=1)
        ends = instant_at(datetime.combine(last, quiet.end), zone)
        if begins <= now < ends:
            return ends
    return None


def parse_quiet_hours(wire: Any, faults: list[Fault]) -> QuietHours | None:
    """Quiet hours as they are written; what is wrong with them goes to `faults`."""
    if wire is None:
        return None
    if not isinstance(wire, Mapping):
        example = 'must be null or an object such as {"start": "22:00", "end": "08:00"}'
        faults.append(Fault("quiet_hours", example))
        return None
    wrong = [
        Fault(f"quiet_hours.{name}", f"is unknown; use {', '.join(_FIELDS)}")
        for name in wire
        if name not in _FIELDS
    ]
    wrong += [
        Fault(f"quiet_hours.{name}", 'must be a time such as "22:00"')
        for name in ("start", "end")
        if not (isinstance(wire.get(name), str) and _CLOCK.fullmatch(wire[name]))
    ]
    action = wire.get("action", QuietAction.HOLD.value)
    if action not in [known.value for known in QuietAction]:
        wrong.append(Fault("quiet_hours.action", "must be hold or skip"))
    if not wrong and wire["start"] == wire["end"]:
        wrong.append(Fault("quiet_hours.end", "must be another time than start"))
    faults += wrong
    if wrong:
        return None
    start, end = (time.fromisoformat(wire[name]) for name in ("start", "end"))
    return QuietHours(start=start, end=end, action=QuietAction(action))


def dump_quiet_hours(quiet: QuietHours | None) -> dict[str, Any] | None:
    """As they are written."""
    if quiet is None:
        return None
    start, end = (f"{clock:%H:%M}" for clock in (quiet.start, quiet.end))
    return {"start": start, "end": end, "action": quiet.action.value}
