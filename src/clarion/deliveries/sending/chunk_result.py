"""What is found out about one chunk: which pushes are to leave, and what became of each. Pure."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from clarion.campaigns.content.language import DEFAULT
from clarion.campaigns.content.spec import Content
from clarion.campaigns.content.templates.launch_values import NO_LAUNCH, LaunchValues
from clarion.campaigns.content.templates.template import Template
from clarion.customers.devices.device import NOT_KNOWN, Platform, Removal, Spares, TokenKind
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
    push_names,
)
from clarion.deliveries.planning.chunk import OpenDelivery
from clarion.deliveries.provider import (
    Accepted,
    Misconfigured,
    Outcome,
    Push,
    Rejected,
    Throttled,
    ThrottleScope,
    Unavailable,
    Unregistered,
)
from clarion.deliveries.sending.belief import DOUBTED, Answer, is_believed, limited_platforms
from clarion.faults import Fault

RETRY_BUCKET_SECONDS = 5
"""Retries due within so many seconds of each other travel together."""
NOT_BY_FID = "fid_not_registered"
"""Of a delivery: FCM does not know the FID its app tells; it goes to the device's token instead."""
NOT_BY_TOKEN = "token_not_registered"  # noqa: S105 - a reason
"""The other way round."""
_FALLEN_BACK = frozenset({NOT_BY_FID, NOT_BY_TOKEN})


