"""One event as an app sent it, read and normalised: Segment's spec, with rule R0 for its ids.

Pure. Nothing here raises for what an app can send: an event is read, or refused with a code, a
reason and the cure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from clarion.events.ids import DAMAGED, ID_CHARACTERS_MAX, usable_id
from clarion.events.installation import named_device
from clarion.events.moment import corrected, parse_time
from clarion.events.proof import Proof
from clarion.events.refusal import Refusal as Refusal
from clarion.events.refusal import excerpt_of, hint_of
from clarion.events.reserved import PUSH_NAMES, plain_name

EVENT_TYPES = frozenset({"track", "identify", "page", "screen", "group", "alias"})
EVENT_BYTES_MAX = 32_768
"""Segment's limit for one event."""
MESSAGE_ID_CHARACTERS_MAX = 100
"""Longer ones are replaced by their hash."""
NAME_CHARACTERS_MAX = 1_000
NESTING_MAX = 64
"""Lists and objects within each other: what stores an event writes it with less stack than this
takes, and no app means more."""
INTEGRATION = "Clarion"
"""Our name among an event's `integrations`."""
TIME_UNREADABLE = "time_unreadable"
TIME_IMPOSSIBLE = "time_impossible"

_REGISTRATION = re.compile(r"[\s_\-]*register[\s_\-]+push[\s_\-]*", re.IGNORECASE)
"""Kept even where it names nobody, so that its refused registration can be looked into."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A normalised event. Ids are None where absent, blank, blocked or too long (R0)."""

    message_id: str
    type: str
    name: str | None
    user_id: str | None
    anonymous_id: str | None
    previous_id: str | None
    device_id: str | None
    """`properties.deviceId`, or what stands for it (`installation.named_device`)."""
    context_device_id: str | None
    at: datetime
    """When it happened, by the server's clock: corrected for the device's."""
    received_at: datetime
    traits: Mapping[str, Any]
    """What an identify says; empty for every other type."""
    properties: Mapping[str, Any]
    context: Mapping[str, Any]
    body: str
    """The JSON as it came, with the call's context in its own."""
    time_fault: str | None = None
    """Why the time it gives was not used."""
    proof: Proof | None = None
    """What is known of its userId; None: its source does not ask, and it is taken at its word."""

    @property
    def is_active(self) -> bool:
        """Whether the person was there: an identify can say that only something about them was
        told (Segment's `context.active`)."""
        return self.type != "identify" or _is_active(self.context)

    def __repr__(self) -> str:
        """Names it, and shows nothing of it: properties hold tokens."""
        return f"Event(message_id={self.message_id!r}, type={self.type!r})"


