"""Which pushes of a chunk are to leave, and what becomes of each delivery."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from clarion.campaigns.content.spec import Content, ContentSpec
from clarion.campaigns.content.templates.template import Template
from clarion.customers.devices.device import Platform, Removal, Spares, TokenKind
from clarion.deliveries.delivery import (
    DeliveryState,
    RetryPolicy,
    Settled,
    Skip,
    delivery_id,
    push_key,
)
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
from clarion.deliveries.sending.chunk_result import RETRY_BUCKET_SECONDS, ChunkResult
from support.clock import START

LAUNCH, DEVICE = UUID(int=1), UUID(int=2)
SAID = Content(title="Hello")
CONTENTS = {one.value: SAID for one in Platform}


def row(**changed: Any) -> Any:
    """A pending delivery to a device that can be reached."""
    values = {
        "device_id": DEVICE,
        "is_still_theirs": True,
        "platform": "iOS",
        "attempts": 0,
        "first_tried_at": None,
        "device_state": "active",
        "token": "the-token",
        "token_kind": "fcm",
        "token_hash": "its-hash",
        "push_opted_out": False,
        "notifications_off": None,
        "has_arrived": False,
        "reason": None,
        "spares": None,
        "user_id": "u",
        "traits": {},
        "locale": None,
        "zone": None,
    }
    return SimpleNamespace(**{**values, **changed})


def answered(outcome: Outcome, *, result: ChunkResult | None = None, **changed: Any) -> ChunkResult:
    """The books after the provider's answer to one push."""
    result = result or ChunkResult()
    one = row(**changed)
    push = result.prepare(LAUNCH, CONTENTS, None, one)
    assert push is not None
    if one.spares:
        result.spares = {one.device_id: Spares(one.source_id, one.spares)}
    result.enter(one, push, outcome, now=START, chance=0.0, policy=RetryPolicy())
    return result


def closed(result: ChunkResult, **known: Any) -> ChunkResult:
    result.close(now=START, chance=0.0, policy=RetryPolicy(), **known)
    return result


def test_a_push_carries_its_key_its_tag_and_what_the_platform_sees() -> None:
    contents = {**CONTENTS, "Web": replace(SAID, title="Web")}
    assert ChunkResult().prepare(
        LAUNCH, contents, None, row(platform="Web", token_kind="fid")
    ) == Push(
        token="the-token",
        token_kind=TokenKind.FID,
        platform=Platform.WEB,
        delivery_id=push_key(LAUNCH, DEVICE),
        tag=delivery_id(LAUNCH, DEVICE).hex,
        content=replace(SAID, title="Web"),
    )


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"is_still_theirs": False}, Skip.DEVICE_MOVED),
        ({"is_still_theirs": None, "device_state": None, "token": None}, Skip.DEVICE_MOVED),
        ({"device_state": "removed"}, Skip.REGISTRATION_REMOVED),
        ({"token": None}, Skip.REGISTRATION_REMOVED),
        ({"push_opted_out": True}, Skip.OPTED_OUT),
        ({"token_kind": "apns"}, Skip.APNS_TOKEN),
        ({"notifications_off": True}, Skip.NOTIFICATIONS_OFF),
    ],
)
def test_what_is_not_to_be_sent_after_all_is_skipped(changed: Any, reason: Skip) -> None:
    result = ChunkResult()
    assert result.prepare(LAUNCH, CONTENTS, None, row(**changed)) is None
    assert result.settled == {DEVICE: Settled(state=DeliveryState.SKIPPED, reason=reason.value)}
    assert not result.sent


def test_a_push_that_shows_nothing_needs_no_permission() -> None:
    silent = dict.fromkeys(CONTENTS, replace(SAID, title=None, body=None, data={"sync": "1"}))
    assert ChunkResult().prepare(LAUNCH, silent, None, row(notifications_off=True)) is not None


