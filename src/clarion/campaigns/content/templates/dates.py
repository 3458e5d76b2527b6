"""Which instant a trait means, and how a campaign writes it: the `date` filter. Pure.

Apps send instants in every form: ISO 8601, the date texts of mail and of browsers, and seconds,
milliseconds or microseconds since 1970, as numbers or as texts. What is no date is none: a push
never waits or fails for it, and `default` gives it a value.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from dateutil import parser

CUSTOMER_ZONE = "customer"
"""Instead of a zone's name: that in which the customer is."""
WORKSPACE_ZONE = "workspace"
DATE_CHARACTERS_MAX = 100
FORMAT_CHARACTERS_MAX = 200
_MILLISECONDS_FROM = 1e11
"""Seconds reach the year 5138 before; milliseconds were as few until March 1973."""
_MICROSECONDS_FROM = 1e14
_MICROSECONDS_BELOW = 1e17
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"[+-]?\d{5,20}(\.\d{1,9})?")
_DAY_DIGITS = 8
_ZONE_NAME = re.compile(r"\s*\([^()]*\)$")
"""What browsers write after the offset: `GMT+0100 (Central European Standard Time)`."""
_DIRECTIVE = re.compile(r"%([-_0^#:]*)(\d*)([A-Za-z%+])")
_WIDTH_MAX = 20
# A text that leaves out the year, the month or the day would be another date with each of these.
_FILLINGS = (datetime(2000, 1, 1), datetime(2001, 2, 2))


def instant_of(value: Any, now: datetime | None = None) -> datetime | None:
    """The instant a trait means; in the time zone it was written in, a number in UTC."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return _of_number(value)
    if not isinstance(value, str) or len(value) > DATE_CHARACTERS_MAX:
        return None
    text = value.strip()
    if text in ("now", "today"):
        return now
    return _of_text(text)


def in_zone(instant: datetime, zone: str | None) -> datetime:
    """The same instant on a clock in that zone; None: in the zone it has. A day or a time that was
    sent without a zone is no instant, and stays as it is: a birthday is that day everywhere."""
    if zone is None or instant.tzinfo is None:
        return instant
    try:
        return instant.astimezone(ZoneInfo(zone))
    except OverflowError:  # in the first or last hours of all years
        return instant


def written(instant: datetime, form: str) -> str | None:
    """An instant in the form `strftime` reads; None where the form is none."""
    if len(form) > FORMAT_CHARACTERS_MAX:
        return None
    if any(width and int(width[:3]) > _WIDTH_MAX for _, width, _ in _DIRECTIVE.findall(form)):
        return None

    def directive(directive_match: re.Match[str]) -> str:
        match directive_match[3]:
            case "s":
                return str(int(_aware(instant).timestamp()))
            case "L":
                return f"{instant.microsecond // 1000:03d}"
            case "N":
                return f"{instant.microsecond * 1000:09d}"[: int(directive_match[2] or 9)]
            case "z" if ":" in directive_match[1]:
                offset = instant.strftime("%z")
                return f"{offset[:3]}:{offset[3:5]}" if offset else ""
            case _:
                return directive_match[0].replace(":", "")

    try:
        return instant.strftime(_DIRECTIVE.sub(directive, form))
    except (ValueError, UnicodeError, OverflowError):
        return None


def _of_number(number: float) -> datetime | None:
    size = abs(number)
    if not size < _MICROSECONDS_BELOW:
        return None
    scale = 1_000_000 if size >= _MICROSECONDS_FROM else 1_000 if size >= _MILLISECONDS_FROM else 1
    try:
        return _EPOCH + timedelta(microseconds=round(number * (1_000_000 // scale)))
    except OverflowError:
        return None


def _of_text(text: str) -> datetime | None:
    # "20260301" is a day, not a second of 1970.
    if _NUMBER.fullmatch(text) and not (len(text) == _DAY_DIGITS and text.isdecimal()):
        return _of_number(float(text) if "." in text else int(text))
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    if text.replace(".", "").lstrip("+-").isdecimal():
        return None
    try:
        first, second = (
            parser.parse(_ZONE_NAME.sub("", text), default=filling, tzinfos=_zone)
            for filling in _FILLINGS
        )
    except (ValueError, OverflowError, TypeError, AttributeError, IndexError):
        return None
    return first if first == second else None


def _zone(name: str | None, offset: int | None) -> timezone | None:
    """The zone of a text by its offset: names such as CST mean several."""
    if offset is None or not -86_400 < offset < 86_400:
        return UTC if name in ("UTC", "GMT", "Z") else None
    return timezone(timedelta(seconds=offset))


def _aware(instant: datetime) -> datetime:
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
