"""What the log is told of something that is away: that it is, once, and that it is back.

Whoever reads the log in the morning finds both ends of every outage, and not a line for each call
that met it in between.
"""

from time import monotonic

import structlog

log = structlog.get_logger(__name__)

BACK = {
    "agent_failed": "agent_goes_on",
    "agent_waits": "agent_goes_on",
    "broker_awaited": "broker_found",
    "erasure_not_kept": "erasure_kept_again",
    "events_not_durable": "events_durable_again",
    "events_refused": "events_taken_again",
    "fcm_trouble": "fcm_back_again",
    "firebase_app_paused": "firebase_app_goes_on",
    "identity_secrets_locked": "identity_secrets_open",
    "lease_not_prolonged": "lease_prolonged_again",
    "not_ready": "ready_again",
    "platform_refused": "platform_goes_on",
    "settling_waits": "settling_goes_on",
    "turned_away_not_written": "turned_away_written_again",
    "vault_locked": "vault_open",
}
"""What is logged when something is away, and when it is back."""


class OutageLog:
    """Of one thing, in one process. `gone`: a key of `BACK`."""

    def __init__(self, gone: str, level: str = "warning") -> None:
        self._gone = gone
        self._back = BACK[gone]
        self._level = level
        self._since: float | None = None
        self._told: object = None
        self._times = 0

    def is_gone(self, about: object = None, **words: object) -> None:
        """It was met. Logged the first time, and where `about`, such as the part that is away, is
        another than was told last."""
        self._times += 1
        if self._since is None:
            self._since = monotonic()
        elif about == self._told:
            return
        self._told = about
        getattr(log, self._level)(self._gone, **words)

    def is_there(self, **words: object) -> None:
        """It works. Logged where it was gone."""
        if self._since is None:
            return
        after = round(monotonic() - self._since, 1)
        log.info(self._back, after_seconds=after, times=self._times, **words)
        self._since, self._told, self._times = None, None, 0
