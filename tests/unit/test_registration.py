"""Register Push as apps send it: what registers a device, and why the rest does not."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.customers.devices.device import (
    KeptDevice,
    Platform,
    Registration,
    TokenKind,
    token_hash,
)
from clarion.customers.devices.liveness import held
from clarion.customers.devices.registration_reader import read_deletions, read_registrations
from clarion.events.calls.check import Checked, check
from clarion.events.calls.foreign_tokens import stranger
from clarion.events.calls.registration_check import is_plainly_in_order
from clarion.events.messages.installation import TOKEN_CHARACTERS_MAX
from clarion.events.messages.message import Envelope, Event, read
from clarion.faults import Rejected

SOURCE = UUID(int=2)
RECEIVED = datetime(2026, 3, 1, 12, tzinfo=UTC)
FCM = "dZ1:APA91b" + "x" * 140
FID = "cIsXk3vVRkCk8Hk0zq1abc"
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
    (found,) = registrations(properties, **fields)
    return found


def registrations(properties: dict[str, Any], **fields: Any) -> list[Registration]:
    found = read_registrations(event(properties, **fields), SOURCE)
    assert not isinstance(found, Rejected), found
    return list(found)


def fault(properties: Any, **fields: Any) -> str:
    found = read_registrations(event(properties, **fields), SOURCE)
    assert isinstance(found, Rejected), found
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
    assert registrations(properties(), **fields) == []


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
    nothings: tuple[Any, ...] = (None, {}, "text", [properties()], 5)
    for nothing in nothings:
        assert fault(nothing) == "device_id_missing"


def test_a_device_id_may_have_255_characters_and_no_more() -> None:
    assert registration(properties(deviceId="x" * 255)).device_id == "x" * 255
    assert fault(properties(deviceId="x" * 256)) == "device_id_too_long"
    assert fault(properties(deviceId=" " * 300)) == "device_id_missing"


@pytest.mark.parametrize(
    "said",
    ["<deviceId>", "{{deviceId}}", "${deviceId}", "deviceId", "null", "undefined", "unknown",
     "00000000-0000-0000-0000-000000000000", 0, True, ["D"], {"id": "D"}],
)  # fmt: skip
def test_a_device_id_that_many_would_share_is_refused(said: Any) -> None:
    assert fault(properties(deviceId=said)) == "device_id_blocked"


@pytest.mark.parametrize("said", [1.5, 1e16, "1e+16", "1,234"])
def test_a_device_id_that_may_be_several_is_refused(said: Any) -> None:
    assert fault(properties(deviceId=said)) == "device_id_not_exact"


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
     "x" * (TOKEN_CHARACTERS_MAX + 1), "null", "undefined", "None", "[object Object]", "0000",
     "BLACKLISTED"],
)  # fmt: skip
def test_what_is_no_token_is_refused(said: str) -> None:
    assert fault(properties(fcmToken=said)) == "token_malformed"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("ExponentPushToken[xXxXxXxXxXxXxXxXxXxXxX]", "Expo"),
        ("ExpoPushToken[xXxX]", "Expo"),
        ("https://updates.push.services.mozilla.com/wpush/v2/gAAA", "web push endpoint"),
        ("https://fcm.googleapis.com/fcm/send/c:APA91bxxxxxxxxxxxxxxxxxxxxxxxx", "web push"),
        ("SERVICE_NOT_AVAILABLE", "error"),
        ("MISSING_INSTANCEID_SERVICE", "error"),
        ("BLACKLISTED", "error"),
        ("FIS_AUTH_ERROR", "error"),
        ("java.io.IOException:AUTHENTICATION_FAILED", "error"),
        ("messaging/permission-blocked", "error"),
        ('{"endpoint":"https://x.example","keys":{}}', "JSON"),
        ('["a"]', "JSON"),
        ("[object Object]", "object"),
        ('Optional("abc")', "object"),
        ("<0a1b2c3d 0a1b2c3d 0a1b2c3d 0a1b2c3d 0a1b2c3d 0a1b2c3d 0a1b2c3d 0a1b2c3d>", "APNs"),
        ("{length = 32, bytes = 0x0a1b2c3d ... }", "APNs"),
        ("f0e1d2c3-aaaa-4bbb-8ccc-0123456789ab", "UUID"),
        ("123456789012", "number"),
        ("/topics/news", "topic"),
    ],
)
def test_a_token_that_is_another_services_is_called_what_it_is(said: str, told: str) -> None:
    found = read_registrations(event(properties(fcmToken=said)), SOURCE)
    assert isinstance(found, Rejected)
    assert found.code == "token_malformed"
    assert told in found.message


@pytest.mark.parametrize("said", [FCM, FID, "the-token", "x" * 200, "AAAA:APA91b" + "x" * 140])
def test_what_may_be_fcms_is_taken(said: str) -> None:
    assert stranger(said) is None


def test_a_token_is_trimmed_and_may_be_long() -> None:
    assert registration(properties(fcmToken=f" {FCM}\n")).token == FCM
    long = "x" * TOKEN_CHARACTERS_MAX
    assert registration(properties(fcmToken=long)).token == long


def test_an_installation_id_is_registered_beside_a_token() -> None:
    fid, token = registrations(properties(fid=FID))
    assert (fid.token, fid.token_kind) == (FID, TokenKind.FID)
    assert (token.token, token.token_kind) == (FCM, TokenKind.FCM)
    assert registration(properties(fid="")).token_kind is TokenKind.FCM
    assert registration(properties(fid=FID, fcmToken=None)).token_kind is TokenKind.FID


def test_an_installation_id_is_known_by_its_shape_where_a_token_is_asked_for() -> None:
    assert registration(properties(fcmToken=FID)).token_kind is TokenKind.FID
    assert registration(properties(fcmToken=FID[1:])).token_kind is TokenKind.FCM
    assert registration(properties(fid="of-another-shape", fcmToken=None)).token_kind is (
        TokenKind.FID
    )


def test_a_token_tells_whose_installation_it_is() -> None:
    fid = registration(properties(fcmToken=FID))
    of_it = registration(properties(fcmToken=f"{FID}:APA91b{'x' * 134}"))
    again = registration(properties(fcmToken=f"{FID}:APA91b{'y' * 134}"))
    of_old = registration(properties(fcmToken=f"{FID[:11]}:APA91b{'x' * 134}"))
    assert fid.installation_hash == of_it.installation_hash == again.installation_hash
    assert of_old.installation_hash == token_hash(FID[:11])
    assert of_it.token_hash != again.token_hash
    short = registration(properties())  # its prefix has no id's length
    assert short.installation_hash == short.token_hash


@pytest.mark.parametrize("platform", ["iOS", "Android", "Web"])
def test_a_bare_apns_token_is_told_apart_wherever_it_is_said_to_come_from(platform: str) -> None:
    said = properties(fcmToken=APNS, deviceType=platform)
    assert registration(said).token_kind is TokenKind.APNS
    assert registration(said | {"fcmToken": APNS[:62]}).token_kind is TokenKind.FCM
    assert registration(said | {"fcmToken": None, "fid": APNS}).token_kind is TokenKind.APNS


def test_a_fid_and_a_token_are_told_apart_whichever_way_round_they_are_given() -> None:
    token = f"{FID}:APA91b" + "x" * 140
    for said in ({"fcmToken": token, "fid": FID}, {"fcmToken": FID, "fid": token}):
        found = {one.token_kind: one.token for one in registrations(properties(**said))}
        assert found == {TokenKind.FID: FID, TokenKind.FCM: token}
    assert registration(properties(fcmToken=None, fid=token)).token_kind is TokenKind.FCM


def test_a_registration_by_a_real_user_counts_before_one_at_the_same_instant() -> None:
    anonymous = registration(properties(), userId="D")
    declined = registration(properties(), userId=None, anonymousId="D")
    signed_in = registration(properties(), userId="U")
    assert signed_in.stamp > anonymous.stamp
    assert declined.stamp == anonymous.stamp


def test_a_token_is_never_shown() -> None:
    found = registration(properties())
    device = KeptDevice(
        id=UUID(int=1),
        device_id="D",
        customer_id=UUID(int=3),
        registrations=(held(None, found),),
        last_seen_at=RECEIVED,
    )
    assert FCM not in repr(found)
    assert FCM not in repr(device)
    assert token_hash(FCM) == found.token_hash
    assert FCM[:12] not in found.token_hash


@given(
    st.dictionaries(
        st.sampled_from(["deviceId", "device_id", "fcmToken", "token", "fid", "deviceType"]),
        st.none() | st.booleans() | st.integers() | st.text() | st.just(FCM) | st.just("Web"),
    )
)
def test_any_properties_register_or_are_refused_with_a_reason(said: dict[str, Any]) -> None:
    found = read_registrations(event(said), SOURCE)
    if isinstance(found, Rejected):
        assert found.message
        return
    assert found
    for one in found:
        assert 1 <= len(one.device_id) <= 255
        assert 1 <= len(one.token) <= TOKEN_CHARACTERS_MAX


@pytest.mark.parametrize("name", ["Device Deleted", "device_deleted", "Application Uninstalled"])
def test_a_deletion_names_its_device_by_properties_or_context(name: str) -> None:
    by_properties = read_deletions(event(properties(), event=name))
    context = {"device": {"id": "D", "token": FCM}}
    by_context = read_deletions(event({}, event=name, context=context))
    assert by_properties == by_context
    (deletion,) = by_properties
    assert (deletion.device_id, deletion.token_hash) == ("D", token_hash(FCM))


def test_a_deletion_with_an_apns_token_names_the_device_whatever_it_is_reached_by() -> None:
    context = {"device": {"id": "D", "token": APNS}}
    (deletion,) = read_deletions(event({}, event="Device Deleted", context=context))
    assert (deletion.device_id, deletion.token_hash) == ("D", None)


def test_a_deletion_without_a_device_is_an_ordinary_event() -> None:
    assert not read_deletions(event({}, event="Device Deleted"))
    assert not read_deletions(event(properties()))


# --- what other SDKs send -------------------------------------------------------------------

ANDROID = {"device": {"id": "D", "token": FCM, "type": "android"}}
IPHONE = {"device": {"id": "D", "token": APNS, "type": "ios"}}
TOKEN_EVENTS = ["Device Created or Updated", "Registered for Push", "Device Token Retrieved"]


@pytest.mark.parametrize("name", TOKEN_EVENTS)
@pytest.mark.parametrize("user", ["u", None])
def test_what_sdks_track_with_a_token_registers_whoever_it_is(name: str, user: str | None) -> None:
    found = registration({}, event=name, context=ANDROID, userId=user, anonymousId="a")
    assert (found.device_id, found.token, found.platform) == ("D", FCM, Platform.ANDROID)
    by_properties = registration(
        {"token": "T"}, event=name, context=ANDROID, userId=user, anonymousId="a"
    )
    assert by_properties.token == "T"


@pytest.mark.parametrize("name", TOKEN_EVENTS)
def test_a_token_event_without_a_token_is_an_ordinary_one(name: str) -> None:
    assert registrations({}, event=name, context={"device": {"id": "D"}}) == []


@pytest.mark.parametrize("kind", ["Application Opened", "Application Installed", None])
def test_a_token_carried_along_registers_only_where_somebody_is_signed_in(
    kind: str | None,
) -> None:
    fields: dict[str, Any] = {"event": kind} if kind else {"type": "identify"}
    found = registration({}, context=ANDROID, **fields)
    assert (found.device_id, found.token, found.stamp.rank) == ("D", FCM, 1)
    assert registrations({}, context=ANDROID, userId=None, anonymousId="a", **fields) == []
    assert registrations({}, context=ANDROID, userId="D", **fields) == []
    assert registrations({}, context=ANDROID, userId="a", anonymousId="a", **fields) == []
    assert registrations({}, context=IPHONE, **fields) == []
    by_fid = {"device": {"id": "D", "fid": FID, "type": "ios", "token": APNS}}
    assert registration({}, context=by_fid, **fields).token_kind is TokenKind.FID


def test_an_apns_token_that_is_registered_is_kept_as_one() -> None:
    for name in TOKEN_EVENTS:
        assert registration({}, event=name, context=IPHONE).token_kind is TokenKind.APNS


def test_any_other_event_registers_nothing_of_what_it_carries() -> None:
    assert registrations({}, event="Product Viewed", context=ANDROID) == []
    assert registrations({}, type="page", context=ANDROID) == []


def test_a_device_that_is_named_by_its_token_alone_has_an_id_made_from_it() -> None:
    def named(token: str) -> str:
        context = {"device": {"token": token, "type": "android"}}
        found = registration({}, event="Device Created or Updated", context=context)
        deleted = read_deletions(event({}, event="Device Deleted", context=context))
        assert [one.device_id for one in deleted] == [found.device_id]
        return found.device_id

    assert named(f"{FID}:APA91b{'x' * 134}") == FID == named(FID)
    assert named("T1") == named(" T1 ") != named("T2")
    assert named("T1").startswith("token-")


def test_the_identify_of_old_registers_by_its_traits() -> None:
    found = registration(
        {},
        type="identify",
        traits={"pushToken": FCM, "deviceId": "D", "email": "a@example.org"},
        context={"device": {"type": "android"}},
    )
    assert (found.device_id, found.token, found.platform) == ("D", FCM, Platform.ANDROID)


def test_a_device_id_of_old_that_is_a_name_for_people_is_no_id() -> None:
    traits = {"pushToken": "T1", "deviceId": "Ada's phone", "deviceType": "iOS"}
    assert registration({}, type="identify", traits=traits).device_id.startswith("token-")
    context = {"device": {"id": "D"}}
    assert registration({}, type="identify", traits=traits, context=context).device_id == "D"


@pytest.mark.parametrize("said", ["ipados", "iPadOS", "watchOS", "tvos", "macos"])
def test_apples_other_devices_are_of_the_ios_family(said: str) -> None:
    context = {"device": {"id": "D", "type": said, "token": "T"}}
    found = registration({}, event="Device Token Retrieved", context=context)
    assert found.platform is Platform.IOS


def test_the_platform_is_the_operating_systems_where_nothing_else_says() -> None:
    context = {"device": {"id": "D"}, "os": {"name": "Android", "version": "15"}}
    assert registration(properties(deviceType=None), context=context).platform is Platform.ANDROID
    assert fault(properties(deviceType="Symbian"), context=context) == "device_type_unknown"


def subscription(status: str, **fields: Any) -> dict[str, Any]:
    entry = {"key": FCM, "type": "ANDROID_PUSH", "status": status}
    return {
        "event": "Push Subscription Change",
        "context": {"device": {"id": "D"}, "messaging_subscriptions": [entry]},
        **fields,
    }


def test_a_push_subscription_registers_or_ends_its_token() -> None:
    found = registration({}, **subscription("SUBSCRIBED"))
    assert (found.device_id, found.token, found.platform) == ("D", FCM, Platform.ANDROID)
    for status in ("UNSUBSCRIBED", "DID_NOT_SUBSCRIBE"):
        for name in ("Push Subscription Change", "Push Subscription Declined"):
            said = subscription(status, event=name)
            assert registrations({}, **said) == []
            (deletion,) = read_deletions(event({}, **said))
            assert (deletion.device_id, deletion.token_hash) == ("D", token_hash(FCM))


def test_registered_for_push_may_say_its_token_as_a_subscription() -> None:
    said = subscription("SUBSCRIBED", event="Registered for Push")
    assert registration({}, **said).token == FCM


@pytest.mark.parametrize(
    "wrong", [None, "text", [None], [5], [{}], [{"key": 1, "type": "IOS_PUSH", "status": "x"}]]
)
def test_subscriptions_of_any_other_shape_say_nothing(wrong: Any) -> None:
    context = {"device": {"id": "D"}, "messaging_subscriptions": wrong}
    said = event({}, event="Push Subscription Change", context=context)
    assert read_registrations(said, SOURCE) == ()
    assert read_deletions(said) == []


PLAIN = {"deviceId": "D", "fcmToken": "cIsXk3vVRkCk8Hk0zq1abc:APA91bHun4", "deviceType": "Android"}


@given(
    st.dictionaries(
        st.sampled_from(["deviceId", "fcmToken", "deviceType", "fid"]),
        st.sampled_from(["", " ", "null", "D", "iOS", "android", "Windows", None, 5, "1e+16"])
        | st.sampled_from(["ExponentPushToken[x]", "a b:APA91bX", "x" * 300]),
        max_size=3,
    )
)
def test_what_is_plainly_in_order_registers(changed: dict[str, Any]) -> None:
    """The collector does not look twice at what is sent in the words of the guides."""
    wire = {"event": "Register Push", "userId": "U", "properties": {**PLAIN, **changed}}
    raw = msgspec.json.encode(wire)
    assert is_plainly_in_order(msgspec.json.encode({"properties": PLAIN}))
    if is_plainly_in_order(raw):
        envelope = Envelope(received_at=RECEIVED, sent_at=None)
        event = read(raw, type_="track", message_id="m", envelope=envelope)
        assert isinstance(event, Event)
        assert not isinstance(read_registrations(event, SOURCE), Rejected)
