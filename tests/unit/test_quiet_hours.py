"""When it is quiet, and until when, in 24 zones over a year, and over changes of clocks."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from clarion.campaigns.limits.quiet_hours import (
    QuietHours,
    dump_quiet_hours,
    parse_quiet_hours,
    quiet_until,
)
from clarion.faults import Fault
from unit.test_time_zone import ZONES

NIGHT = QuietHours(start=time(22), end=time(8))
NOON = QuietHours(start=time(12, 30), end=time(14))
VIENNA = "Europe/Vienna"


def is_between(quiet: QuietHours, clock: time) -> bool:
    if quiet.start < quiet.end:
        return quiet.start <= clock < quiet.end
    return clock >= quiet.start or clock < quiet.end


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("quiet", [NIGHT, NOON])
def test_it_is_quiet_when_the_customers_clock_says_so_and_ends_when_it_says_so(
    zone: str, quiet: QuietHours
) -> None:
    there = ZoneInfo(zone)
    instant, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    while instant < end:
        until = quiet_until(quiet, zone, instant)
        shown = instant.astimezone(there)
        assert (until is not None) == is_between(quiet, shown.time()), shown
        if until is not None:
            assert until.astimezone(there).time() == quiet.end
            assert timedelta(0) < until - instant <= timedelta(hours=11, minutes=30)
            assert quiet_until(quiet, zone, until) is None
        instant += timedelta(hours=2, minutes=45)


def test_an_end_that_no_clock_shows_is_the_end_of_the_gap() -> None:
    quiet = QuietHours(start=time(23), end=time(2, 30))
    midnight = datetime.fromisoformat("2026-03-29T00:00:00+01:00")
    until = quiet_until(quiet, VIENNA, midnight)
    assert until == datetime.fromisoformat("2026-03-29T03:00:00+02:00")


def test_a_start_that_a_clock_shows_twice_is_the_first() -> None:
    quiet = QuietHours(start=time(2, 30), end=time(4))
    first = datetime.fromisoformat("2026-10-25T02:30:00+02:00")
    assert quiet_until(quiet, VIENNA, first - timedelta(seconds=1)) is None
    for later in (timedelta(0), timedelta(minutes=45), timedelta(hours=2, minutes=29)):
        until = quiet_until(quiet, VIENNA, first + later)
        assert until == datetime.fromisoformat("2026-10-25T04:00:00+01:00")


@pytest.mark.parametrize(
    ("wire", "fields"),
    [
        ([], ["quiet_hours"]),
        ({}, ["quiet_hours.start", "quiet_hours.end"]),
        ({"start": "24:00", "end": "8:00"}, ["quiet_hours.start", "quiet_hours.end"]),
        ({"start": "22:00", "end": "22:00"}, ["quiet_hours.end"]),
        ({"start": "22:00", "end": "08:00", "action": "wait"}, ["quiet_hours.action"]),
        ({"start": "22:00", "end": "08:00", "zone": "UTC"}, ["quiet_hours.zone"]),
    ],
)
def test_what_can_not_be_names_its_field(wire: object, fields: list[str]) -> None:
    faults: list[Fault] = []
    assert parse_quiet_hours(wire, faults) is None
    assert [fault.field for fault in faults] == fields


def test_what_is_written_comes_back() -> None:
    wire = {"start": "22:00", "end": "08:15", "action": "skip"}
    faults: list[Fault] = []
    assert dump_quiet_hours(parse_quiet_hours(wire, faults)) == wire
    assert parse_quiet_hours(None, faults) is None
    assert faults == []