def test_who_can_not_be_written_to_is_skipped_and_others_are_not() -> None:
    template = Template(ContentSpec(base=Content(title="{{ customer.x | divided_by: 0 }}")))
    result = ChunkResult()
    assert result.prepare(LAUNCH, CONTENTS, template, row(traits={"x": 1})) is None
    assert result.settled[DEVICE].reason == Skip.NOT_RENDERED.value
    greeting = Template(ContentSpec(base=Content(title="Hi {{ customer.name }}")))
    push = result.prepare(LAUNCH, CONTENTS, greeting, row(traits={"name": "Ada"}))
    assert push is not None and push.content.title == "Hi Ada"


def test_what_has_arrived_is_accepted_whatever_else_is_true() -> None:
    reported = Settled(state=DeliveryState.ACCEPTED, reason="reported_by_app")
    acts: tuple[Callable[[ChunkResult, Any], object], ...] = (
        lambda result, one: result.prepare(LAUNCH, CONTENTS, None, one),
        lambda result, one: result.cancel(one),
        lambda result, one: result.give_up(one),
    )
    for act in acts:
        result = ChunkResult()
        act(result, row(has_arrived=True, is_still_theirs=False, push_opted_out=True))
        assert (result.settled, result.sent) == ({DEVICE: reported}, set())


def test_what_is_cancelled_or_has_nothing_to_go_through_is_settled_so() -> None:
    result = ChunkResult()
    result.cancel(row())
    assert result.settled == {DEVICE: Settled(state=DeliveryState.CANCELLED)}
    result.give_up(row())
    assert result.settled[DEVICE].reason == Skip.NO_FIREBASE_APP.value


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Accepted(), DeliveryState.ACCEPTED),
        (Unregistered(reason="unregistered"), DeliveryState.UNREGISTERED),
        (Rejected(reason="payload_too_big"), DeliveryState.REJECTED),
    ],
)
def test_a_final_answer_settles_and_counts_as_sent(outcome: Outcome, state: DeliveryState) -> None:
    result = answered(outcome)
    assert result.settled[DEVICE].state is state
    assert (result.sent, dict(result.again), result.held) == ({DEVICE}, {}, [])


def test_only_an_unregistered_token_is_to_be_removed_and_only_that_one() -> None:
    removal = Removal(device_row_id=DEVICE, token_hash="its-hash", reason="malformed_token")
    assert answered(Unregistered(reason="malformed_token")).removals == [removal]
    for outcome in (
        Accepted(),
        Rejected(reason="x"),
        Throttled(scope=ThrottleScope.DEVICE),
        Unavailable(reason="x", maybe_accepted=True),
        Misconfigured(reason="x"),
        Misconfigured(reason="x", platforms=frozenset({Platform.IOS})),
    ):
        assert answered(outcome).removals == []


def test_retries_are_gathered_by_time_and_never_too_soon() -> None:
    result = answered(Unavailable(reason="down"))
    [(due_at, device_ids)] = result.again.items()
    assert device_ids == [DEVICE]
    assert timedelta(0) <= due_at - START - timedelta(seconds=10)
    assert due_at - START - timedelta(seconds=10) < timedelta(seconds=RETRY_BUCKET_SECONDS)
    assert not result.settled and not result.sent


def test_claims_that_were_lost_are_tries_too() -> None:
    [later] = answered(Unavailable(reason="down"), result=ChunkResult(lost=3)).again
    assert later - START >= timedelta(seconds=80)


def test_an_answer_that_never_came_is_noted_whether_it_is_tried_again_or_not() -> None:
    silent = Unavailable(reason="timeout", maybe_accepted=True)
    assert answered(silent).unanswered == {DEVICE}
    last = answered(silent, first_tried_at=START - timedelta(hours=1))
    assert last.settled[DEVICE].state is DeliveryState.EXPIRED
    assert (last.unanswered, last.sent) == ({DEVICE}, {DEVICE})
    assert answered(Unavailable(reason="http_503")).unanswered == set()


DENIED = Misconfigured(reason="permission_denied", detail="the key was withdrawn")
NO_KEY = Misconfigured(reason="oauth_invalid_grant", detail="Invalid JWT Signature.", left=False)


