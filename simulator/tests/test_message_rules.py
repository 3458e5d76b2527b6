"""What the simulated FCM takes and refuses, and the trouble it can make; all without a server."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcm_simulator.fcm.faults import Faults, Latency, Orders
from fcm_simulator.fcm.message_rules import PAYLOAD_BYTES_MAX, TOPIC_PAYLOAD_BYTES_MAX, refuse
from fcm_simulator.fcm.message_size import ADDED_BYTES_MAX, android_bytes, apns_bytes, webpush_bytes
from fcm_simulator.fcm.outcomes import Trouble
from fcm_simulator.fcm.schema import BASIC, load, to_snake
from fcm_simulator.fcm.simulation import Fcm

FULL = load()


def found(message: Any, **request: Any) -> list[tuple[str, str]]:
    violations = FULL.violations({"message": message, **request})
    return [(violation.field, violation.description) for violation in violations]


RICH: dict[str, Any] = {
    "token": "t",
    "data": {"a": "b"},
    "notification": {"title": "t", "body": "b", "image": "i"},
    "android": {
        "collapseKey": "k",
        "priority": "high",
        "ttl": "3.5s",
        "directBootOk": True,
        "fcmOptions": {"analyticsLabel": "x"},
        "notification": {
            "bodyLocArgs": ["a", "b"],
            "eventTime": "2026-01-15T01:30:15.01Z",
            "notificationCount": "3",
            "notificationPriority": "PRIORITY_MAX",
            "vibrateTimings": ["0.1s"],
            "visibility": "private",
            "lightSettings": {
                "color": {"red": 0.5, "green": 1, "blue": 0, "alpha": "0.1"},
                "lightOnDuration": "1s",
                "lightOffDuration": "1s",
            },
        },
    },
    "apns": {"headers": {"a": "b"}, "payload": {"aps": {"badge": 1, "x": [1, {}]}}},
    "webpush": {"notification": {"actions": [{}]}, "fcmOptions": {"link": "https://x"}},
}


def snake(wire: Any) -> Any:
    if isinstance(wire, dict):
        return {to_snake(name): snake(value) for name, value in wire.items()}
    return [snake(one) for one in wire] if isinstance(wire, list) else wire


@pytest.mark.parametrize("message", [RICH, snake(RICH)])
def test_a_message_with_everything_is_taken_in_both_spellings(message: Any) -> None:
    assert found(message) == []
    assert refuse(message) is None


def test_null_is_as_if_it_were_not_there() -> None:
    assert found({"token": "t", "topic": None, "android": None}, validate_only=None) == []


@pytest.mark.parametrize(
    ("message", "field", "words"),
    [
        ({"token": 5}, "message.token", "(TYPE_STRING), 5"),
        ({"token": ["a"]}, "message", "\"token\" at 'message': Proto field is not repeating"),
        ({"data": []}, "message.data", "Invalid value at 'message.data'"),
        ({"data": {"k": None}}, "message.data[0].value", "(TYPE_STRING), null"),
        ({"android": {"ttl": "5"}}, "message.android.ttl", "must end with 's'"),
        ({"android": {"ttl": 5}}, "message.android.ttl", "google.protobuf.Duration), 5"),
        ({"android": {"directBootOk": "yes"}}, "message.android.direct_boot_ok", "(TYPE_BOOL)"),
        ({"android": "x"}, "message.android", "v1.AndroidConfig)"),
        (
            {"android": {"notification": {"visibility": "VISIBILITY_PRIVATE"}}},
            "message.android.notification.visibility",
            'AndroidNotification.Visibility), "VISIBILITY_PRIVATE"',
        ),
        (
            {"android": {"notification": {"notification_count": 1.5}}},
            "message.android.notification.notification_count",
            "(TYPE_INT32), 1.5",
        ),
        (
            {"android": {"notification": {"event_time": "yesterday"}}},
            "message.android.notification.event_time",
            "Timestamp",
        ),
        ({"apns": {"payload": []}}, "message.apns.payload", "google.protobuf.Struct"),
        ({"apns": {"headers": {"a": 1}}}, "message.apns.headers[0].value", "(TYPE_STRING), 1"),
        ({"token": "a", "topic": "b"}, "message", "oneof field 'target' is already set"),
        ([], "message", "v1.Message)"),
    ],
)
def test_what_is_wrong_is_named_with_its_path(message: Any, field: str, words: str) -> None:
    ((where, description),) = found(message)
    assert where == field
    assert words in description


def test_everything_wrong_is_told_at_once() -> None:
    assert [field for field, _ in found({"a": 1, "token": 2, "data": {"k": 3}}, b=4)] == [
        "message",
        "message.token",
        "message.data[0].value",
        "",
    ]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.text()
                | st.sampled_from(
                    [
                        "message",
                        "token",
                        "topic",
                        "condition",
                        "data",
                        "android",
                        "ttl",
                        "apns",
                        "webpush",
                        "fcm_options",
                        "link",
                        "notification",
                        "priority",
                    ]
                ),
                inner,
            )
        ),
        max_leaves=30,
    ),
    st.booleans(),
)
def test_every_body_has_an_answer(wire: Any, is_full: bool) -> None:
    fcm = Fcm(schema=FULL if is_full else BASIC)
    for body in (json.dumps(wire), json.dumps({"message": wire})):
        reply = fcm.send("p", body.encode())
        assert reply.status in (200, 400)
        msgspec.json.decode(reply.body)


def text_of(message: dict[str, Any]) -> str | None:
    reply = refuse(message)
    return None if reply is None else str(json.loads(reply.body)["error"]["message"])


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"token": "t", "data": {"from": "x"}}, "Invalid data payload key: from"),
        ({"token": "t", "data": {"google.x": "x"}}, "Invalid data payload key: google.x"),
        (
            {"token": "t", "data": {"gcm.notification.x": "x"}},
            "Invalid data payload key: gcm.notification.x",
        ),
        ({"token": "t", "data": {"google_id": "x"}}, "Invalid data payload key: google_id"),
        ({"token": "t", "data": {"googles": "x"}}, "Invalid data payload key: googles"),
        ({"token": "t", "data": {"gcm": "x"}}, "Invalid data payload key: gcm"),
        ({"token": "t", "data": {"message_type": "x"}}, "Invalid data payload key: message_type"),
        ({"token": "t", "android": {"data": {"from": "x"}}}, "Invalid data payload key: from"),
        ({"token": "t", "android_v2": {"data": {"gcm": "x"}}}, "Invalid data payload key: gcm"),
        (
            {"token": "t", "webpush": {"data": {"google.x": ""}}},
            "Invalid data payload key: google.x",
        ),
        ({"token": "t", "data": {"fromage": "x", "my_google": "x", "message": "x"}}, None),
        ({"topic": "news"}, None),
        ({"topic": "a b"}, "Invalid topic name"),
        ({"condition": "'a' in topics || 'b' in topics"}, None),
        ({"condition": "whatever"}, "Invalid condition expression provided."),
        ({"condition": " || ".join(["'a' in topics"] * 6)}, "More than 5 topics in a condition"),
        ({"token": "t", "android": {"ttl": "2419200s"}}, None),
        ({"token": "t", "android": {"ttl": "2419201s"}}, "TTL must be from 0 to 2419200 seconds"),
        ({"token": "t", "android": {"ttl": "-1s"}}, "TTL must be from 0 to 2419200 seconds"),
        (
            {"token": "t", "android": {"ttl": "1s"}, "androidV2": {"ttl": "1s"}},
            "Only one of android and android_v2 may be set",
        ),
        ({"token": "t", "fcmOptions": {"analyticsLabel": "a b"}}, "Invalid analytics label"),
        (
            {"token": "t", "webpush": {"fcm_options": {"link": "http://x"}}},
            "The link must use HTTPS",
        ),
        ({}, "Recipient of the message is not set."),
    ],
)
def test_the_rules_beyond_the_form(message: dict[str, Any], text: str | None) -> None:
    assert text_of(message) == text


LIGHTS = {"color": {"red": 1}, "light_on_duration": "1s", "light_off_duration": "0.5s"}


@pytest.mark.parametrize(
    ("shown", "field"),
    [
        ({"color": "#1a73e8"}, None),
        ({"color": "#1A73E8"}, None),
        ({"color": "red"}, "color"),
        ({"color": "1a73e8"}, "color"),
        ({"color": "#fff"}, "color"),
        ({"color": "#1a73e8ff"}, "color"),
        ({"color": ""}, "color"),
        ({"light_settings": LIGHTS}, None),
        ({"lightSettings": {"color": {}, "lightOnDuration": "1s", "lightOffDuration": "1s"}}, None),
        ({"light_settings": {**LIGHTS, "light_on_duration": None}}, "light_on_duration"),
        ({"light_settings": {**LIGHTS, "light_off_duration": None}}, "light_off_duration"),
        ({"light_settings": {**LIGHTS, "light_off_duration": "-1s"}}, "light_off_duration"),
        ({"light_settings": {**LIGHTS, "color": None}}, "color"),
        ({"light_settings": {**LIGHTS, "color": {"red": 255}}}, "color"),
        ({"light_settings": {**LIGHTS, "color": {"alpha": -0.1}}}, "color"),
        ({"light_settings": {}}, "color"),
        ({"vibrate_timings": ["0.1s", "-0.1s"]}, "vibrate_timings"),
        ({"vibrate_timings": ["0s", "0.1s"]}, None),
    ],
)
@pytest.mark.parametrize("is_v2", [False, True])
def test_what_android_can_not_show_is_refused(
    shown: dict[str, Any], field: str | None, is_v2: bool
) -> None:
    message: dict[str, Any] = {"token": "t", "android": {"notification": shown}}
    if is_v2:
        remote = {"remote_notification": {"notification": shown}}
        message = {"token": "t", "android_v2": remote}
    assert found(message) == []
    reply = refuse(message)
    if field is None:
        assert reply is None
    else:
        assert reply is not None
        details = json.loads(reply.body)["error"]["details"]
        (violation,) = details[0]["fieldViolations"]
        assert violation["field"].endswith(f".{field}")
        assert details[1]["errorCode"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    ("apns", "words"),
    [
        ({"payload": {"aps": {}}}, "aps must not be empty"),
        ({"payload": {"aps": {}, "details": "x"}}, "aps must not be empty"),
        ({"payload": {"aps": "x"}}, "aps must be an object"),
        ({"payload": {"aps": {"badge": 0}}}, ""),
        ({"payload": {"aps": {"content-available": 1}}}, ""),
        ({"payload": {"details": "x"}}, ""),
        ({"headers": {"apns-priority": "high"}}, "BadPriority"),
        ({"headers": {"apns-priority": "7"}}, "BadPriority"),
        ({"headers": {"apns-expiration": "tomorrow"}}, "BadExpirationDate"),
        ({"headers": {"apns-collapse-id": "x" * 65}}, "BadCollapseId"),
        ({"headers": {"apns-collapse-id": "x" * 64, "apns-expiration": "0"}}, ""),
        (
            {
                "headers": {"apns-priority": "10"},
                "payload": {"aps": {"content-available": 1}},
            },
            "data only",
        ),
        ({"headers": {"apns-priority": "10"}, "payload": {"aps": {"alert": "x"}}}, ""),
        ({"headers": {"apns-priority": "5"}, "payload": {"aps": {"content-available": 1}}}, ""),
    ],
)
def test_what_apple_would_not_take_is_refused(apns: dict[str, Any], words: str) -> None:
    reply = refuse({"token": "t", "apns": apns})
    if not words:
        assert reply is None
        return
    assert reply is not None
    error = json.loads(reply.body)["error"]
    assert error["message"] == "Request contains an invalid argument."
    assert words in json.dumps(error["details"])


def test_to_data_only_with_a_notification_beside_it_high_priority_may_be_given() -> None:
    apns = {"headers": {"apns-priority": "10"}, "payload": {"aps": {"mutable-content": 1}}}
    assert refuse({"token": "t", "notification": {"title": "x"}, "apns": apns}) is None


BIG = "x" * 5_000


@pytest.mark.parametrize(
    "message",
    [
        {"data": {"a": BIG}},
        {"notification": {"body": BIG}},
        {"android": {"notification": {"body": BIG}}},
        {"android": {"notification": {"body_loc_args": [BIG]}}},
        {"android": {"data": {"a": BIG}}},
        {"android_v2": {"data": {"a": BIG}}},
        {"androidV2": {"remoteNotification": {"notification": {"body": BIG}}}},
        {"apns": {"payload": {"aps": {"alert": BIG}}}},
        {"apns": {"payload": {"aps": {"badge": 1}, "mine": {"deep": [BIG]}}}},
        {"webpush": {"notification": {"body": BIG}}},
        {"webpush": {"notification": {"actions": [{"title": BIG}]}}},
        {"webpush": {"data": {"a": BIG}}},
        {"data": {"a": "x" * 2_100}, "android": {"notification": {"body": "x" * 2_100}}},
        {"data": {"a": "x" * 2_100}, "apns": {"payload": {"aps": {"alert": "x" * 2_100}}}},
        {"notification": {"body": "x" * 4_000}, "apns": {"payload": {"aps": {"badge": 1}}}},
        {"apns": {"payload": {"aps": {"alert": '"' * 2_100}}}},
        {"notification": {"body": "\n" * 2_100}, "apns": {"payload": {"aps": {"badge": 1}}}},
    ],
    ids=lambda message: "-".join(message),
)
def test_a_message_may_be_too_big_for_any_platform(message: dict[str, Any]) -> None:
    assert found({"token": "t", **message}) == []
    reply = refuse({"token": "t", **message})
    assert reply is not None
    assert (reply.status, reply.name) == (400, "too_big")


TEXT = st.text(max_size=300) | st.sampled_from(['"' * 200, "\n" * 200, "\x00" * 99, "я" * 200])
SHOWN = st.fixed_dictionaries({}, optional={"title": TEXT, "body": TEXT})
DATA = st.dictionaries(TEXT, TEXT, max_size=3)


@given(
    st.fixed_dictionaries(
        {"token": st.just("t")},
        optional={
            "notification": SHOWN,
            "data": DATA,
            "android": st.fixed_dictionaries({}, optional={"notification": SHOWN, "data": DATA}),
            "webpush": st.fixed_dictionaries({}, optional={"notification": SHOWN, "data": DATA}),
            "apns": st.fixed_dictionaries(
                {"payload": DATA.map(lambda data: {**data, "aps": {"alert": data}})}
            ),
        },
    ),
    st.booleans(),
)
def test_no_platform_is_given_much_more_than_the_request(
    message: dict[str, Any], is_escaped: bool
) -> None:
    """So that a short request needs no counting."""
    body = json.dumps({"message": message}, ensure_ascii=is_escaped, separators=(",", ":"))
    largest = max(android_bytes(message), apns_bytes(message), webpush_bytes(message))
    assert largest <= len(body.encode(errors="replace")) + ADDED_BYTES_MAX


def test_what_a_platform_is_given_instead_counts_for_it_alone() -> None:
    long = {"body": "x" * 3_000}
    assert android_bytes({"notification": long, "android": {"notification": {"tag": "t"}}}) == 3_008
    assert android_bytes({"notification": long, "android": {"notification": {"body": "b"}}}) == 5
    assert android_bytes({"data": {"a": "x" * 3_000}, "android": {"data": {"b": "y"}}}) == 2
    assert refuse({"token": "t", "notification": long, "android": {"notification": long}}) is None
    assert webpush_bytes({"notification": long}) == apns_bytes({"notification": long}) == 0


def test_for_apple_the_document_counts_as_it_is_spelled() -> None:
    def size(body: str) -> int:
        return apns_bytes({"apns": {"payload": {"aps": {"alert": {"body": body}}}}})

    assert size("xx") - size("x") == 1
    assert size("x\n") - size("x") == size('x"') - size("x") == 2
    assert size("xя") - size("x") == 2
    assert size("x") > len('{"aps":{"alert":{"body":"x"}}}'), "Google adds keys of its own"


@pytest.mark.parametrize(
    ("target", "limit"),
    [("token", PAYLOAD_BYTES_MAX), ("fid", PAYLOAD_BYTES_MAX), ("topic", TOPIC_PAYLOAD_BYTES_MAX)],
)
def test_keys_and_values_count_in_bytes_up_to_the_limit(target: str, limit: int) -> None:
    def message(size: int) -> dict[str, Any]:
        return {target: "t", "data": {"ключ": "x" * (size - 8 - 6)}, "notification": {"body": "я"}}

    assert android_bytes(message(limit)) == limit
    assert text_of(message(limit)) is None
    assert text_of(message(limit + 1)) == "Android message is too big"


def test_which_parts_count_for_the_size_can_be_ordered() -> None:
    fcm = Fcm()
    message = {"token": "t", "notification": {"body": "x" * PAYLOAD_BYTES_MAX}}
    body = json.dumps({"message": message}).encode()
    assert fcm.send("p", body).name == "too_big"
    fcm.faults.order(Orders(payload_counts=["data"]), 0.0)
    assert fcm.send("p", body).name == "accepted"


def test_a_quota_is_full_again_at_the_end_of_each_minute_since_the_first_push() -> None:
    faults = Faults()
    faults.order(Orders(quota_per_minute=2), 1_000.0)
    assert [faults.over_quota("p", 1_000.0 + second) for second in (5, 6, 7)] == [0, 0, 58.0]
    assert faults.over_quota("other", 1_007.0) == 0
    assert faults.over_quota("p", 1_064.9) == pytest.approx(0.1)
    assert faults.over_quota("p", 1_065.0) == 0
    # The windows go on from the first push's, however long nothing came.
    assert [faults.over_quota("p", 1_300.0) for _ in range(3)] == [0, 0, 5.0]


def test_chance_is_repeatable_and_about_as_ordered() -> None:
    def draw() -> list[Trouble]:
        faults = Faults()
        faults.order(Orders(rates={Trouble.INTERNAL: 0.2, Trouble.HANG: 0.1}, seed=7), 0.0)
        return [faults.next(1.0) for _ in range(5_000)]

    drawn = draw()
    assert drawn == draw()
    assert 0.15 < drawn.count(Trouble.INTERNAL) / 5_000 < 0.25
    assert 0.07 < drawn.count(Trouble.HANG) / 5_000 < 0.13


def test_latency_follows_the_ordered_distribution() -> None:
    faults = Faults()
    faults.order(Orders(latency_ms=Latency(median=100, p99=1_000), seed=1), 0.0)
    delays = sorted(faults.delay() for _ in range(10_000))
    assert delays[5_000] == pytest.approx(0.1, rel=0.1)
    assert delays[9_900] == pytest.approx(1.0, rel=0.25)
    faults.order(Orders(latency_ms=50), 0.0)
    assert faults.delay() == 0.05


@pytest.mark.parametrize(
    "message",
    [
        {"android": {"fcm_options": "x"}},
        {"android": {"ttl": "soon"}},
        {"android": {"ttl": ["1s"]}},
        {"fcm_options": {"analytics_label": {}}},
        {"webpush": {"fcm_options": {"link": 5}}},
    ],
)
def test_the_basics_alone_still_answer_nonsense_inside_a_block(message: dict[str, Any]) -> None:
    body = json.dumps({"message": {"token": "t", **message}}).encode()
    assert Fcm(schema=BASIC).send("p", body).status in (200, 400)


def test_an_empty_token_is_no_token() -> None:
    reply = Fcm().send("p", b'{"message":{"token":""}}')
    assert (reply.status, reply.name) == (400, "malformed_token")


def test_a_plan_is_played_once() -> None:
    faults = Faults()
    faults.order(Orders(plan=[Trouble.LOST, Trouble.OK, Trouble.HTML]), 0.0)
    assert [faults.next(1.0) for _ in range(4)] == [
        Trouble.LOST,
        Trouble.OK,
        Trouble.HTML,
        Trouble.OK,
    ]


def test_a_push_whose_answer_is_lost_was_accepted() -> None:
    fcm = Fcm()
    fcm.faults.order(Orders(plan=[Trouble.LOST, Trouble.HANG]), 0.0)
    for _ in range(3):
        fcm.send("p", b'{"message":{"token":"t"}}')
    stats = fcm.stats()
    assert (stats["requests"], stats["accepted"], stats["repeated_pushes"]) == (3, 2, 1)
    assert stats["replies"] == {"accepted, lost": 1, "hang": 1, "accepted": 1}


def test_only_the_newest_messages_are_kept() -> None:
    fcm = Fcm()
    for number in range(20_010):
        fcm.send("p", b'{"message":{"token":"t%d"}}' % number)
    assert len(fcm.messages) == 20_000
    assert fcm.messages[0]["number"] == 11
