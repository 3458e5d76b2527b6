"""A date that there is not is told by what it has too much of, and one that there is passes."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.impossible_date import why_impossible


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2027-02-29", "names a day that there is not: February 2027 has 28 days"),
        ("2028-02-30", "February 2028 has 29 days"),
        ("1900-02-29", "February 1900 has 28 days"),
        ("2026-06-00", "June 2026 has 30 days"),
        ("20270229", "February 2027 has 28 days"),
        ("2027-13-01", "names the month 13"),
        ("2027-00-01", "names the month 00"),
        ("0000-01-01", "years begin with 0001"),
        ("2027-03-28T24:00", "write midnight as 00:00 of the day that begins then"),
        ("2027-03-28 24:00:00Z", "write midnight as 00:00"),
        ("2027-03-28T25:00", "hours are 00 to 23"),
        ("2027-03-28T10:60", "minutes are 00 to 59"),
        ("2027-03-28T10:00:60.5+01:00", "seconds are 00 to 59"),
        ("2027-03-28T10:00+15:00", "is 15 hours from UTC"),
        ("20270328T240000", "write midnight as 00:00"),
    ],
)
def test_what_there_is_not_is_told(text: str, said: str) -> None:
    assert said in (why_impossible(text) or "")


@pytest.mark.parametrize(
    "text", ["", "now", "28.03.2027", "2027-3-8", "2027-W08-1", None, 20270229]
)
def test_of_what_is_written_in_another_way_nothing_is_told(text: object) -> None:
    assert why_impossible(text) is None


@given(
    st.datetimes(min_value=datetime(1, 1, 1)),
    st.sampled_from(["T", " "]),
    st.none() | st.integers(-14, 14),
)
def test_every_time_there_is_passes(at: datetime, separator: str, hours: int | None) -> None:
    zone = None if hours is None else timezone(timedelta(hours=hours))
    assert why_impossible(at.replace(tzinfo=zone).isoformat(separator)) is None
    assert why_impossible(at.date().isoformat()) is None


@given(st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-2][0-9]:[0-6][0-9]", fullmatch=True))
def test_what_is_told_of_is_what_can_not_be_read(text: str) -> None:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        assert why_impossible(text) is not None
    else:  # later versions of Python read 24:00 as the next day
        assert why_impossible(text) is None or "T24:00" in text
