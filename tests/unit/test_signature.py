"""Signed userIds: which events need a signature, what counts as one, and that none is stored."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
import pytest

from clarion.events.calls.call import Call, read_call
from clarion.events.calls.identity_verification import SIGNATURE, Judged, judge
from clarion.events.messages.proof import Proof
from clarion.events.messages.reserved import PUSH_NAMES
from clarion.sources.auth_result import Secret
from clarion.sources.signature import sign

OLD, NEW = Secret(id=UUID(int=1), text=b"cis_old"), Secret(id=UUID(int=2), text=b"cis_new")
DEVICE = {"deviceId": "D"}


def called(
    *events: dict[str, Any], secrets: tuple[Secret, ...] = (OLD, NEW), **call: Any
) -> Judged:
    body = msgspec.json.encode({"batch": events, **call})
    read = read_call(body, type_hint=None, new_message_id=lambda: "new")
    assert isinstance(read, Call)
    judged = judge(read, secrets)
    assert judged is not None
    return judged


def outcome(event: Mapping[str, Any], **call: Any) -> str:
    """What is known of an event's userId, or the code that refuses it."""
    left = called({"messageId": "m", **event}, **call).call
    outcomes: list[Any] = [*left.items, *left.refusals]
    (one,) = outcomes
    return str(getattr(one, "proof", None) or getattr(one, "code", "unasked"))


def signed(user_id: str, secret: Secret = NEW) -> dict[str, Any]:
    return {"context": {SIGNATURE: sign(secret.text, user_id)}}


