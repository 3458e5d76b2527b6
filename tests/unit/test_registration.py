"""Register Push as apps send it: what registers a device, and why the rest does not."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.customers.device import (
    TOKEN_CHARACTERS_MAX,
    Platform,
    Registration,
    RegistrationFault,
    TokenKind,
    read_deletion,
    read_registration,
    token_hash,
)
from clarion.events.message import Checked, Envelope, Event, check, read

SOURCE = UUID(int=2)
RECEIVED = datetime(2026, 3, 1, 12, tzinfo=UTC)
FCM = "dZ1:APA91b" + "x" * 140
APNS = "0123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789"


def event(properties: Any, **fields: Any) -> Event:
    """As the collector and the ingestor read it."""
    raw = msgspec.json.encode(
        {"event": "Register Push", "userId": "u", "properties": properties, **fields}
    )
    checked = check(raw, fields.get("type", "track"))
    assert isinstance(checked, Checked), checked
    envelope = Envelope(received_at=RECEIVED, sent_at=None)
    found = read(raw, type_=checked.type, message_id="m", envelope=envelope)
    assert isinstance(found, Event)
    return found


def properties(**changed: Any) -> dict[str, Any]:
    return {"deviceId": "D", "fcmToken": FCM, "deviceType": "iOS", **changed}


def registration(properties: dict[str, Any], **fields: Any) -> Registration:
    found = read_registration(event(properties, **fields), SOURCE)
    assert isinstance(found, Registration), found
    return found


def fault(properties: Any, **fields: Any) -> str:
    found = read_registration(event(properties, **fields), SOURCE)
    assert isinstance(found, RegistrationFault), found
    assert found.message
    return found.code


def test_the_seeds_registration_is_read_to_the_letter() -> None:
    found = registration(properties())
    assert (found.device_id, found.token, found.platform) == ("D", FCM, Platform.IOS)
    assert (found.token_kind, found.source_id) == (TokenKind.FCM, SOURCE)
    assert (found.stamp.at, found.stamp.message_id) == (RECEIVED, "m")


@pytest.mark.parametrize(
    "name",
    [
        "Register Push",
        "register push",
        "REGISTER PUSH",
        "register_push",
        " Register  Push ",
        "Register-Push",
    ],
)
def test_its_name_is_written_in_any_case_with_spaces_or_underscores(name: str) -> None:
    assert registration(properties(), event=name).device_id == "D"


@pytest.mark.parametrize(
    "fields",
    [{"event": "Registered"}, {"event": "RegisterPush"}, {"event": "Push"}, {"type": "page"}],
)
def test_another_event_is_no_registration_whatever_it_carries(fields: dict[str, str]) -> None:
    assert read_registration(event(properties(), **fields), SOURCE) is None


@pytest.mark.parametrize(
    ("said", "platform"),
    [
        ("iOS", Platform.IOS),
        ("ios", Platform.IOS),
        ("ANDROID", Platform.ANDROID),
        (" web ", Platform.WEB),
    ],
)
def test_a_device_type_is_written_in_any_case(said: str, platform: Platform) -> None:
    assert registration(properties(deviceType=said)).platform is platform


@pytest.mark.parametrize("said", [None, "", "Symbian", "iPhone OS", 1, ["iOS"], {"a": 1}, True])
def test_an_unknown_device_type_is_refused(said: Any) -> None:
    assert fault(properties(deviceType=said)) == "device_type_unknown"


@pytest.mark.parametrize("said", [None, "", "   ", "\t\n"])
def test_a_missing_device_id_is_refused(said: Any) -> None:
    assert fault(properties(deviceId=said)) == "device_id_missing"


def test_a_registration_without_properties_is_refused() -> None:
    for nothing in (None, {}, "text", [properties()], 5):
        assert fault(nothing) == "device_id_missing"


def test_a_device_id_may_have_255_characters_and_no_more() -> None:
    assert registration(properties(deviceId="x" * 255)).device_id == "x" * 255
    assert fault(properties(deviceId="x" * 256)) == "device_id_too_long"
    assert fault(properties(deviceId=" " * 300)) == "device_id_missing"


@pytest.mark.parametrize(
    "said",
    ["<deviceId>", "{{deviceId}}", "${deviceId}", "deviceId", "null", "undefined", "unknown",
     "00000000-0000-0000-0000-000000000000", 0, True, 1.5, ["D"], {"id": "D"}],
)  # fmt: skip
def test_a_device_id_that_many_would_share_is_refused(said: Any) -> None:
    assert fault(properties(deviceId=said)) == "device_id_blocked"


def test_an_integer_device_id_is_its_text() -> None:
    assert registration(properties(deviceId=42)).device_id == "42"


def test_snake_case_is_read_like_camel_case() -> None:
    found = registration({"device_id": "D", "fcm_token": FCM, "device_type": "Web"})
    assert (found.device_id, found.token, found.platform) == ("D", FCM, Platform.WEB)


@pytest.mark.parametrize("said", [None, "", "  ", 5, True, ["T"], {"token": "T"}])
def test_a_missing_token_is_refused(said: Any) -> None:
    assert fault(properties(fcmToken=said)) == "token_missing"


@pytest.mark.parametrize(
    "said",
    ["<fcmToken>", "{{token}}", "{token}", "${token}", "a b", "a\nb", "caf\u00e9", "\ud7ff",
     "x" * (TOKEN_CHARACTERS_MAX + 1), "null", "undefined", "None", "[object Object]", "0000"],
)  # fmt: skip
def test_what_is_no_token_is_refused(said: str) -> None:
    assert fault(properties(fcmToken=said)) == "token_malformed"


def test_a_token_is_trimmed_and_may_be_long() -> None:
    assert registration(properties(fcmToken=f" {FCM}\n")).token == FCM
    long = "x" * TOKEN_CHARACTERS_MAX
    assert registration(properties(fcmToken=long)).token == long


def test_an_installation_id_counts_before_a_token() -> None:
    found = registration(properties(fid="cIsXk3vVRkCk8Hk0zq1abc"))
    assert (found.token, found.token_kind) == ("cIsXk3vVRkCk8Hk0zq1abc", TokenKind.FID)
    assert registration(properties(fid="")).token_kind is TokenKind.FCM


def test_a_bare_apns_token_is_told_apart_on_ios_alone() -> None:
    assert registration(properties(fcmToken=APNS)).token_kind is TokenKind.APNS
    assert registration(properties(fcmToken=APNS[:62])).token_kind is TokenKind.FCM
    android = properties(fcmToken=APNS, deviceType="Android")
    assert registration(android).token_kind is TokenKind.FCM


def test_a_registration_by_a_real_user_counts_before_one_at_the_same_instant() -> None:
    anonymous = registration(properties(), userId="D")
    declined = registration(properties(), userId=None, anonymousId="D")
    signed_in = registration(properties(), userId="U")
    assert signed_in.stamp > anonymous.stamp
    assert declined.stamp == anonymous.stamp


def test_a_token_is_never_shown() -> None:
    found = registration(properties())
    assert FCM not in repr(found)
    assert token_hash(FCM) == found.token_hash
    assert FCM[:12] not in found.token_hash


@given(
    st.dictionaries(
        st.sampled_from(["deviceId", "device_id", "fcmToken", "token", "fid", "deviceType"]),
        st.none() | st.booleans() | st.integers() | st.text() | st.just(FCM) | st.just("Web"),
    )
)
def test_any_properties_register_or_are_refused_with_a_reason(said: dict[str, Any]) -> None:
    found = read_registration(event(said), SOURCE)
    assert isinstance(found, Registration | RegistrationFault)
    if isinstance(found, Registration):
        assert 1 <= len(found.device_id) <= 255
        assert 1 <= len(found.token) <= TOKEN_CHARACTERS_MAX


@pytest.mark.parametrize("name", ["Device Deleted", "device_deleted", "Application Uninstalled"])
def test_a_deletion_names_its_device_by_properties_or_context(name: str) -> None:
    by_properties = read_deletion(event(properties(), event=name))
    context = {"device": {"id": "D", "token": FCM}}
    by_context = read_deletion(event({}, event=name, context=context))
    assert by_properties == by_context
    assert by_properties is not None
    assert (by_properties.device_id, by_properties.token_hash) == ("D", token_hash(FCM))


def test_a_deletion_without_a_device_is_an_ordinary_event() -> None:
    assert read_deletion(event({}, event="Device Deleted")) is None
    assert read_deletion(event(properties())) is None
