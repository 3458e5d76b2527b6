"""A Push as FCM's JSON (HTTP v1, `Message`). Pure.

Everything but token, push key, tag and the texts that Liquid renders is the same for all pushes of
one content, so that part is encoded once and cut at those places (`Encoder`).

A repeat must replace on the device: `android.notification.tag`, `apns-collapse-id`, the web push
`Topic` and `webpush.notification.tag` carry the delivery's tag, or the campaign's collapse key
where it has one.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
from msgspec.structs import replace

from clarion.deliveries.provider import (
    NO_SOUND,
    Content,
    InterruptionLevel,
    Platform,
    Priority,
    Push,
    PushSize,
    TokenKind,
)
from clarion.faults import Fault
from clarion.providers.fcm.fields import read_fields
from clarion.providers.fcm.live_activity import live_activity

PAYLOAD_BYTES_MAX = 4_096
APNS_BYTES_OF_GOOGLE = 160
"""What FCM itself adds to a document for APNs, and a little more: nobody has published it."""
PUSH_KEY = "clarion_push"
LINK_KEY = "link"
BUTTONS_KEY = "clarion_buttons"
COLLAPSE_ID_BYTES_MAX = 64
TOPIC_CHARACTERS_MAX = 32

_PLACES = re.compile(b"([\x01-\x06]|\x07.)", re.DOTALL)
_TOKEN, _KEY, _TAG, _LIVE = (msgspec.Raw(bytes([place])) for place in (1, 2, 3, 4))
"""Control characters stand for them in the encoded form: JSON escapes them in any text."""
_TITLE, _BODY, _DATA = b"\x05", b"\x06", b"\x07"
"""For texts that are each customer's own; of data one more byte says which."""
_PRIORITIES = {
    InterruptionLevel.PASSIVE: "PRIORITY_LOW",
    InterruptionLevel.ACTIVE: "PRIORITY_DEFAULT",
    InterruptionLevel.TIME_SENSITIVE: "PRIORITY_HIGH",
    InterruptionLevel.CRITICAL: "PRIORITY_MAX",
}
"""Of Android before 8; since then a channel has an importance of its own."""
_LONGEST_KEY = "k" * 65
_LONGEST_TAG = "t" * 32


class Encoder:
    """Encodes the pushes of one call; contents are compared by identity while it lives."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._cut: dict[tuple[Any, ...], list[bytes]] = {}
        self._kept: list[Content] = []

    def encode(self, push: Push) -> bytes:
        """The body of `messages:send`."""
        same = push.unrendered
        own = None if same is None else _own_texts(same, push.content)
        if same is None or own is None:
            same, own = push.content, {}
        cache_key = (id(same), push.platform, push.token_kind, *own)
        parts = self._cut.get(cache_key)
        if parts is None:
            marked = _with_marks(same, own) if own else same
            parts = _cut(marked, push.platform, push.token_kind, self._now)
            self._cut[cache_key] = parts
            self._kept.append(same)
        encode = msgspec.json.encode
        values = {
            b"\x01": encode(push.token),
            b"\x02": encode(push.delivery_id),
            b"\x03": encode(push.tag),
        }
        if push.live_activity_token is not None:
            values[b"\x04"] = encode(push.live_activity_token)
        for mark, text in own.items():
            values[mark] = encode(text)
        filled = parts.copy()
        for place in range(1, len(parts), 2):
            filled[place] = values[parts[place]]
        return b"".join(filled)


def as_dry_run(body: bytes) -> bytes:
    """The same request, which FCM only checks (`SendMessageRequest.validate_only`)."""
    return b'{"validate_only":true,' + body[1:]


def _own_texts(same: Content, content: Content) -> dict[bytes, str] | None:
    """The texts of `content` that are not those of `same`, by the mark that stands for each. None:
    more depends on them than their own place, as on a picture, a link, or a text that is empty."""
    if (
        content.image is not same.image
        or content.link is not same.link
        or content.buttons is not same.buttons
    ):
        return None
    own: dict[bytes, str] = {}
    for mark, text, was in (
        (_TITLE, content.title, same.title),
        (_BODY, content.body, same.body),
    ):
        if text is not was:
            if not text:
                return None
            own[mark] = text
    if content.data is same.data:
        return own
    for number, (name, was) in enumerate(same.data.items()):
        text = content.data[name]
        if text is not was:
            own[_DATA + bytes([number])] = text
    return own


def _with_marks(same: Content, own: Mapping[bytes, str]) -> Content:
    """`same` with marks in the places of a customer's own texts."""
    marked: dict[str, Any] = {}
    if _TITLE in own:
        marked["title"] = msgspec.Raw(_TITLE)
    if _BODY in own:
        marked["body"] = msgspec.Raw(_BODY)
    marked["data"] = {
        name: msgspec.Raw(mark) if (mark := _DATA + bytes([number])) in own else text
        for number, (name, text) in enumerate(same.data.items())
    }
    return replace(same, **marked)


