"""When an event happened: the app's time, corrected by how wrong its clock is. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Any

FUTURE_SECONDS_MAX = 60
"""A corrected time further ahead than this is taken for a wrong clock."""
FIRST_YEAR = 1971
"""An earlier time is a clock that was never set."""


def parse_time(value: Any) -> datetime | None:
    """An ISO 8601 time, or milliseconds since 1970, as aware UTC; None if it is neither."""
    try:
        if type(value) is str:
            at = datetime.fromisoformat(value.strip())
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        if type(value) in (int, float) and value > 100_000_000_000:
            return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def corrected(
    original: datetime | None, sent_at: datetime | None, received_at: datetime
) -> datetime:
    """receivedAt - (sentAt - original).

    receivedAt where the app gives no time or one that can not be; uncorrected where `sent_at` is
    unknown or before it. Years ago is possible (an import), more than a moment ahead is not.
    """
    if original is None:
        return received_at
    try:
        if sent_at is not None and sent_at >= original - timedelta(seconds=1):
            original = received_at - (sent_at - original)
    except OverflowError:
        return received_at
    latest = received_at + timedelta(seconds=FUTURE_SECONDS_MAX)
    return received_at if original > latest or original.year < FIRST_YEAR else original
