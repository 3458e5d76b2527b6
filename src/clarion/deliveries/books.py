"""What is found out about one chunk: which pushes are to leave, and what became of each. Pure.

A row is a pending delivery as `chunk_store.open_deliveries` reads it: the delivery with its device
and customer as they are now. `has_arrived`: an earlier attempt's answer was lost, and meanwhile the
app has reported the push; it is not sent again.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from clarion.campaigns.content import Content, ContentFault
from clarion.campaigns.template import Template
from clarion.customers.device import Platform, Removal, TokenKind
from clarion.deliveries.delivery import (
    ACCEPTED,
    REPORTED,
    DeliveryState,
    Held,
    Retry,
    RetryPolicy,
    Settled,
    Skip,
    judge,
    push_key,
    push_tag,
)
from clarion.deliveries.provider import (
    Accepted,
    Misconfigured,
    Outcome,
    Push,
    Throttled,
    ThrottleScope,
    Unavailable,
    Unregistered,
)

RETRY_BUCKET_SECONDS = 5
"""Retries due within so many seconds of each other travel together."""


@dataclass(slots=True)
class Books:
    """The chunk's account while it is worked on. Every row ends in `settled`, `again`,
    `held` or `rest`."""

    lost: int = 0
    """Earlier claims of the chunk that were never settled: what they sent, if anything, left an
    answer that nobody saw."""
    settled: dict[UUID, Settled] = field(default_factory=dict)
    sent: set[UUID] = field(default_factory=set)
    again: dict[datetime, list[UUID]] = field(default_factory=lambda: defaultdict(list))
    unanswered: set[UUID] = field(default_factory=set)
    """Those of `again` and `settled` whose answer never came this time."""
    rest: list[UUID] = field(default_factory=list)
    """Those no push left for: their turn was not reached."""
    held: list[UUID] = field(default_factory=list)
    held_until: datetime | None = None
    pause_reason: str | None = None
    quiet_seconds: float | None = None
    """How long the provider wants to hear nothing from the whole app."""
    refused: dict[Platform, str] = field(default_factory=dict)
    """Platforms that the provider has no credentials for, and what it says."""
    removals: list[Removal] = field(default_factory=list)

    def cancel(self, row: Any) -> None:
        """The campaign was cancelled: no push is to leave any more."""
        self.settled[row.device_id] = REPORTED if row.has_arrived else CANCELLED

    def give_up(self, row: Any) -> None:
        """There is nothing to send it through."""
        self.settled[row.device_id] = REPORTED if row.has_arrived else NO_FIREBASE_APP

    def prepare(
        self, launch_id: UUID, contents: Mapping[str, Content], template: Template | None, row: Any
    ) -> Push | None:
        """The push that is to leave; None: none is, and `settled` says why."""
        ready = self._ready(launch_id, contents, template, row)
        if isinstance(ready, Push):
            return ready
        self.settled[row.device_id] = ready
        return None

    def enter(
        self,
        row: Any,
        push: Push,
        outcome: Outcome,
        *,
        now: datetime,
        chance: float,
        policy: RetryPolicy,
    ) -> None:
        """What the provider answered, and what it means."""
        device_id = row.device_id
        if isinstance(outcome, Accepted):
            self.settled[device_id] = ACCEPTED
            self.sent.add(device_id)
            return
        verdict = judge(
            outcome,
            attempts=row.attempts + self.lost + 1,
            first_tried_at=row.first_tried_at or now,
            now=now,
            ttl_seconds=push.content.ttl_seconds,
            chance=chance,
            policy=policy,
        )
        match verdict:
            case Settled():
                self.settled[device_id] = verdict
                self.sent.add(device_id)
            case Retry(due_at=due_at):
                self.again[_bucket(due_at)].append(device_id)
            case Held(due_at=due_at, reason=reason, detail=detail):
                self.held.append(device_id)
                self.held_until = due_at
                self.pause_reason = f"{reason}: {detail}" if detail else reason
        match outcome:
            case Unavailable(maybe_accepted=True):
                self.unanswered.add(device_id)
            case Throttled(scope=ThrottleScope.APP, retry_after_seconds=asked):
                self.quiet_seconds = max(self.quiet_seconds or 0.0, asked or policy.quiet_seconds)
            case Misconfigured(platforms=platforms, detail=detail):
                self.refused.update(dict.fromkeys(platforms, detail))
            case Unregistered(reason=reason):
                removal = Removal(device_row_id=device_id, token_hash=row.token_hash, reason=reason)
                self.removals.append(removal)

    def _ready(
        self, launch_id: UUID, contents: Mapping[str, Content], template: Template | None, row: Any
    ) -> Push | Settled:
        if row.has_arrived:
            return REPORTED
        if not row.is_still_theirs:
            return DEVICE_MOVED
        if row.device_state != "active" or row.token is None:
            return REGISTRATION_REMOVED
        if row.push_opted_out:
            return OPTED_OUT
        if row.token_kind == _APNS:
            return APNS_TOKEN
        platform = _PLATFORMS[row.platform]
        if template is None:
            content = contents[row.platform]
        else:
            rendered = template.render(platform, user_id=row.user_id, traits=row.traits or {})
            if isinstance(rendered, ContentFault):
                return NOT_RENDERED
            content = rendered
        if row.notifications_off and not content.is_silent:
            return NOTIFICATIONS_OFF
        return Push(
            token=row.token,
            token_kind=_TOKEN_KINDS[row.token_kind],
            platform=platform,
            delivery_id=push_key(launch_id, row.device_id),
            tag=push_tag(launch_id, row.device_id),
            content=content,
        )


def _bucket(due_at: datetime) -> datetime:
    seconds = -(-due_at.timestamp() // RETRY_BUCKET_SECONDS) * RETRY_BUCKET_SECONDS
    return datetime.fromtimestamp(seconds, tz=due_at.tzinfo)


def _skipped(reason: Skip) -> Settled:
    return Settled(state=DeliveryState.SKIPPED, reason=reason.value)


CANCELLED = Settled(state=DeliveryState.CANCELLED)
NO_FIREBASE_APP = _skipped(Skip.NO_FIREBASE_APP)
DEVICE_MOVED = _skipped(Skip.DEVICE_MOVED)
REGISTRATION_REMOVED = _skipped(Skip.REGISTRATION_REMOVED)
OPTED_OUT = _skipped(Skip.OPTED_OUT)
APNS_TOKEN = _skipped(Skip.APNS_TOKEN)
NOTIFICATIONS_OFF = _skipped(Skip.NOTIFICATIONS_OFF)
NOT_RENDERED = _skipped(Skip.NOT_RENDERED)
_APNS = TokenKind.APNS.value
_PLATFORMS = {one.value: one for one in Platform}
_TOKEN_KINDS = {one.value: one for one in TokenKind}