def build(
    content: Content,
    platform: Platform,
    kind: TokenKind,
    now: datetime,
    *,
    token: Any,
    key: Any,
    tag: Any,
    live: Any = "",
) -> dict[str, Any]:
    """The request for a push of `content`: to `token`, attributed by `key`, replaced by `tag`, for
    the Live Activity `live`."""
    if content.live_activity is not None:
        target = "fid" if kind is TokenKind.FID else "token"
        return {"message": {target: token, "apns": live_activity(content, now, live)}}
    shown = {"title": content.title, "body": content.body, "image": content.image}
    notification = {name: text for name, text in shown.items() if text}
    data = {**content.data, PUSH_KEY: key}
    if content.link and LINK_KEY not in data:
        data[LINK_KEY] = content.link
    if content.buttons:
        data[BUTTONS_KEY] = _buttons_text(content)
    message: dict[str, Any] = {"fid" if kind is TokenKind.FID else "token": token, "data": data}
    if notification:
        message["notification"] = notification
    extra = _extra(content)
    if "fcm_options" in extra:
        message["fcm_options"] = extra["fcm_options"]
    match platform:
        case Platform.ANDROID if "android_v2" in extra:
            block, made = "android_v2", _android_v2(content, notification, tag)
        case Platform.ANDROID:
            block, made = "android", _android(content, bool(notification), tag)
        case Platform.IOS:
            block, made = "apns", _apns(content, bool(notification), now, tag)
        case Platform.WEB:
            block, made = "webpush", _webpush(content, bool(notification), tag)
    made = _merged(made, extra.get(block, {}))
    if "data" in made:
        # FCM gives the device a platform's data instead of the message's, not beside it.
        made["data"] = {**data, **made["data"]}
    message[block] = made
    return {"message": message}


def measure(content: Content, platform: Platform, now: datetime) -> PushSize:
    """How large the longest push of a content is, by the count that `check` goes by."""
    return PushSize(bytes=_size_of(content, platform, now), bytes_max=PAYLOAD_BYTES_MAX)


def _size_of(content: Content, platform: Platform, now: datetime) -> int:
    """How large the longest push of a content is, in bytes. Counts conservatively: every key and
    value the device receives, and for Apple's devices the JSON document as it is spelled."""
    built = build(
        content, platform, TokenKind.FCM, now, token="", key=_LONGEST_KEY, tag=_LONGEST_TAG
    )
    message = built["message"]
    message.pop("token")
    return max(_size(message), _apns_size(message))


def check(content: Content, platform: Platform, now: datetime) -> Sequence[Fault]:
    """What FCM would refuse."""
    fields = read_fields(content.fcm)
    if isinstance(fields, list):
        return fields
    size = _size_of(content, platform, now)
    if size > PAYLOAD_BYTES_MAX:
        longest = max(
            ("title", "body", "image", "link", "data", "buttons", "fcm"),
            key=lambda name: _size(getattr(content, name) or ""),
        )
        return [
            Fault(
                field=f"content.{longest}",
                message=f"makes the push {size} bytes on {platform.value}; FCM takes "
                f"{PAYLOAD_BYTES_MAX}: shorten it",
            )
        ]
    return []


def _cut(content: Content, platform: Platform, kind: TokenKind, now: datetime) -> list[bytes]:
    """The encoded request: what is fixed at even places, a mark at each odd one."""
    body = build(content, platform, kind, now, token=_TOKEN, key=_KEY, tag=_TAG, live=_LIVE)
    return _PLACES.split(msgspec.json.encode(body))


def _android(content: Content, is_shown: bool, tag: Any) -> dict[str, Any]:
    android: dict[str, Any] = {
        "priority": content.priority.value.upper(),
        "ttl": f"{content.ttl_seconds}s",
    }
    if content.collapse_key:
        android["collapse_key"] = content.collapse_key
    if is_shown:
        android["notification"] = {"tag": content.collapse_key or tag, **_looks_on_android(content)}
    return android


def _android_v2(content: Content, shown: Mapping[str, str], tag: Any) -> dict[str, Any]:
    """The newer block, which a campaign asks for by setting any field of it."""
    android: dict[str, Any] = {"ttl": f"{content.ttl_seconds}s"}
    if content.collapse_key:
        android["collapse_key"] = content.collapse_key
    if shown:
        looks = _looks_on_android(content)
        notification = {**shown, "tag": content.collapse_key or tag, **looks}
        android["remote_notification"] = {"notification": notification}
    else:
        android["background_sync"] = {}
    return android


