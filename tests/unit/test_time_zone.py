"""Which instant a wall clock's time is, wherever clocks are put forward or back, and whose zone is
whose."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.faults import Fault
from clarion.time_zone import customer_zone, instant_at, is_zone, names, read_zone

ZONES = (
    "Pacific/Kiritimati", "Pacific/Chatham", "Pacific/Auckland", "Australia/Lord_Howe",
    "Australia/Sydney", "Australia/Adelaide", "Asia/Tokyo", "Asia/Kathmandu", "Asia/Kolkata",
    "Asia/Tehran", "Europe/Moscow", "Asia/Beirut", "Europe/Vienna", "Europe/Dublin", "UTC",
    "Africa/Casablanca", "Atlantic/Azores", "America/Nuuk", "America/St_Johns",
    "America/Santiago", "America/Havana", "America/New_York", "America/Los_Angeles",
    "Pacific/Honolulu",
)  # fmt: skip
"""24 that put their clocks forward and back on many days and by as much as there is, or never."""
YEAR = datetime(2026, 1, 1)


def shown_in(zone: str, instant: datetime) -> datetime:
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


@pytest.mark.parametrize("zone", ZONES)
def test_each_half_hour_of_a_year_is_the_first_instant_that_shows_it_or_later(zone: str) -> None:
    """Told from the instants alone: step by step, which times a clock shows, and when first."""
    first_shown: dict[datetime, datetime] = {}
    instant, end = YEAR.replace(tzinfo=UTC) - timedelta(days=1), datetime(2027, 1, 3, tzinfo=UTC)
    while instant < end:
        first_shown.setdefault(shown_in(zone, instant), instant)
        instant += timedelta(minutes=15)
    shown = sorted(first_shown)
    place = 0
    gaps = 0
    for half_hour in range(365 * 48):
        wall = YEAR + timedelta(minutes=30 * half_hour)
        while shown[place] < wall:
            place += 1
        gaps += shown[place] != wall
        assert instant_at(wall, zone) == first_shown[shown[place]], wall
    assert gaps in (0, 1, 2)


@given(
    st.datetimes(datetime(1980, 1, 1), datetime(2060, 1, 1)),
    st.sampled_from(sorted(names())),
)
def test_an_instant_shows_the_time_or_is_the_first_after_a_gap(wall: datetime, zone: str) -> None:
    instant = instant_at(wall, zone)
    shown = shown_in(zone, instant)
    assert shown >= wall
    if shown == wall:
        earlier = wall.replace(tzinfo=ZoneInfo(zone), fold=1).astimezone(UTC)
        assert shown_in(zone, earlier) != wall or instant <= earlier
    else:
        assert shown_in(zone, instant - timedelta(seconds=1)) < wall


@pytest.mark.parametrize(
    ("wall", "zone", "instant"),
    [
        ("2026-03-29T02:00", "Europe/Vienna", "2026-03-29T01:00"),  # put forward: 02:00 is 03:00
        ("2026-03-29T02:59:59", "Europe/Vienna", "2026-03-29T01:00"),
        ("2026-03-29T03:00", "Europe/Vienna", "2026-03-29T01:00"),
        ("2026-10-25T02:30", "Europe/Vienna", "2026-10-25T00:30"),  # twice: the first
        ("2026-10-04T02:15", "Australia/Lord_Howe", "2026-10-03T15:30"),  # by half an hour
        ("2026-09-06T00:00", "America/Santiago", "2026-09-06T04:00"),  # there is no midnight
        ("2011-12-30T09:00", "Pacific/Apia", "2011-12-30T10:00"),  # nor was there such a day
        ("2026-01-01T00:00", "Pacific/Kiritimati", "2025-12-31T10:00"),
    ],
)
def test_gaps_and_folds_by_example(wall: str, zone: str, instant: str) -> None:
    at = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert instant_at(datetime.fromisoformat(wall), zone) == at


def test_a_name_is_one_of_ianas() -> None:
    assert all(is_zone(zone) for zone in ZONES)
    assert read_zone("Asia/Calcutta", "zone") == "Asia/Calcutta"
    for wrong in ("europe/vienna", "Europe", "../UTC", "", "localtime", None, 1, ["UTC"]):
        assert isinstance(read_zone(wrong, "zone"), Fault)


def test_a_customers_zone_is_their_latest_devices_or_their_traits_or_the_fallback() -> None:
    vienna, tokyo = "Europe/Vienna", "Asia/Tokyo"
    assert customer_zone([vienna, tokyo], "UTC", "Asia/Dubai") == vienna
    assert customer_zone(["GMT+2", tokyo], "UTC", "Asia/Dubai") == tokyo
    assert customer_zone(["GMT+2"], vienna, "Asia/Dubai") == vienna
    assert customer_zone([], "CEST", "Asia/Dubai") == "Asia/Dubai"
    assert customer_zone([], 3, "Asia/Dubai") == "Asia/Dubai"
