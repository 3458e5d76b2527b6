"""When a campaign is meant to launch: what was typed as a schedule, and back. Pure.

What the wire form means, and what is wrong with it, is of `campaigns/timing/schedule.py`.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from clarion.faults import Fault
from clarion.impossible_date import why_impossible
from clarion.time_zone import instant_at
from clarion.web.console.amount import whole
from clarion.web.console.when import zones

NOW, AT, OWN, REPEAT = "now", "at", "own", "repeat"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
DAILY, WEEKLY, MONTHLY, CUSTOM = "daily", "weekly", "monthly", "custom"
WEEKDAYS = {
    "MO": "Monday",
    "TU": "Tuesday",
    "WE": "Wednesday",
    "TH": "Thursday",
    "FR": "Friday",
    "SA": "Saturday",
    "SU": "Sunday",
}
_DAYS = tuple(WEEKDAYS)
_FIELDS = {
    "at": "at",
    "zone": "zone",
    "own_time.fallback": "zone",
    "own_time.past": "past",
    "repeat.until": "until",
    "repeat.except": "except",
    "repeat.missed": "missed",
    "repeat.rule": "freq",
}


def timing_field(path: str) -> str:
    """The field of the form in which what a path of the schedule names is typed."""
    return _FIELDS.get(path.removeprefix("timing."), "at")


def written_timing(form: Mapping[str, str]) -> dict[str, Any] | None:
    """The schedule that the form says; None: at once, when somebody launches it."""
    when = form.get("when", NOW)
    at, zone = form.get("at", "").strip(), form.get("zone", "").strip()
    own = {"fallback": zone} if zone else {}
    match when:
        case "at":
            return {"at": at} | ({"zone": zone} if zone else {})
        case "own":
            return {"at": at, "own_time": own | {"past": form.get("past") or "at_once"}}
        case "repeat":
            timing: dict[str, Any] = {"at": at, "repeat": _repeat(form, at)}
            if form.get("repeat_own"):
                return timing | {"own_time": own}
            return timing | ({"zone": zone} if zone else {})
        case _:
            return None


def timing_form(timing: Mapping[str, Any] | None, zone: str) -> dict[str, str]:
    """The fields as they stand in the form. `zone`: what stands there of one that names none."""
    if timing is None or timing.get("at") == "now":
        return {"when": NOW, "zone": zone}
    own, repeat = timing.get("own_time"), timing.get("repeat")
    fields = {"when": AT, "at": str(timing.get("at", "")), "zone": str(timing.get("zone") or zone)}
    if own is not None:
        fields |= {"when": OWN, "zone": str(own.get("fallback") or zone)}
        fields["past"] = str(own.get("past") or "at_once")
    if repeat is not None:
        fields |= {"when": REPEAT} | _repeat_form(repeat)
        if own is not None:
            fields["repeat_own"] = "1"
    return fields


def written_lateness(form: Mapping[str, str]) -> int | str | Fault | None:
    """How many minutes late it may launch, as the form says it: by the last time, of one that
    launches at a time, or else in minutes; None: as the installation has it."""
    minutes = form.get("late_after_minutes", "").strip()
    last = form.get("not_after", "").strip()
    if form.get("when") != AT or not last:
        number = whole(minutes)
        return minutes or None if number is None else number
    at, until = _wall(form.get("at", "")), _wall(last)
    if until is None:
        return Fault("not_after", why_impossible(last) or "must be a date and a time")
    if at is None:
        return None  # that it lacks is told of `at`
    zone = form.get("zone", "").strip()
    late = until - at
    if zone in zones():
        late = instant_at(until, zone) - instant_at(at, zone)
    if late < MINUTE:
        nearest = f"{at + HOUR:%Y-%m-%d %H:%M}"
        return Fault("not_after", f"must be later than it launches: {nearest} is an hour after")
    return late // MINUTE


def lateness_form(
    minutes: int | None, timing: Mapping[str, Any] | None, zone: str
) -> dict[str, str]:
    """The same as fields of the form; `timing` and `zone` as in `timing_form`."""
    if minutes is None:
        return {}
    fields = timing_form(timing, zone)
    at, there = _wall(fields.get("at", "")), fields.get("zone", "")
    if fields["when"] != AT or at is None or there not in zones():
        return {"late_after_minutes": str(minutes)}
    last = (instant_at(at, there) + minutes * MINUTE).astimezone(ZoneInfo(there))
    return {"not_after": f"{last:%Y-%m-%dT%H:%M}"}


def _wall(text: str) -> datetime | None:
    """A date and time without a zone; None: it is none."""
    try:
        wall = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return None if wall.tzinfo is not None else wall


def _repeat(form: Mapping[str, str], at: str) -> dict[str, Any]:
    repeat: dict[str, Any] = {"rule": _rule(form, at)}
    if form.get("ends") == "until":
        repeat["until"] = form.get("until", "").strip()
    excepted = form.get("except", "").replace(",", "\n").split()
    if excepted:
        repeat["except"] = excepted
    if form.get("missed"):
        repeat["missed"] = form["missed"]
    return repeat


def _rule(form: Mapping[str, str], at: str) -> str:
    """An RRULE; of what is not right in it the schedule tells."""
    freq = form.get("freq", DAILY)
    if freq == CUSTOM:
        return form.get("repeat_rule", "").strip()
    parts = [f"FREQ={freq.upper()}"]
    every = form.get("every", "").strip()
    if every not in ("", "1"):
        parts.append(f"INTERVAL={every}")
    if freq == WEEKLY and (days := [day for day in _DAYS if form.get(f"on_{day}")]):
        parts.append(f"BYDAY={','.join(days)}")
    if freq == MONTHLY and form.get("monthly") == "last":
        parts.append("BYMONTHDAY=-1")
    if freq == MONTHLY and form.get("monthly") == "nth" and (nth := _nth_weekday(at)):
        parts.append(f"BYDAY={nth}")
    if form.get("ends") == "count":
        parts.append(f"COUNT={form.get('count', '').strip()}")
    return ";".join(parts)


def _nth_weekday(at: str) -> str | None:
    """Such as 2TU, of a day that is the second Tuesday of its month; the fifth is the last."""
    try:
        day = date.fromisoformat(at[:10])
    except ValueError:
        return None
    nth = (day.day - 1) // 7 + 1
    return f"{nth if nth < 5 else -1}{_DAYS[day.weekday()]}"


def _repeat_form(repeat: Mapping[str, Any]) -> dict[str, str]:
    rule = str(repeat.get("rule", ""))
    fields = _rule_form(rule) or {"freq": CUSTOM, "repeat_rule": rule}
    fields["missed"] = str(repeat.get("missed") or "skip")
    if repeat.get("until"):
        fields |= {"ends": "until", "until": str(repeat["until"])}
    fields["except"] = "\n".join(repeat.get("except") or ())
    return fields


def _rule_form(rule: str) -> dict[str, str] | None:
    """The fields that say this rule; None: only its own text does."""
    words = {DAILY: "FREQ=DAILY", WEEKLY: "FREQ=WEEKLY", MONTHLY: "FREQ=MONTHLY"}
    said = dict(part.partition("=")[::2] for part in words.get(rule, rule).split(";"))
    freq = said.pop("FREQ", "").lower()
    if freq not in words:
        return None
    fields = {"freq": freq, "every": said.pop("INTERVAL", "1"), "ends": "never"}
    if "COUNT" in said:
        fields |= {"ends": "count", "count": said.pop("COUNT")}
    days = said.get("BYDAY", "")
    if freq == WEEKLY and all(day in _DAYS for day in days.split(",") if day):
        fields |= {f"on_{day}": "1" for day in days.split(",") if day}
        said.pop("BYDAY", None)
    if freq == MONTHLY and re.fullmatch(r"-?[1-5][A-Z]{2}", days):
        fields["monthly"] = "nth"
        said.pop("BYDAY")
    if freq == MONTHLY and said.get("BYMONTHDAY") == "-1":
        fields["monthly"] = "last"
        said.pop("BYMONTHDAY")
    return None if said else fields
