"""On which days a campaign repeats, and what of that is saved."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice

import pytest
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