def _looks_on_android(content: Content) -> dict[str, Any]:
    """What AndroidNotification and AndroidNotificationV2 call alike."""
    level = content.interruption_level
    looks = {
        "icon": content.icon,
        "color": content.color,
        "sound": None if content.sound == NO_SOUND else content.sound,
        "channel_id": content.channel,
        "notification_count": content.badge,
        "notification_priority": None if level is None else _PRIORITIES[level],
    }
    return {name: value for name, value in looks.items() if value is not None}


def _aps(content: Content) -> dict[str, Any]:
    """What Apple's `aps` holds of a push that is shown."""
    aps: dict[str, Any] = {}
    level, sound = content.interruption_level, content.sound or "default"
    if level is InterruptionLevel.CRITICAL:
        aps["sound"] = {"critical": 1, "name": "default" if sound == NO_SOUND else sound}
    elif sound != NO_SOUND:
        aps["sound"] = sound
    if isinstance(content.badge, int):
        aps["badge"] = content.badge
    if content.category:
        aps["category"] = content.category
    if level is not None:
        aps["interruption-level"] = level.value
    if content.image or content.buttons:
        aps["mutable-content"] = 1
    return aps


def _buttons_text(content: Content) -> str:
    """Buttons for the app itself, as JSON: FCM has no field for them but in browsers."""
    buttons = [
        {"id": str(number), "title": button.title} | ({"link": button.link} if button.link else {})
        for number, button in enumerate(content.buttons, 1)
    ]
    return msgspec.json.encode(buttons).decode()


def _apns(content: Content, is_shown: bool, now: datetime, tag: Any) -> dict[str, Any]:
    high = content.priority is Priority.HIGH and is_shown
    expires = 0 if content.ttl_seconds == 0 else int(now.timestamp()) + content.ttl_seconds
    aps: dict[str, Any] = _aps(content) if is_shown else {"content-available": 1}
    apns: dict[str, Any] = {
        "headers": {
            "apns-priority": "10" if high else "5",
            "apns-expiration": str(expires),
            "apns-collapse-id": _collapse_id(content.collapse_key) or tag,
        },
        "payload": {"aps": aps},
    }
    if content.image:
        aps["mutable-content"] = 1  # also where an image is all that it has
        apns["fcm_options"] = {"image": content.image}
    return apns


def _collapse_id(key: str | None) -> str | None:
    """`key` as it may stand in a header of at most 64 bytes."""
    if key and (len(key) > COLLAPSE_ID_BYTES_MAX or not (key.isascii() and key.isprintable())):
        return sha256(key.encode()).hexdigest()
    return key


def _webpush(content: Content, is_shown: bool, tag: Any) -> dict[str, Any]:
    topic = tag
    if content.collapse_key:
        topic = sha256(content.collapse_key.encode()).hexdigest()[:TOPIC_CHARACTERS_MAX]
    webpush: dict[str, Any] = {
        "headers": {
            "TTL": str(content.ttl_seconds),
            "Urgency": content.priority.value,
            "Topic": topic,
        }
    }
    if is_shown:
        # Topic replaces what still waits at the push service; the tag, what is already shown.
        webpush["notification"] = {"tag": content.collapse_key or tag, **_looks_on_web(content)}
    if content.link and content.link[:8].lower() == "https://":
        webpush["fcm_options"] = {"link": content.link}
    return webpush


def _looks_on_web(content: Content) -> dict[str, Any]:
    looks: dict[str, Any] = {}
    if content.icon:
        looks["icon"] = content.icon
    if isinstance(content.badge, str):
        looks["badge"] = content.badge
    if content.buttons:
        looks["actions"] = [
            {"action": str(number), "title": button.title}
            for number, button in enumerate(content.buttons, 1)
        ]
    return looks


def _extra(content: Content) -> Mapping[str, Any]:
    """The content's own FCM fields; `check` has found them right."""
    if not content.fcm:
        return content.fcm
    fields = read_fields(content.fcm)
    return {} if isinstance(fields, list) else fields


def _merged(made: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """`extra` over `made`, object by object."""
    for name, value in extra.items():
        encoded = made.get(name)
        if isinstance(value, Mapping) and isinstance(encoded, dict):
            value = _merged(encoded, value)
        made[name] = value
    return made


def _apns_size(message: Mapping[str, Any]) -> int:
    """The document that FCM makes of it for APNs, which counts escapes, too; 0: it makes none."""
    payload = message.get("apns", {}).get("payload")
    if payload is None:
        return 0
    shown = [message.get("notification"), payload.get("aps")]
    document = {**message.get("data", {}), **payload, "aps": shown}
    return APNS_BYTES_OF_GOOGLE + len(msgspec.json.encode(document))


def _size(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(len(str(name).encode()) + _size(inner) for name, inner in value.items())
    return len(str(value).encode())
