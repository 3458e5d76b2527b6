"""When a campaign launches, as people write it. Pure.

{"at": "now"}                                                at once
{"at": "2026-12-24T18:00:00+01:00"}                          at an instant
{"at": "2026-12-24T18:00", "zone": "Europe/Vienna"}          at a time of a zone
{"at": "2026-12-24T18:00", "own_time": {}}                   at each customer's own time
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from clarion.campaigns.timing import own_time
from clarion.campaigns.timing.own_time import OwnTime, PastZones
from clarion.campaigns.trigger import Once, OnceInOwnTime, Trigger
from clarion.faults import Fault, Rejected, invalid
from clarion.time_zone import instant_at, read_zone

PAST_SECONDS_MAX = 60
"""Clocks differ; a time this little past means now."""
FUTURE_DAYS_MAX = 400
OWN = "own_time"
FIELDS = ("at", "zone", OWN)
_OF_OWN_TIME = ("fallback", "past")
_NO_OFFSET = (
    "must be a local time without an offset, such as 2026-12-24T18:00, since a zone says where"
)


def parse_when(wire: Any, now: datetime, workspace_zone: str) -> Trigger | Rejected:
    """When it launches: an object with `FIELDS`, or only what its `at` is. `workspace_zone`: of
    what names no other."""
    when = wire if isinstance(wire, Mapping) else {"at": wire}
    own, zone = when.get("own_time"), when.get("zone")
    if own is not None and zone is not None:
        return _refused("can not stand beside own_time, whose fallback names a zone", "zone")
    if own is not None:
        return _parse_own(when.get("at"), own, now, workspace_zone)
    if zone is None:
        at = parse_at(when.get("at"), now)
        return at if isinstance(at, Rejected) else Once(at)
    name = read_zone(zone, "zone")
    if isinstance(name, Fault):
        return invalid(name, code="schedule")
    wall = parse_wall(when.get("at"))
    if isinstance(wall, Rejected):
        return wall
    at = _in_range(instant_at(wall, name), now)
    return at if isinstance(at, Rejected) else Once(at)


def parse_at(wire: Any, now: datetime) -> datetime | Rejected:
    """`"now"`, or an ISO 8601 time with its offset, not in the past."""
    if wire == "now":
        return now
    try:
        at = datetime.fromisoformat(wire)
    except (TypeError, ValueError):
        return _refused('must be "now" or an ISO 8601 time such as 2026-12-24T18:00:00+01:00')
    if at.tzinfo is None:
        return _refused(
            "names no time zone: end it with Z or an offset such as +01:00, or name a zone"
        )
    return _in_range(at, now)


def parse_wall(wire: Any) -> datetime | Rejected:
    """A local time, without an offset, to the second."""
    try:
        wall = datetime.fromisoformat(wire)
    except (TypeError, ValueError):
        return _refused(_NO_OFFSET)
    if wall.tzinfo is not None:
        return _refused(_NO_OFFSET)
    # Far enough from the calendar's ends for all that is reckoned with it.
    return wall.replace(microsecond=0, year=min(max(wall.year, 1970), 9000))


def parse_own_time(wire: Any, wall: datetime, workspace_zone: str) -> OwnTime | Rejected:
    """What is said beside the local time: `fallback`, a zone, and `past`."""
    if not isinstance(wire, Mapping):
        return _refused(f"must be an object, which may have {' and '.join(_OF_OWN_TIME)}", OWN)
    faults = [
        Fault(f"{OWN}.{name}", f"is unknown; use {', '.join(_OF_OWN_TIME)}")
        for name in wire
        if name not in _OF_OWN_TIME
    ]
    fallback = read_zone(wire.get("fallback", workspace_zone), f"{OWN}.fallback")
    if isinstance(fallback, Fault):
        faults.append(fallback)
    past = wire.get("past", PastZones.AT_ONCE.value)
    if past not in list(PastZones):
        faults.append(Fault(f"{OWN}.past", f"must be {' or '.join(PastZones)}"))
    if faults or isinstance(fallback, Fault):
        return invalid(*faults, code="schedule")
    return OwnTime(wall=wall, fallback=fallback, past=PastZones(past))


def _parse_own(at: Any, wire: Any, now: datetime, workspace_zone: str) -> OnceInOwnTime | Rejected:
    wall = parse_wall(at)
    if isinstance(wall, Rejected):
        return wall
    own = parse_own_time(wire, wall, workspace_zone)
    if isinstance(own, Rejected):
        return own
    if own_time.ends_at(wall) < now:
        return _refused("lies in the past in every time zone: choose a later time")
    launches_at = _in_range(max(own_time.begins_at(wall), now), now)
    return launches_at if isinstance(launches_at, Rejected) else OnceInOwnTime(launches_at, own)


def _in_range(at: datetime, now: datetime) -> datetime | Rejected:
    if at < now - timedelta(seconds=PAST_SECONDS_MAX):
        return _refused('lies in the past: choose a later time, or "now"')
    if at > now + timedelta(days=FUTURE_DAYS_MAX):
        return _refused(f"lies more than {FUTURE_DAYS_MAX} days ahead: choose an earlier time")
    return max(at, now).astimezone(now.tzinfo)


def _refused(message: str, field: str = "at") -> Rejected:
    return invalid(Fault(field, message), code="schedule")
