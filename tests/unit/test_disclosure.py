"""What people are shown of what apps sent holds no secret, and everything else untouched."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.customers.devices.device import FINGERPRINT_CHARACTERS, token_hash
from clarion.customers.profile.redaction import (
    body_left_out,
    shown_body,
    shown_text,
    shown_traits,
    traits_left_out,
)
from clarion.events.messages.excerpt import excerpt_of
from support.sampling import is_soak


def fingerprint(token: str) -> str:
    return f"fingerprint:{token_hash(token)[:FINGERPRINT_CHARACTERS]}"


TOKEN = "a-registration-token-of-no-known-shape"
FCM = "cIsXk3vVRkCk8Hk0zq1abc:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx"
APNS = "740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad"
FID = "cIsXk3vVRkCk8Hk0zq1abc"

REGISTRATIONS = [
    {"type": "track", "event": "Register Push", "properties": {"fcmToken": TOKEN}},
    {"type": "track", "event": "register_push", "properties": {"fcm_token": TOKEN}},
    {"type": "track", "event": "RegisterPush", "properties": {"fcmToken": TOKEN}},
    {"event": "Register Push", "properties": {"fid": TOKEN, "deviceId": "D1"}},
    {"type": "track", "event": "Device Token Retrieved", "properties": {"token": f" {TOKEN} "}},
    {"type": "track", "event": "Device Deleted", "properties": {"token": TOKEN}},
    {"type": "screen", "context": {"device": {"token": TOKEN, "id": "D1"}}},
    {"type": "identify", "traits": {"pushToken": TOKEN}},
    {"type": "identify", "context": {"traits": {"push_token": TOKEN}}},
    {
        "type": "track",
        "event": "Push Subscription Change",
        "context": {"messaging_subscriptions": [{"key": TOKEN, "type": "ANDROID_PUSH"}]},
    },
    {"type": "page", "writeKey": TOKEN},
    {"type": "page", "context": {"userSignature": TOKEN}},
]


@pytest.mark.parametrize("event", REGISTRATIONS)
def test_a_token_is_shown_as_its_fingerprint(event: dict[str, Any]) -> None:
    shown = json.dumps(shown_body(json.dumps(event)))
    assert TOKEN not in shown
    assert fingerprint(TOKEN) in shown
    left, places = body_left_out(event)
    assert TOKEN not in json.dumps(left)
    assert len(places) == 1


@pytest.mark.parametrize("event", REGISTRATIONS)
def test_an_excerpt_shows_no_token_whether_the_event_can_be_read_or_not(
    event: dict[str, Any],
) -> None:
    raw = json.dumps(event).encode()
    assert TOKEN not in excerpt_of(raw)
    if "messaging_subscriptions" not in str(event):
        assert TOKEN not in excerpt_of(raw[:-1])


OWN_WORDS = [
    "ref_id", "staff_id", "tariffId", "pdf_id", "cart_token", "checkout_token", "token", "fid",
    "fcmToken", "csrf-token", "Gift Token", "registration-id", "writeKey", "signature", "secret",
    "password", "api_key", "kfid", "subscription token", "authorization",
]  # fmt: skip


@pytest.mark.parametrize("name", OWN_WORDS)
@pytest.mark.parametrize("value", ["4711", "b7e2c9d0a1f84c6e9d3b5a7f1e2c4d6b", "tok_1NirD82eZ"])
def test_a_name_never_makes_a_secret(name: str, value: str) -> None:
    traits = {name: value, "nested": {name: [value, {name: value}]}}
    assert shown_traits(traits, {FCM, APNS}) == traits
    assert traits_left_out(traits, {FCM, APNS}) == (traits, [])
    event = {
        "type": "track",
        "event": "Order Completed",
        "userId": "u",
        "properties": traits,
        "context": {"page": traits},
        "extra": traits,
    }
    assert shown_body(json.dumps(event), {FCM, APNS}) == event
    assert body_left_out(event, {FCM, APNS}) == (event, [])
    if name not in ("writeKey", "fcmToken"):  # at the outside of an event not the app's own
        event[name] = value
        assert shown_body(json.dumps(event)) == event
    assert value in excerpt_of(json.dumps({"type": "track", "properties": {name: value}}).encode())


@pytest.mark.parametrize("token", [TOKEN, FCM, APNS, FID])
@pytest.mark.parametrize(
    "text", ["{}", "my token is {}, really", "https://x.example/?t={}&a=1", '{{"t":"{}"}}', "a\n{}"]
)
def test_a_known_token_is_shown_nowhere(token: str, text: str) -> None:
    said = text.format(token)
    known = {token}
    value = {"a": said, "b": [said, {"c": said}], said: 1}
    for shown in (
        shown_traits(value, known),
        shown_body(json.dumps({"type": "page", "properties": value}), known),
        traits_left_out(value, known),
        body_left_out({"type": "page", "properties": value}, known),
        shown_text(said, known),
    ):
        assert token not in json.dumps(shown)
    assert fingerprint(token) in shown_traits({"a": said}, known)["a"]


@pytest.mark.parametrize(
    "text", [FCM, f"x {FCM}", FCM.replace(":", "%3A"), f"{FCM[:11]}:APA91bHun4"]
)
def test_an_fcm_token_is_known_by_its_shape(text: str) -> None:
    assert "APA91b" not in json.dumps(shown_traits({"note": text}))
    assert "APA91b" not in excerpt_of(json.dumps({"note": text}).encode())


def test_what_an_event_registers_by_is_hidden_wherever_the_event_says_it_again() -> None:
    event = {
        "event": "Register Push",
        "properties": {"fcmToken": TOKEN, "deviceId": "D1"},
        "context": {"note": f"token={TOKEN}"},
    }
    assert TOKEN not in json.dumps(shown_body(json.dumps(event)))


def test_ids_are_no_secrets_even_where_the_installation_id_is_one() -> None:
    event: dict[str, Any] = {
        "type": "track",
        "event": "Register Push",
        "userId": FID,
        "anonymousId": FID,
        "properties": {"deviceId": FID, "fcmToken": FCM, "city": "Paris"},
        "context": {"device": {"id": FID}},
    }
    shown = shown_body(json.dumps(event), {FID, "Paris"})
    assert shown["properties"] == event["properties"] | {"fcmToken": fingerprint(FCM)}
    assert (shown["userId"], shown["anonymousId"]) == (FID, FID)
    assert shown["context"] == event["context"]


def test_a_trait_of_which_a_part_is_secret_is_left_out_whole() -> None:
    traits = {"plan": "pro", "phones": [{"token": FCM, "model": "x"}], "pushToken": TOKEN}
    assert traits_left_out(traits) == ({"plan": "pro"}, ["phones", "pushToken"])


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(OWN_WORDS), inner),
    max_leaves=100 if is_soak() else 20,
)


@given(st.dictionaries(st.text() | st.sampled_from(OWN_WORDS), _json))
def test_any_traits_without_a_secret_are_shown_and_exported_as_they_are(
    traits: dict[str, Any],
) -> None:
    assert shown_traits(traits, {TOKEN}) == traits
    assert traits_left_out(traits, {TOKEN}) == (traits, [])
