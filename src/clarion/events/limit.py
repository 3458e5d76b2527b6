"""How fast a write key may send: a token bucket. Pure.

The bucket holds `burst` events at most and gains `events_per_second`. A call is taken while there
is anything in it, whatever the call's size, and leaves a debt where it brings more than was there.
So a batch larger than the burst gets through, too, and over time none sends faster than its limit.
"""

from dataclasses import dataclass
from math import ceil

PER_SECOND_MAX = 1_000_000
BURST_SECONDS = 5
"""The burst of a limit that names none: so many seconds' worth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Of one write key, in one process."""

    events_per_second: int
    burst: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """What may still be sent at once, as of `at` (seconds on any clock)."""

    level: float
    at: float


def draw(limit: Limit, bucket: Bucket | None, events: int, now: float) -> Bucket | int:
    """The bucket once a call of `events` is taken; or, where it is empty, the whole seconds until
    the same call may come again: one at least. None: a full one."""
    level = float(limit.burst)
    if bucket is not None and now >= bucket.at:  # else the clock went back, and tells nothing
        gained = (now - bucket.at) * limit.events_per_second
        level = min(level, bucket.level + gained)
    if level < 1:
        return max(1, ceil((1 - level) / limit.events_per_second))
    return Bucket(level=level - max(1, events), at=now)
