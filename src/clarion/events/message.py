"""One event as an app sent it, read and normalised: Segment's spec, with rule R0 for its ids.

Pure. Nothing here raises for what an app can send: an event is read, or refused with a code, a
reason and the cure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec

EVENT_TYPES = frozenset({"track", "identify", "page", "screen", "group", "alias"})
EVENT_BYTES_MAX = 32_768
"""Segment's limit for one event."""
ID_CHARACTERS_MAX = 255
MESSAGE_ID_CHARACTERS_MAX = 100
"""Longer ones are replaced by their hash."""
NAME_CHARACTERS_MAX = 1_000
EXCERPT_CHARACTERS = 200
FUTURE_SECONDS_MAX = 60
"""A corrected time further ahead than this is taken for a wrong clock."""

_BLOCKED = frozenset(
    {
        "anonymous", "guest", "null", "none", "nil", "undefined", "nan", "true", "false",
        "unknown", "id", "userid", "anonymousid", "deviceid", "[object object]", "-1",
    }
)  # fmt: skip
_BLOCKED_SHAPE = re.compile(r"[0-]*|<[^<>]*>|\{\{.*\}\}|\$\{.*\}")
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A normalised event. Ids are None where absent, blank, blocked or too long (R0)."""

    message_id: str
    type: str
    name: str | None
    user_id: str | None
    anonymous_id: str | None
    previous_id: str | None
    device_id: str | None
    """`properties.deviceId`."""
    context_device_id: str | None
    at: datetime
    """When it happened, by the server's clock: corrected for the device's."""
    received_at: datetime
    traits: Mapping[str, Any]
    """What an identify says; empty for every other type."""
    properties: Mapping[str, Any]
    context: Mapping[str, Any]
    body: str
    """The JSON as it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why an event, or a part of what it asks for, was not taken; for people to read."""

    message_id: str | None
    code: str
    message: str
    excerpt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What a call says of all its events."""

    received_at: datetime
    sent_at: datetime | None
    context: Mapping[str, Any]


class _Wire(msgspec.Struct):
    type: Any = None
    messageId: Any = None
    userId: Any = None
    anonymousId: Any = None
    previousId: Any = None
    groupId: Any = None
    event: Any = None
    name: Any = None
    timestamp: Any = None
    originalTimestamp: Any = None
    sentAt: Any = None
    context: Any = None
    traits: Any = None
    properties: Any = None


class _WireIds(msgspec.Struct):
    """The few fields that decide whether an event can be taken at all."""

    type: Any = None
    messageId: Any = None
    userId: Any = None
    anonymousId: Any = None
    previousId: Any = None
    groupId: Any = None
    event: Any = None
    properties: Any = None
    context: Any = None
    writeKey: Any = None


class _WireTraits(msgspec.Struct):
    context: Any = None
    traits: Any = None


