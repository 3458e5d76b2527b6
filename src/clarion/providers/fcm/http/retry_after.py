"""When a server wants to hear from us again: the header `Retry-After` (RFC 9110 §10.2.3). Pure.

libcurl reads it, too, but not beyond six hours, without fractions, and takes what is over for
absent. A date is compared with the server's own `Date`, where it names one: our clock may be wrong.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

SECONDS_MAX = 10.0 * 365 * 86_400
"""So that a number of any length can be counted with."""

_SECONDS = re.compile(r"[+-]?\d+(\.\d*)?")


def retry_after(header_lines: Iterable[bytes], now: datetime) -> float | None:
    """In how many seconds; 0: at once, for what it names has passed. None: it says nothing that can
    be read. The last header counts: those before belong to a redirect or to 1xx."""
    asked = said_at = None
    for line in header_lines:
        name, _, value = line.decode("latin-1").partition(":")
        match name.strip().lower():
            case "retry-after":
                asked = value.strip()
            case "date":
                said_at = _date(value.strip())
    if not asked:
        return None
    if _SECONDS.fullmatch(asked):
        return min(max(float(asked), 0.0), SECONDS_MAX)
    until = _date(asked)
    if until is None:
        return None
    return min(max((until - (said_at or now)).total_seconds(), 0.0), SECONDS_MAX)


def _date(text: str) -> datetime | None:
    """All three forms of an HTTP date."""
    try:
        read = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read
