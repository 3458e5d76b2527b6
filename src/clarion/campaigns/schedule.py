"""When a campaign launches, as people write it. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

PAST_SECONDS_MAX = 60
"""Clocks differ; a time this little past means now."""
FUTURE_DAYS_MAX = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleFault:
    field: str
    message: str


def parse_at(wire: Any, now: datetime) -> datetime | ScheduleFault:
    """`"now"`, or an ISO 8601 time with its offset, not in the past."""
    if wire == "now":
        return now
    try:
        at = datetime.fromisoformat(wire)
    except (TypeError, ValueError):
        return ScheduleFault(
            field="at",
            message='must be "now" or an ISO 8601 time such as 2026-12-24T18:00:00+01:00',
        )
    if at.tzinfo is None:
        return ScheduleFault(
            field="at", message="names no time zone: end it with Z or an offset such as +01:00"
        )
    if at < now - timedelta(seconds=PAST_SECONDS_MAX):
        return ScheduleFault(field="at", message='lies in the past: choose a later time, or "now"')
    if at > now + timedelta(days=FUTURE_DAYS_MAX):
        return ScheduleFault(
            field="at",
            message=f"lies more than {FUTURE_DAYS_MAX} days ahead: choose an earlier time",
        )
    return max(at, now).astimezone(now.tzinfo)
