"""Every field of FCM's message can be set in its own words, but for those that are Clarion's."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from clarion.campaigns.content.spec import ContentSpec, dump_content, parse_content
from clarion.deliveries.provider import Content, Platform, Push, TokenKind
from clarion.faults import Fault
from clarion.providers.fcm import fields
from clarion.providers.fcm.fields import MESSAGE, Fields, Kind, Ours, read_fields
from clarion.providers.fcm.message import PUSH_KEY, Encoder, check
from fcm_simulator.fcm.schema import load, to_snake
from support.sampling import examples

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHOWN = Content(title="Hello", body="News", data={"screen": "news"})
SCHEMA = load()

# A value for each kind, beside the table's own check of it.
VALUES: dict[str, st.SearchStrategy[Any]] = {
    fields._TEXT.wanted: st.text("ab c", max_size=5),
    fields._TEXTS.wanted: st.lists(st.text("ab", max_size=3), max_size=2),
    fields._BOOL.wanted: st.booleans(),
    fields._COUNT.wanted: st.integers(0, 99),
    fields._SHARE.wanted: st.sampled_from([0, 0.5, 1]),
    fields._SECONDS.wanted: st.sampled_from(["1s", "3.5s"]),
    fields._SECONDS_LIST.wanted: st.just(["0.5s", "1s"]),
    fields._TIME.wanted: st.just("2026-03-01T09:00:00Z"),
    fields._OBJECT.wanted: st.just({"aps": {"badge": 3}, "custom": [1]}),
    fields._TEXT_MAP.wanted: st.dictionaries(st.sampled_from(["x-a", "x-b"]), st.text("ab")),
    fields._DATA.wanted: st.dictionaries(st.sampled_from(["k", "l"]), st.text("ab")),
    fields._LABEL.wanted: st.just("spring~2026"),
    "a colour such as #1a73e8": st.just("#1a73e8"),
}


def described() -> dict[str, Any]:
    document = files("googleapiclient.discovery_cache") / "documents" / "fcm.v1.json"
    schemas: dict[str, Any] = json.loads(document.read_text(encoding="utf-8"))["schemas"]
    return schemas


def test_the_table_has_every_field_of_fcms_description() -> None:
    schemas = described()

    def hold(known: Fields, name: str, path: str) -> None:
        written = {to_snake(one): wanted for one, wanted in schemas[name]["properties"].items()}
        assert known.keys() == written.keys(), path
        for field, wanted in written.items():
            inner = known[field]
            if isinstance(inner, Mapping):
                if "properties" in schemas[wanted["$ref"]]:
                    hold(inner, wanted["$ref"], f"{path}.{field}")
            elif isinstance(inner, Kind) and "enum" in wanted:
                assert inner.wanted == f"one of {', '.join(wanted['enum'])}"

    hold(MESSAGE, "Message", "message")


def fragments(known: Fields = MESSAGE) -> st.SearchStrategy[dict[str, Any]]:
    """Any fields that can be set, with values that they take."""
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for name, kind in known.items():
        match kind:
            case Ours():
                continue
            case Kind(wanted=wanted):
                one_of = wanted.removeprefix("one of ").split(", ")
                optional[name] = VALUES.get(wanted, st.sampled_from(one_of))
            case _ if name == "light_settings":
                optional[name] = st.just(
                    {"color": {"red": 1}, "light_on_duration": "1s", "light_off_duration": "1s"}
                )
            case _:
                optional[name] = fragments(kind)
    return st.fixed_dictionaries({}, optional=optional)


def encoded(content: Content, platform: Platform) -> Any:
    push = Push(
        token="tok",
        token_kind=TokenKind.FCM,
        platform=platform,
        delivery_id="a.b",
        tag="t" * 32,
        content=content,
    )
    return msgspec.json.decode(Encoder(NOW).encode(push))


@settings(max_examples=examples(100), deadline=None)
@given(fragments(), st.sampled_from(list(Platform)), st.booleans())
def test_any_fields_make_a_message_that_fcm_takes(
    fragment: dict[str, Any], platform: Platform, shown: bool
) -> None:
    if "android" in fragment:
        fragment.pop("android_v2", None)
    for block in ("webpush",):
        fragment.get(block, {}).pop("notification", None)
    content = replace(SHOWN if shown else Content(data={"a": "b"}), fcm=fragment)
    assert check(content, platform, NOW) == []
    request = encoded(content, platform)
    assert SCHEMA.violations(request) == []
    message = request["message"]
    for data in (message["data"], *(one["data"] for one in message.values() if "data" in one)):
        if isinstance(data, dict):
            assert data[PUSH_KEY] == "a.b"


def test_a_platforms_fields_stand_beside_those_that_clarion_sets() -> None:
    content = replace(
        SHOWN,
        fcm={
            "android": {"notification": {"channelId": "news", "color": "#1a73e8"}},
            "apns": {"payload": {"aps": {"badge": 3, "sound": "ping.caf"}}},
            "webpush": {"notification": {"requireInteraction": True}, "headers": {"X-A": "b"}},
            "fcm_options": {"analytics_label": "spring"},
        },
    )
    android = encoded(content, Platform.ANDROID)["message"]
    assert android["android"]["notification"] == {
        "tag": "t" * 32, "channel_id": "news", "color": "#1a73e8",
    }  # fmt: skip
    assert android["fcm_options"] == {"analytics_label": "spring"}
    assert "apns" not in android
    apns = encoded(content, Platform.IOS)["message"]["apns"]
    assert apns["payload"]["aps"] == {"sound": "ping.caf", "badge": 3}
    assert apns["headers"]["apns-collapse-id"] == "t" * 32
    web = encoded(content, Platform.WEB)["message"]["webpush"]
    assert web["notification"] == {"tag": "t" * 32, "requireInteraction": True}
    assert web["headers"].keys() == {"TTL", "Urgency", "Topic", "X-A"}


def test_a_platforms_own_data_keeps_the_key_of_attribution() -> None:
    content = replace(SHOWN, fcm={"android": {"data": {"screen": "other", "more": "x"}}})
    data = encoded(content, Platform.ANDROID)["message"]["android"]["data"]
    assert data == {"screen": "other", "more": "x", PUSH_KEY: "a.b"}


def test_the_newer_android_block_takes_the_place_of_the_older_one() -> None:
    newer = {"android_v2": {"remote_notification": {"notification": {"id": 7}}}}
    message = encoded(replace(SHOWN, fcm=newer), Platform.ANDROID)["message"]
    assert "android" not in message
    notification = message["android_v2"]["remote_notification"]["notification"]
    assert notification == {"title": "Hello", "body": "News", "tag": "t" * 32, "id": 7}


@pytest.mark.parametrize(
    ("wire", "field", "words"),
    [
        ({"androld": {}}, "androld", "did you mean android"),
        ({"token": "x"}, "token", "the audience"),
        ({"android": {"ttl": "3s"}}, "android.ttl", "content.ttl_seconds"),
        ({"android": {"notification": {"tag": "x"}}}, "android.notification.tag", "collapse_key"),
        ({"android": {"data": {"google.x": "1"}}}, "android.data", "reserved"),
        ({"android": {"notification": {"color": "red"}}}, "android.notification.color", "colour"),
        ({"android": {"notification": {"visibility": "X"}}}, "android.notification.visibility",
         "PRIVATE"),
        ({"apns": {"headers": {"apns-collapse-id": "x"}}}, "apns.headers.apns-collapse-id",
         "collapse_key"),
        ({"apns": {"payload": {"aps": 1}}}, "apns.payload.aps", "object"),
        ({"webpush": {"notification": {"tag": "x"}}}, "webpush.notification.tag", "collapse_key"),
        ({"fcm_options": {"analytics_label": "a b"}}, "fcm_options.analytics_label", "1 to 50"),
        ({"android": {}, "android_v2": {}}, "android_v2", "beside android"),
        ({"android": 5}, "android", "object"),
    ],
)  # fmt: skip
def test_what_can_not_be_set_is_refused_naming_the_field(
    wire: dict[str, Any], field: str, words: str
) -> None:
    (fault,) = check(replace(SHOWN, fcm=wire), Platform.ANDROID, NOW)
    assert fault.field == f"content.fcm.{field}"
    assert words in fault.message


@settings(max_examples=examples(100), deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from([*MESSAGE, "notification", "x"]), inner, max_size=3)
        ),
        max_leaves=6,
    )
)
def test_any_value_is_read_or_refused(wire: Any) -> None:
    read = read_fields(wire)
    assert isinstance(read, dict) or all(isinstance(one, Fault) for one in read)


def test_fields_are_counted_and_kept_with_the_content() -> None:
    huge = {"apns": {"payload": {"note": "x" * 3_900}}}
    spec = parse_content({"title": "Hi", "body": "b" * 200, "fcm": huge})
    assert isinstance(spec, ContentSpec)
    (fault,) = check(spec.base, Platform.IOS, NOW)
    assert fault.field == "content.fcm"
    assert check(spec.base, Platform.ANDROID, NOW) == []
    assert parse_content(dump_content(spec)) == spec


def test_fields_belong_beside_the_platforms_and_have_bounds() -> None:
    deep: Any = {}
    for _ in range(30):
        deep = {"a": deep}
    for wire in (
        {"title": "Hi", "platforms": {"iOS": {"fcm": {"apns": {}}}}},
        {"title": "Hi", "fcm": deep},
        {"title": "Hi", "fcm": []},
    ):
        (fault,) = parse_content(wire)  # type: ignore[misc]
        assert fault.field.endswith("fcm")
