"""Time zones by their IANA names, and the instant at which a clock in one shows a time. Pure.

The names are those of the package `tzdata`, so that they are the same on every machine.

Where clocks are put forward, times between do not occur: such a time means the first instant after
the gap (02:30 means 03:00 of the new time). Where they are put back, times occur twice: such a time
means the first of the two.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from clarion.faults import Fault

DEFAULT = "UTC"


@cache
def names() -> frozenset[str]:
    """Every name that means a zone."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


def is_zone(value: Any) -> bool:
    """Whether this is the name of a zone, such as `Europe/Vienna`, exactly as IANA writes it."""
    return isinstance(value, str) and value in names()


def read_zone(value: Any, field: str) -> str | Fault:
    """The name of a zone, or what is wrong with it."""
    if is_zone(value):
        return str(value)
    return Fault(field, 'must be a time zone\'s name, such as "Europe/Vienna"')


def instant_at(wall: datetime, zone: str) -> datetime:
    """The instant, in UTC, at which clocks in `zone` show `wall`, which has no zone of its own; the
    module says what that is where clocks are put forward or back."""
    there = ZoneInfo(zone)
    first = wall.replace(tzinfo=there, fold=0).astimezone(UTC)
    if first.astimezone(there).replace(tzinfo=None) == wall.replace(fold=0):
        return first
    # In a gap: by the offset of after it the time lies before the change, by the one of before it
    # at the change or after.
    before = wall.replace(tzinfo=there, fold=1).astimezone(UTC)
    return _change_between(before, first, there)


def customer_zone(of_devices: Iterable[str], of_traits: Any, fallback: str) -> str:
    """A customer's own zone: that of the device that was seen last, of those that tell one
    (`of_devices`, the latest first); else that of their trait `timezone`; else `fallback`. What is
    no zone's name is passed over."""
    for zone in (*of_devices, of_traits):
        if is_zone(zone):
            return str(zone)
    return fallback


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The second in (before, after] from which the zone has another offset than at `before`."""
    offset = before.astimezone(zone).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    base = before.replace(microsecond=0)
    while high - low > 1:
        middle = (low + high) // 2
        if (base + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return base + timedelta(seconds=high)
