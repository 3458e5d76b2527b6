"""Where in an event a secret stands, and what has the shape of one. Pure.

What a member is called says nothing by itself: a `token` is a secret where an event registers a
device by it, and is a shop's own word in `Order Completed`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from clarion.events.messages.reserved import (
    DELETION_NAMES,
    REGISTRATION_NAMES,
    TOKEN_NAMES,
    meant_name,
    plain_name,
)

Path = tuple[str, ...]
"""The names from an event's outside to one of its members; of an item of a list, its index."""

FCM_TOKEN = re.compile(
    r"(?<![A-Za-z0-9_-])(?:[A-Za-z0-9_-]{22}|[A-Za-z0-9_-]{11})(?::|%3A)APA91b[A-Za-z0-9_-]*",
    re.IGNORECASE,
)
"""Nothing else looks like an FCM registration token; its colon may be percent-encoded."""

WRITE_KEY = "writeKey"
SIGNATURE = "userSignature"
REGISTERED_BY = (
    "fid", "fcmToken", "fcm_token", "token",
    "liveActivityStartToken", "live_activity_start_token",
    "liveActivityToken", "live_activity_token",
)  # fmt: skip
"""Properties of a track that registers a device, or ends one."""
IDENTIFIED_BY = ("pushToken", "push_token")
"""Traits of an identify that registers one."""
CARRIED = ("token", "fid")
"""What SDKs carry along in `context.device` of every event."""
MISPLACED = ("fcmToken", "fcm_token")
"""At the outside of an event: a registration's field where no app has words of its own."""

_NAMES = REGISTRATION_NAMES | TOKEN_NAMES | DELETION_NAMES


def secret_places(event: Mapping[str, Any]) -> list[Path]:
    """Where `event` holds what it registers a device by, a write key or a signature."""
    return [path for path, value in _fields(event) if isinstance(value, str) and value.strip()]


def _fields(event: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    yield from _of(event, (), (WRITE_KEY, *MISPLACED))
    kind, name = event.get("type"), event.get("event")
    is_track = isinstance(name, str) and kind != "identify"
    is_identify = kind == "identify" or (not isinstance(kind, str) and not is_track)
    registers = is_track and _registers(str(name))
    yield from _of(event, ("properties",), (SIGNATURE, *(REGISTERED_BY if registers else ())))
    yield from _of(event, ("context",), (SIGNATURE,))
    yield from _of(event, ("context", "device"), CARRIED)
    if is_identify:
        yield from _of(event, ("traits",), IDENTIFIED_BY)
        yield from _of(event, ("context", "traits"), IDENTIFIED_BY)
    context = event.get("context")
    entries = context.get("messaging_subscriptions") if isinstance(context, Mapping) else None
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        kind = entry.get("type") if isinstance(entry, Mapping) else None
        if isinstance(kind, str) and kind.upper().endswith("_PUSH"):
            yield ("context", "messaging_subscriptions", str(index), "key"), entry.get("key")


def _of(event: Mapping[str, Any], path: Path, names: tuple[str, ...]) -> Iterator[tuple[Path, Any]]:
    section: Any = event
    for name in path:
        section = section.get(name) if isinstance(section, Mapping) else None
    if isinstance(section, Mapping):
        yield from (((*path, name), section[name]) for name in names if name in section)


def _registers(name: str) -> bool:
    """Whether a track event registers a device or ends one, or all but says so."""
    return plain_name(name) in _NAMES or plain_name(meant_name(name)) in _NAMES
