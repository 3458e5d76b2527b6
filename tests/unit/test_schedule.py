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
        ("2026-13-01T00:00:00Z", "ISO 8601"),
        ("2026-02-30T00:00:00Z", "ISO 8601"),
        (None, "ISO 8601"),
        (1_800_000_000, "ISO 8601"),
        (True, "ISO 8601"),
        (["now"], "ISO 8601"),
        ("0001-01-01T00:00:00+23:59", "past"),
        ("9999-12-31T23:59:59-23:59", "ahead"),
    ],
)
def test_what_is_no_time_to_come_is_refused_with_the_cure(wire: Any, said: str) -> None:
    found = parse_at(wire, NOW)
    assert isinstance(found, Rejected)
    [fault] = found.faults
    assert fault.field == "at"
    assert said in fault.message


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
