"""Trouble that was ordered (`POST /simulator/faults`): by plan, by chance, by quota. No I/O."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Annotated, Literal

import msgspec

from fcm_simulator.fcm.message_size import COUNTED
from fcm_simulator.fcm.outcomes import Trouble

RETRY_AFTER_SECONDS = 10
PLAN_LENGTH_MAX = 1_000_000
_WINDOW_SECONDS = 60.0
_P99_SIGMAS = 2.326


class Refusal(StrEnum):
    """Why the token endpoint grants nothing, until an operator has acted."""

    NONE = "none"
    """It does grant."""
    KEY = "key"
    """invalid_grant: the key was deleted."""
    ACCOUNT = "account"
    """invalid_grant: the account was deleted."""
    CLOCK = "clock"
    """invalid_grant: the caller's clock is wrong."""
    SCOPE = "scope"
    """invalid_scope."""
    CLIENT = "client"
    """disabled_client."""


Part = Literal["notification", "data", "android", "apns", "webpush"]
"""Of a message; those of `COUNTED`."""


class Latency(msgspec.Struct, forbid_unknown_fields=True):
    """A log-normal distribution."""

    median: Annotated[float, msgspec.Meta(gt=0)]
    p99: Annotated[float, msgspec.Meta(gt=0)]


class Orders(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The body of `POST /simulator/faults`: what is named is changed, the rest stays."""

    outage_seconds: float | None = None
    throttle_next: int | None = None
    retry_after: int | None = None
    retry_after_date: bool | None = None
    outage_retry_after: int | None = None
    latency_ms: float | Latency | None = None
    slow_ms: float | None = None
    plan: list[Trouble] | None = None
    rates: dict[Trouble, float] | None = None
    seed: int | None = None
    payload_counts: list[Literal["notification", "data", "android", "apns", "webpush"]] | None = (
        None
    )
    quota_per_minute: int | None = None
    device_quota_per_minute: int | None = None
    oauth_outage_seconds: float | None = None
    oauth_refuses: Refusal | None = None
    token_seconds: int | None = None
    expire_access_tokens: bool = False


@dataclass(slots=True)
class _Window:
    """A bucket that is filled to the brim at the end of each minute since its first push."""

    until: float
    used: int = 0


@dataclass(slots=True)
class Faults:
    """What has been ordered, and how much of it is left."""

    outage_until: float = 0.0
    oauth_outage_until: float = 0.0
    throttle_next: int = 0
    retry_after: int = RETRY_AFTER_SECONDS
    retry_after_date: bool = False
    outage_retry_after: int = 0
    """Of a 503; 0: no such header."""
    latency: float | Latency = 0.0
    slow_seconds: float = 5.0
    plan: deque[Trouble] = field(default_factory=deque)
    rates: dict[Trouble, float] = field(default_factory=dict)
    payload_counts: Sequence[str] = COUNTED
    """Which parts of a message count for its size."""
    quota_per_minute: int = 0
    """Of each project; 0: no quota."""
    device_quota_per_minute: int = 0
    _random: Random = field(default_factory=Random)
    _windows: dict[str, _Window] = field(default_factory=dict)

    def order(self, orders: Orders, now: float) -> None:
        if orders.outage_seconds is not None:
            self.outage_until = now + orders.outage_seconds
        if orders.oauth_outage_seconds is not None:
            self.oauth_outage_until = now + orders.oauth_outage_seconds
        if orders.throttle_next is not None:
            self.throttle_next = orders.throttle_next
            self.retry_after = RETRY_AFTER_SECONDS
        if orders.latency_ms is not None:
            self.latency = orders.latency_ms
        if orders.slow_ms is not None:
            self.slow_seconds = orders.slow_ms / 1000
        if orders.plan is not None:
            self.plan = deque(orders.plan, maxlen=PLAN_LENGTH_MAX)
        if orders.seed is not None:
            self._random = Random(orders.seed)
        for name in (
            "retry_after",
            "retry_after_date",
            "outage_retry_after",
            "rates",
            "payload_counts",
            "quota_per_minute",
            "device_quota_per_minute",
        ):
            value = getattr(orders, name)
            if value is not None:
                setattr(self, name, value)

    def next(self, now: float) -> Trouble:
        """What is to happen to the push that has just come in."""
        if now < self.outage_until:
            return Trouble.UNAVAILABLE
        if self.throttle_next > 0:
            self.throttle_next -= 1
            return Trouble.THROTTLED
        if self.plan:
            return self.plan.popleft()
        if self.rates:
            chance = self._random.random()
            for trouble, rate in self.rates.items():
                chance -= rate
                if chance < 0:
                    return trouble
        return Trouble.OK

    def delay(self) -> float:
        """How many seconds FCM takes for the push that has just come in."""
        if isinstance(self.latency, Latency):
            median, p99 = self.latency.median, self.latency.p99
            sigma = math.log(max(p99, median) / median) / _P99_SIGMAS
            return self._random.lognormvariate(math.log(median), sigma) / 1000
        return self.latency / 1000

    def over_quota(self, project: str, now: float) -> float:
        """Counts a push for its project; seconds until there is room again, 0.0 if there is."""
        if not self.quota_per_minute:
            return 0.0
        return self._count(project, self.quota_per_minute, now)

    def over_device_quota(self, target: str, now: float) -> float:
        """The same for one registration."""
        if not self.device_quota_per_minute:
            return 0.0
        return self._count(f"device {target}", self.device_quota_per_minute, now)

    def _count(self, key: str, limit: int, now: float) -> float:
        window = self._windows.get(key)
        if window is None or now >= window.until:
            start = now if window is None else now - (now - window.until) % _WINDOW_SECONDS
            window = self._windows[key] = _Window(start + _WINDOW_SECONDS)
        if window.used >= limit:
            return window.until - now
        window.used += 1
        return 0.0
