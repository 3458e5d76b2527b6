"""How long after FCM took a push its app reported it, in classes that can be counted. Pure."""

from bisect import bisect_left
from datetime import datetime
from enum import StrEnum

LATENCY_SECONDS = (1, 2, 5, 10, 30, 60, 300, 900, 3_600, 21_600, 86_400, 259_200)
"""What is not longer than one of these, and longer than the one before it, is one class."""
LONGER = 0
"""The class of what is longer than all of them."""


class Report(StrEnum):
    """What an app reports of a push."""

    RECEIVED = "received"
    OPENED = "opened"


def latency_class(accepted_at: datetime, reported_at: datetime) -> int:
    """The class of a latency, named by its greatest number of seconds. A report whose clock stands
    before the acceptance took no time."""
    seconds = (reported_at - accepted_at).total_seconds()
    place = bisect_left(LATENCY_SECONDS, seconds)
    return LATENCY_SECONDS[place] if place < len(LATENCY_SECONDS) else LONGER
