"""What FCM refuses in a message whose form is right: sizes, reserved keys, ranges. Pure.

The documentation gives the rules; where nobody has published FCM's words for a breach, ours say
which rule it is, as a violated field of an INVALID_ARGUMENT, the way FCM does elsewhere.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from fcm_simulator.fcm import answers
from fcm_simulator.fcm.answers import Reply
from fcm_simulator.fcm.conditions import TOPIC, read_condition
from fcm_simulator.fcm.message_size import (
    ADDED_BYTES_MAX,
    COUNTED,
    android_bytes,
    apns_bytes,
    webpush_bytes,
)
from fcm_simulator.fcm.schema import TARGETS, pick

PAYLOAD_BYTES_MAX = 4_096
TOPIC_PAYLOAD_BYTES_MAX = 2_048
TTL_SECONDS_MAX = 2_419_200
CONDITION_TOPICS_MAX = 5
COLLAPSE_ID_BYTES_MAX = 64

_LABEL = re.compile(r"[a-zA-Z0-9\-_.~%]{1,50}")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_WHOLE = re.compile(r"\d{1,19}")
_RESERVED = frozenset({"from", "message_type"})
_RESERVED_STARTS = ("google", "gcm")
_PRIORITIES = frozenset({"1", "5", "10"})
_SHOWN_BY_APS = ("alert", "badge", "sound", "event")
"""`event`: of a live activity."""
_SHADES = ("red", "green", "blue", "alpha")

Block = Mapping[str, Any]


class Breach(NamedTuple):
    field: str
    description: str
    message: str = ""
    """Where FCM's own is known to say less than the description."""


def refuse(
    message: Block, counted: Iterable[str] = COUNTED, body_bytes: int | None = None
) -> Reply | None:
    """The refusal of a message that breaks a rule, or None.

    `body_bytes`: of the request; no platform is given much more than that."""
    target = next((name for name in TARGETS if message.get(name) is not None), None)
    if target is None:
        return answers.no_target()
    breach = _breach(target, message)
    if breach is not None:
        return answers.invalid_argument(*breach)
    reason = _bad_for_apns(message) if message.get("apns") else None
    if reason is not None:
        return answers.apns_refuses(reason)
    limit = PAYLOAD_BYTES_MAX if target in ("fid", "token") else TOPIC_PAYLOAD_BYTES_MAX
    if body_bytes is not None and body_bytes + ADDED_BYTES_MAX <= limit:
        return None
    return _too_big(message, frozenset(counted), limit)


def _too_big(message: Block, counted: Collection[str], limit: int) -> Reply | None:
    if android_bytes(message, counted) > limit:
        return answers.too_big()
    if webpush_bytes(message, counted) > limit:
        return answers.too_big("Web Push message is too big")
    if apns_bytes(message, counted) > limit:
        return answers.apns_refuses("PayloadTooLarge", 413)
    return None


def _breach(target: str, message: Block) -> Breach | None:
    blocks = [
        (name, block)
        for name, block in (
            ("message", message),
            ("message.android", message.get("android")),
            ("message.android_v2", pick(message, "androidV2", "android_v2")),
            ("message.apns", message.get("apns")),
            ("message.webpush", message.get("webpush")),
        )
        if isinstance(block, dict)
    ]
    breach = _wrong_target(target, message[target])
    for name, block in blocks:
        breach = breach or _wrong_block(name, block)
    if breach is not None or len(blocks) == 1:
        return breach
    names = [name for name, _ in blocks]
    if "message.android" in names and "message.android_v2" in names:
        return Breach("message", "Only one of android and android_v2 may be set")
    return next(_wrong_shown(message), None) or _wrong_apns(message)


def _wrong_target(target: str, value: str) -> Breach | None:
    if target == "topic" and not TOPIC.fullmatch(value.removeprefix("/topics/")):
        return Breach("message.topic", "Invalid topic name")
    if target == "condition":
        condition = read_condition(value)
        if condition is None:
            return Breach("message.condition", "Invalid condition expression provided.")
        if len(condition.topics) > CONDITION_TOPICS_MAX:
            return Breach(
                "message.condition", f"More than {CONDITION_TOPICS_MAX} topics in a condition"
            )
    return None


