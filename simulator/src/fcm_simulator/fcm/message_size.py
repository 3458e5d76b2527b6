"""How large a message is for the platforms that it says something to. Pure.

FCM has not published how it counts. For Android and the web, keys and values of what the device is
given; for Apple's devices the JSON document that APNs gets, which FCM fills with what the whole
message shows and carries, and with keys of its own. There an escape counts as what it is spelled.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any

from fcm_simulator.fcm.schema import pick

COUNTED = ("notification", "data", "android", "apns", "webpush")
"""What counts for a message's size, if nothing else is ordered."""

_FROM_GOOGLE = {
    "gcm.message_id": "1" * 16,
    "google.c.a.e": "1",
    "google.c.fid": "f" * 22,
    "google.c.sender.id": "1" * 12,
}
ADDED_BYTES_MAX = 256
"""By how much a platform's part may be larger than the request that it is made from: Google's keys,
and the alert that a notification becomes."""
_ALERT = ("title", "body")

Block = Mapping[str, Any]


def android_bytes(message: Block, counted: Collection[str] = COUNTED) -> int:
    """What a message is on Android, and where nothing is said to any platform."""
    shown, data = _base(message, counted)
    if "android" in counted:
        block = _dict(message.get("android")) or _dict(pick(message, "androidV2", "android_v2"))
        if block:
            remote = _dict(pick(block, "remoteNotification", "remote_notification"))
            own = _dict(block.get("notification")) or _dict(remote.get("notification"))
            shown = {**shown, **own}
            data = _dict(block.get("data")) or data
    return _bytes(shown) + _bytes(data)


def webpush_bytes(message: Block, counted: Collection[str] = COUNTED) -> int:
    """What it is in a browser; 0 where it says nothing to one."""
    block = _dict(message.get("webpush"))
    if not block or "webpush" not in counted:
        return 0
    shown, data = _base(message, counted)
    own = _dict(block.get("notification"))
    return _bytes({**shown, **own}) + _bytes(_dict(block.get("data")) or data)


def apns_bytes(message: Block, counted: Collection[str] = COUNTED) -> int:
    """What it is for Apple's devices; 0 where it says nothing to them."""
    payload = _dict(_dict(message.get("apns")).get("payload"))
    if not payload or "apns" not in counted:
        return 0
    shown, data = _base(message, counted)
    aps = _dict(payload.get("aps"))
    alert = {name: shown[name] for name in _ALERT if name in shown}
    own = aps.get("alert")
    if isinstance(own, dict):
        alert |= own
    elif own is not None:
        alert["body"] = own
    if alert:
        aps = {**aps, "alert": alert}
    document = {**_FROM_GOOGLE, **data, **payload, "aps": aps}
    spelled = json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=str)
    return len(spelled.encode(errors="replace"))


def _base(message: Block, counted: Collection[str]) -> tuple[Block, Block]:
    """What is for every platform: what is shown, and data."""
    shown = _dict(message.get("notification")) if "notification" in counted else {}
    data = _dict(message.get("data")) if "data" in counted else {}
    return shown, data


def _bytes(value: Any) -> int:
    """Keys and values, however deep."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode(errors="replace"))
    if isinstance(value, dict):
        return sum(map(_bytes, value)) + sum(map(_bytes, value.values()))
    if isinstance(value, list):
        return sum(map(_bytes, value))
    return 0 if value is None else len(json.dumps(value, default=str))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