@dataclass(slots=True)
class ChunkResult:
    """What became of one chunk so far. After `close` every delivery of the chunk is in exactly one
    of `settled`, `again`, `held`, `later` and `rest`."""

    lost: int = 0
    """Earlier claims of the chunk that were never settled: what they sent, if anything, left an
    answer that nobody saw."""
    values: LaunchValues = NO_LAUNCH
    """What templates read of the launch."""
    is_transactional: bool = False
    settled: dict[UUID, Settled] = field(default_factory=dict)
    sent: set[UUID] = field(default_factory=set)
    """Those of `settled` for which a push left."""
    left: set[UUID] = field(default_factory=set)
    """All for which a push left this time."""
    again: dict[datetime, list[UUID]] = field(default_factory=lambda: defaultdict(list))
    unanswered: set[UUID] = field(default_factory=set)
    """Those of `again` and `settled` whose answer never came this time."""
    rest: list[UUID] = field(default_factory=list)
    """Those no push left for: their turn was not reached."""
    held: list[UUID] = field(default_factory=list)
    held_until: datetime | None = None
    reasons: dict[UUID, str] = field(default_factory=dict)
    """Why those of `again` and `held` are not settled."""
    languages: dict[UUID, str] = field(default_factory=dict)
    """Of the texts that were chosen, where the content has several."""
    later: dict[datetime, list[UUID]] = field(default_factory=lambda: defaultdict(list))
    """Those whose platform is to hear nothing for a while: no push left for them."""
    blaming: list[Answer] = field(default_factory=list)
    """Answers that may speak of the whole app; until the books are closed."""
    accepted: Counter[Platform] = field(default_factory=Counter)
    answered: int = 0
    """Answers that only a provider gives that knows the app."""
    pause_reason: str | None = None
    throttled: Counter[Platform] = field(default_factory=Counter)
    asked_seconds: float = 0.0
    quiet_seconds: float | None = None
    """How long the provider wants to hear nothing from the whole app."""
    platform_throttled: set[Platform] = field(default_factory=set)
    limited: frozenset[Platform] = frozenset()
    """Platforms that alone are to hear nothing for `asked_seconds`."""
    refused: dict[Platform, str] = field(default_factory=dict)
    """Platforms that the provider has no credentials for, and what it says."""
    removals: list[Removal] = field(default_factory=list)
    fallen_back: list[Removal] = field(default_factory=list)
    """Registrations that FCM does not know, of devices that are reached by another one."""
    spares: Mapping[UUID, Spares] = field(default_factory=dict)
    """Of devices whose registration the provider does not know; before `enter`."""
    unknown_fids: Counter[UUID] = field(default_factory=Counter)
    """How many of them are FIDs, by the source that tells them."""

    def cancel(self, delivery: OpenDelivery) -> None:
        """Settles a delivery of a cancelled campaign without sending it."""
        self.settled[delivery.device_id] = REPORTED if delivery.has_arrived else CANCELLED

    def give_up(self, delivery: OpenDelivery) -> None:
        """Skips a delivery whose source has no provider app."""
        self.settled[delivery.device_id] = REPORTED if delivery.has_arrived else NO_FIREBASE_APP

    def prepare(
        self,
        launch_id: UUID,
        contents: Mapping[str, Content],
        template: Template | None,
        delivery: OpenDelivery,
        now: datetime | None = None,
    ) -> Push | None:
        """Builds the push of a delivery. Returns None if nothing is to be sent; the reason is in
        `settled` then.

        `now` is the instant that templates print as today.
        """
        ready = self._ready(launch_id, contents, template, delivery, now)
        if isinstance(ready, Push):
            return ready
        self.settled[delivery.device_id] = ready
        return None

    def enter(
        self,
        delivery: OpenDelivery,
        push: Push,
        outcome: Outcome,
        *,
        now: datetime,
        chance: float,
        policy: RetryPolicy,
    ) -> None:
        """Records the provider's answer to a push. Answers that may concern the whole app are
        judged in `close`."""
        if isinstance(outcome, Accepted):  # first: nearly all are
            self._accept(delivery, push.platform)
            return
        answer = Answer(delivery, push, outcome)
        if not isinstance(outcome, Unavailable | Misconfigured) or outcome.left:
            self.left.add(delivery.device_id)
        match outcome:
            case Misconfigured(platforms=platforms) if not platforms:
                self.blaming.append(answer)
            case Unregistered(reason=reason) if self._has_another(delivery, push, reason):
                self._fall_back(answer, now=now, chance=chance, policy=policy)
            case _:
                self._judge(answer, outcome, now=now, chance=chance, policy=policy)

    def close(
        self,
        *,
        now: datetime,
        chance: float,
        policy: RetryPolicy,
        accepted_at: datetime | None = None,
        is_trial: bool = False,
        known_limited: frozenset[Platform] = frozenset(),
        accepted_lately: frozenset[Platform] = frozenset(),
    ) -> None:
        """Judges the answers that may concern the whole app, once all answers are entered.
        `accepted_at`: when the app last had a push accepted; `is_trial`: the app is paused, and
        this chunk tries whether it works again; `known_limited`: platforms that are known to be
        throttled alone; `accepted_lately`: platforms on which other chunks had pushes accepted."""
        self._find_limits(known_limited, accepted_lately)
        again = sum((blame.delivery.reason or "").startswith(DOUBTED) for blame in self.blaming)
        is_true = (
            any(not _left(blame.outcome) for blame in self.blaming)
            or (is_trial and not self.answered)
            or is_believed(
                accepted=self.accepted.total(),
                blaming=len(self.blaming),
                again=again,
                accepted_at=accepted_at,
                now=now,
            )
        )
        for answer in self.blaming:
            outcome = answer.outcome
            assert isinstance(outcome, Misconfigured)
            if is_true:
                self._judge(answer, outcome, now=now, chance=chance, policy=policy)
                continue
            doubted = Unavailable(reason=outcome.reason)
            self._judge(answer, doubted, now=now, chance=chance, policy=policy)
            if answer.delivery.device_id in self.reasons:
                self.reasons[answer.delivery.device_id] = DOUBTED + outcome.reason

    def _find_limits(
        self, known_limited: frozenset[Platform], accepted_lately: frozenset[Platform]
    ) -> None:
        """Decides whether single platforms are throttled or the whole app."""
        alone = frozenset(self.platform_throttled)
        throttled = frozenset(self.throttled)
        if throttled and (
            limited_platforms(self.throttled, self.accepted)
            or throttled <= known_limited
            or (not throttled & accepted_lately and accepted_lately - throttled)
        ):
            alone |= throttled
        elif throttled:
            self.quiet_seconds = self.asked_seconds
        self.limited = alone

    def _accept(self, delivery: OpenDelivery, platform: Platform) -> None:
        device_id = delivery.device_id
        self.accepted[platform] += 1
        self.answered += 1
        self.settled[device_id] = _BY_THE_OTHER.get(delivery.reason, ACCEPTED)
        self.sent.add(device_id)
        self.left.add(device_id)

    def _has_another(self, delivery: OpenDelivery, push: Push, reason: str) -> bool:
        """Whether a device whose registration the provider does not know has another registration
        that can be sent to."""
        spares = self.spares.get(delivery.device_id) if reason in NOT_KNOWN else None
        return spares is not None and spares.reach(push.token_kind)

    def _fall_back(
        self, answer: Answer, *, now: datetime, chance: float, policy: RetryPolicy
    ) -> None:
        """Removes this registration and retries the push by the device's other one: immediately the
        first time, with back-off after that."""
        delivery = answer.delivery
        self.answered += 1
        self.fallen_back.append(_removal(delivery, "unregistered"))
        is_fid = answer.push.token_kind is TokenKind.FID
        reason = NOT_BY_FID if is_fid else NOT_BY_TOKEN
        if is_fid:
            self.unknown_fids[self.spares[delivery.device_id].source_id] += 1
        if delivery.reason in _FALLEN_BACK:
            outcome = Unavailable(reason=reason)
            self._judge(answer, outcome, now=now, chance=chance, policy=policy)
            return
        self.again[now].append(delivery.device_id)
        self.reasons[delivery.device_id] = reason

    def _judge(
        self, answer: Answer, outcome: Outcome, *, now: datetime, chance: float, policy: RetryPolicy
    ) -> None:
        delivery, platform = answer.delivery, answer.push.platform
        device_id = delivery.device_id
        verdict = judge(
            outcome,
            attempts=delivery.attempts + self.lost + 1,
            first_tried_at=delivery.first_tried_at or now,
            now=now,
            ttl_seconds=answer.push.content.ttl_seconds,
            chance=chance,
            policy=policy,
        )
        match verdict:
            case Settled():
                self.settled[device_id] = verdict
                if device_id in self.left:
                    self.sent.add(device_id)
            case Retry(due_at=due_at, reason=reason):
                self.again[_bucket(due_at)].append(device_id)
                self.reasons[device_id] = reason
            case Held(due_at=due_at, reason=reason, detail=detail):
                self.held.append(device_id)
                self.held_until = due_at
                self.reasons[device_id] = reason
                self.pause_reason = f"{reason}: {detail}" if detail else reason
        match outcome:
            case Unavailable(maybe_accepted=True):
                self.unanswered.add(device_id)
            case Throttled(scope=scope, retry_after_seconds=asked) if scope is not _DEVICE:
                if scope is ThrottleScope.APP:
                    self.throttled[platform] += 1
                else:
                    self.platform_throttled.add(platform)
                wanted = policy.quiet_seconds if asked is None else asked
                self.asked_seconds = max(self.asked_seconds, wanted)
            case Misconfigured(platforms=platforms, detail=detail) if platforms:
                self.answered += 1
                self.refused.update(dict.fromkeys(platforms, detail))
            case Unregistered(reason=reason):
                self.answered += 1
                self.removals.append(_removal(delivery, reason))
            case Rejected():
                self.answered += 1

    def _ready(
        self,
        launch_id: UUID,
        contents: Mapping[str, Content],
        template: Template | None,
        delivery: OpenDelivery,
        now: datetime | None,
    ) -> Push | Settled:
        if delivery.has_arrived:
            return REPORTED
        if not delivery.is_still_theirs:
            return DEVICE_MOVED
        if delivery.device_state != "active" or delivery.token is None:
            return REGISTRATION_REMOVED
        assert delivery.token_kind is not None, "a device with a token has its kind"
        if delivery.push_opted_out:
            return OPTED_OUT
        if delivery.token_kind == _APNS:
            return APNS_TOKEN
        platform = _PLATFORMS[delivery.platform]
        unrendered = None
        if template is None:
            content = contents[delivery.platform]
        else:
            traits = delivery.traits or {}
            variant = template.variant_for(traits, delivery.locale)
            if template.has_variants:
                self.languages[delivery.device_id] = variant or DEFAULT
            rendered = template.render(
                platform,
                user_id=delivery.user_id,
                traits=traits,
                now=now,
                variant=variant,
                launch=self.values,
                zone=delivery.zone,
            )
            if isinstance(rendered, Fault):
                return NOT_RENDERED
            content, unrendered = rendered, template.unrendered(platform, variant)
        if delivery.notifications_off and not content.is_silent:
            return NOTIFICATIONS_OFF
        live_activity_token = None
        if content.live_activity is not None:
            live_activity_token = delivery.live_activity_token(content.live_activity)
            if live_activity_token is None:
                return NO_LIVE_ACTIVITY
        key, tag = push_names(launch_id, delivery.device_id)
        return Push(
            token=delivery.token,
            token_kind=_TOKEN_KINDS[delivery.token_kind],
            platform=platform,
            delivery_id=key,
            tag=tag,
            content=content,
            unrendered=unrendered,
            live_activity_token=live_activity_token,
            is_transactional=self.is_transactional,
        )