def several(*answers: tuple[Outcome, dict[str, Any]], **known: Any) -> ChunkResult:
    """The closed books of a chunk of several devices."""
    result = ChunkResult()
    for number, (outcome, changed) in enumerate(answers):
        answered(outcome, result=result, **{"device_id": UUID(int=number), **changed})
    return closed(result, **known)


def test_one_answer_about_the_app_among_accepted_ones_is_that_pushs_own() -> None:
    result = several((DENIED, {}), *[(Accepted(), {})] * 9)
    assert (result.pause_reason, result.held, len(result.settled)) == (None, [], 9)
    [[device_id]] = result.again.values()
    assert result.reasons == {device_id: "doubted_permission_denied"}


def test_a_stray_answer_that_goes_on_expires_with_its_reason() -> None:
    late = {"first_tried_at": START - timedelta(hours=1), "reason": "doubted_not_found"}
    result = several((Misconfigured(reason="not_found"), late), (Accepted(), {}))
    assert result.settled[UUID(int=0)] == Settled(state=DeliveryState.EXPIRED, reason="not_found")
    assert result.pause_reason is None


def test_what_several_pushes_are_told_and_none_was_accepted_is_the_apps() -> None:
    result = several((DENIED, {}), (DENIED, {}))
    assert (len(result.held), result.settled, dict(result.again)) == (2, {}, {})
    assert result.pause_reason == "permission_denied: the key was withdrawn"
    assert several((DENIED, {}), (Unavailable(reason="down"), {})).pause_reason is None


def test_registrations_that_are_always_refused_do_not_speak_for_the_app() -> None:
    """They are tried again together and nobody else beside them."""
    doubted = {"reason": "doubted_unauthenticated", "attempts": 1}
    many = [(Misconfigured(reason="unauthenticated"), doubted)] * 5
    assert several(*many, accepted_at=START - timedelta(hours=1)).pause_reason is None
    assert several(*many, accepted_at=START - timedelta(hours=2)).pause_reason is not None
    assert several(*many).pause_reason is not None
    assert several(*many * 4, accepted_at=START).pause_reason is not None, "a permission withdrawn"


def test_the_answer_to_a_campaign_to_one_phone_must_repeat() -> None:
    first = several((DENIED, {}))
    assert (first.pause_reason, len(first.again)) == (None, 1)
    assert several((DENIED, {"reason": "doubted_permission_denied"})).pause_reason is not None


def test_a_key_that_gives_no_access_token_is_certain_and_no_push_has_left() -> None:
    result = several((NO_KEY, {}))
    assert result.pause_reason == "oauth_invalid_grant: Invalid JWT Signature."
    assert (len(result.held), result.left) == (1, set())
    assert several((DENIED, {}), (DENIED, {})).left == {UUID(int=0), UUID(int=1)}


def test_a_trial_of_a_paused_app_holds_what_is_refused_again_and_lets_nothing_expire() -> None:
    old = {"first_tried_at": START - timedelta(days=1)}
    assert len(several((DENIED, old), is_trial=True).held) == 1
    back = several((DENIED, {}), (Accepted(), {}), is_trial=True)
    assert (back.held, back.answered) == ([], 1)


def test_what_never_left_is_no_attempt_and_its_waits_grow_with_the_time() -> None:
    away = Unavailable(reason="unreachable", left=False)
    for seconds, wait in ((0, 10), (40, 40), (900, 600)):
        result = answered(away, first_tried_at=START - timedelta(seconds=seconds))
        assert result.left == set()
        [due_at] = result.again
        assert timedelta(0) <= due_at - START - timedelta(seconds=wait) < timedelta(seconds=5)


QUOTA = Throttled(scope=ThrottleScope.APP, retry_after_seconds=30)
WEB = {"platform": "Web"}


def test_a_quota_of_one_platforms_devices_slows_that_platform_alone() -> None:
    result = several((QUOTA, WEB), (QUOTA, WEB), (Accepted(), {}))
    assert (result.limited, result.asked_seconds) == (frozenset({Platform.WEB}), 30)
    assert result.quiet_seconds is None


