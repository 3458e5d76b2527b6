"""A campaign that repeats: on which local days, and at which local time. Pure.

The rule is an RRULE of RFC 5545, of which these parts are taken:

    FREQ        DAILY, WEEKLY or MONTHLY
    INTERVAL    every so many days, weeks or months: 1 to 100
    BYDAY       MO,WE; with MONTHLY also the first Monday (1MO) or the last Friday (-1FR)
    BYMONTHDAY  1 to 31, or from the end: -1 is the last day. A month without that day is left out
    COUNT       how often in all; days that are excepted count, too
    UNTIL       the last local day (20261231) or local time (20261231T090000), without a Z

The first occurrence is the first that the rule names at or after `start`; its time is that of
`start`. A rule without an end ends after `YEARS_MAX` years.
"""

import calendar
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

from clarion.impossible_date import why_impossible

YEARS_MAX = 10
RULE_CHARACTERS_MAX = 200
INTERVAL_MAX = 100
COUNT_MAX = 10_000
EXCEPTED_MAX = 400
WORDS = {"DAILY": "FREQ=DAILY", "WEEKLY": "FREQ=WEEKLY", "MONTHLY": "FREQ=MONTHLY"}
"""Rules by a word: every day, on that day of the week, on that day of the month."""
_DAY = r"(MO|TU|WE|TH|FR|SA|SU)"
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_ONE_DAY = timedelta(days=1)
_MONTH_DAY = r"-?([1-9]|[12]\d|3[01])"
_PARTS = {
    "FREQ": re.compile(r"DAILY|WEEKLY|MONTHLY"),
    "INTERVAL": re.compile(r"[1-9]\d{0,2}"),
    "BYDAY": re.compile(rf"(-?[1-5])?{_DAY}(,(-?[1-5])?{_DAY})*"),
    "BYMONTHDAY": re.compile(rf"{_MONTH_DAY}(,{_MONTH_DAY})*"),
    "COUNT": re.compile(r"[1-9]\d{0,4}"),
    "UNTIL": re.compile(r"\d{8}(T\d{6})?"),
}


_TAKEN = {
    "FREQ": "DAILY, WEEKLY or MONTHLY",
    "INTERVAL": f"a number from 1 to {INTERVAL_MAX}",
    "BYDAY": "MO, TU, WE, TH, FR, SA, SU, and with MONTHLY also 1MO or -1FR",
    "BYMONTHDAY": "1 to 31, or -1 to -31 from the end of the month",
    "COUNT": f"a number from 1 to {COUNT_MAX}",
    "UNTIL": "a local day or time without a Z, such as 20261231 or 20261231T090000",
}


class Missed(StrEnum):
    """What becomes of an occurrence that could not be launched in time."""

    SKIP = "skip"
    MAKE_UP = "make_up"
    """It launches as soon as it can; of several that were missed, the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """`start`: the local time from which it repeats. `excepted`: local days on which it does not
    happen."""

    start: datetime
    rule: str
    excepted: tuple[date, ...] = ()


def wrong_rule(rule: str) -> str | None:
    """What is wrong with a rule, as it follows its field's name; None: it is one that is taken."""
    if len(rule) > RULE_CHARACTERS_MAX:
        return f"may have at most {RULE_CHARACTERS_MAX} characters"
    parts = [part.partition("=") for part in rule.split(";")]
    names = [name for name, _, _ in parts]
    for name, _, value in parts:
        if name not in _PARTS:
            odd = name or "an empty part"
            return f"has {odd}: use {', '.join(_PARTS)}, as in FREQ=WEEKLY;BYDAY=MO"
        if not _PARTS[name].fullmatch(value):
            said_of = f"says of {name} what is not taken: {value or 'nothing'}"
            return f"{said_of}; it takes {_TAKEN[name]}"
    if len(set(names)) != len(names):
        return "says one part twice"
    said = {name: value for name, _, value in parts}
    if "FREQ" not in said:
        return "lacks FREQ, which is DAILY, WEEKLY or MONTHLY"
    if "COUNT" in said and "UNTIL" in said:
        return "has COUNT and UNTIL: say one of them"
    if int(said.get("INTERVAL", "1")) > INTERVAL_MAX or int(said.get("COUNT", "1")) > COUNT_MAX:
        return f"may have an INTERVAL of at most {INTERVAL_MAX}, and a COUNT of {COUNT_MAX}"
    if said["FREQ"] != "MONTHLY" and re.search(r"\d", said.get("BYDAY", "")):
        return "counts weekdays (1MO), which goes with FREQ=MONTHLY alone"
    if said["FREQ"] == "WEEKLY" and "BYMONTHDAY" in said:
        return "has BYMONTHDAY, which does not go with FREQ=WEEKLY"
    return _wrong_until(said.get("UNTIL"))


