"""What FCM refuses in a message whose form is right: sizes, reserved keys, ranges. Pure.

The documentation gives the rules; where nobody has published FCM's words for a breach, ours say
which rule it is, as a violated field of an INVALID_ARGUMENT, the way FCM does elsewhere.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from clarion.simulator import answers
from clarion.simulator.answers import Reply
from clarion.simulator.conditions import TOPIC, read_condition
from clarion.simulator.schema import TARGETS, pick

PAYLOAD_BYTES_MAX = 4_096
TOPIC_PAYLOAD_BYTES_MAX = 2_048
TTL_SECONDS_MAX = 2_419_200
CONDITION_TOPICS_MAX = 5

_LABEL = re.compile(r"[a-zA-Z0-9\-_.~%]{1,50}")
_RESERVED = frozenset({"from", "message_type"})
_RESERVED_STARTS = ("google.", "gcm.notification.")


COUNTED = ("notification", "data")
"""What counts for a message's size. FCM's own rule is not published."""


def refuse(message: Mapping[str, Any], counted: Iterable[str] = COUNTED) -> Reply | None:
    """The refusal of a message that breaks a rule, or None."""
    target = next((name for name in TARGETS if message.get(name) is not None), None)
    if target is None:
        return answers.no_target()
    broken = _wrong_target(target, message[target]) or _wrong_block(message) or _wrong_data(message)
    if broken is not None:
        return answers.invalid_argument(*broken)
    limit = PAYLOAD_BYTES_MAX if target in ("fid", "token") else TOPIC_PAYLOAD_BYTES_MAX
    return answers.too_big() if payload_bytes(message, counted) > limit else None


def payload_bytes(message: Mapping[str, Any], counted: Iterable[str] = COUNTED) -> int:
    """Keys and values of these parts of a message."""
    total = 0
    for name in counted:
        for key, text in (message.get(name) or {}).items():
            total += len(key) if key.isascii() else len(key.encode())
            if isinstance(text, str):
                total += len(text) if text.isascii() else len(text.encode())
    return total


def _wrong_target(target: str, value: str) -> tuple[str, str] | None:
    if target == "topic" and not TOPIC.fullmatch(value.removeprefix("/topics/")):
        return "message.topic", "Invalid topic name"
    if target == "condition":
        condition = read_condition(value)
        if condition is None:
            return "message.condition", "Invalid condition expression provided."
        if len(condition.topics) > CONDITION_TOPICS_MAX:
            return "message.condition", f"More than {CONDITION_TOPICS_MAX} topics in a condition"
    return None


def _wrong_block(message: Mapping[str, Any]) -> tuple[str, str] | None:
    android = message.get("android")
    android_v2 = pick(message, "androidV2", "android_v2")
    if android is not None and android_v2 is not None:
        return "message", "Only one of android and android_v2 may be set"
    ttl = (android or android_v2 or {}).get("ttl")
    if ttl is not None and not _is_ttl(ttl):
        return "message.android.ttl", f"TTL must be from 0 to {TTL_SECONDS_MAX} seconds"
    webpush = message.get("webpush")
    for name, block in (
        ("message", message),
        ("message.android", android),
        ("message.android_v2", android_v2),
        ("message.apns", message.get("apns")),
        ("message.webpush", webpush),
    ):
        options = block and pick(block, "fcmOptions", "fcm_options")
        if not isinstance(options, dict):
            continue
        label = pick(options, "analyticsLabel", "analytics_label")
        if label is not None and not _LABEL.fullmatch(str(label)):
            return f"{name}.fcm_options.analytics_label", "Invalid analytics label"
        link = options.get("link")
        if link is not None and not str(link).startswith("https://"):
            return f"{name}.fcm_options.link", "The link must use HTTPS"
    return None


def _is_ttl(value: Any) -> bool:
    try:
        return 0 <= float(str(value).removesuffix("s")) <= TTL_SECONDS_MAX
    except ValueError:
        return False


def _wrong_data(message: Mapping[str, Any]) -> tuple[str, str] | None:
    for key in message.get("data") or ():
        if key in _RESERVED or key.startswith(_RESERVED_STARTS):
            return "message.data", f"Invalid data payload key: {key}"
    return None