def test_a_quota_that_is_met_everywhere_or_alone_is_the_projects() -> None:
    cases: list[list[tuple[Outcome, dict[str, Any]]]] = [
        [(QUOTA, WEB), (QUOTA, {})],
        [(QUOTA, WEB)],
        [(QUOTA, {}), (QUOTA, {}), (Accepted(), {}), (Accepted(), WEB)],
    ]
    for answers in cases:
        result = several(*answers)
        assert (result.limited, result.quiet_seconds) == (frozenset(), 30)
    alone = several((QUOTA, WEB), known_limited=frozenset({Platform.WEB}))
    assert (alone.limited, alone.quiet_seconds) == (frozenset({Platform.WEB}), None)


def test_a_limit_that_is_said_to_be_browsers_own_is_theirs() -> None:
    browsers = Throttled(scope=ThrottleScope.PLATFORM, retry_after_seconds=30)
    result = several((browsers, WEB))
    assert (result.limited, result.quiet_seconds) == (frozenset({Platform.WEB}), None)
    both = several((browsers, WEB), (QUOTA, {}))
    assert (both.limited, both.quiet_seconds) == (frozenset({Platform.WEB}), 30)


def test_what_was_accepted_a_moment_ago_on_another_platform_counts() -> None:
    lately = frozenset({Platform.IOS})
    assert several((QUOTA, WEB), accepted_lately=lately).limited == {Platform.WEB}
    assert several((QUOTA, {}), accepted_lately=lately).quiet_seconds == 30
    both = lately | {Platform.WEB}
    assert several((QUOTA, WEB), accepted_lately=both).quiet_seconds == 30


def test_being_asked_to_come_back_at_once_is_not_being_told_nothing() -> None:
    now = Throttled(scope=ThrottleScope.APP, retry_after_seconds=0.0)
    assert several((now, {})).quiet_seconds == 0
    assert several((Throttled(scope=ThrottleScope.APP), {})).quiet_seconds == 60


TOKEN_BESIDE = [{"token_kind": "fcm", "state": "active", "token": "the-token"}]
BY_FID = {"token_kind": "fid", "spares": TOKEN_BESIDE, "source_id": UUID(int=9)}
GONE = Unregistered(reason="unregistered")


def test_an_unknown_fid_beside_a_token_gives_way_to_it_at_once() -> None:
    result = several((GONE, BY_FID))
    assert (dict(result.again), result.settled) == ({START: [UUID(int=0)]}, {})
    assert result.reasons == {UUID(int=0): "fid_not_registered"}
    assert [one.token_hash for one in result.fallen_back] == ["its-hash"]
    assert (result.removals, result.unknown_fids) == ([], {UUID(int=9): 1})
    told = several((Accepted(), {"reason": "fid_not_registered"}))
    assert told.settled[UUID(int=0)].reason == "fid_not_registered"


@pytest.mark.parametrize(
    "spares",
    [
        None,
        [{"token_kind": "apns", "state": "active", "token": "t"}],
        [{"token_kind": "fcm", "state": "removed", "token": "t"}],
        [{"token_kind": "fcm", "state": "active", "token": None}],
    ],
)
def test_an_unknown_fid_with_nothing_beside_it_ends_the_device(spares: Any) -> None:
    result = several((GONE, {**BY_FID, "spares": spares}))
    assert (len(result.removals), result.fallen_back) == (1, [])


def test_a_fid_that_goes_on_being_unknown_is_not_tried_without_end() -> None:
    result = several((GONE, {**BY_FID, "reason": "fid_not_registered", "attempts": 1}))
    [due_at] = result.again
    assert due_at - START >= timedelta(seconds=20)


def test_a_registration_of_another_project_is_not_replaced_by_the_one_beside_it() -> None:
    result = several((Unregistered(reason="sender_mismatch"), BY_FID))
    assert [removal.reason for removal in result.removals] == ["sender_mismatch"]
