"""When it is whose turn, of a launch at each customer's own time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from clarion.campaigns.timing.own_time import (
    OwnTime,
    PastZones,
    begins_at,
    dump,
    ends_at,
    load,
    turn,
)
from clarion.time_zone import instant_at, names

WALLS = st.datetimes(datetime(2026, 1, 1), datetime(2036, 1, 1))
ZONES = st.sampled_from(sorted(names()))


@given(WALLS, ZONES)
def test_no_zone_comes_to_a_time_before_it_begins_or_after_it_ends(
    wall: datetime, zone: str
) -> None:
    assert begins_at(wall) <= instant_at(wall, zone) <= ends_at(wall) + timedelta(hours=1)


@given(WALLS, ZONES, st.integers(-3_000, 6_000), st.sampled_from(list(PastZones)))
def test_nobodys_turn_is_before_it_is_due_or_a_day_after(
    wall: datetime, zone: str, minutes: int, past: PastZones
) -> None:
    own = OwnTime(wall=wall, fallback="UTC", past=past)
    due_at = wall.replace(tzinfo=UTC) + timedelta(minutes=minutes)
    at, named = turn(own, zone, due_at), instant_at(wall, zone)
    if named >= due_at:
        assert at == named
    elif past is PastZones.AT_ONCE:
        assert at == due_at
    else:
        # Where clocks are put forward or back in between, a day is not 24 hours.
        assert due_at <= at <= due_at + timedelta(hours=26)
        shown = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        in_gap = instant_at(datetime.combine(shown.date(), wall.time()), zone)
        assert shown.time() == wall.time() or at == in_gap


def test_what_is_saved_is_read_back() -> None:
    own = OwnTime(wall=datetime(2026, 3, 1, 9), fallback="Europe/Vienna", past=PastZones.TOMORROW)
    assert load(dump(own)) == own
