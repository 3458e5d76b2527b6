"""Platforms that a provider has told alone to slow down: what one sender remembers of it. Pure.

Not shared between senders: another one is told the same by its first push, at no other's cost.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from clarion.customers.devices.device import Platform
from clarion.deliveries.apps.pacing import QUIET_SECONDS_MAX
from clarion.deliveries.sending.belief import LATELY_SECONDS, LIMITED_SECONDS


class PlatformLimits:
    """By Firebase app: which platforms are to hear nothing, and until when."""

    def __init__(self) -> None:
        self._until: dict[tuple[UUID, Platform], datetime] = {}
        self._accepted: dict[tuple[UUID, Platform], datetime] = {}

    def accept(self, app_id: UUID, platforms: Iterable[Platform], now: datetime) -> None:
        """They had pushes accepted."""
        for platform in platforms:
            self._accepted[app_id, platform] = now

    def accepted_lately(self, app_id: UUID, now: datetime) -> frozenset[Platform]:
        """Those that had pushes accepted a moment ago."""
        since = now - timedelta(seconds=LATELY_SECONDS)
        return frozenset(
            platform
            for (app, platform), at in self._accepted.items()
            if app == app_id and at >= since
        )

    def limit(
        self, app_id: UUID, platforms: Iterable[Platform], seconds: float, now: datetime
    ) -> bool:
        """They are to hear nothing for `seconds`. True: that is news."""
        limited_before = self.known(app_id, now)
        until = now + timedelta(seconds=min(seconds, QUIET_SECONDS_MAX))
        for platform in platforms:
            self._until[app_id, platform] = max(until, self._until.get((app_id, platform), until))
        return not limited_before.issuperset(platforms)

    def quiet(self, app_id: UUID, now: datetime) -> Mapping[str, datetime]:
        """Those that are to hear nothing now, and until when."""
        return {
            platform.value: until
            for (app, platform), until in self._until.items()
            if app == app_id and until > now
        }

    def known(self, app_id: UUID, now: datetime) -> frozenset[Platform]:
        """Those that have been limited alone lately."""
        late = now - timedelta(seconds=LIMITED_SECONDS)
        return frozenset(
            platform
            for (app, platform), until in self._until.items()
            if app == app_id and until > late
        )