def walls(recurrence: Recurrence, after: datetime | None = None) -> Iterator[datetime]:
    """The local times at which it happens, in their order: those later than `after`, or all."""
    start, excepted = recurrence.start, frozenset(recurrence.excepted)
    rule = _parsed(recurrence.rule)
    for count, day in enumerate(_days_from(start.date(), rule)):
        wall = datetime.combine(day, start.time())
        if wall > rule.until or (rule.count is not None and count == rule.count):
            return
        if (after is None or wall > after) and day not in excepted:
            yield wall


def dump(recurrence: Recurrence) -> dict[str, Any]:
    """Its saved form."""
    return {
        "start": recurrence.start.isoformat(),
        "rule": recurrence.rule,
        "except": [day.isoformat() for day in recurrence.excepted],
    }


def load(saved: Mapping[str, Any]) -> Recurrence:
    """From the saved form."""
    return Recurrence(
        start=datetime.fromisoformat(saved["start"]),
        rule=saved["rule"],
        excepted=days_of(saved["except"]),
    )


def days_of(texts: Sequence[str]) -> tuple[date, ...]:
    """Days in their order, each once. Raises ValueError or TypeError."""
    return tuple(sorted({date.fromisoformat(text) for text in texts}))


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule as it is asked. `weekdays`: which of a month, 0: each, and the day from Monday on."""

    freq: str
    interval: int
    weekdays: frozenset[tuple[int, int]]
    month_days: frozenset[int]
    count: int | None
    until: datetime


@lru_cache(maxsize=256)
def _parsed(text: str) -> _Rule:
    said = dict(part.split("=") for part in text.split(";"))
    until = said.get("UNTIL")
    whole_day = time(23, 59, 59)
    return _Rule(
        freq=said["FREQ"],
        interval=int(said.get("INTERVAL", 1)),
        weekdays=frozenset(map(_weekday, filter(None, said.get("BYDAY", "").split(",")))),
        month_days=frozenset(map(int, filter(None, said.get("BYMONTHDAY", "").split(",")))),
        count=int(said["COUNT"]) if "COUNT" in said else None,
        until=datetime.max
        if until is None
        else datetime.combine(
            date.fromisoformat(until[:8]), _time(until[9:]) if until[9:] else whole_day
        ),
    )


def _weekday(text: str) -> tuple[int, int]:
    return int(text[:-2] or 0), _WEEKDAYS.index(text[-2:])


def _days_from(start: date, rule: _Rule) -> Iterator[date]:
    """The days that the rule names, from `start` on, for `YEARS_MAX` years. They are looked through
    one by one, so that a rule that names none comes to its end as soon: the fifth Monday that is
    the first of a month."""
    last = start + timedelta(days=366 * YEARS_MAX)
    monday = start - timedelta(days=start.weekday())
    of_start = frozenset({(0, start.weekday())})
    day = start
    while day <= last:
        match rule.freq:
            case "DAILY":
                is_in, is_named = (day - start).days % rule.interval == 0, _is_named(day, rule)
            case "WEEKLY":
                is_in = (day - monday).days // 7 % rule.interval == 0
                is_named = (0, day.weekday()) in (rule.weekdays or of_start)
            case _:
                months = (day.year - start.year) * 12 + day.month - start.month
                is_in = months % rule.interval == 0
                is_by_day = rule.weekdays or rule.month_days
                is_named = _is_named(day, rule) if is_by_day else day.day == start.day
        if is_in and is_named:
            yield day
        day += _ONE_DAY


def _is_named(day: date, rule: _Rule) -> bool:
    """Whether BYDAY and BYMONTHDAY name it, as far as the rule has them."""
    days = calendar.monthrange(day.year, day.month)[1]
    if rule.month_days and rule.month_days.isdisjoint((day.day, day.day - days - 1)):
        return False
    nth, nth_last = (day.day - 1) // 7 + 1, -((days - day.day) // 7 + 1)
    weekday = day.weekday()
    return not rule.weekdays or not rule.weekdays.isdisjoint(
        ((0, weekday), (nth, weekday), (nth_last, weekday))
    )


def _wrong_until(until: str | None) -> str | None:
    if until is None:
        return None
    try:
        datetime.combine(date.fromisoformat(until[:8]), _time(until[9:]))
    except ValueError:
        impossible = why_impossible(until)
        if impossible is not None:
            return f"has the UNTIL {until}, which {impossible}"
        return f"has the UNTIL {until}, which is no day such as 20261231"
    return None


def _time(text: str) -> time:
    return time.fromisoformat(text) if text else time()
