"""How long ago registrations were refreshed, and what becomes of those that are not. Pure.

An app should register again every 30 to 45 days; FCM itself calls a token stale after a month
without a connection. So a registration is **fresh** for 30 days, then **due**, and **stale** once
the workspace's number of days is over: the next sweep removes it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

DUE_AFTER_DAYS = 30
AGES = ("fresh", "due", "stale")


class CohortBy(StrEnum):
    """What devices are put together by."""

    PLATFORM = "platform"
    SOURCE = "source"
    APP_VERSION = "app_version"
    """As SDKs tell it; none where no event told one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """Registered before `stale`: stale; before `due`: due; else fresh."""

    due: datetime
    stale: datetime


def edges(now: datetime, stale_after_days: int) -> Edges:
    """The edges at `now`. Nothing is due later than it is stale."""
    return Edges(
        due=now - timedelta(days=min(DUE_AFTER_DAYS, stale_after_days)),
        stale=now - timedelta(days=stale_after_days),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Devices that have something in common, and how fresh their registrations are. `value` None:
    it is not known of them. `removed`: gone stale and removed, and not back since;
    `notifications_off`: the active ones whose person lets their app show none."""

    value: str | None
    fresh: int
    due: int
    stale: int
    removed: int
    notifications_off: int = 0

    @property
    def active(self) -> int:
        return self.fresh + self.due + self.stale

    @property
    def fresh_share(self) -> float:
        """Of the active ones, to four digits; 1 where there is none."""
        return round(self.fresh / self.active, 4) if self.active else 1.0
