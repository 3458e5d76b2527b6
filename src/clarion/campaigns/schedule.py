"""When a campaign launches, as people write it. Pure."""

from datetime import datetime, timedelta
from typing import Any

from clarion.faults import Fault, Rejected, invalid

PAST_SECONDS_MAX = 60
"""Clocks differ; a time this little past means now."""
FUTURE_DAYS_MAX = 400


def parse_at(wire: Any, now: datetime) -> datetime | Rejected:
    """`"now"`, or an ISO 8601 time with its offset, not in the past."""
    if wire == "now":
        return now
    try:
        at = datetime.fromisoformat(wire)
    except (TypeError, ValueError):
        return _refused('must be "now" or an ISO 8601 time such as 2026-12-24T18:00:00+01:00')
    if at.tzinfo is None:
        return _refused("names no time zone: end it with Z or an offset such as +01:00")
    if at < now - timedelta(seconds=PAST_SECONDS_MAX):
        return _refused('lies in the past: choose a later time, or "now"')
    if at > now + timedelta(days=FUTURE_DAYS_MAX):
        return _refused(f"lies more than {FUTURE_DAYS_MAX} days ahead: choose an earlier time")
    return max(at, now).astimezone(now.tzinfo)


def _refused(message: str) -> Rejected:
    return invalid(Fault("at", message), code="schedule")
