"""How fast a write key may send: a token bucket. Pure.

It counts events; and of calls whose events are large, bytes: every BYTES_OF_EVENT count as one.

The bucket holds `burst` events at most and gains `events_per_second`. A call is taken while there
is anything in it, whatever the call's size, and leaves a debt where it brings more than was there.
So a batch larger than the burst gets through, too, and over time none sends faster than its limit.
"""

from dataclasses import dataclass
from math import ceil

from clarion.faults import Fault

BYTES_OF_EVENT = 4_096
"""So much may come for each event of the limit: more than SDKs' events have, and far less than one
may have."""
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


DEFAULT_LIMIT = Limit(events_per_second=1_000, burst=20_000)
"""Of a new source, unless it is made with another one or none."""


def limit_of(events_per_second: int, burst: int | None = None) -> Limit:
    """A limit; without `burst`, five seconds' worth may come at once."""
    if burst is None:
        burst = events_per_second * BURST_SECONDS
    return Limit(events_per_second=events_per_second, burst=burst)


def check_limit(limit: Limit) -> list[Fault]:
    """What is wrong with a limit that people set."""
    return [
        Fault(f"rate_limit.{name}", f"must be a number from 1 to {most}")
        for name, value, most in (
            ("events_per_second", limit.events_per_second, PER_SECOND_MAX),
            ("burst", limit.burst, PER_SECOND_MAX * BURST_SECONDS),
        )
        if not 1 <= value <= most
    ]


def draw(
    limit: Limit, bucket: Bucket | None, events: int, now: float, *, size: int = 0
) -> Bucket | int:
    """The bucket once a call of `events`, of `size` bytes together, is taken; or, where it is
    empty, the whole seconds until the same call may come again: one at least. None: a full one."""
    seconds = seconds_to_wait(limit, bucket, now)
    if seconds is not None:
        return seconds
    return debit(limit, bucket, events, now, size=size)


def debit(limit: Limit, bucket: Bucket | None, events: int, now: float, *, size: int = 0) -> Bucket:
    """The bucket once a call is taken, however little was in it."""
    return Bucket(level=_level(limit, bucket, now) - cost(events, size), at=now)


def seconds_to_wait(limit: Limit, bucket: Bucket | None, now: float) -> int | None:
    """Where the bucket is empty, the whole seconds until a call may come; else None."""
    level = _level(limit, bucket, now)
    return None if level >= 1 else max(1, ceil((1 - level) / limit.events_per_second))


def cost(events: int, size: int) -> int:
    """What a call takes out of the bucket."""
    return max(1, events, ceil(size / BYTES_OF_EVENT))


def _level(limit: Limit, bucket: Bucket | None, now: float) -> float:
    if bucket is None:
        return float(limit.burst)
    gained = max(0.0, now - bucket.at) * limit.events_per_second
    return min(float(limit.burst), bucket.level + gained)
