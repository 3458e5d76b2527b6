"""The simulator's page of the last pushes: what a phone shows of each, and nothing that runs."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fcm_simulator.fcm.registrations import System
from fcm_simulator.fcm.simulation import Fcm
from fcm_simulator.server.phone_page import POLICY, cards, page

SHOWN = {"title": "Hello", "body": "There is news", "image": "https://x.example/y.png"}


class Seen(HTMLParser):
    """What a browser would find."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def seen(*messages: dict[str, Any], listed: System | None = None) -> Seen:
    fcm = Fcm()
    for message in messages:
        fcm.send("shop", json.dumps({"message": {"token": "t", **message}}).encode())
    pushes = [(message, listed) for message in reversed(fcm.messages)]
    return Seen(page(pushes, fcm.stats()).decode())


@pytest.mark.parametrize(
    ("message", "listed", "shown"),
    [
        (
            {"notification": SHOWN},
            None,
            [(System.ANDROID, "Hello", "There is news"), (System.IOS, "Hello", "There is news")],
        ),
        ({"notification": SHOWN}, System.WEB, [(System.WEB, "Hello", "There is news")]),
        (
            {"notification": SHOWN, "android": {"notification": {"title": "Hi"}}},
            System.ANDROID,
            [(System.ANDROID, "Hi", "There is news")],
        ),
        (
            {"androidV2": {"remoteNotification": {"notification": {"title": "Hi", "body": "b"}}}},
            System.ANDROID,
            [(System.ANDROID, "Hi", "b")],
        ),
        (
            {"notification": SHOWN, "apns": {"payload": {"aps": {"alert": "Short"}}}},
            System.IOS,
            [(System.IOS, "Hello", "Short")],
        ),
        (
            {"apns": {"payload": {"aps": {"alert": {"title": "T", "body": "B"}}}}},
            None,
            [(System.IOS, "T", "B")],
        ),
        (
            {"apns": {"payload": {"aps": {"alert": {"title-loc-key": "GREETING"}}}}},
            None,
            [(System.IOS, "[GREETING]", "")],
        ),
        (
            {"webpush": {"notification": {"title": "W", "body": "B"}}},
            System.WEB,
            [(System.WEB, "W", "B")],
        ),
        ({"data": {"a": "b"}}, None, []),
        ({"apns": {"payload": {"aps": {"content-available": 1}}}}, System.IOS, []),
    ],
)
def test_each_system_shows_its_own_before_what_is_for_all(
    message: dict[str, Any], listed: System | None, shown: list[tuple[System, str, str]]
) -> None:
    assert [(card.system, card.title, card.body) for card in cards(message, listed)] == shown


def test_the_newest_push_is_first_with_its_picture_and_data() -> None:
    found = seen(
        {"notification": SHOWN, "data": {"number": "seventeen"}}, {"data": {"silent": "yes"}}
    )
    assert found.text.index("silent") < found.text.index("seventeen")
    assert "There is news" in found.text
    assert "Data for the app: nothing is shown." in found.text
    assert "accepted 2" in found.text
    assert {attributes["src"] for tag, attributes in found.tags if tag == "img"} == {
        "https://x.example/y.png"
    }


def test_it_loads_itself_again_unless_it_is_to_hold_still() -> None:
    counts = Fcm().stats()
    assert b'http-equiv="refresh"' in page([], counts)
    assert b'http-equiv="refresh"' not in page([], counts, is_still=True)
    assert b"No push yet." in page([], counts)


EVIL = "</style><script>alert(1)</script><img src=x onerror='y'>\""


def test_nothing_that_was_sent_becomes_markup() -> None:
    shown = {"title": EVIL, "body": EVIL, "image": "https://x/" + EVIL}
    android = {"notification": {**shown, "channel_id": EVIL, "tag": EVIL}}
    apns = {"payload": {"aps": {"alert": {**shown, "subtitle": EVIL}, "sound": EVIL, "badge": 1}}}
    message = {"notification": shown, "data": {EVIL: EVIL}, "android": android, "apns": apns}
    clean = seen({"notification": SHOWN, "data": {"a": "b"}, "android": android, "apns": apns})
    for listed in (None, *System):
        found = seen({"token": EVIL, **message, "webpush": {"notification": shown}}, listed=listed)
        assert {tag for tag, _ in found.tags} <= {tag for tag, _ in clean.tags} | {"b"}
        assert not any(name.startswith("on") for _, attributes in found.tags for name in attributes)
        assert EVIL in found.text


@pytest.mark.parametrize(
    "image", ["javascript:alert(1)", "http://x/y.png", "data:image/png,x", "x"]
)
def test_only_pictures_over_https_are_asked_for(image: str) -> None:
    found = seen({"notification": {"title": "t", "image": image}})
    assert "img" not in {tag for tag, _ in found.tags}


def test_the_policy_lets_nothing_run() -> None:
    assert POLICY.startswith("default-src 'none'; img-src https:; style-src 'sha256-")
    assert "unsafe" not in POLICY
    assert not re.search(r'\sstyle="', page([], Fcm().stats()).decode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
BLOCK = st.dictionaries(
    st.sampled_from(["notification", "payload", "fcm_options", "remote_notification", "priority"])
    | st.text(),
    JSON | st.fixed_dictionaries({"aps": st.fixed_dictionaries({"alert": JSON, "badge": JSON})}),
)


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from(["android", "apns", "webpush", "android_v2"]), BLOCK | JSON))
def test_whatever_was_taken_can_be_shown(message: dict[str, Any]) -> None:
    kept = {"number": 1, "at": 0.0, "project": "p", "token": "t", "data": {}, **message}
    counts = Fcm().stats()
    for listed in (None, *System):
        assert page([(kept, listed)], counts)
