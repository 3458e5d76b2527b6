"""A Push as FCM's JSON (HTTP v1, `Message`). Pure.

Everything but token, push key and tag is the same for all pushes of one content, so that part is
encoded once and cut at those three places (`Encoder`).

A repeat must replace on the device: `android.notification.tag`, `apns-collapse-id` and the web
push `Topic` carry the delivery's tag, or the campaign's collapse key where it has one.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import msgspec

from clarion.deliveries.provider import (
    Content,
    ContentFault,
    Platform,
    Priority,
    Push,
    TokenKind,
)

PAYLOAD_BYTES_MAX = 4_096
PUSH_KEY = "clarion_push"
LINK_KEY = "link"
COLLAPSE_ID_BYTES_MAX = 64
TOPIC_CHARACTERS_MAX = 32

_TOKEN = f"token-{secrets.token_hex(8)}"
_KEY = f"key-{secrets.token_hex(8)}"
_TAG = f"tag-{secrets.token_hex(8)}"
_PLACES = re.compile(f'"({_TOKEN}|{_KEY}|{_TAG})"'.encode())
_KEY_BYTES = 65
"""A push key is two ids in hex with a dot."""


class Encoder:
    """Encodes the pushes of one call; contents are compared by identity while it lives."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._cut: dict[tuple[int, Platform, TokenKind], list[bytes]] = {}
        self._kept: list[Content] = []

    def encode(self, push: Push) -> bytes:
        """The body of `messages:send`."""
        known = (id(push.content), push.platform, push.token_kind)
        parts = self._cut.get(known)
        if parts is None:
            body = build(push.content, push.platform, push.token_kind, self._now)
            parts = _PLACES.split(msgspec.json.encode(body))
            self._cut[known] = parts
            self._kept.append(push.content)
        values = {
            _TOKEN.encode(): msgspec.json.encode(push.token),
            _KEY.encode(): b'"%b"' % push.delivery_id.encode(),
            _TAG.encode(): b'"%b"' % push.tag.encode(),
        }
        return b"".join(values[part] if index % 2 else part for index, part in enumerate(parts))


def build(content: Content, platform: Platform, kind: TokenKind, now: datetime) -> dict[str, Any]:
    """The request for a push of `content`, with marks where token, key and tag go."""
    shown = {"title": content.title, "body": content.body, "image": content.image}
    notification = {name: text for name, text in shown.items() if text}
    data = {**content.data, PUSH_KEY: _KEY}
    if content.link and LINK_KEY not in data:
        data[LINK_KEY] = content.link
    message: dict[str, Any] = {"fid" if kind is TokenKind.FID else "token": _TOKEN, "data": data}
    if notification:
        message["notification"] = notification
    match platform:
        case Platform.ANDROID:
            message["android"] = _android(content, bool(notification))
        case Platform.IOS:
            message["apns"] = _apns(content, bool(notification), now)
        case Platform.WEB:
            message["webpush"] = _webpush(content)
    return {"message": message}


def check(content: Content, platform: Platform, now: datetime) -> Sequence[ContentFault]:
    """What FCM would refuse. Counts conservatively: every key and value the device receives."""
    message = build(content, platform, TokenKind.FCM, now)["message"]
    del message["token"]
    size = _size(message)
    if size > PAYLOAD_BYTES_MAX:
        longest = max(
            ("title", "body", "image", "link", "data"),
            key=lambda name: _size(getattr(content, name) or ""),
        )
        return [
            ContentFault(
                field=f"content.{longest}",
                message=f"makes the push {size} bytes on {platform.value}; FCM takes "
                f"{PAYLOAD_BYTES_MAX}: shorten it",
            )
        ]
    return []


def _android(content: Content, is_shown: bool) -> dict[str, Any]:
    android: dict[str, Any] = {
        "priority": content.priority.value.upper(),
        "ttl": f"{content.ttl_seconds}s",
    }
    if content.collapse_key:
        android["collapse_key"] = content.collapse_key
    if is_shown:
        android["notification"] = {"tag": content.collapse_key or _TAG}
    return android


def _apns(content: Content, is_shown: bool, now: datetime) -> dict[str, Any]:
    high = content.priority is Priority.HIGH and is_shown
    collapse = content.collapse_key or _TAG
    if len(collapse.encode()) > COLLAPSE_ID_BYTES_MAX:
        collapse = sha256(collapse.encode()).hexdigest()
    expires = 0 if content.ttl_seconds == 0 else int(now.timestamp()) + content.ttl_seconds
    aps: dict[str, Any] = {"sound": "default"} if is_shown else {"content-available": 1}
    apns: dict[str, Any] = {
        "headers": {
            "apns-priority": "10" if high else "5",
            "apns-expiration": str(expires),
            "apns-collapse-id": collapse,
        },
        "payload": {"aps": aps},
    }
    if content.image:
        aps["mutable-content"] = 1
        apns["fcm_options"] = {"image": content.image}
    return apns


def _webpush(content: Content) -> dict[str, Any]:
    topic = _TAG
    if content.collapse_key:
        topic = sha256(content.collapse_key.encode()).hexdigest()[:TOPIC_CHARACTERS_MAX]
    webpush: dict[str, Any] = {
        "headers": {
            "TTL": str(content.ttl_seconds),
            "Urgency": content.priority.value,
            "Topic": topic,
        }
    }
    if content.link and urlsplit(content.link).scheme == "https":
        webpush["fcm_options"] = {"link": content.link}
    return webpush


def _size(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(len(str(name).encode()) + _size(inner) for name, inner in value.items())
    text = str(value)
    return _KEY_BYTES if text == _KEY else len(text.encode())
