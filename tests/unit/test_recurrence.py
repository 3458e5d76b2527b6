"""On which days a campaign repeats, and what of that is saved."""

import re
import sys
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from types import FrameType
from typing import Any

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from clarion.campaigns.timing import trigger as triggers
from clarion.campaigns.timing.recurrence import (
    YEARS_MAX,
    Missed,
    Recurrence,
    dump,
    load,
    walls,
    wrong_rule,
)
from clarion.campaigns.timing.schedule import parse_when
from clarion.campaigns.timing.trigger import Recurring
from clarion.faults import Rejected
from unit.test_schedule import NOW

START = datetime(2026, 3, 1, 9)
PIECES = st.sampled_from(["FREQ=DAILY", "FREQ=", ";", "BYDAY=", "MO", ",", "1", "-", "UNTIL=2026"])
RULES = st.sampled_from(
    [
        "FREQ=DAILY",
        "FREQ=DAILY;INTERVAL=3;COUNT=10",
        "FREQ=WEEKLY;BYDAY=MO,FR",
        "FREQ=MONTHLY;BYMONTHDAY=-1,15",
        "FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20261231",
    ]
)


WEEKDAYS = st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"])
NTHS = st.builds(lambda nth, day: f"{nth}{day}", st.sampled_from([-5, -2, -1, 1, 3, 5]), WEEKDAYS)
MONTH_DAYS = st.sampled_from([1, 2, 15, 28, 29, 30, 31, -1, -2, -15, -29, -30, -31])


@st.composite
def any_rule(draw: st.DrawFn) -> str:
    freq = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"]))
    parts = [f"FREQ={freq}"]
    if draw(st.booleans()):
        parts.append(f"INTERVAL={draw(st.integers(1, 15))}")
    if draw(st.booleans()):
        # One kind or the other: of both together dateutil takes those that are in both.
        kind = draw(st.sampled_from([WEEKDAYS, NTHS] if freq == "MONTHLY" else [WEEKDAYS]))
        parts.append("BYDAY=" + ",".join(draw(st.lists(kind, min_size=1, max_size=3))))
    if freq != "WEEKLY" and draw(st.booleans()):
        named_days = draw(st.lists(MONTH_DAYS, min_size=1, max_size=3))
        parts.append("BYMONTHDAY=" + ",".join(map(str, named_days)))
    end = draw(st.sampled_from(["", "COUNT=5", "UNTIL=20270315", "UNTIL=20270315T090000"]))
    return ";".join([*parts, *filter(None, [end])])


@given(rule=any_rule(), start=st.datetimes(datetime(2023, 12, 1), datetime(2027, 3, 15)))
def test_any_rule_names_the_days_that_rfc_5545_says(rule: str, start: datetime) -> None:
    """As dateutil reads it, for four years: it looks for the day of a rule that has none until the
    year 9999, so it is asked for no more days than there are."""
    start = start.replace(microsecond=0)
    end = start + timedelta(days=4 * 366)
    assert wrong_rule(rule) is None
    mine = [wall for wall in walls(Recurrence(start=start, rule=rule)) if wall <= end]
    whole = re.sub(r"(UNTIL=\d{8})(?=;|$)", r"\1T235959", rule)
    others = list(islice(rrulestr(whole, dtstart=start), len(mine)))
    assert mine == others


@pytest.mark.parametrize(
    ("rule", "start"),
    [
        ("FREQ=MONTHLY;BYMONTHDAY=1;BYDAY=5MO", START),
        ("FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31", datetime(2026, 2, 1, 9)),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=MO", START),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=MO;COUNT=1", START),
    ],
)
def test_a_rule_that_names_no_day_is_told_without_a_search_through_the_ages(
    rule: str, start: datetime
) -> None:
    """As much is done as for a rule that names every day of these years."""
    recurrence = Recurrence(start=start, rule=rule)
    assert list(walls(recurrence)) == []
    assert _steps(recurrence) < 1.5 * _steps(Recurrence(start=start, rule="FREQ=DAILY"))


