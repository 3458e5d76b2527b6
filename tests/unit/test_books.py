"""Which pushes of a chunk are to leave, and what becomes of each delivery."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from clarion.campaigns.content import Content, ContentSpec
from clarion.campaigns.template import Template
from clarion.customers.device import Platform, Removal, TokenKind
from clarion.deliveries.books import RETRY_BUCKET_SECONDS, Books
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
from fakes.clock import START

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
        "user_id": "u",
        "traits": {},
    }
    return SimpleNamespace(**{**values, **changed})


def answered(outcome: Outcome, *, books: Books | None = None, **changed: Any) -> Books:
    """The books after the provider's answer to one push."""
    books = books or Books()
    one = row(**changed)
    push = books.prepare(LAUNCH, CONTENTS, None, one)
    assert push is not None
    books.enter(one, push, outcome, now=START, chance=0.0, policy=RetryPolicy())
    return books


def test_a_push_carries_its_key_its_tag_and_what_the_platform_sees() -> None:
    contents = {**CONTENTS, "Web": replace(SAID, title="Web")}
    assert Books().prepare(LAUNCH, contents, None, row(platform="Web", token_kind="fid")) == Push(
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
    books = Books()
    assert books.prepare(LAUNCH, CONTENTS, None, row(**changed)) is None
    assert books.settled == {DEVICE: Settled(state=DeliveryState.SKIPPED, reason=reason.value)}
    assert not books.sent


def test_a_push_that_shows_nothing_needs_no_permission() -> None:
    silent = dict.fromkeys(CONTENTS, replace(SAID, title=None, body=None, data={"sync": "1"}))
    assert Books().prepare(LAUNCH, silent, None, row(notifications_off=True)) is not None


def test_who_can_not_be_written_to_is_skipped_and_others_are_not() -> None:
    template = Template(ContentSpec(base=Content(title="{{ customer.x | divided_by: 0 }}")))
    books = Books()
    assert books.prepare(LAUNCH, CONTENTS, template, row(traits={"x": 1})) is None
    assert books.settled[DEVICE].reason == Skip.NOT_RENDERED.value
    greeting = Template(ContentSpec(base=Content(title="Hi {{ customer.name }}")))
    push = books.prepare(LAUNCH, CONTENTS, greeting, row(traits={"name": "Ada"}))
    assert push is not None and push.content.title == "Hi Ada"


def test_what_has_arrived_is_accepted_whatever_else_is_true() -> None:
    reported = Settled(state=DeliveryState.ACCEPTED, reason="reported_by_app")
    for act in (
        lambda books, one: books.prepare(LAUNCH, CONTENTS, None, one),
        lambda books, one: books.cancel(one),
        lambda books, one: books.give_up(one),
    ):
        books = Books()
        act(books, row(has_arrived=True, is_still_theirs=False, push_opted_out=True))
        assert (books.settled, books.sent) == ({DEVICE: reported}, set())


def test_what_is_cancelled_or_has_nothing_to_go_through_is_settled_so() -> None:
    books = Books()
    books.cancel(row())
    assert books.settled == {DEVICE: Settled(state=DeliveryState.CANCELLED)}
    books.give_up(row())
    assert books.settled[DEVICE].reason == Skip.NO_FIREBASE_APP.value


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Accepted(), DeliveryState.ACCEPTED),
        (Unregistered(reason="unregistered"), DeliveryState.UNREGISTERED),
        (Rejected(reason="payload_too_big"), DeliveryState.REJECTED),
    ],
)
def test_a_final_answer_settles_and_counts_as_sent(outcome: Outcome, state: DeliveryState) -> None:
    books = answered(outcome)
    assert books.settled[DEVICE].state is state
    assert (books.sent, dict(books.again), books.held) == ({DEVICE}, {}, [])


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
    books = answered(Unavailable(reason="down"))
    [(due_at, device_ids)] = books.again.items()
    assert device_ids == [DEVICE]
    assert timedelta(0) <= due_at - START - timedelta(seconds=10)
    assert due_at - START - timedelta(seconds=10) < timedelta(seconds=RETRY_BUCKET_SECONDS)
    assert not books.settled and not books.sent


def test_claims_that_were_lost_are_tries_too() -> None:
    [later] = answered(Unavailable(reason="down"), books=Books(lost=3)).again
    assert later - START >= timedelta(seconds=80)


def test_an_answer_that_never_came_is_noted_whether_it_is_tried_again_or_not() -> None:
    silent = Unavailable(reason="timeout", maybe_accepted=True)
    assert answered(silent).unanswered == {DEVICE}
    last = answered(silent, first_tried_at=START - timedelta(hours=1))
    assert last.settled[DEVICE].state is DeliveryState.EXPIRED
    assert (last.unanswered, last.sent) == ({DEVICE}, {DEVICE})
    assert answered(Unavailable(reason="http_503")).unanswered == set()


def test_what_an_operator_must_put_right_is_held_with_the_reason() -> None:
    books = answered(Misconfigured(reason="permission_denied", detail="the key was withdrawn"))
    assert (books.held, books.settled, dict(books.again)) == ([DEVICE], {}, {})
    assert books.pause_reason == "permission_denied: the key was withdrawn"
    assert answered(Misconfigured(reason="sender_mismatch")).pause_reason == "sender_mismatch"
