"""What SDKs tell of a device: the latest word counts, in whatever order the words arrive."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarion.customers.devices.facts import FACT_CHARACTERS_MAX, Facts, noted, told_by
from clarion.events.messages.message import Event
from support.book import Book
from support.history import DAY, App
from support.sampling import examples

SDK = {
    "app": {"name": "Shop", "version": "2.1", "build": 210, "namespace": "example.shop"},
    "os": {"name": "Android", "version": "15"},
    "device": {"manufacturer": "Google", "model": "Pixel 9", "adTrackingEnabled": False},
    "locale": "de-AT",
    "timezone": "Europe/Vienna",
}
TOLD = {
    "app_name": "Shop",
    "app_version": "2.1",
    "app_build": "210",
    "os_name": "Android",
    "os_version": "15",
    "manufacturer": "Google",
    "model": "Pixel 9",
    "locale": "de-AT",
    "timezone": "Europe/Vienna",
}


def told(context: dict[str, Any], name: str = "Seen", **properties: Any) -> dict[str, str]:
    event = App().told(0, name, "D", user="U", context=context, properties=properties)
    return told_by(event)


def test_what_an_sdk_says_of_app_system_and_device_is_read() -> None:
    assert told(SDK) == TOLD


@pytest.mark.parametrize("wrong", [None, "", "  ", 1.5, True, [], {}, "a\x00b"])
def test_what_is_no_fact_is_left_out(wrong: Any) -> None:
    context = {"app": {"version": wrong}, "os": wrong, "locale": wrong, "timezone": wrong}
    assert told(context) == {}


def test_a_fact_is_cut_where_it_is_too_long() -> None:
    assert told({"locale": "x" * 500}) == {"locale": "x" * FACT_CHARACTERS_MAX}


def test_a_push_event_may_tell_facts_in_its_properties() -> None:
    said = {"app_version": "3", "device_os": "14", "device_model": "A", "push_enabled": True}
    assert told({}, "Device Created or Updated", **said) == {
        "app_version": "3",
        "os_version": "14",
        "model": "A",
        "push_permission": "granted",
    }
    assert told({}, "Product Viewed", **said) == {}
    assert told({}, "Application Opened", version="4", build=7) == {
        "app_version": "4",
        "app_build": "7",
    }


@pytest.mark.parametrize(
    ("said", "permission"),
    [
        ({"push_enabled": False}, "denied"),
        ({"pushEnabled": True}, "granted"),
        ({"push_enabled": "false"}, "denied"),  # as Customer.io's SDK for iOS says it
        ({"push_enabled": "true"}, "granted"),
        ({"authorizationStatus": "notDetermined"}, "not_determined"),
        ({"authorizationStatus": "provisional"}, "provisional"),
        ({"authorization_status": "AUTHORIZED"}, "granted"),
        ({"authorizationStatus": "ephemeral"}, "granted"),
        ({"authorizationStatus": 2}, None),  # Apple's numbers are not React Native's
        ({"authorizationStatus": "maybe"}, None),
    ],
)
def test_the_permission_to_push_is_read(said: dict[str, Any], permission: str | None) -> None:
    assert told({}, "Registered for Push", **said).get("push_permission") == permission
    assert told(said).get("push_permission") == permission
    assert told({"device": said}).get("push_permission") == permission


@pytest.mark.parametrize(
    ("status", "permission"), [("SUBSCRIBED", "granted"), ("DID_NOT_SUBSCRIBE", "denied")]
)
def test_a_push_subscription_tells_the_permission(status: str, permission: str) -> None:
    entry = {"key": "T", "type": "IOS_PUSH", "status": status}
    context = {"messaging_subscriptions": [entry]}
    assert told(context, "Push Subscription Change")["push_permission"] == permission


def test_permission_to_track_for_advertising_is_none_to_push() -> None:
    assert "push_permission" not in told({"device": {"adTrackingEnabled": True, "adTracking": 1}})


# --- which word counts ----------------------------------------------------------------------


def version(app: App, hours: float, value: str, **rest: Any) -> Event:
    context = {"app": {"version": value}}
    return app.told(hours * 60, "Seen", "D", context=context, **rest)


def test_facts_told_before_the_device_registers_count() -> None:
    app, book = App(), Book()
    book.take([version(app, 1, "2.0", user="U")])
    book.take([app.register(0, "D", user="U")])
    assert book.devices["D"].facts == {"app_version": "2.0"}
    assert book.devices["D"].last_seen_at == DAY + timedelta(hours=1)


def test_an_anonymous_event_of_the_device_is_a_sighting() -> None:
    app, book = App(), Book()
    book.take([app.register(10, "D", user="U")])
    book.take([version(app, 5.4, "2.0", anon="X")])
    assert book.devices["D"].last_seen_at == DAY + timedelta(hours=5)
    book.take([version(app, 3, "1.0", anon="X")])
    assert book.devices["D"].facts == {"app_version": "2.0"}


def test_a_change_within_the_hour_is_noted_and_a_repetition_is_not() -> None:
    app = App()
    known = noted(None, [version(app, 1.1, "2.0")])
    assert noted(known, [version(app, 1.9, "2.0"), version(app, 1.0, "1.9")]) is known
    assert noted(known, [version(app, 1.2, "2.1")]).values == {"app_version": "2.1"}
    later = noted(known, [version(app, 2.0, "2.0")])
    assert later.seen > known.seen


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_permission_turned_off_and_on_within_the_hour_ends_as_it_was_left(
    order: tuple[int, ...],
) -> None:
    app = App()
    said = [("true", 1), ("false", 10), ("true", 20), ("false", 30)]
    events = [
        app.told(minute, "Device Created or Updated", "D", properties={"push_enabled": word})
        for word, minute in said
    ]
    known = None
    for number in order:
        known = noted(known, [events[number]])
    assert known is not None
    assert known.values == {"push_permission": "denied"}


@settings(max_examples=examples(100), deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 12),
            st.sampled_from(["app", "os", "both"]),
            st.sampled_from("abc"),
        ),
        min_size=1,
        max_size=8,
        unique_by=lambda one: one[0],
    ),
    st.randoms(use_true_random=False),
)
def test_any_order_and_grouping_ends_in_what_the_latest_events_said(
    said: list[tuple[int, str, str]], chance: Any
) -> None:
    app = App()
    events = []
    for hour, what, value in said:
        parts = ("app", "os") if what == "both" else (what,)
        context = {part: {"version": value} for part in parts}
        events.append(app.told(hour * 60, "Seen", "D", user="U", context=context))
    register = app.register(0, "D", user="U")
    expected: dict[str, str] = {}
    for event in sorted(events, key=lambda event: (event.at, event.message_id)):
        expected |= told_by(event)
    order = [*events, register, *events]
    chance.shuffle(order)
    book = Book()
    while order:
        size = chance.randint(1, 3)
        book.take(order[:size])
        order = order[size:]
    device = book.devices["D"]
    assert device.facts == expected
    assert device.last_seen_at == max(event.at for event in events)
    facts = book.identifiers["D"].facts
    assert isinstance(facts, Facts)
    assert facts.values == expected