def track(name: str, **fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": name, **fields}


ACTING = [
    {"type": "identify"},
    {"type": "alias", "previousId": "a"},
    *(track(name) for name in sorted(PUSH_NAMES)),
    track("REGISTER_PUSH"),
]
OTHER = [
    track("Product Viewed"),
    track("Product Viewed", properties=DEVICE),
    {"type": "page"},
    {"type": "screen"},
    {"type": "group", "groupId": "g"},
]


def test_a_signature_is_the_hmac_of_the_user_id_in_hex() -> None:
    expected = hmac.new(b"cis_new", "user-4711 ü".encode(), hashlib.sha256).hexdigest()
    assert sign(b"cis_new", "user-4711 ü") == expected


@pytest.mark.parametrize("event", ACTING, ids=str)
def test_what_acts_for_a_person_needs_a_signature(event: dict[str, Any]) -> None:
    mine = {**event, "userId": "U"}
    assert outcome(mine) == "signature_missing"
    assert outcome({**mine, "context": {SIGNATURE: "0" * 64}}) == "signature_wrong"
    assert outcome({**mine, **signed("V")}) == "signature_wrong"
    assert outcome({**mine, **signed("U")}) == "proven"
    assert outcome({**mine, "properties": {SIGNATURE: sign(OLD.text, "U")}}) == "proven"


@pytest.mark.parametrize("event", OTHER, ids=str)
def test_what_does_not_is_kept_and_known_as_unproven(event: dict[str, Any]) -> None:
    mine = {**event, "userId": "U"}
    assert outcome(mine) == "unproven"
    assert outcome({**mine, "context": {SIGNATURE: "0" * 64}}) == "unproven"
    assert outcome({**mine, **signed("U")}) == "proven"


def test_what_is_refused_is_known_by_the_type_that_its_path_gives() -> None:
    body = msgspec.json.encode({"userId": "U", "messageId": "m"})
    read = read_call(body, type_hint="identify", new_message_id=lambda: "new")
    assert isinstance(read, Call)
    judged = judge(read, (NEW,))
    assert judged is not None
    (refusal,) = judged.call.refusals
    assert (refusal.hint.type, refusal.hint.user_id) == ("identify", "U")


@pytest.mark.parametrize("event", [*ACTING, *OTHER], ids=str)
def test_an_event_that_names_no_person_needs_none(event: dict[str, Any]) -> None:
    for nobody in ({}, {"userId": None}, {"userId": " "}, {"userId": "null"}):
        assert outcome({**event, "anonymousId": "a", **nobody}) == "nobody"
    assert outcome({**event, "userId": "D", "properties": DEVICE}) == "device"
    assert outcome({**event, "userId": "D", "context": {"device": {"id": " D "}}}) == "device"


def test_only_the_device_that_the_event_is_of_can_stand_as_user_id() -> None:
    both = {"properties": DEVICE, "context": {"device": {"id": "D2"}}}
    assert outcome({"type": "identify", "userId": "D", **both}) == "device"
    assert outcome({"type": "identify", "userId": "D2", **both}) == "signature_missing"
    identify = {"type": "identify", "userId": "D"}
    assert outcome(identify, context={"device": {"id": "D"}}) == "device"
    elsewhere = {**identify, "context": {"device": {"id": "D2"}}}
    assert outcome(elsewhere, context={"device": {"id": "D"}}) == "signature_missing"


@pytest.mark.parametrize("written", ["U", " U ", "\tU"])
def test_the_user_id_that_is_signed_is_the_one_that_counts(written: str) -> None:
    assert outcome({"type": "identify", "userId": written, **signed("U")}) == "proven"
    assert outcome({"type": "identify", "userId": 42, **signed("42")}) == "proven"


@pytest.mark.parametrize("wrong", [7, True, ["x"], {"a": 1}, "ü" * 64, "", None, "0" * 100_0])
def test_a_signature_of_any_shape_is_none(wrong: Any) -> None:
    event = {"type": "identify", "userId": "U", "context": {SIGNATURE: wrong}}
    assert outcome(event) in ("signature_wrong", "signature_missing")


def test_a_signature_may_be_in_capitals_and_in_the_batch() -> None:
    capitals = sign(NEW.text, "U").upper()
    identify = {"type": "identify", "userId": "U"}
    assert outcome({**identify, "context": {SIGNATURE: capitals}}) == "proven"
    assert outcome(identify, context={SIGNATURE: capitals}) == "proven"


def test_a_name_that_stands_twice_is_read_as_it_is_read_later() -> None:
    """Else one id could be signed and another one act."""
    twice = (
        b'{"type":"identify","userId":"V","messageId":"m","userId":"U","context":{"%s":"%s"}}'
        % (SIGNATURE.encode(), sign(NEW.text, "V").encode())
    )
    body = b'{"batch":[' + twice + b"]}"
    read = read_call(body, type_hint=None, new_message_id=lambda: "new")
    assert isinstance(read, Call)
    judged = judge(read, (NEW,))
    assert judged is not None
    assert [refusal.code for refusal in judged.call.refusals] == ["signature_wrong"]


def test_no_signature_is_left_in_an_event_whoever_asks() -> None:
    value = sign(NEW.text, "U")
    event = {
        "type": "identify",
        "userId": "U",
        "traits": {"plan": "pro"},
        "context": {SIGNATURE: value, "locale": "de"},
        "properties": {SIGNATURE: value},
    }
    escaped = msgspec.json.encode({"type": "identify", "userId": "U"}).replace(
        b"}", b',"context":{"user\\u0053ignature":"%s"}}' % value.encode()
    )
    for secrets in ((), (OLD, NEW)):
        left = called(event, secrets=secrets, context={SIGNATURE: value, "ip": "1.2.3.4"}).call
        (item,) = left.items
        assert msgspec.json.decode(item.raw) == {
            "type": "identify",
            "userId": "U",
            "traits": {"plan": "pro"},
            "context": {"locale": "de"},
            "properties": {},
        }
        assert msgspec.json.decode(left.context) == {"ip": "1.2.3.4"}
        (item,) = called(msgspec.Raw(escaped), secrets=secrets).call.items  # type: ignore[arg-type]
        assert value.encode() not in item.raw


def test_a_refusal_shows_no_signature() -> None:
    value = sign(OLD.text, "V")
    event = {"type": "identify", "context": {SIGNATURE: value}, "userId": "U"}
    (refusal,) = called(event).call.refusals
    assert value not in refusal.excerpt
    assert refusal.hint.user_id == "U"


def test_it_is_told_which_secret_has_signed() -> None:
    one = {"type": "identify", "userId": "U", **signed("U", OLD)}
    assert called(one).used == {OLD.id}
    assert called({"type": "page", "userId": "U"}).used == set()


def test_without_a_secret_every_user_id_is_taken_at_its_word() -> None:
    for event in (*ACTING, *OTHER):
        assert outcome({**event, "userId": "U"}, secrets=()) == "unasked"


def test_a_bad_event_does_not_keep_the_others_of_its_batch() -> None:
    good = {"type": "identify", "userId": "U", "messageId": "good", **signed("U")}
    bad = {"type": "identify", "userId": "V", "messageId": "bad", **signed("U")}
    left = called(bad, good).call
    assert [(item.message_id, item.proof) for item in left.items] == [("good", Proof.PROVEN)]
    assert [refusal.message_id for refusal in left.refusals] == ["bad"]
