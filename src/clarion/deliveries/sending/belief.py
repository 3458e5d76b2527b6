"""When an answer to one push is believed to speak of more than that push. Pure.

A provider answers 401, 403 or 404 where the key, its permission or the project is wrong: then every
push is told so, and the app must wait for an operator. It also gives such answers to single pushes
of a healthy app: Google has confirmed days on which one in fifty was a page of HTML with 404, and
401 for single registrations. So one such answer pauses nothing. It is believed only if none of the
same chunk was accepted, and

    several pushes say so at once, and not for the second time       the usual case
    or very many do, whatever they were told before                  a permission was withdrawn
    or one says it again, and for long nothing was accepted          a campaign to one phone

Else it is that push's own: tried again, and in the end expired. What the key itself says, where no
push has left, is certain.

A 429 is the whole project's, unless pushes to other platforms are taken beside it: the push
services of web browsers have limits of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from clarion.deliveries.planning.chunk import OpenDelivery
from clarion.deliveries.provider import Outcome, Platform, Push

REPEATS = 2
MANY = 20
PROVED_SECONDS = 7_200.0
"""Longer than a push is tried: one that is always refused must not outlast what it is compared
with."""
DOUBTED = "doubted_"
"""Begins the reason of a delivery that waits after an answer that was not believed."""
TRIAL_SECONDS = 60.0
TRIAL_SECONDS_MAX = 600.0
LATELY_SECONDS = 60.0
LIMITED_SECONDS = 900.0
"""A platform that alone was told to slow down is remembered for so long."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider said to one push."""

    delivery: OpenDelivery
    push: Push
    outcome: Outcome


def is_believed(
    *, accepted: int, blaming: int, again: int, accepted_at: datetime | None, now: datetime
) -> bool:
    """Whether the app is at fault: `blaming` pushes of a chunk were answered so, `again` of them
    not for the first time; `accepted_at`: when a push was last accepted with the app's present
    key."""
    if accepted or not blaming:
        return False
    if blaming - again >= REPEATS or blaming >= MANY:
        return True
    is_proved = accepted_at is not None and (now - accepted_at).total_seconds() < PROVED_SECONDS
    return again > 0 and not is_proved


def next_trial(paused_at: datetime, now: datetime) -> datetime:
    """When an app that was paused by its provider's answers is tried again: less and less often,
    but without end, since nobody reports a cure at the provider to Clarion."""
    passed = (now - paused_at).total_seconds()
    return now + timedelta(seconds=max(TRIAL_SECONDS, min(passed / 2, TRIAL_SECONDS_MAX)))


def limited_platforms(
    throttled: Mapping[Platform, int], accepted: Mapping[Platform, int]
) -> frozenset[Platform]:
    """The platforms that are throttled alone; empty if the whole project is, or none."""
    others = sum(count for platform, count in accepted.items() if platform not in throttled)
    own = sum(accepted.get(platform, 0) for platform in throttled)
    if others and (not own or others >= sum(throttled.values())):
        return frozenset(throttled)
    return frozenset()
