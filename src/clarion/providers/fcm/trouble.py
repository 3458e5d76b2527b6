"""Trouble with FCM, as its operator should hear of it: at once, then once a minute, and when it is
over. Pure, but for the log.

A push that meets trouble is tried again by itself, so nothing has to be done at once; but somebody
who wonders why a campaign is slow finds here what FCM said, how often, and since when.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

EVERY_SECONDS = 60.0
OVER_SECONDS = 10.0
"""So long without trouble, and pushes are answered: it is over."""
SLOW_SECONDS = 5.0
"""A call whose answers took longer was slow: Google's own limit for a step back is half a second,
and it is for one push."""

log = structlog.get_logger(__name__)


class Trouble:
    """One Firebase project's."""

    def __init__(self, project_id: str) -> None:
        self._project_id = project_id
        self._counts: Counter[str] = Counter()
        self._answers = 0
        self._since: datetime | None = None
        self._last: datetime | None = None
        self._next: datetime | None = None
        self._is_told = False

    def note(self, troubles: Mapping[str, int], answers: int, now: datetime) -> None:
        """What the answers to some pushes were: `troubles` those that were trouble, by kind, of
        `answers` in all."""
        self._answers += answers
        if troubles:
            self._counts.update(troubles)
            self._since = self._since or now
            self._last = now
        elif self._last is not None and now - self._last >= timedelta(seconds=OVER_SECONDS):
            self._end(now)
            return
        if self._counts and (self._next is None or now >= self._next):
            self._tell(now)

    def _tell(self, now: datetime) -> None:
        assert self._since is not None
        log.warning(
            "fcm_trouble",
            project=self._project_id,
            since=self._since.isoformat(timespec="seconds"),
            of_answers=self._answers,
            seen=dict(self._counts.most_common()),
            cure="pushes are tried again by themselves; https://status.firebase.google.com tells "
            "whether it is FCM, and `clarion check` whether it can be reached from here",
        )
        self._next = now + timedelta(seconds=EVERY_SECONDS)
        self._is_told = True
        self._counts.clear()
        self._answers = 0

    def _end(self, now: datetime) -> None:
        assert self._since is not None
        if self._is_told:
            log.info(
                "fcm_back_again",
                project=self._project_id,
                after_seconds=round((now - self._since).total_seconds()),
                seen=dict(self._counts.most_common()),
            )
        self._counts.clear()
        self._answers = 0
        self._since = self._last = None
        self._is_told = False