def _steps(recurrence: Recurrence) -> int:
    """How many lines of Python are run to name all days."""
    lines = 0

    def count(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        list(walls(recurrence))
    finally:
        sys.settrace(before)
    return lines


def days(rule: str, *excepted: str) -> list[str]:
    without = tuple(date.fromisoformat(day) for day in excepted)
    recurrence = Recurrence(start=START, rule=rule, excepted=without)
    return [f"{wall:%m-%d}" for wall in islice(walls(recurrence), 4)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=DAILY", ["03-01", "03-02", "03-03", "03-04"]),
        ("FREQ=DAILY;INTERVAL=10", ["03-01", "03-11", "03-21", "03-31"]),
        ("FREQ=DAILY;COUNT=2", ["03-01", "03-02"]),
        ("FREQ=DAILY;UNTIL=20260303", ["03-01", "03-02", "03-03"]),
        ("FREQ=DAILY;UNTIL=20260303T085959", ["03-01", "03-02"]),
        ("FREQ=WEEKLY", ["03-01", "03-08", "03-15", "03-22"]),
        ("FREQ=WEEKLY;BYDAY=MO,TH", ["03-02", "03-05", "03-09", "03-12"]),
        ("FREQ=MONTHLY", ["03-01", "04-01", "05-01", "06-01"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31", ["03-31", "05-31", "07-31", "08-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", ["03-31", "04-30", "05-31", "06-30"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", ["03-27", "04-24", "05-29", "06-26"]),
        ("FREQ=MONTHLY;BYDAY=1MO;INTERVAL=2", ["03-02", "05-04", "07-06", "09-07"]),
        ("FREQ=MONTHLY;BYDAY=SU,1MO", ["03-01", "03-02", "03-08", "03-15"]),
        ("FREQ=MONTHLY;BYDAY=SU;BYMONTHDAY=1", ["03-01", "11-01", "08-01", "10-01"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU", ["03-01", "03-09", "03-15", "03-23"]),
    ],
)
def test_a_rule_names_these_days(rule: str, expected: list[str]) -> None:
    assert wrong_rule(rule) is None
    assert days(rule) == expected


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("weekly", "FREQ=WEEKLY"),
        ("Weekly", "FREQ=WEEKLY"),
        ("freq=weekly;byday=mo,Th", "FREQ=WEEKLY;BYDAY=MO,TH"),
        (" FREQ=DAILY\n", "FREQ=DAILY"),
    ],
)
def test_a_rule_is_read_in_any_case(written: str, rule: str) -> None:
    wire = {"at": f"{START:%Y-%m-%dT%H:%M}", "repeat": {"rule": written}}
    trigger = parse_when(wire, START.replace(tzinfo=UTC), "UTC")
    assert isinstance(trigger, Recurring) and trigger.recurrence.rule == rule


def test_excepted_days_are_left_out_and_counted() -> None:
    assert days("FREQ=DAILY;COUNT=3", "2026-03-02") == ["03-01", "03-03"]


def test_a_rule_without_an_end_ends() -> None:
    last = list(walls(Recurrence(start=START, rule="FREQ=MONTHLY")))[-1]
    assert YEARS_MAX - 1 < (last - START).days / 365.25 < YEARS_MAX + 1


@given(
    st.text()
    | st.lists(
        st.sampled_from(["FREQ=", "DAILY", ";", "BYDAY=", "MO", ",", "1", "-", "UNTIL=", "2026"])
    )
)
def test_no_text_breaks_a_rule(wire: str | list[str]) -> None:
    rule = wire if isinstance(wire, str) else "".join(wire)
    if wrong_rule(rule) is None:
        list(islice(walls(Recurrence(start=START, rule=rule)), 3))


@given(RULES, st.integers(0, 4_000), st.sampled_from(["UTC", "Europe/Vienna", "Asia/Tokyo"]))
def test_the_latest_due_is_the_last_that_is_not_later(rule: str, hours: int, zone: str) -> None:
    recurrence = Recurrence(start=START, rule=rule)
    first = Recurring(recurrence=recurrence, next=next(walls(recurrence)), zone=zone)
    now = triggers.instant_of(first) + timedelta(hours=hours)
    latest = triggers.latest_due(first, now)
    assert isinstance(latest, Recurring) and triggers.instant_of(latest) <= now
    then = triggers.following(latest)
    assert then is None or (isinstance(then, Recurring) and triggers.instant_of(then) > now)
    assert triggers.occurrence(latest) == latest.next.isoformat()


@given(RULES, st.booleans(), st.sampled_from(list(Missed)), st.dates())
def test_what_is_saved_is_read_back(
    rule: str, is_in_own_time: bool, missed: Missed, day: date
) -> None:
    recurrence = Recurrence(start=START, rule=rule, excepted=(day,))
    assert load(dump(recurrence)) == recurrence
    trigger = Recurring(
        recurrence=recurrence,
        next=START,
        zone="Europe/Vienna",
        is_in_own_time=is_in_own_time,
        missed=missed,
    )
    assert triggers.load(triggers.dump(trigger), None) == trigger


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists), st.text())
def test_nothing_breaks_when_a_repetition_is_read(value: object, name: str) -> None:
    for repeat in (value, {name: value}, {"rule": value}, {"rule": "daily", "except": value}):
        wire = {"at": "2026-03-02T09:00", "repeat": repeat}
        assert isinstance(parse_when(wire, NOW, "UTC"), Rejected | Recurring | triggers.Once)
