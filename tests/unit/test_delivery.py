"""What an outcome means for a delivery: settled, tried again, or held."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.deliveries.delivery import (
    DeliveryState,
    Held,
    Retry,
    RetryPolicy,
    Settled,
    Verdict,
    delivery_id,
    judge,
    parse_push_key,
    push_key,
    push_tag,
)
from clarion.deliveries.provider import (
    Accepted,
    Misconfigured,
    Outcome,
    Platform,
    Rejected,
    Throttled,
    ThrottleScope,
    Unavailable,
    Unregistered,
)
from support.clock import START

POLICY = RetryPolicy()
DAY = 86_400


def verdict(outcome: Outcome, **changed: Any) -> Verdict:
    """The verdict on a first try of a push that lives for a day, without jitter."""
    case: dict[str, Any] = {
        "attempts": 1,
        "first_tried_at": START,
        "now": START,
        "ttl_seconds": DAY,
        "chance": 0.0,
        "policy": POLICY,
        **changed,
    }
    return judge(outcome, **case)


def delay(outcome: Outcome, **changed: Any) -> float:
    found = verdict(outcome, **changed)
    assert isinstance(found, Retry), found
    asked_at: datetime = changed.get("now", START)
    return (found.due_at - asked_at).total_seconds()


def throttled(seconds: float | None = None) -> Outcome:
    return Throttled(scope=ThrottleScope.APP, retry_after_seconds=seconds)


def unavailable(seconds: float | None = None) -> Outcome:
    return Unavailable(reason="unavailable", retry_after_seconds=seconds)


PASSING = [throttled(), unavailable(), Misconfigured(reason="x", platforms=frozenset(Platform))]
"""What passes by itself: try again."""


# --- each outcome ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "settled"),
    [
        (Accepted(), Settled(state=DeliveryState.ACCEPTED)),
        (
            Unregistered(reason="unregistered"),
            Settled(state=DeliveryState.UNREGISTERED, reason="unregistered"),
        ),
        (
            Rejected(reason="payload_too_big", detail="4097 bytes"),
            Settled(state=DeliveryState.REJECTED, reason="payload_too_big"),
        ),
    ],
)
def test_an_answer_that_is_final_settles_whatever_the_time(
    outcome: Outcome, settled: Settled
) -> None:
    assert verdict(outcome) == settled
    assert verdict(outcome, attempts=99, now=START + timedelta(days=9), ttl_seconds=0) == settled


def test_what_an_operator_must_put_right_is_held_and_never_expires() -> None:
    outcome = Misconfigured(reason="permission_denied", detail="the key was withdrawn")
    late = START + timedelta(days=9)
    assert verdict(outcome, attempts=99, now=late, ttl_seconds=0) == Held(
        due_at=late + timedelta(seconds=POLICY.hold_seconds),
        reason="permission_denied",
        detail="the key was withdrawn",
    )


def test_what_concerns_one_platform_alone_holds_up_no_other() -> None:
    outcome = Misconfigured(reason="apns_auth", platforms=frozenset({Platform.IOS}))
    assert isinstance(verdict(outcome), Retry)
    last = verdict(outcome, now=START + timedelta(hours=1))
    assert last == Settled(state=DeliveryState.EXPIRED, reason="apns_auth")


# --- how long it waits ----------------------------------------------------------------------


def test_each_try_waits_twice_as_long_up_to_ten_minutes() -> None:
    waits = [delay(unavailable(), attempts=number) for number in range(1, 10)]
    assert waits == [10, 20, 40, 80, 160, 320, 600, 600, 600]


@pytest.mark.parametrize("outcome", PASSING)
def test_no_try_comes_sooner_than_ten_seconds_after_another(outcome: Outcome) -> None:
    assert all(delay(outcome, attempts=number) >= 10 for number in (1, 2, 9, 60, 2_000))


def test_what_the_provider_asks_for_is_kept_where_it_is_longer() -> None:
    assert delay(throttled(3)) == 10
    assert delay(throttled(45)) == 45
    assert delay(unavailable(1_800)) == 1_800
    assert delay(unavailable(60), attempts=7) == 600


def test_jitter_only_lengthens_and_by_a_quarter_at_most() -> None:
    assert delay(throttled(100), chance=0.0) == 100
    assert delay(throttled(100), chance=0.5) == pytest.approx(112.5)
    assert delay(throttled(100), chance=0.999) < 125


# --- when it gives up -----------------------------------------------------------------------


def test_after_an_hour_it_gives_up_with_the_last_reason() -> None:
    hour = timedelta(hours=1)
    almost = START + hour - timedelta(seconds=10)
    assert isinstance(verdict(unavailable(), now=almost), Retry)
    just = almost + timedelta(seconds=1)
    expired = Settled(state=DeliveryState.EXPIRED, reason="unavailable")
    assert verdict(unavailable(), now=just) == expired
    assert verdict(unavailable(), now=START + hour) == expired
    assert verdict(throttled(), now=just) == replace_reason(expired, "throttled")


def replace_reason(settled: Settled, reason: str) -> Settled:
    return Settled(state=settled.state, reason=reason)


def test_a_push_is_not_tried_after_its_time_to_live() -> None:
    assert isinstance(verdict(unavailable(), ttl_seconds=10), Retry)
    assert isinstance(verdict(unavailable(), ttl_seconds=9), Settled)
    at = START + timedelta(seconds=25)
    assert isinstance(verdict(unavailable(), attempts=2, now=at, ttl_seconds=45), Retry)
    assert isinstance(verdict(unavailable(), attempts=2, now=at, ttl_seconds=44), Settled)


@pytest.mark.parametrize("outcome", PASSING)
def test_a_push_for_now_or_never_is_tried_once(outcome: Outcome) -> None:
    found = verdict(outcome, ttl_seconds=0)
    assert isinstance(found, Settled)
    assert found.state is DeliveryState.EXPIRED


@pytest.mark.parametrize("seconds", [3_601, 1e9, 1e15, 1e300, float("inf")])
def test_being_asked_to_wait_for_ever_is_giving_up(seconds: float) -> None:
    assert isinstance(verdict(throttled(seconds)), Settled)
    assert isinstance(verdict(unavailable(seconds)), Settled)


# --- in general -----------------------------------------------------------------------------

asked = st.none() | st.floats(0, 5_000) | st.sampled_from([0.0, -5.0, 1e12, float("inf")])
passing = st.builds(Throttled, scope=st.sampled_from(ThrottleScope), retry_after_seconds=asked) | (
    st.builds(
        Unavailable,
        reason=st.just("unavailable"),
        retry_after_seconds=asked,
        maybe_accepted=st.booleans(),
    )
)
outcomes = passing | st.sampled_from(
    [
        Accepted(),
        Unregistered(reason="unregistered"),
        Rejected(reason="x"),
        Misconfigured(reason="x"),
        *PASSING,
    ]
)


@given(
    outcome=outcomes,
    attempts=st.integers(1, 50),
    elapsed=st.floats(0, 2 * DAY),
    ttl_seconds=st.sampled_from([0, 1, 60, 3_599, 3_600, 3_601]) | st.integers(0, 2_419_200),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_every_retry_is_neither_too_soon_nor_too_late(
    outcome: Outcome, attempts: int, elapsed: float, ttl_seconds: int, chance: float
) -> None:
    now = START + timedelta(seconds=elapsed)
    found = verdict(outcome, attempts=attempts, now=now, ttl_seconds=ttl_seconds, chance=chance)
    if isinstance(found, Retry):
        wait = (found.due_at - now).total_seconds()
        wanted = getattr(outcome, "retry_after_seconds", None) or 0
        assert wait >= max(POLICY.first_seconds, wanted) - 1e-6
        assert wait <= max(POLICY.longest_seconds, wanted) * (1 + POLICY.jitter) + 1e-6
        lifetime = min(POLICY.give_up_seconds, ttl_seconds)
        assert (found.due_at - START).total_seconds() <= lifetime + 1e-6


@given(st.lists(passing, min_size=1, max_size=100), st.floats(0, 1, exclude_max=True))
def test_a_delivery_that_is_never_taken_ends_within_the_hour(
    answers: list[Outcome], chance: float
) -> None:
    now, number = START, 0
    while True:
        outcome = answers[number % len(answers)]
        number += 1
        found = verdict(outcome, attempts=number, now=now, chance=chance)
        if isinstance(found, Settled):
            assert found.state is DeliveryState.EXPIRED
            break
        assert isinstance(found, Retry)
        now = found.due_at
    assert number <= 12
    assert now - START <= timedelta(hours=1)


def test_a_policy_of_one_s_own_is_followed() -> None:
    policy = replace(POLICY, first_seconds=60, longest_seconds=120, give_up_seconds=DAY)
    waits = [delay(unavailable(), attempts=number, policy=policy) for number in (1, 2, 3)]
    assert waits == [60, 120, 120]


# --- keys -----------------------------------------------------------------------------------


def test_a_delivery_planned_twice_is_the_same_one() -> None:
    launch, device = UUID(int=1), UUID(int=2)
    assert delivery_id(launch, device) == uuid5(launch, device.hex)
    assert delivery_id(launch, device) != delivery_id(device, launch)


@given(st.uuids(), st.uuids())
def test_a_tag_is_the_delivery_s_id_in_hex(launch: UUID, device: UUID) -> None:
    assert push_tag(launch, device) == delivery_id(launch, device).hex
    assert len(push_tag(launch, device)) == 32


@given(st.uuids(), st.uuids())
def test_a_push_key_reads_back(launch: UUID, device: UUID) -> None:
    assert parse_push_key(push_key(launch, device)) == (launch, device)


@given(st.text() | st.text("0123456789abcdef.-{}xX_ \n", min_size=60, max_size=70))
def test_no_text_breaks_the_reading_of_push_keys(text: str) -> None:
    found = parse_push_key(text)
    assert found is None or len(text) == 65


@pytest.mark.parametrize(
    "text", ["", ".", "rubbish", "x" * 32 + "." + "y" * 32, "0" * 64, "0" * 33 + "." + "0" * 32]
)
def test_rubbish_is_no_push_key(text: str) -> None:
    assert parse_push_key(text) is None
