"""What a sender tells its operator of Firebase apps, each thing once."""

from datetime import datetime
from uuid import UUID

import structlog

from clarion.customers.devices.device import Platform
from clarion.deliveries.apps.platform_limits import PlatformLimits
from clarion.deliveries.provider import ProviderApp
from clarion.deliveries.sending.chunk_result import ChunkResult
from clarion.outage_log import OutageLog

log = structlog.get_logger(__name__)


class Notices:
    """What one sender has logged, so that nothing is logged twice, and the platform limits that it
    has learned."""

    def __init__(self) -> None:
        self.limits = PlatformLimits()
        self._refused: set[tuple[UUID, Platform]] = set()
        self._paused: set[UUID] = set()
        self._vault = OutageLog("vault_locked", "error")

    def is_locked(self) -> None:
        """Notes that no key of a Firebase app can be opened."""
        self._vault.is_gone(cure="set CLARION_SECRET_KEY to the key used before")

    def is_paused(self, app_id: UUID) -> None:
        """Notes that deliveries wait for a paused app."""
        self._paused.add(app_id)

    def sends(self, app: ProviderApp) -> None:
        """Notes that the app is in use, and logs it if it was paused, or locked, before."""
        self._vault.is_there()
        if app.id in self._paused:
            self._paused.discard(app.id)
            log.info("firebase_app_goes_on", app=str(app.id), project=app.project_id)

    def learn(self, app: ProviderApp, result: ChunkResult, now: datetime) -> None:
        """Takes the platform limits from a chunk's result, and logs new ones."""
        self._tell_refused(app, result)
        self.limits.accept(app.id, result.accepted, now)
        if result.limited and self.limits.limit(app.id, result.limited, result.asked_seconds, now):
            log.warning(
                "platform_throttled",
                app=str(app.id),
                project=app.project_id,
                platforms=sorted(result.limited),
                quiet_seconds=round(result.asked_seconds, 1),
            )

    def settled(self, app_id: UUID, result: ChunkResult, *, is_trial: bool) -> None:
        """Notes whether settling a chunk has paused its app, or ended the pause."""
        if result.pause_reason is not None:
            self._paused.add(app_id)
        elif is_trial and result.answered:
            self._paused.discard(app_id)

    def _tell_refused(self, app: ProviderApp, result: ChunkResult) -> None:
        """Logs each platform that the provider has no credentials for, once."""
        for platform, detail in result.refused.items():
            if (app.id, platform) not in self._refused:
                self._refused.add((app.id, platform))
                log.error(
                    "platform_refused",
                    app=str(app.id),
                    project=app.project_id,
                    platform=platform.value,
                    reason=detail,
                    cure="upload the APNs key, or set the VAPID key, in the Firebase console",
                )
        for platform in result.accepted:
            if (app.id, platform) in self._refused and platform not in result.refused:
                self._refused.discard((app.id, platform))
                log.info(
                    "platform_goes_on",
                    app=str(app.id),
                    project=app.project_id,
                    platform=platform.value,
                )
