"""What no calendar and no clock shows, in a date that is written as one: 29 February 2027, 24:00.
Pure."""

import calendar
import re
from typing import Any

OFFSET_HOURS_MAX = 14
"""No zone is further from UTC (Pacific/Kiritimati)."""
_WRITTEN = re.compile(
    r"\s*([0-9]{4})-?([0-9]{2})-?([0-9]{2})"
    r"(?:[T ]([0-9]{2}):?([0-9]{2})(?::?([0-9]{2})(?:[.,][0-9]+)?)?"
    r"(?:Z|[+-]([0-9]{2})(?::?[0-9]{2})?)?)?\s*",
    re.IGNORECASE,
)


def why_impossible(value: Any) -> str | None:
    """What can not be in a date or a time that is written as ISO 8601, as it follows its field's
    name; None: it is written in another way, or nothing is wrong with it."""
    match = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    if year == 0:
        return "is in the year 0000, which no calendar has: years begin with 0001"
    if not 1 <= month <= 12:
        return f"names the month {match[2]}: months are 01 to 12"
    days = calendar.monthrange(year, month)[1]
    if not 1 <= day <= days:
        return f"names a day that there is not: {calendar.month_name[month]} {year} has {days} days"
    hour, minute, second = (int(match[group] or 0) for group in (4, 5, 6))
    if hour == 24:
        return "names the hour 24: write midnight as 00:00 of the day that begins then"
    if hour > 23:
        return f"names the hour {hour}: hours are 00 to 23"
    if minute > 59:
        return f"names the minute {minute}: minutes are 00 to 59"
    if second > 59:
        return f"names the second {second}: seconds are 00 to 59"
    if int(match[7] or 0) > OFFSET_HOURS_MAX:
        return f"is {int(match[7])} hours from UTC: no zone is further than {OFFSET_HOURS_MAX}"
    return None