def unknown_of(deliveries: Sequence[OpenDelivery], outcomes: Sequence[Outcome]) -> list[UUID]:
    """The ids of the devices whose registration the provider does not know."""
    return [
        delivery.device_id
        for delivery, outcome in zip(deliveries, outcomes, strict=False)
        if isinstance(outcome, Unregistered) and outcome.reason in NOT_KNOWN
    ]


def _left(outcome: Outcome) -> bool:
    return not isinstance(outcome, Misconfigured) or outcome.left


def _removal(delivery: OpenDelivery, reason: str) -> Removal:
    assert delivery.token_hash is not None, "a push left for its token"
    return Removal(device_row_id=delivery.device_id, token_hash=delivery.token_hash, reason=reason)


def _bucket(due_at: datetime) -> datetime:
    seconds = -(-due_at.timestamp() // RETRY_BUCKET_SECONDS) * RETRY_BUCKET_SECONDS
    return datetime.fromtimestamp(seconds, tz=due_at.tzinfo)


def _skipped(reason: Skip) -> Settled:
    return Settled(state=DeliveryState.SKIPPED, reason=reason.value)


CANCELLED = Settled(state=DeliveryState.CANCELLED)
_BY_THE_OTHER: Mapping[str | None, Settled] = {
    reason: Settled(state=DeliveryState.ACCEPTED, reason=reason) for reason in _FALLEN_BACK
}
NO_FIREBASE_APP = _skipped(Skip.NO_FIREBASE_APP)
DEVICE_MOVED = _skipped(Skip.DEVICE_MOVED)
REGISTRATION_REMOVED = _skipped(Skip.REGISTRATION_REMOVED)
OPTED_OUT = _skipped(Skip.OPTED_OUT)
APNS_TOKEN = _skipped(Skip.APNS_TOKEN)
NOTIFICATIONS_OFF = _skipped(Skip.NOTIFICATIONS_OFF)
NO_LIVE_ACTIVITY = _skipped(Skip.NO_LIVE_ACTIVITY)
NOT_RENDERED = _skipped(Skip.NOT_RENDERED)
_DEVICE = ThrottleScope.DEVICE
_APNS = TokenKind.APNS.value
_PLATFORMS = {platform.value: platform for platform in Platform}
_TOKEN_KINDS = {kind.value: kind for kind in TokenKind}