class Envelope(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a call says of all its events."""

    received_at: datetime
    sent_at: datetime | None
    context: Mapping[str, msgspec.Raw] = msgspec.field(default_factory=dict)
    """Counts for every event of the call, below what the event says itself."""
    ip: str | None = None
    """The caller's, for events that come straight from a person's device and say so."""


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
    integrations: Any = None


class _WireTraits(msgspec.Struct):
    context: Any = None
    traits: Any = None


_BRACKET_OR_TEXT = re.compile(rb'[{}\[\]]|"(?:[^"\\]++|\\.)*+"', re.DOTALL)

_wire = msgspec.json.Decoder(dict[str, Any])
_wire_ids = msgspec.json.Decoder(_WireIds)
_wire_traits = msgspec.json.Decoder(_WireTraits)
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An event that can be taken: its type, and its messageId if it brought one."""

    type: str
    message_id: str | None
    write_key: str | None


def check(raw: bytes, type_hint: str | None, *, is_wanted: bool = True) -> Checked | Refusal:
    """Whether `read` will take this event; cheaper, for the moment it comes in. `is_wanted`: what
    its call says of all its events, should it not say itself."""
    try:
        wire = _wire_ids.decode(raw)
    except (ValueError, RecursionError) as error:
        return _unreadable(None, error, raw)
    message_id = _message_id(wire.messageId)
    if len(raw) > EVENT_BYTES_MAX:
        return _refusal(
            message_id,
            "event_too_large",
            f"The event has {len(raw)} bytes; the limit is {EVENT_BYTES_MAX}.",
            raw,
        )
    said = says_wanted(wire.integrations) if wire.integrations else None
    if not (is_wanted if said is None else said):
        return _refusal(
            message_id,
            "event_switched_off",
            f"`integrations` says {INTEGRATION}: false, so the app does not want it kept here.",
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
    ids = (wire.userId, wire.anonymousId, *device_ids(wire.properties, wire.context))
    if not any(usable_id(value) is not None for value in ids) and not (
        kind == "track" and _REGISTRATION.fullmatch(wire.event)
    ):
        return _no_id(message_id, ids, raw)
    key = wire.writeKey if isinstance(wire.writeKey, str) else None
    return Checked(type=kind, message_id=message_id, write_key=key)


def says_wanted(integrations: Any) -> bool | None:
    """Whether events go here too, by their `integrations`; None where these do not name us.

    `All: false` alone switches off destinations that an app's SDK loads or Segment would forward
    to; the app that says it still sends the event here.
    """
    if not isinstance(integrations, dict):
        return None
    for name, value in integrations.items():
        if name.lower() == INTEGRATION.lower():
            return value is not False
    return None


def read(
    raw: bytes, *, type_: str, message_id: str, envelope: Envelope, proof: Proof | None = None
) -> Event | Refusal:
    """The event in `raw`, which `check` has let pass; refused where a part that `check` does not
    look at can not be read."""
    try:
        if is_nested_too_deeply(raw):
            raise RecursionError
        if envelope.context:
            raw = _within(envelope.context, raw)
        wire = _wire.decode(raw)  # all of it, as everybody who reads the body later will
        if envelope.ip is not None and _object(wire.get("context")).get("direct") is True:
            raw = _within({"ip": msgspec.Raw(msgspec.json.encode(envelope.ip))}, raw)
            wire = _wire.decode(raw)
        body = raw.decode()
    except (ValueError, RecursionError) as error:
        return _unreadable(message_id, error, raw)
    context, properties = _object(wire.get("context")), _object(wire.get("properties"))
    traits = _traits(wire.get("traits"), context) if type_ == "identify" else {}
    name = _name(wire.get("event" if type_ == "track" else "name"))
    device_id, context_device_id = device_ids(properties, context)
    given = parse_time(wire.get("originalTimestamp")) or parse_time(wire.get("timestamp"))
    sent_at = parse_time(wire.get("sentAt")) or envelope.sent_at
    at = corrected(given, sent_at, envelope.received_at)
    user_id = usable_id(wire.get("userId"))
    is_device = proof is Proof.DEVICE
    names_device = type_ == "identify" or plain_name(name) in PUSH_NAMES
    if device_id is None and names_device and not is_device:
        device_id = named_device(type_, name, properties, traits, context)
    return Event(
        message_id=message_id,
        type=type_,
        name=name,
        user_id=None if is_device else user_id,
        anonymous_id=usable_id(wire.get("anonymousId")),
        previous_id=usable_id(wire.get("previousId")),
        device_id=usable_id(device_id) or (user_id if is_device else None),
        context_device_id=usable_id(context_device_id),
        at=at,
        received_at=envelope.received_at,
        traits=traits,
        properties=properties,
        context=context,
        body=body,
        time_fault=_time_fault(wire, given) if at is envelope.received_at else None,
        proof=proof,
    )


def read_traits(body: str) -> Mapping[str, Any]:
    """The traits of a stored identify."""
    return read_identify(body)[0]


def read_identify(body: str) -> tuple[Mapping[str, Any], bool]:
    """The traits of a stored identify, and whether the person was there."""
    wire = _wire_traits.decode(body)
    context = _object(wire.context)
    return _traits(wire.traits, context), _is_active(context)


def is_nested_too_deeply(raw: bytes) -> bool:
    """Whether valid JSON has more than NESTING_MAX lists and objects within each other."""
    if raw.count(b"{") + raw.count(b"[") <= NESTING_MAX:
        return False
    depth = 0
    for found in _BRACKET_OR_TEXT.finditer(raw):
        bracket = found[0]
        if bracket in b"{[":
            depth += 1
            if depth > NESTING_MAX:
                return True
        elif bracket in b"}]":
            depth -= 1
    return False


def _within(context: Mapping[str, msgspec.Raw], raw: bytes) -> bytes:
    """The event in its call's context; where both say something, the event counts."""
    members = _members.decode(raw)
    own = members.get("context")
    said = _members.decode(own) if own is not None and bytes(own).startswith(b"{") else {}
    return msgspec.json.encode(
        {**members, "context": msgspec.Raw(msgspec.json.encode({**context, **said}))}
    )


def device_ids(properties: Any, context: Any) -> tuple[Any, Any]:
    """(`properties.deviceId`, `context.device.id`), as they came."""
    device_id = None
    if isinstance(properties, dict):
        device_id = properties.get("deviceId")
        if device_id is None:
            device_id = properties.get("device_id")
    device = context.get("device") if isinstance(context, dict) else None
    return device_id, device.get("id") if isinstance(device, dict) else None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _traits(root: Any, context: Mapping[str, Any]) -> Mapping[str, Any]:
    """Root traits, or `context.traits` where there are none (RudderStack sends only those)."""
    return _object(root) or _object(context.get("traits"))


def _is_active(context: Mapping[str, Any]) -> bool:
    return context.get("active") is not False


def _time_fault(wire: Mapping[str, Any], given: datetime | None) -> str | None:
    """Why an event counts as having happened when it came: it gives a time that is none, or one
    that can not be."""
    if given is not None:
        return TIME_IMPOSSIBLE
    said = wire.get("originalTimestamp") or wire.get("timestamp")
    return TIME_UNREADABLE if said else None


def _name(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return value.strip()[:NAME_CHARACTERS_MAX] or None


def _message_id(value: Any) -> str | None:
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str) or not (value := value.strip()) or DAMAGED in value:
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


def _unreadable(message_id: str | None, error: Exception, raw: bytes) -> Refusal:
    if isinstance(error, RecursionError):
        return _refusal(
            message_id,
            "event_nested_too_deeply",
            f"Lists and objects in an event may be nested {NESTING_MAX} deep at most.",
            raw,
        )
    if not raw.lstrip().startswith(b"{"):
        return _refusal(message_id, "event_not_an_object", "The event is not a JSON object.", raw)
    return _refusal(message_id, "event_unreadable", f"The event can not be read: {error}.", raw)


def _refusal(message_id: str | None, code: str, message: str, raw: bytes) -> Refusal:
    """An excerpt never shows a token: those stand behind the first fields, but better sure."""
    return Refusal(
        message_id=message_id,
        code=code,
        message=message,
        excerpt=excerpt_of(raw),
        hint=hint_of(raw),
    )
