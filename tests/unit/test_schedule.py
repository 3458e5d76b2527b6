"""When a campaign launches, as people write it."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.campaigns.timing.schedule import (
    FUTURE_DAYS_MAX,
    PAST_SECONDS_MAX,
    parse_at,
    parse_when,
)
from clarion.faults import Rejected

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_now_is_now() -> None:
    assert parse_at("now", NOW) == NOW


@pytest.mark.parametrize(
    ("wire", "at"),
    [
        ("2026-03-01T12:00:00Z", NOW),
        ("2026-03-01T13:30:00+01:30", NOW),
        ("2026-03-01T07:00:00-05:00", NOW),
        ("2026-12-24T18:00:00+01:00", datetime(2026, 12, 24, 17, tzinfo=UTC)),
        ("2026-03-01 12:00:00.250+00:00", NOW + timedelta(milliseconds=250)),
        ("20260302T000000Z", datetime(2026, 3, 2, tzinfo=UTC)),
    ],
)
def test_a_time_with_its_offset_is_read(wire: str, at: datetime) -> None:
    found = parse_at(wire, NOW)
    assert found == at
    assert isinstance(found, datetime) and found.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("wire", "said"),
    [
        ("2026-12-24T18:00:00", "time zone"),
        ("2026-12-24", "time zone"),
        ("2025-12-24T18:00:00Z", "past"),
        ("2028-01-01T00:00:00Z", "ahead"),
        ("tomorrow", "ISO 8601"),
        ("", "ISO 8601"),
        ("Now", "ISO 8601"),
        ("2026-13-01T00:00:00Z", "the month 13: months are 01 to 12"),
        ("2026-02-30T00:00:00Z", "February 2026 has 28 days"),
        ("2026-12-24T24:00:00Z", "midnight as 00:00 of the day that begins then"),
        ("2026-12-24T18:60:00Z", "minutes are 00 to 59"),
        ("2026-12-24T18:00:00+23:59", "no zone is further than 14"),
        (None, "ISO 8601"),
        (1_800_000_000, "ISO 8601"),
        (True, "ISO 8601"),
        (["now"], "ISO 8601"),
        ("0001-01-01T00:00:00+14:00", "past"),
        ("9999-12-31T23:59:59-14:59", "ahead"),
    ],
)
def test_what_is_no_time_to_come_is_refused_with_the_cure(wire: Any, said: str) -> None:
    found = parse_at(wire, NOW)
    assert isinstance(found, Rejected)
    [fault] = found.faults
    assert fault.field == "at"
    assert said in fault.message


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2027-02-29T10:00", "February 2027 has 28 days"),
        ("2026-04-31T10:00", "April 2026 has 30 days"),
        ("2027-13-01T10:00", "the month 13"),
        ("2026-12-24T24:00", "midnight as 00:00 of the day that begins then"),
        ("2026-12-24T25:00", "hours are 00 to 23"),
        ("0000-01-01T10:00", "years begin with 0001"),
        ("2026-12-24T18:00Z", "local time without an offset"),
        ("soon", "local time"),
    ],
)
def test_a_local_time_that_there_is_not_is_named_as_what_it_is(at: str, said: str) -> None:
    """Wherever a local time stands: of a zone, each customer's own, the first of many."""
    of_each: list[dict[str, Any]] = [
        {"zone": "Europe/Vienna"},
        {"own_time": {}},
        {"repeat": {"rule": "daily"}},
    ]
    for more in of_each:
        found = parse_when({"at": at, **more}, NOW, "UTC")
        assert isinstance(found, Rejected), found
        assert [fault.field for fault in found.faults] == ["at"]
        assert said in found.message


@pytest.mark.parametrize(("year", "said"), [("1600", "past"), ("9996", "ahead")])
def test_a_leap_day_of_a_year_far_away_is_refused_for_its_year(year: str, said: str) -> None:
    found = parse_when({"at": f"{year}-02-29T10:00", "zone": "Europe/Vienna"}, NOW, "UTC")
    assert isinstance(found, Rejected)
    assert said in found.message


@pytest.mark.parametrize(
    ("repeat", "field", "said"),
    [
        ({"rule": "daily", "until": "2027-02-29"}, "until", "February 2027 has 28 days"),
        ({"rule": "daily", "until": "never"}, "until", "a day such as"),
        ({"rule": "FREQ=DAILY;COUNT=2", "until": "2026-12-31"}, "until", "its own end"),
        ({"rule": "daily", "until": "2026-03-01"}, "until", "before the first day"),
        ({"rule": "daily", "except": ["2026-03-04", "2027-02-29"]}, "except", "2027-02-29, which"),
        ({"rule": "daily", "except": "2026-03-04"}, "except", "a list"),
        ({"rule": "FREQ=DAILY;UNTIL=20270229"}, "rule", "February 2027 has 28 days"),
        ({"rule": "FREQ=DAILY;UNTIL=20261231T240000"}, "rule", "hour 24"),
        ({"rule": "FREQ=DAILY;COUNT=1", "except": ["2026-03-02"]}, "except", "no day to come"),
        (
            {"rule": "FREQ=WEEKLY;BYDAY=SU", "until": "2026-03-07"},
            "until",
            "no day to come",
        ),
    ],
)
def test_a_repetition_without_a_day_names_the_field_that_takes_it(
    repeat: dict[str, Any], field: str, said: str
) -> None:
    found = parse_when({"at": "2026-03-02T10:00", "repeat": repeat}, NOW, "UTC")
    assert isinstance(found, Rejected), found
    assert [fault.field for fault in found.faults] == [f"repeat.{field}"]
    assert said in found.message


def test_a_little_past_means_now_for_clocks_differ() -> None:
    just = NOW - timedelta(seconds=PAST_SECONDS_MAX)
    assert parse_at(just.isoformat(), NOW) == NOW
    assert isinstance(parse_at((just - timedelta(microseconds=1)).isoformat(), NOW), Rejected)


def test_the_last_time_that_may_be_chosen() -> None:
    last = NOW + timedelta(days=FUTURE_DAYS_MAX)
    assert parse_at(last.isoformat(), NOW) == last
    assert isinstance(parse_at((last + timedelta(microseconds=1)).isoformat(), NOW), Rejected)


@given(
    st.datetimes(
        timezones=st.integers(-23 * 60 - 59, 23 * 60 + 59).map(
            lambda minutes: timezone(timedelta(minutes=minutes))
        )
    )
)
def test_every_time_of_every_zone_is_read_or_refused(at: datetime) -> None:
    found = parse_at(at.isoformat(), NOW)
    if isinstance(found, datetime):
        assert found == max(at, NOW)


@given(st.text())
def test_no_text_breaks_it(wire: str) -> None:
    assert isinstance(parse_at(wire, NOW), datetime | Rejected)