def _wrong_block(name: str, block: Block) -> Breach | None:
    """What every block may have, and how it must be."""
    data = block.get("data")
    if isinstance(data, dict):
        for key in data:
            if key in _RESERVED or key.startswith(_RESERVED_STARTS):
                return Breach(f"{name}.data", f"Invalid data payload key: {key}")
    ttl = block.get("ttl")
    if ttl is not None and not _is_ttl(ttl):
        return Breach(f"{name}.ttl", f"TTL must be from 0 to {TTL_SECONDS_MAX} seconds")
    options = pick(block, "fcmOptions", "fcm_options")
    if not isinstance(options, dict):
        return None
    label = pick(options, "analyticsLabel", "analytics_label")
    if label is not None and not _LABEL.fullmatch(str(label)):
        return Breach(f"{name}.fcm_options.analytics_label", "Invalid analytics label")
    link = options.get("link")
    if link is not None and not str(link).startswith("https://"):
        return Breach(f"{name}.fcm_options.link", "The link must use HTTPS")
    return None


def _is_ttl(value: Any) -> bool:
    try:
        return 0 <= float(str(value).removesuffix("s")) <= TTL_SECONDS_MAX
    except ValueError:
        return False


def _wrong_shown(message: Block) -> Iterator[Breach]:
    """What is wrong in the notifications for Android, in both of its blocks."""
    newer = _dict(pick(message, "androidV2", "android_v2"))
    remote = _dict(pick(newer, "remoteNotification", "remote_notification"))
    for name, shown in (
        ("message.android.notification", _dict(_dict(message.get("android")).get("notification"))),
        ("message.android_v2.remote_notification.notification", _dict(remote.get("notification"))),
    ):
        if not shown:
            continue
        colour = shown.get("color")
        if colour is not None and not _COLOUR.fullmatch(str(colour)):
            yield Breach(f"{name}.color", "Invalid color: it must be in the form #rrggbb")
        timings = pick(shown, "vibrateTimings", "vibrate_timings")
        if isinstance(timings, list) and any(str(duration).startswith("-") for duration in timings):
            yield Breach(f"{name}.vibrate_timings", "A duration must not be negative")
        lights = pick(shown, "lightSettings", "light_settings")
        if isinstance(lights, dict):
            yield from _wrong_lights(f"{name}.light_settings", lights)


def _wrong_lights(name: str, lights: Block) -> Iterator[Breach]:
    colour = lights.get("color")
    if not isinstance(colour, dict):
        yield Breach(f"{name}.color", "The color of the light settings is required")
    elif not all(_is_shade(colour[shade]) for shade in _SHADES if colour.get(shade) is not None):
        yield Breach(f"{name}.color", "A component of a color must be from 0 to 1")
    for camel, snake in (
        ("lightOnDuration", "light_on_duration"),
        ("lightOffDuration", "light_off_duration"),
    ):
        duration = pick(lights, camel, snake)
        if duration is None:
            yield Breach(f"{name}.{snake}", "The duration is required")
        elif str(duration).startswith("-"):
            yield Breach(f"{name}.{snake}", "A duration must not be negative")


def _is_shade(value: Any) -> bool:
    try:
        return 0 <= float(value) <= 1
    except (TypeError, ValueError):
        return False


def _wrong_apns(message: Block) -> Breach | None:
    apns = _dict(message.get("apns"))
    payload = _dict(apns.get("payload"))
    if "aps" not in payload:
        return None
    aps = payload["aps"]
    if not isinstance(aps, dict):
        return Breach("message.apns.payload.aps", "aps must be an object", answers.INVALID)
    if not aps:
        return Breach("message.apns.payload.aps", "aps must not be empty", answers.INVALID)
    is_shown = message.get("notification") or any(name in aps for name in _SHOWN_BY_APS)
    if not is_shown and _apns_headers(message).get("apns-priority") == "10":
        return Breach(
            "message.apns.headers",
            "A message of data only takes no other apns-priority than 5",
            answers.INVALID,
        )
    return None


def _apns_headers(message: Block) -> dict[str, str]:
    headers = _dict(_dict(message.get("apns")).get("headers"))
    return {str(name).lower(): str(text) for name, text in headers.items()}


def _bad_for_apns(message: Block) -> str | None:
    """APNs' reason to refuse the headers."""
    headers = _apns_headers(message)
    if headers.get("apns-priority", "5") not in _PRIORITIES:
        return "BadPriority"
    if not _WHOLE.fullmatch(headers.get("apns-expiration", "0")):
        return "BadExpirationDate"
    if len(headers.get("apns-collapse-id", "").encode(errors="replace")) > COLLAPSE_ID_BYTES_MAX:
        return "BadCollapseId"
    return None


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
