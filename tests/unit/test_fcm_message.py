"""A push as FCM's JSON: what each platform gets, how a repeat replaces, and what is too big."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from clarion.campaigns.content.appearance import Button, InterruptionLevel
from clarion.campaigns.content.spec import TTL_SECONDS_MAX
from clarion.deliveries.provider import Content, Platform, Priority, Push, TokenKind
from clarion.providers.fcm.message import PAYLOAD_BYTES_MAX, PUSH_KEY, Encoder, build, check

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = f"{'a' * 32}.{'b' * 32}"
TAG = "c" * 32
SHOWN = Content(
    title="Hello",
    body="There is news",
    image="https://example.com/i.png",
    link="https://example.com/news",
    data={"colour": "blue"},
    ttl_seconds=3_600,
)
SILENT = Content(data={"sync": "now"})


def push(content: Content = SHOWN, platform: Platform = Platform.ANDROID, **other: Any) -> Push:
    values: dict[str, Any] = {"token": "tok", "token_kind": TokenKind.FCM}
    values |= {"delivery_id": KEY, "tag": TAG, **other}
    return Push(platform=platform, content=content, **values)


def sent(content: Content = SHOWN, platform: Platform = Platform.ANDROID, **other: Any) -> Any:
    """The message as FCM would read it."""
    body = Encoder(NOW).encode(push(content, platform, **other))
    return msgspec.json.decode(body)["message"]


def test_an_android_push() -> None:
    assert sent() == {
        "token": "tok",
        "data": {"colour": "blue", "link": "https://example.com/news", PUSH_KEY: KEY},
        "notification": {
            "title": "Hello",
            "body": "There is news",
            "image": "https://example.com/i.png",
        },
        "android": {"priority": "HIGH", "ttl": "3600s", "notification": {"tag": TAG}},
    }


def test_an_ios_push() -> None:
    assert sent(platform=Platform.IOS)["apns"] == {
        "headers": {
            "apns-priority": "10",
            "apns-expiration": str(int(NOW.timestamp()) + 3_600),
            "apns-collapse-id": TAG,
        },
        "payload": {"aps": {"sound": "default", "mutable-content": 1}},
        "fcm_options": {"image": "https://example.com/i.png"},
    }


def test_a_web_push() -> None:
    assert sent(platform=Platform.WEB)["webpush"] == {
        "headers": {"TTL": "3600", "Urgency": "high", "Topic": TAG},
        "notification": {"tag": TAG},
        "fcm_options": {"link": "https://example.com/news"},
    }


@pytest.mark.parametrize("platform", Platform)
def test_a_platform_gets_no_other_platforms_block(platform: Platform) -> None:
    mine = {Platform.ANDROID: "android", Platform.IOS: "apns", Platform.WEB: "webpush"}[platform]
    assert sent(platform=platform).keys() & {"android", "apns", "webpush"} == {mine}


def test_a_token_and_an_installation_id_have_their_own_fields() -> None:
    assert sent(token_kind=TokenKind.FCM)["token"] == "tok"
    by_id = sent(token_kind=TokenKind.FID)
    assert by_id["fid"] == "tok"
    assert "token" not in by_id


def test_nothing_to_show_is_a_silent_push() -> None:
    assert "notification" not in sent(SILENT)
    assert "notification" not in sent(SILENT)["android"]
    assert "notification" not in sent(SILENT, Platform.WEB)["webpush"]
    apns = sent(SILENT, Platform.IOS)["apns"]
    assert apns["payload"] == {"aps": {"content-available": 1}}
    assert apns["headers"]["apns-priority"] == "5", "Apple takes nothing else for silent pushes"


def test_a_time_to_live_of_nothing_is_now_or_never() -> None:
    at_once = replace(SHOWN, ttl_seconds=0)
    assert sent(at_once)["android"]["ttl"] == "0s"
    assert sent(at_once, Platform.IOS)["apns"]["headers"]["apns-expiration"] == "0"
    assert sent(at_once, Platform.WEB)["webpush"]["headers"]["TTL"] == "0"


def test_the_longest_time_to_live() -> None:
    long = replace(SHOWN, ttl_seconds=TTL_SECONDS_MAX)
    assert sent(long)["android"]["ttl"] == "2419200s"
    assert sent(long, Platform.WEB)["webpush"]["headers"]["TTL"] == "2419200"


def test_a_low_priority_is_low_everywhere() -> None:
    calm = replace(SHOWN, priority=Priority.NORMAL)
    assert sent(calm)["android"]["priority"] == "NORMAL"
    assert sent(calm, Platform.IOS)["apns"]["headers"]["apns-priority"] == "5"
    assert sent(calm, Platform.WEB)["webpush"]["headers"]["Urgency"] == "normal"


def test_a_collapse_key_replaces_the_deliverys_tag_everywhere() -> None:
    collapsing = replace(SHOWN, collapse_key="news")
    android = sent(collapsing)["android"]
    assert android["collapse_key"] == android["notification"]["tag"] == "news"
    assert sent(collapsing, Platform.IOS)["apns"]["headers"]["apns-collapse-id"] == "news"
    webpush = sent(collapsing, Platform.WEB)["webpush"]
    assert webpush["notification"] == {"tag": "news"}
    assert len(webpush["headers"]["Topic"]) == 32
    assert TAG not in str(webpush)


@pytest.mark.parametrize("key", ["k" * 64, "k" * 65, "ключ", "a\r\nb", " "])
def test_a_collapse_key_of_any_kind_fits_into_the_headers(key: str) -> None:
    collapsing = replace(SHOWN, collapse_key=key)
    apns = sent(collapsing, Platform.IOS)["apns"]["headers"]["apns-collapse-id"]
    topic = sent(collapsing, Platform.WEB)["webpush"]["headers"]["Topic"]
    assert len(apns) <= 64
    assert apns.isascii()
    assert apns.isprintable()
    assert len(topic) <= 32
    assert topic.isalnum()


def test_a_link_that_a_browser_can_not_open_stays_in_data() -> None:
    message = sent(replace(SHOWN, link="shop://cart"), Platform.WEB)
    assert "fcm_options" not in message["webpush"]
    assert message["data"]["link"] == "shop://cart"


def test_the_marketers_own_link_key_is_kept() -> None:
    assert sent(replace(SHOWN, data={"link": "mine"}))["data"]["link"] == "mine"


def test_the_push_key_is_ours_even_if_content_has_one() -> None:
    assert sent(replace(SHOWN, data={PUSH_KEY: "stolen"}))["data"][PUSH_KEY] == KEY


TEXTS = st.text() | st.sampled_from(
    ['"', "\\", "\n\r\t", "\x00\x01\x02\x03", '"\x01"', "\\u0001", "💌", "\u2028", "‮"]
)
CONTENTS = st.builds(
    Content,
    title=st.none() | TEXTS,
    body=st.none() | TEXTS,
    image=st.none() | TEXTS,
    link=st.none() | TEXTS | TEXTS.map("https://[{}".format),
    data=st.dictionaries(TEXTS, TEXTS, max_size=4),
    ttl_seconds=st.integers(0, TTL_SECONDS_MAX),
    priority=st.sampled_from(Priority),
    collapse_key=st.none() | TEXTS,
)
PUSHES = st.builds(
    Push,
    token=TEXTS,
    token_kind=st.sampled_from([TokenKind.FCM, TokenKind.FID]),
    platform=st.sampled_from(Platform),
    delivery_id=TEXTS,
    tag=TEXTS,
    content=CONTENTS,
)


def plain(one: Push) -> Any:
    return build(
        one.content,
        one.platform,
        one.token_kind,
        NOW,
        token=one.token,
        key=one.delivery_id,
        tag=one.tag,
    )


@given(pushes=st.lists(PUSHES, max_size=4))
def test_cutting_and_filling_gives_what_building_gives(pushes: list[Push]) -> None:
    encoder = Encoder(NOW)
    for one in pushes:
        assert msgspec.json.decode(encoder.encode(one)) == plain(one)


@given(
    content=CONTENTS,
    texts=st.lists(st.tuples(TEXTS, TEXTS, TEXTS, st.booleans()), min_size=1, max_size=4),
    kind=st.sampled_from(TokenKind),
)
def test_what_is_rendered_for_each_customer_is_in_its_own_place(
    content: Content, texts: list[tuple[str, str, str, bool]], kind: TokenKind
) -> None:
    same = replace(content, data={**content.data, "own": "{{ customer.a }}", "static": "x"})
    encoder = Encoder(NOW)
    for platform in Platform:
        for number, (title, body, own, has_link) in enumerate(texts):
            changed: dict[str, Any] = {"data": {**same.data, "own": own}}
            if content.title is not None:
                changed["title"] = title
            if number % 2 and content.body is not None:
                changed["body"] = body
            if has_link and content.link is not None:
                changed["link"] = f"https://shop.example/{number}"
            rendered = replace(same, **changed)
            one = push(rendered, platform, token_kind=kind, token=own, unrendered=same)
            assert msgspec.json.decode(encoder.encode(one)) == plain(one)


@given(content=CONTENTS, tokens=st.lists(TEXTS, min_size=2, max_size=5))
def test_one_content_serves_many_tokens_and_platforms(content: Content, tokens: list[str]) -> None:
    encoder = Encoder(NOW)
    for number, token in enumerate(tokens):
        for platform in Platform:
            one = push(content, platform, token=token, tag=f"t{number}", delivery_id=f"d{number}")
            assert msgspec.json.decode(encoder.encode(one)) == plain(one)


@pytest.mark.parametrize("platform", Platform)
def test_a_payload_of_exactly_the_limit_passes_and_one_byte_more_does_not(
    platform: Platform,
) -> None:
    def faults(size: int) -> list[str]:
        content = replace(SHOWN, body="x" * size)
        return [fault.field for fault in check(content, platform=platform, now=NOW)]

    limit = next(size for size in range(PAYLOAD_BYTES_MAX) if faults(size))
    assert 3_000 < limit < PAYLOAD_BYTES_MAX
    assert faults(limit - 1) == []
    assert faults(limit) == ["content.body"]
    wire = sent(replace(SHOWN, body="x" * (limit - 1)), platform)
    counted = sum(len(name) + len(text) for name, text in wire["data"].items())
    counted += sum(len(name) + len(text) for name, text in wire["notification"].items())
    assert counted <= PAYLOAD_BYTES_MAX


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (Content(title="t" * 4_097), "content.title"),
        (Content(title="t", body="я" * 2_049), "content.body"),
        (Content(title="t", data={"k" * 4_097: "v"}), "content.data"),
        (Content(title="t", data={"k": "v" * 4_097}), "content.data"),
        (Content(title="t", link="https://x/" + "y" * 4_097), "content.link"),
        (Content(title="t", image="https://x/" + "y" * 4_097), "content.image"),
    ],
)
def test_what_is_too_big_is_named(content: Content, field: str) -> None:
    for platform in Platform:
        (fault,) = check(content, platform=platform, now=NOW)
        assert fault.field == field
        assert str(PAYLOAD_BYTES_MAX) in fault.message


def test_an_ordinary_push_has_no_faults() -> None:
    for platform in Platform:
        assert check(SHOWN, platform=platform, now=NOW) == []


def test_a_token_is_never_shown() -> None:
    assert "secret-token" not in repr(push(token="secret-token"))


LOOKING = replace(
    SHOWN,
    sound="chime",
    badge=3,
    channel="offers",
    color="#1a73e8",
    category="OFFER",
    interruption_level=InterruptionLevel.TIME_SENSITIVE,
    buttons=(Button(title="Open", link="shop://offer"), Button(title="Later")),
)
BUTTONS = '[{"id":"1","title":"Open","link":"shop://offer"},{"id":"2","title":"Later"}]'


def test_how_a_push_looks_is_said_in_the_words_of_each_platform() -> None:
    android = replace(LOOKING, icon="ic_offer")
    assert sent(android)["android"]["notification"] == {
        "tag": TAG,
        "icon": "ic_offer",
        "color": "#1a73e8",
        "sound": "chime",
        "channel_id": "offers",
        "notification_count": 3,
        "notification_priority": "PRIORITY_HIGH",
    }
    assert sent(LOOKING, Platform.IOS)["apns"]["payload"]["aps"] == {
        "sound": "chime",
        "badge": 3,
        "category": "OFFER",
        "interruption-level": "time-sensitive",
        "mutable-content": 1,
    }
    web = replace(LOOKING, icon="https://example.com/i.png", badge="https://example.com/b.png")
    assert sent(web, Platform.WEB)["webpush"]["notification"] == {
        "tag": TAG,
        "icon": "https://example.com/i.png",
        "badge": "https://example.com/b.png",
        "actions": [{"action": "1", "title": "Open"}, {"action": "2", "title": "Later"}],
    }


@pytest.mark.parametrize("platform", Platform)
def test_buttons_reach_every_app_in_its_data(platform: Platform) -> None:
    assert sent(LOOKING, platform)["data"]["clarion_buttons"] == BUTTONS
    assert "clarion_buttons" not in sent(SHOWN, platform)["data"]


def test_the_newer_block_of_android_is_told_the_same() -> None:
    newer = replace(LOOKING, fcm={"android_v2": {"direct_boot_ok": True}})
    notification = sent(newer)["android_v2"]["remote_notification"]["notification"]
    assert (notification["channel_id"], notification["sound"]) == ("offers", "chime")


def test_no_sound_and_a_critical_one_are_as_apple_describes_them() -> None:
    quiet = sent(replace(SHOWN, sound="none"), Platform.IOS)["apns"]["payload"]["aps"]
    assert "sound" not in quiet
    assert "sound" not in sent(replace(SHOWN, sound="none"))["android"]["notification"]
    critical = replace(SHOWN, interruption_level=InterruptionLevel.CRITICAL)
    aps = sent(critical, Platform.IOS)["apns"]["payload"]["aps"]
    assert aps["sound"] == {"critical": 1, "name": "default"}
    assert aps["interruption-level"] == "critical"


@pytest.mark.parametrize("platform", Platform)
def test_what_is_rendered_into_buttons_is_sent_as_rendered(platform: Platform) -> None:
    rendered = replace(LOOKING, buttons=(Button(title="Open, Ada", link="shop://ada"),))
    encoder = Encoder(NOW)
    for content in (rendered, LOOKING):
        body = encoder.encode(push(content, platform, unrendered=LOOKING))
        alone = Encoder(NOW).encode(push(content, platform))
        assert msgspec.json.decode(body) == msgspec.json.decode(alone)
