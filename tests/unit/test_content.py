"""What a push says: what can be saved, what is refused, and what a platform sees of it."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.campaigns.content.spec import (
    COLLAPSE_KEY_CHARACTERS_MAX,
    DATA_KEYS_MAX,
    TITLE_CHARACTERS_MAX,
    TTL_SECONDS_DEFAULT,
    TTL_SECONDS_MAX,
    Content,
    ContentSpec,
    Priority,
    dump_content,
    load_content,
    parse_content,
)
from clarion.customers.devices.device import Platform
from clarion.faults import Fault


def spec(wire: Any) -> ContentSpec:
    found = parse_content(wire)
    assert isinstance(found, ContentSpec), found
    return found


def faults(wire: Any) -> dict[str, str]:
    found = parse_content(wire)
    assert isinstance(found, list), found
    return {one.field: one.message for one in found}


WHOLE = {
    "title": "Hello {{ customer.name }}",
    "body": "News",
    "image": "https://example.com/a.png",
    "link": "myapp://offers/1",
    "data": {"offer": "1"},
    "ttl_seconds": 60,
    "priority": "normal",
    "collapse_key": "offers",
}


def test_every_field_is_read() -> None:
    assert spec(WHOLE).base == Content(
        title="Hello {{ customer.name }}",
        body="News",
        image="https://example.com/a.png",
        link="myapp://offers/1",
        data={"offer": "1"},
        ttl_seconds=60,
        priority=Priority.NORMAL,
        collapse_key="offers",
    )


def test_what_is_not_said_has_a_default() -> None:
    base = spec({"title": "Hello", "body": None}).base
    assert (base.body, base.ttl_seconds, base.priority) == (
        None,
        TTL_SECONDS_DEFAULT,
        Priority.HIGH,
    )


def test_a_platform_sees_the_base_with_its_overrides() -> None:
    found = spec(
        {
            "title": "Hello",
            "body": "Everybody",
            "data": {"a": "1", "b": "2"},
            "platforms": {
                "ios": {"body": "iPhones", "data": {"b": "3", "c": "4"}},
                "Web": {"priority": "normal", "ttl_seconds": 0},
            },
        }
    )
    ios, android, web = map(found.for_platform, (Platform.IOS, Platform.ANDROID, Platform.WEB))
    assert (ios.title, ios.body, ios.data) == ("Hello", "iPhones", {"a": "1", "b": "3", "c": "4"})
    assert android == found.base
    assert (web.body, web.priority, web.ttl_seconds) == ("Everybody", Priority.NORMAL, 0)


def test_no_override_reaches_another_platform_or_the_base() -> None:
    found = spec({"title": "Hello", "data": {"a": "1"}, "platforms": {"iOS": {"data": {"b": "2"}}}})
    assert dict(found.for_platform(Platform.IOS).data) == {"a": "1", "b": "2"}
    assert dict(found.base.data) == {"a": "1"}


@pytest.mark.parametrize(
    ("wire", "field"),
    [
        (None, "content"),
        ("Hello", "content"),
        ([], "content"),
        ({}, "content.title"),
        ({"title": ""}, "content.title"),
        ({"title": "x" * (TITLE_CHARACTERS_MAX + 1)}, "content.title"),
        ({"title": 5}, "content.title"),
        ({"title": "a\x00b"}, "content.title"),
        ({"title": "half \ud83d"}, "content.title"),
        ({"title": "x", "body": "x" * 4_001}, "content.body"),
        ({"title": "x", "image": "a.png"}, "content.image"),
        ({"title": "x", "image": "ftp://example.com/a.png"}, "content.image"),
        ({"title": "x", "image": "http:"}, "content.image"),
        ({"title": "x", "image": "http://[::1"}, "content.image"),
        ({"title": "x", "image": "https://" + "x" * 2_000}, "content.image"),
        ({"title": "x", "link": "offers/1"}, "content.link"),
        ({"title": "x", "link": "http://[::1"}, "content.link"),
        ({"title": "x", "link": "javascript:alert(1)"}, "content.link"),
        ({"title": "x", "link": "JavaScript:alert(1)"}, "content.link"),
        ({"title": "x", "link": "data:text/html,x"}, "content.link"),
        ({"title": "x", "data": ["a"]}, "content.data"),
        ({"title": "x", "data": {"a": 5}}, "content.data"),
        ({"title": "x", "data": {"a": None}}, "content.data"),
        ({"title": "x", "data": {"": "a"}}, "content.data"),
        ({"title": "x", "data": {"a\x00": "a"}}, "content.data"),
        ({"title": "x", "data": {"a": "\x00"}}, "content.data"),
        ({"title": "x", "data": {"from": "a"}}, "content.data"),
        ({"title": "x", "data": {"clarion_push": "a"}}, "content.data"),
        ({"title": "x", "data": {"google.c.a": "a"}}, "content.data"),
        ({"title": "x", "data": {"gcm.x": "a"}}, "content.data"),
        (
            {"title": "x", "data": {str(number): "a" for number in range(DATA_KEYS_MAX + 1)}},
            "content.data",
        ),
        ({"title": "x", "ttl_seconds": -1}, "content.ttl_seconds"),
        ({"title": "x", "ttl_seconds": TTL_SECONDS_MAX + 1}, "content.ttl_seconds"),
        ({"title": "x", "ttl_seconds": 1.5}, "content.ttl_seconds"),
        ({"title": "x", "ttl_seconds": "60"}, "content.ttl_seconds"),
        ({"title": "x", "ttl_seconds": True}, "content.ttl_seconds"),
        ({"title": "x", "priority": "urgent"}, "content.priority"),
        ({"title": "x", "priority": ["high"]}, "content.priority"),
        (
            {"title": "x", "collapse_key": "x" * (COLLAPSE_KEY_CHARACTERS_MAX + 1)},
            "content.collapse_key",
        ),
        ({"title": "x", "melody": "default"}, "content.melody"),
        ({"title": "x", "sound": ""}, "content.sound"),
        ({"title": "x", "sound": 1}, "content.sound"),
        ({"title": "x", "icon": "ic_offer"}, "content.icon"),
        ({"title": "x", "badge": "3"}, "content.badge"),
        ({"title": "x", "badge": -1}, "content.badge"),
        ({"title": "x", "badge": True}, "content.badge"),
        ({"title": "x", "color": "red"}, "content.color"),
        ({"title": "x", "interruption_level": "loud"}, "content.interruption_level"),
        ({"title": "x", "silent": "yes"}, "content.silent"),
        ({"title": "x", "silent": True}, "content.data"),
        ({"title": "x", "buttons": {"title": "Go"}}, "content.buttons"),
        ({"title": "x", "buttons": [{"title": "Go"}] * 4}, "content.buttons"),
        ({"title": "x", "buttons": ["Go"]}, "content.buttons[0].title"),
        ({"title": "x", "buttons": [{"title": "Go"}, {}]}, "content.buttons[1].title"),
        ({"title": "x", "buttons": [{"title": "Go", "link": "go"}]}, "content.buttons[0].link"),
        ({"title": "x", "buttons": [{"title": "Go", "icon": "go"}]}, "content.buttons[0].icon"),
        ({"title": "x", "data": {"clarion_buttons": "[]"}}, "content.data"),
        ({"title": "x", "platforms": {"iOS": {"icon": "a"}}}, "content.platforms.iOS.icon"),
        ({"title": "x", "platforms": {"iOS": {"color": "#ffffff"}}}, "content.platforms.iOS.color"),
        ({"title": "x", "platforms": {"Web": {"sound": "a"}}}, "content.platforms.Web.sound"),
        ({"title": "x", "platforms": {"Web": {"badge": 1}}}, "content.platforms.Web.badge"),
        ({"title": "x", "platforms": {"Web": {"icon": "a"}}}, "content.platforms.Web.icon"),
        ({"title": "x", "platforms": {"iOS": {"channel": "b"}}}, "content.platforms.iOS.channel"),
        (
            {"title": "x", "platforms": {"Android": {"icon": "A b"}}},
            "content.platforms.Android.icon",
        ),
        (
            {"title": "x", "platforms": {"Android": {"category": "a"}}},
            "content.platforms.Android.category",
        ),
        ({"title": "x", "platforms": ["iOS"]}, "content.platforms"),
        ({"title": "x", "platforms": []}, "content.platforms"),
        ({"title": "x", "platforms": {"Windows": {}}}, "content.platforms.Windows"),
        ({"title": "x", "platforms": {"iOS": "Hello"}}, "content.platforms.iOS"),
        ({"title": "x", "platforms": {"iOS": {"melody": "a"}}}, "content.platforms.iOS.melody"),
        ({"title": "x", "platforms": {"iOS": {"platforms": 1}}}, "content.platforms.iOS.platforms"),
        ({"title": "x", "platforms": {"Web": {"priority": 1}}}, "content.platforms.Web.priority"),
        ({"title": "x", "platforms": {"iOS": {}, "ios": {}}}, "content.platforms.ios"),
    ],
)  # fmt: skip
def test_what_can_not_be_sent_is_refused_by_the_field_s_name(wire: Any, field: str) -> None:
    found = faults(wire)
    assert list(found) == [field]
    assert found[field]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    wire = {"titel": "x", "ttl_seconds": -1, "platforms": {"iOS": {"image": "a"}, "OS/2": {}}}
    assert set(faults(wire)) == {
        "content.titel",
        "content.ttl_seconds",
        "content.platforms.iOS.image",
        "content.platforms.OS/2",
    }


def test_an_unknown_field_names_those_there_are() -> None:
    assert "title, body, image" in faults({"titel": "x"})["content.titel"]


def test_words_on_one_platform_or_data_alone_are_something_to_say() -> None:
    assert spec({"platforms": {"iOS": {"title": "Hello"}}}).base.title is None
    assert spec({"data": {"sync": "1"}}).base.data == {"sync": "1"}
    assert spec({"title": "x", "platforms": None}).overrides == {}


def test_an_address_with_tags_is_checked_when_it_is_rendered() -> None:
    assert spec({"title": "x", "image": "{{ customer.photo }}", "link": "{% if a %}{% endif %}"})


def test_the_limits_themselves_are_allowed() -> None:
    assert spec(
        {
            "title": "x" * TITLE_CHARACTERS_MAX,
            "ttl_seconds": TTL_SECONDS_MAX,
            "collapse_key": "x" * COLLAPSE_KEY_CHARACTERS_MAX,
            "data": {str(number): "a" for number in range(DATA_KEYS_MAX)},
        }
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
words = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
fields: dict[str, st.SearchStrategy[Any]] = {
    "title": words,
    "body": words,
    "image": st.just("https://example.com/a.png"),
    "link": st.sampled_from(["https://example.com", "myapp://a", "{{ customer.link }}"]),
    "data": st.dictionaries(words.filter(bool), words, max_size=3),
    "ttl_seconds": st.integers(0, TTL_SECONDS_MAX),
    "priority": st.sampled_from(["normal", "high"]),
    "collapse_key": words,
    "badge": st.integers(0, 9),
    "silent": st.booleans(),
    "buttons": st.lists(
        st.fixed_dictionaries({"title": words.filter(bool)}, optional={"link": st.just("a://b")}),
        max_size=3,
    ),
}
overrides = st.dictionaries(
    st.sampled_from(["iOS", "Android"]), st.fixed_dictionaries({}, optional=fields)
)
languages = st.dictionaries(
    st.sampled_from(["de", "de-AT", "fr"]),
    st.fixed_dictionaries({}, optional={**fields, "platforms": overrides}),
)


@given(
    st.fixed_dictionaries({}, optional={**fields, "platforms": overrides, "languages": languages})
)
def test_what_is_saved_is_what_was_meant(wire: dict[str, Any]) -> None:
    found = parse_content(wire)
    if isinstance(found, ContentSpec):
        again = parse_content(msgspec.json.decode(msgspec.json.encode(dump_content(found))))
        assert isinstance(again, ContentSpec)
        assert list(again.all_contents()) == list(found.all_contents())


@given(
    json_values
    | st.fixed_dictionaries({}, optional=dict.fromkeys((*fields, "platforms"), json_values))
)
def test_whatever_is_sent_is_content_or_faults(wire: Any) -> None:
    found = parse_content(wire)
    if isinstance(found, list):
        assert found and all(isinstance(one, Fault) and one.message for one in found)


LIVE_START = {
    "event": "start",
    "attributes_type": "DeliveryAttributes",
    "attributes": {"order": "42"},
    "content_state": {"minutes": 12},
}


@pytest.mark.parametrize(
    "wire",
    [
        {"title": "t", "live_activity": LIVE_START},
        {"title": "t", "live_activity": {**LIVE_START, "attributes": {}, "stale_seconds": 0}},
        {"live_activity": {"event": "update", "content_state": {"a": [1, {"b": None}]}}},
        {"live_activity": {"event": "update", "activity_id": "x", "content_state": {"a": 1}}},
        {"body": "Done", "live_activity": {"event": "end", "dismiss_seconds": 0}},
    ],
)
def test_a_live_activity_is_kept_as_it_was_written(wire: dict[str, Any]) -> None:
    spec = parse_content(wire)
    assert isinstance(spec, ContentSpec)
    assert dump_content(spec)["live_activity"] == wire["live_activity"]
    assert parse_content(dump_content(spec)) == spec


@pytest.mark.parametrize(
    ("changed", "field", "told"),
    [
        ({"live_activity": "start"}, "live_activity", "object"),
        ({"live_activity": {}}, "live_activity", "event"),
        ({"live_activity": {"event": "begin"}}, "live_activity", "start, update or end"),
        ({"live_activity": {"event": "update"}}, "live_activity", "content_state"),
        ({"live_activity": {"event": "end", "state": {}}}, "live_activity", "no state"),
        ({"live_activity": {"event": "end", "content_state": []}}, "live_activity", "object"),
        ({"live_activity": {"event": "end", "activity_id": ""}}, "live_activity", "activity_id"),
        ({"live_activity": {"event": "end", "dismiss_seconds": -1}}, "live_activity", "seconds"),
        ({"live_activity": {"event": "end", "attributes": {}}}, "live_activity", "attributes"),
        ({"live_activity": {**LIVE_START, "attributes": None}}, "live_activity", "attributes"),
        ({"live_activity": {**LIVE_START, "activity_id": "x"}}, "live_activity", "activity_id"),
        ({"live_activity": {**LIVE_START, "dismiss_seconds": 5}}, "live_activity", "dismiss"),
        ({"title": None, "live_activity": LIVE_START}, "title", "alert"),
        ({"live_activity": LIVE_START, "data": {"a": "b"}}, "data", "content_state"),
        ({"live_activity": LIVE_START, "fcm": {"android": {}}}, "fcm", "content_state"),
        (
            {"live_activity": None, "platforms": {"iOS": {"live_activity": LIVE_START}}},
            "platforms.iOS.live_activity",
            "beside platforms",
        ),
    ],
)
def test_what_is_wrong_with_a_live_activity_is_told(
    changed: dict[str, Any], field: str, told: str
) -> None:
    faults = parse_content({"title": "t", **changed})
    assert isinstance(faults, list)
    assert [fault.field for fault in faults] == [f"content.{field}"]
    assert told in faults[0].message


def test_a_silent_platform_is_told_no_words_and_others_are() -> None:
    content = spec(
        {
            "title": "Hello",
            "image": "https://example.com/a.png",
            "buttons": [{"title": "Go"}],
            "data": {"sync": "1"},
            "platforms": {"Web": {"silent": True}},
        }
    )
    web = content.for_platform(Platform.WEB)
    assert web == Content(data={"sync": "1"}, silent=True) and web.is_silent
    assert content.for_platform(Platform.IOS).title == "Hello"
    loud = spec({"title": "Hello", "silent": True, "platforms": {"iOS": {"silent": False}}})
    assert [loud.shows_on(platform) for platform in Platform] == [
        platform is Platform.IOS for platform in Platform
    ]


@pytest.mark.parametrize(
    ("place", "field"),
    [
        (lambda data: {"data": data}, "content.data"),
        (lambda data: {"platforms": {"Web": {"data": data}}}, "content.platforms.Web.data"),
        (lambda data: {"languages": {"de": {"data": data}}}, "content.languages.de.data"),
        (
            lambda data: {"languages": {"de": {"platforms": {"iOS": {"data": data}}}}},
            "content.languages.de.platforms.iOS.data",
        ),
    ],
)
def test_a_key_that_is_reserved_since_is_refused_and_what_is_saved_is_read(
    place: Any, field: str
) -> None:
    wire = {"title": "x"} | place({"clarion_buttons": "[]", "screen": "1"})
    refused = parse_content(wire)
    assert isinstance(refused, list)
    assert [(fault.field, "is reserved" in fault.message) for fault in refused] == [(field, True)]
    saved = load_content(wire)
    assert isinstance(saved, ContentSpec)
    assert load_content(dump_content(saved)) == saved
    assert isinstance(load_content({"title": "x"} | place({"clarion_push": "1"})), list)