_wire = msgspec.json.Decoder(_Wire)
_wire_ids = msgspec.json.Decoder(_WireIds)
_wire_traits = msgspec.json.Decoder(_WireTraits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An event that can be taken: its type, and its messageId if it brought one."""

    type: str
    message_id: str | None
    write_key: str | None


def without_nul(raw: bytes) -> bytes:
    """JSON without `\\u0000`, which PostgreSQL can not store."""
    return _NUL.sub(rb"\1", raw) if b"\\u0000" in raw else raw


def check(raw: bytes, type_hint: str | None) -> Checked | Refusal:
    """Whether `read` will take this event; cheaper, for the moment it comes in."""
    try:
        wire = _wire_ids.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return _refusal(None, "event_not_an_object", "The event is not a JSON object.", raw)
    message_id = _message_id(wire.messageId)
    if len(raw) > EVENT_BYTES_MAX:
        return _refusal(
            message_id,
            "event_too_large",
            f"The event has {len(raw)} bytes; the limit is {EVENT_BYTES_MAX}.",
            raw,
        )
    kind = type_hint or wire.type
    if not isinstance(kind, str) or kind not in EVENT_TYPES:
        return _refusal(
            message_id,
            "event_type_unknown",
            "type must be track, identify, page, screen, group or alias.",
            raw,
        )
    if kind == "track" and _name(wire.event) is None:
        return _refusal(
            message_id, "event_name_missing", "A track event needs its name in `event`.", raw
        )
    ids = (wire.userId, wire.anonymousId, wire.previousId, *_device_ids(wire))
    if not any(usable_id(value) is not None for value in ids):
        return _no_id(message_id, ids, raw)
    key = wire.writeKey if isinstance(wire.writeKey, str) else None
    return Checked(type=kind, message_id=message_id, write_key=key)


def read(raw: bytes, *, type_: str, message_id: str, envelope: Envelope) -> Event | Refusal:
    """The event in `raw`, which `check` has let pass."""
    try:
        wire = _wire.decode(raw)
        body = raw.decode()
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _refusal(message_id, "event_not_an_object", "The event is not a JSON object.", raw)
    context = wire.context if isinstance(wire.context, dict) else {}
    traits = _traits(wire.traits, context) if type_ == "identify" else {}
    if envelope.context:
        context = {**envelope.context, **context}
    properties = wire.properties if isinstance(wire.properties, dict) else {}
    device_id, context_device_id = _device_ids(wire)
    return Event(
        message_id=message_id,
        type=type_,
        name=_name(wire.event if type_ == "track" else wire.name),
        user_id=usable_id(wire.userId),
        anonymous_id=usable_id(wire.anonymousId),
        previous_id=usable_id(wire.previousId),
        device_id=usable_id(device_id),
        context_device_id=usable_id(context_device_id),
        at=_corrected(wire, envelope),
        received_at=envelope.received_at,
        traits=traits,
        properties=properties,
        context=context,
        body=body,
    )


def read_traits(body: str) -> Mapping[str, Any]:
    """The traits of a stored identify."""
    wire = _wire_traits.decode(body)
    return _traits(wire.traits, wire.context if isinstance(wire.context, dict) else {})


def usable_id(value: Any) -> str | None:
    """An id after R0, or None: trimmed, integers as text; blank, shared and long ones are none."""
    if type(value) is not str:
        if type(value) is not int:
            return None
        value = str(value)
    text: str = value.strip()
    if not text or len(text) > ID_CHARACTERS_MAX:
        return None
    if text.lower() in _BLOCKED or _BLOCKED_SHAPE.fullmatch(text) or "\x00" in text:
        return None
    return text


def parse_time(value: Any) -> datetime | None:
    """An ISO 8601 time, or milliseconds since 1970, as aware UTC; None if it is neither."""
    try:
        if type(value) is str:
            at = datetime.fromisoformat(value.strip())
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        if type(value) in (int, float) and value > 100_000_000_000:
            return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _corrected(wire: _Wire, envelope: Envelope) -> datetime:
    """receivedAt - (sentAt - timestamp), clamped; receivedAt where the app gives no time."""
    received_at = envelope.received_at
    original = parse_time(wire.originalTimestamp) or parse_time(wire.timestamp)
    if original is None:
        return received_at
    sent_at = parse_time(wire.sentAt) if wire.sentAt is not None else envelope.sent_at
    try:
        if sent_at is not None and sent_at >= original - timedelta(seconds=1):
            original = received_at - (sent_at - original)
    except OverflowError:
        return received_at
    if original > received_at + timedelta(seconds=FUTURE_SECONDS_MAX) or original.year < 1971:
        return received_at
    return original


def _device_ids(wire: _Wire | _WireIds) -> tuple[Any, Any]:
    properties, context = wire.properties, wire.context
    device_id = None
    if isinstance(properties, dict):
        device_id = properties.get("deviceId")
        if device_id is None:
            device_id = properties.get("device_id")
    device = context.get("device") if isinstance(context, dict) else None
    return device_id, device.get("id") if isinstance(device, dict) else None


def _traits(root: Any, context: Mapping[str, Any]) -> Mapping[str, Any]:
    """Root traits, or `context.traits` where there are none (RudderStack sends only those)."""
    if isinstance(root, dict) and root:
        return root
    within = context.get("traits")
    return within if isinstance(within, dict) else {}


def _name(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return value.strip()[:NAME_CHARACTERS_MAX] or None


def _message_id(value: Any) -> str | None:
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str) or not (value := value.strip()):
        return None
    if len(value) > MESSAGE_ID_CHARACTERS_MAX:
        return f"sha256-{sha256(value.encode()).hexdigest()}"
    return value


def _no_id(message_id: str | None, ids: tuple[Any, ...], raw: bytes) -> Refusal:
    if any(isinstance(value, str) and len(value.strip()) > ID_CHARACTERS_MAX for value in ids):
        return _refusal(
            message_id,
            "id_too_long",
            f"An id may have {ID_CHARACTERS_MAX} characters at most.",
            raw,
        )
    return _refusal(
        message_id,
        "no_user_anon_id",
        "The event names nobody: send userId or anonymousId. Blank and placeholder values "
        "(null, <userId>, 0000 …) do not count.",
        raw,
    )


def _refusal(message_id: str | None, code: str, message: str, raw: bytes) -> Refusal:
    """An excerpt never shows a token: those stand behind the first fields, but better sure."""
    return Refusal(message_id=message_id, code=code, message=message, excerpt=_excerpt(raw))


_SECRET = re.compile(r'("(?:fcm_?token|token|push_?token|writeKey)"\s*:\s*)"[^"]*"?', re.IGNORECASE)


def _excerpt(raw: bytes) -> str:
    text = raw[: EXCERPT_CHARACTERS * 4].decode(errors="replace").replace("\x00", "")
    return _SECRET.sub(r'\1"…"', text)[:EXCERPT_CHARACTERS]
