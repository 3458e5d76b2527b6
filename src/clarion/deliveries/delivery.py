"""A delivery: one push to one device for one launch, until it is settled. Pure.

                     ┌──────────── retry: throttled, unavailable ───────────┐
                     ▼                                                      │
    planned ──▶  pending  ──attempt──▶ outcome ─┬─ Accepted ─────────▶ accepted
                     │                          ├─ Unregistered ─────▶ unregistered
                     │                          ├─ Rejected ─────────▶ rejected(reason)
                     │                          ├─ too old to retry ─▶ expired(reason)
                     │                          └─ Misconfigured ────▶ held: pending until an
                     │                                                 operator has acted
                     ├─ not to be sent (checked again when sending) ─▶ skipped(reason)
                     └─ campaign cancelled ──────────────────────────▶ cancelled

Every delivery is in exactly one of these states, so the account balances at every instant:
planned = accepted + unregistered + rejected + skipped + expired + cancelled + pending (in flight).
A settled delivery never changes its state again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import sha1
from typing import assert_never
from uuid import UUID, uuid5

from msgspec import Struct

from clarion.deliveries.provider import (
    Accepted,
    Misconfigured,
    Outcome,
    Rejected,
    Throttled,
    Unavailable,
    Unregistered,
)


class DeliveryState(StrEnum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    UNREGISTERED = "unregistered"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Skip(StrEnum):
    """Why a planned delivery is not sent."""

    OPTED_OUT = "opted_out"
    DEVICE_MOVED = "device_moved"
    """It belongs to another customer than the one it was planned for."""
    REGISTRATION_REMOVED = "registration_removed"
    NO_FIREBASE_APP = "no_firebase_app"
    """Its source is bound to no Firebase app."""
    APNS_TOKEN = "apns_token"  # noqa: S105 - a reason
    """The app sent its APNs token instead of its FCM token."""
    NOTIFICATIONS_OFF = "notifications_off"
    """By the app's last word, its person does not let it show any."""
    NOT_RENDERED = "not_rendered"
    """Liquid failed for this customer."""
    NO_LIVE_ACTIVITY = "no_live_activity"
    """The content is a Live Activity's, and the device has told no token for it."""
    EXCLUDED = "excluded"
    """The workspace's exclusions name its customer."""
    CATEGORY_LEFT = "category_left"
    """Its customer has left the campaign's category."""
    FREQUENCY_CAP = "frequency_cap"
    """Its customer has got as many pushes lately as a frequency cap allows."""
    QUIET_HOURS = "quiet_hours"
    """It was quiet for its customer, and the workspace does not hold pushes until it is not."""
    LATE = "late"
    """The turn of its customer had passed longer ago than the campaign allows."""
    ERASED = "erased"
    """Its customer was erased before it was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """FCM asks for at least 10 s between tries, growing, and to give up after an hour."""

    first_seconds: float = 10.0
    longest_seconds: float = 600.0
    jitter: float = 0.25
    give_up_seconds: float = 3_600.0
    quiet_seconds: float = 60.0
    """How long nobody sends for an app that was throttled, where the provider does not say."""
    hold_seconds: float = 60.0
    """How soon a held delivery looks whether an operator has acted."""


class Settled(Struct, frozen=True, kw_only=True, gc=False):
    state: DeliveryState
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Try again at `due_at`; `reason`: what the provider said."""

    due_at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Not this delivery's fault nor its registration's: wait for an operator."""

    due_at: datetime
    reason: str
    detail: str


Verdict = Settled | Retry | Held

ACCEPTED = Settled(state=DeliveryState.ACCEPTED)
REPORTED = Settled(state=DeliveryState.ACCEPTED, reason="reported_by_app")
"""The provider's answer was lost, but the app has the push: so it was accepted."""


def judge(
    outcome: Outcome,
    *,
    attempts: int,
    first_tried_at: datetime,
    now: datetime,
    ttl_seconds: int,
    chance: float,
    policy: RetryPolicy,
) -> Verdict:
    """What an outcome means for a delivery whose `attempts`-th try (from 1) it answers."""

    if isinstance(outcome, Accepted):  # first: nearly all are
        return ACCEPTED

    def again(reason: str, asked: float | None, *, left: bool = True) -> Verdict:
        passed = (now - first_tried_at).total_seconds()
        # What never left is no attempt, so only the time that has passed can make the waits grow.
        grown = policy.first_seconds * 2 ** min(attempts - 1, 10) if left else passed
        delay = min(policy.longest_seconds, max(policy.first_seconds, grown))
        delay = max(delay, asked or 0.0) * (1 + policy.jitter * chance)
        lifetime = min(policy.give_up_seconds, float(ttl_seconds))
        # Not compared as times: what a server asks for may lie beyond the last of them.
        if passed + delay > lifetime:
            return Settled(state=DeliveryState.EXPIRED, reason=reason)
        return Retry(due_at=now + timedelta(seconds=delay), reason=reason)

    match outcome:
        case Unregistered(reason=reason):
            return Settled(state=DeliveryState.UNREGISTERED, reason=reason)
        case Rejected(reason=reason):
            return Settled(state=DeliveryState.REJECTED, reason=reason)
        case Throttled(retry_after_seconds=asked):
            return again("throttled", asked)
        case Unavailable(reason=reason, retry_after_seconds=asked, left=left):
            return again(reason, asked, left=left)
        case Misconfigured(reason=reason, platforms=platforms) if platforms:
            return again(reason, None)
        case Misconfigured(reason=reason, detail=detail):
            due_at = now + timedelta(seconds=policy.hold_seconds)
            return Held(due_at=due_at, reason=reason, detail=detail)
        case _:
            assert_never(outcome)


def delivery_id(launch_id: UUID, device_row_id: UUID) -> UUID:
    """A delivery's id is derived: planned twice it is the same."""
    return uuid5(launch_id, device_row_id.hex)


def push_tag(launch_id: UUID, device_row_id: UUID) -> str:
    """The delivery's id in hex: the same for every attempt, so that a repeat replaces."""
    return push_names(launch_id, device_row_id)[1]


def push_key(launch_id: UUID, device_row_id: UUID) -> str:
    """What travels in a push's data, and comes back when it is received or opened."""
    return push_names(launch_id, device_row_id)[0]


def push_names(launch_id: UUID, device_row_id: UUID) -> tuple[str, str]:
    """(key, tag): see `push_key` and `push_tag`."""
    launch_hex, launch_bytes = _launch_texts(launch_id)
    device_hex = device_row_id.hex
    digest = bytearray(sha1(launch_bytes + device_hex.encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50  # as uuid5 does, at a third of its cost
    digest[8] = digest[8] & 0x3F | 0x80
    return f"{launch_hex}.{device_hex}", digest.hex()


@lru_cache(maxsize=64)
def _launch_texts(launch_id: UUID) -> tuple[str, bytes]:
    return launch_id.hex, launch_id.bytes


def parse_push_key(text: str) -> tuple[UUID, UUID] | None:
    """(launch, device) of a `push_key`, or None where it is none."""
    launch, dot, device = text.partition(".")
    if not dot or len(launch) != 32 or len(device) != 32:
        return None
    try:
        return UUID(hex=launch), UUID(hex=device)
    except ValueError:
        return None
