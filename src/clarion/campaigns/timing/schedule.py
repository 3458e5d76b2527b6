"""When a campaign launches, as people write it. Pure.

{"at": "now"}                                                at once
{"at": "2026-12-24T18:00:00+01:00"}                          at an instant
{"at": "2026-12-24T18:00", "zone": "Europe/Vienna"}          at a time of a zone
{"at": "2026-12-24T18:00", "own_time": {}}                   at each customer's own time
{"at": "2026-12-24T18:00", "repeat": {"rule": "daily"}}      again and again, from then on
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from clarion.campaigns.timing import own_time
from clarion.campaigns.timing.own_time import LateTurns, OwnTime, PastZones
from clarion.campaigns.timing.recurrence import (
    EXCEPTED_MAX,
    WORDS,
    Missed,
    Recurrence,
    days_of,
    wrong_rule,
)
from clarion.campaigns.timing.trigger import (
    Once,
    OnceInOwnTime,
    Recurring,
    Trigger,
    first_from,
    instant_of,
)
from clarion.faults import Fault, Rejected, invalid
from clarion.impossible_date import why_impossible
from clarion.text import is_storable
from clarion.time_zone import instant_at, read_zone

PAST_SECONDS_MAX = 60
"""Clocks differ; a time this little past means now."""
FUTURE_DAYS_MAX = 400
OWN = "own_time"
REPEAT = "repeat"
FIELDS = ("at", "zone", OWN, REPEAT)
_OF_OWN_TIME = ("fallback", "past", "late")
_OF_REPEAT = ("rule", "until", "except", "missed")
_INNER = {OWN: _OF_OWN_TIME, REPEAT: _OF_REPEAT}
MEANT = "timing"
MEANT_CHARACTERS_MAX = 300
_YEARS = range(1970, 9001)
_NO_OFFSET = (
    "must be a local time without an offset, such as 2026-12-24T18:00, since a zone says where"
)


def parse_when(wire: Any, now: datetime, workspace_zone: str) -> Trigger | Rejected:
    """When it launches: an object with `FIELDS`, or only what its `at` is. `workspace_zone`: of
    what names no other."""
    when = wire if isinstance(wire, Mapping) else {"at": wire}
    own, zone, repeat = when.get(OWN), when.get("zone"), when.get(REPEAT)
    if own is not None and zone is not None:
        return _refused("can not stand beside own_time, whose fallback names a zone", "zone")
    if repeat is not None:
        return _parse_repeat(when, repeat, now, workspace_zone)
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
    at = _in_range(instant_at(wall, name), now, wall)
    return at if isinstance(at, Rejected) else Once(at)


def wrong_meant(wire: Any) -> Fault | None:
    """What keeps a time from being kept with a draft that is being written: it must have the shape
    that `parse_when` reads. Whether anything can launch then, `wrong_time` says."""
    if not isinstance(wire, Mapping) or not isinstance(wire.get("at"), str):
        return Fault(MEANT, 'must be an object such as {"at": "2026-12-24T18:00", "zone": "UTC"}')
    for name, value in wire.items():
        inner = _INNER.get(name)
        if name not in FIELDS or (inner is not None and not isinstance(value, Mapping)):
            return Fault(f"{MEANT}.{name}", f"is not taken here; use {', '.join(FIELDS)}")
        for key, said in value.items() if inner is not None else [(name, value)]:
            if inner is not None and key not in inner:
                return Fault(f"{MEANT}.{name}.{key}", f"is unknown; use {', '.join(inner)}")
            if not _is_short(said):
                message = f"must be a text of at most {MEANT_CHARACTERS_MAX} characters"
                return Fault(f"{MEANT}.{name}", message)
    return None


def wrong_time(wire: Any, now: datetime, workspace_zone: str) -> tuple[Fault, ...]:
    """Why nothing could be scheduled for the time in `wire`, by its fields as a draft has them."""
    when = parse_when(wire, now, workspace_zone)
    if not isinstance(when, Rejected):
        return ()
    return tuple(Fault(f"{MEANT}.{fault.field}", fault.message) for fault in when.faults)


def parse_at(wire: Any, now: datetime) -> datetime | Rejected:
    """`"now"`, or an ISO 8601 time with its offset, not in the past."""
    if wire == "now":
        return now
    impossible = why_impossible(wire)
    if impossible is not None:
        return _refused(impossible)
    try:
        at = datetime.fromisoformat(wire)
    except (TypeError, ValueError):
        return _refused('must be "now" or an ISO 8601 time such as 2026-12-24T18:00:00+01:00')
    if at.tzinfo is None:
        return _refused(
            "names no time zone: end it with Z or an offset such as +01:00, or name a zone"
        )
    return _in_range(at, now, at)


def parse_wall(wire: Any) -> datetime | Rejected:
    """A local time, without an offset, to the second."""
    impossible = why_impossible(wire)
    if impossible is not None:
        return _refused(impossible)
    try:
        wall = datetime.fromisoformat(wire)
    except (TypeError, ValueError):
        return _refused(_NO_OFFSET)
    if wall.tzinfo is not None:
        return _refused(_NO_OFFSET)
    if wall.year not in _YEARS:
        # Far enough from the calendar's ends for all that is reckoned with it; each has a 28th.
        wall = wall.replace(year=_YEARS[0] if wall.year < _YEARS[0] else _YEARS[-1], day=28)
    return wall.replace(microsecond=0)


def parse_own_time(wire: Any, wall: datetime, workspace_zone: str) -> OwnTime | Rejected:
    """What is said beside the local time: `fallback`, a zone, `past` and `late`."""
    if not isinstance(wire, Mapping):
        return _refused(f"must be an object, which may have {', '.join(_OF_OWN_TIME)}", OWN)
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
    late = wire.get("late", LateTurns.TOMORROW.value)
    if late not in list(LateTurns):
        faults.append(Fault(f"{OWN}.late", f"must be {' or '.join(LateTurns)}"))
    if faults or isinstance(fallback, Fault):
        return invalid(*faults, code="schedule")
    return OwnTime(wall=wall, fallback=fallback, past=PastZones(past), late=LateTurns(late))


def _parse_own(at: Any, wire: Any, now: datetime, workspace_zone: str) -> OnceInOwnTime | Rejected:
    wall = parse_wall(at)
    if isinstance(wall, Rejected):
        return wall
    own = parse_own_time(wire, wall, workspace_zone)
    if isinstance(own, Rejected):
        return own
    ends_at = own_time.ends_at(wall)
    if ends_at < now:
        nearest = _nearest(ends_at, now, wall)
        return _refused(f"lies in the past in every time zone: {nearest} would do")
    launches_at = _in_range(max(own_time.begins_at(wall), now), now, wall)
    return launches_at if isinstance(launches_at, Rejected) else OnceInOwnTime(launches_at, own)


def _parse_repeat(
    when: Mapping[str, Any], wire: Any, now: datetime, workspace_zone: str
) -> Recurring | Rejected:
    """From its `at` on; from now on, where occurrences are past already."""
    start = parse_wall(when.get("at"))
    if isinstance(start, Rejected):
        return start
    zone = read_zone(when.get("zone") or workspace_zone, "zone")
    if isinstance(zone, Fault):
        return invalid(zone, code="schedule")
    is_in_own_time = when.get(OWN) is not None
    if is_in_own_time:
        own = parse_own_time(when[OWN], start, workspace_zone)
        if isinstance(own, Rejected):
            return own
        if own.past is not PastZones.AT_ONCE:
            message = f"must be {PastZones.AT_ONCE.value}: tomorrow has its own occurrence"
            return _refused(message, f"{OWN}.past")
        if "late" in when[OWN]:
            message = f"is what {REPEAT}.missed says: skip, or make_up for tomorrow"
            return _refused(message, f"{OWN}.late")
        zone = own.fallback
    read = parse_repeat(wire, start)
    if isinstance(read, Rejected):
        return read
    recurrence, missed = read
    trigger = Recurring(
        recurrence=recurrence, next=start, zone=zone, is_in_own_time=is_in_own_time, missed=missed
    )
    earliest = now - timedelta(seconds=PAST_SECONDS_MAX)
    first = first_from(trigger, earliest)
    if first is None:
        whole = replace(trigger, recurrence=replace(recurrence, excepted=()))
        ended_by = "rule" if wire.get("until") is None else "until"
        if first_from(whole, earliest) is not None:
            ended_by = "except"
        return _refused("leaves no day to come: nothing would be sent", f"{REPEAT}.{ended_by}")
    in_range = _in_range(instant_of(first), now, instant_of(first))
    return in_range if isinstance(in_range, Rejected) else first


def parse_repeat(wire: Any, start: datetime) -> tuple[Recurrence, Missed] | Rejected:
    """How it repeats from `start` on: `rule`, a word or an RRULE; `until`, its last local day;
    `except`, local days; `missed`."""
    if not isinstance(wire, Mapping):
        return _refused(f"must be an object with {', '.join(_OF_REPEAT)}", REPEAT)
    faults = [
        Fault(f"{REPEAT}.{name}", f"is unknown; use {', '.join(_OF_REPEAT)}")
        for name in wire
        if name not in _OF_REPEAT
    ]
    rule = wire.get("rule")
    rule = rule.strip().upper() if isinstance(rule, str) else ""  # RFC 5545: in any case
    rule = WORDS.get(rule, rule)
    until = wire.get("until")
    if until is not None:
        days = _days([until])
        if not days:
            message = why_impossible(until) or "must be a day such as 2026-12-31"
            faults.append(Fault(f"{REPEAT}.until", message))
        elif "UNTIL=" in rule or "COUNT=" in rule:
            message = "can not stand beside a rule that says its own end: leave one of them out"
            faults.append(Fault(f"{REPEAT}.until", message))
        elif days[0] < start.date():
            message = f"lies before the first day, which is {start:%Y-%m-%d}: nothing would be sent"
            faults.append(Fault(f"{REPEAT}.until", message))
        else:
            rule += f";UNTIL={days[0]:%Y%m%d}"
    wrong = wrong_rule(rule)
    if wrong is not None:
        faults.append(Fault(f"{REPEAT}.rule", wrong))
    excepted = _days(wire.get("except", []))
    if excepted is None:
        faults.append(Fault(f"{REPEAT}.except", _wrong_days(wire["except"])))
    missed = wire.get("missed", Missed.SKIP.value)
    if missed not in list(Missed):
        faults.append(Fault(f"{REPEAT}.missed", f"must be {' or '.join(Missed)}"))
    if faults or excepted is None:
        return invalid(*faults, code="schedule")
    return Recurrence(start=start, rule=rule, excepted=excepted), Missed(missed)


def _is_short(value: Any) -> bool:
    texts = value if isinstance(value, list) else [value]
    return len(texts) <= EXCEPTED_MAX and all(
        isinstance(text, str) and len(text) <= MEANT_CHARACTERS_MAX and is_storable(text)
        for text in texts
    )


def _days(wire: Any) -> tuple[date, ...] | None:
    """Local days; None: these are none."""
    if not isinstance(wire, list) or len(wire) > EXCEPTED_MAX:
        return None
    try:
        return days_of(wire)
    except (TypeError, ValueError):
        return None


def _wrong_days(wire: Any) -> str:
    for text in wire if isinstance(wire, list) else ():
        impossible = why_impossible(text)
        if impossible is not None:
            return f"has {text}, which {impossible}"
    return f"must be a list of at most {EXCEPTED_MAX} days such as 2026-12-24"


def _in_range(at: datetime, now: datetime, written: datetime) -> datetime | Rejected:
    """`written`: the same time with the offset, or without one, as it was given."""
    if at < now - timedelta(seconds=PAST_SECONDS_MAX):
        return _refused(f'lies in the past: {_nearest(at, now, written)} would do, or "now"')
    if at > now + timedelta(days=FUTURE_DAYS_MAX):
        return _refused(f"lies more than {FUTURE_DAYS_MAX} days ahead: choose an earlier time")
    return max(at, now).astimezone(now.tzinfo)


def _nearest(at: datetime, now: datetime, written: datetime) -> str:
    """The next day's time of the same hour that lies ahead, by an hour at least: so it does where
    the clocks change before it, too."""
    days = -((at - now - timedelta(hours=1)) // timedelta(days=1))
    return (written + timedelta(days=days)).isoformat(timespec="minutes")


def _refused(message: str, field: str = "at") -> Rejected:
    return invalid(Fault(field, message), code="schedule")
