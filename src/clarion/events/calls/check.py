"""Whether an event can be taken: what the collector looks at before it says 200, cheaper
than reading it. Pure."""

from hashlib import sha256
from typing import Any

import msgspec

from clarion.events.calls.registration_check import asks_to_register
from clarion.events.messages.excerpt import refused, unreadable
from clarion.events.messages.identifiers import (
    DAMAGED,
    ID_CHARACTERS_MAX,
    PrintedIds,
    is_inexact,
    printed_ids,
    usable_id,
)
from clarion.events.messages.message import device_ids, event_name
from clarion.events.messages.reserved import (
    ASKING_NAMES,
    EVENT_TYPES,
    REGISTRATION_NAMES,
    plain_name,
)
from clarion.events.messages.yes_or_no import says_no
from clarion.ingest_log.rejection import RejectedEvent

EVENT_BYTES_MAX = 32_768
"""Segment's limit for one event."""
MESSAGE_ID_CHARACTERS_MAX = 100
"""Longer ones are replaced by their hash."""
INTEGRATION = "Clarion"
"""Our name among an event's `integrations`."""


_PREVIOUS, _INSTALLATIONS = 0, 3
"""Where stand, among the ids, the one that names somebody else and those of installations."""


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


_wire_ids = msgspec.json.Decoder(_WireIds)


class Checked(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event that can be taken: its type, and its messageId if it brought one."""

    type: str
    message_id: str | None
    write_key: str | None
    may_register: bool
    """It asks for a registration, which may be refused."""


def check(raw: bytes, type_hint: str | None, *, is_wanted: bool = True) -> Checked | RejectedEvent:
    """Whether `read` will take this event; cheaper, for the moment it comes in. `is_wanted`: what
    its call says of all its events, should it not say itself."""
    try:
        wire = _wire_ids.decode(raw)
    except (ValueError, RecursionError) as error:
        return unreadable(None, error, raw)
    message_id = _message_id(wire.messageId)
    if len(raw) > EVENT_BYTES_MAX:
        return refused(
            message_id,
            "event_too_large",
            f"The event has {len(raw)} bytes; the limit is {EVENT_BYTES_MAX}.",
            raw,
        )
    said_wanted = says_wanted(wire.integrations) if wire.integrations else None
    if not (is_wanted if said_wanted is None else said_wanted):
        return refused(
            message_id,
            "event_switched_off",
            f"`integrations` says {INTEGRATION}: false, so the app does not want it kept here.",
            raw,
        )
    kind = type_hint or event_type(wire.type)
    if kind is None:
        return refused(
            message_id,
            "event_type_unknown",
            "type must be track, identify, page, screen, group or alias.",
            raw,
        )
    if kind == "track" and event_name(wire.event) is None:
        return refused(
            message_id, "event_name_missing", "A track event needs its name in `event`.", raw
        )
    plain = plain_name(wire.event) if kind == "track" else ""
    is_registration = plain in REGISTRATION_NAMES
    fault = _ids_fault(wire, raw, message_id, is_registration)
    if fault is not None:
        return fault
    key = wire.writeKey if isinstance(wire.writeKey, str) else None
    return Checked(
        type=kind,
        message_id=message_id,
        write_key=key,
        may_register=plain in ASKING_NAMES or asks_to_register(kind, None, raw),
    )


def _ids_fault(
    wire: _WireIds | PrintedIds, raw: bytes, message_id: str | None, is_registration: bool
) -> RejectedEvent | None:
    """Why an event's ids name nobody, or may name several. A registration is kept all the same,
    unless it may be another person's."""
    installations = device_ids(wire.properties, wire.context)
    ids = (wire.previousId, wire.userId, wire.anonymousId, *installations)
    is_named = is_registration
    for number, value in enumerate(ids):
        if value is None or (is_named and type(value) is str and "A" <= value[:1] <= "z"):
            continue  # once it names somebody, only numbers can be wrong
        if usable_id(value) is not None:
            is_named = is_named or number > _PREVIOUS
        elif type(value) is float:
            return _ids_fault(printed_ids(raw), raw, message_id, is_registration)
        elif is_inexact(value) and not (is_registration and number >= _INSTALLATIONS):
            return _inexact(message_id, raw)
    return None if is_named else _no_id(message_id, ids[1:], raw)


def event_type(value: Any) -> str | None:
    """The type that an event gives itself, in whatever case; None where it is none."""
    kind = value if isinstance(value, str) else ""
    if kind not in EVENT_TYPES:
        kind = kind.strip().lower()
    return kind if kind in EVENT_TYPES else None


def says_wanted(integrations: Any) -> bool | None:
    """Whether events go here too, by their `integrations`; None where these do not name us.

    `All: false` alone switches off destinations that an app's SDK loads or Segment would forward
    to; the app that says it still sends the event here.
    """
    if not isinstance(integrations, dict):
        return None
    for name, value in integrations.items():
        if name.lower() == INTEGRATION.lower():
            return not says_no(value)
    return None


def _message_id(value: Any) -> str | None:
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str) or not (value := value.strip()) or DAMAGED in value:
        return None
    if len(value) > MESSAGE_ID_CHARACTERS_MAX:
        return f"sha256-{sha256(value.encode()).hexdigest()}"
    return value


def _inexact(message_id: str | None, raw: bytes) -> RejectedEvent:
    return refused(
        message_id,
        "id_not_exact",
        "An id is a number that is not told to its last digit (1e+16, 1.5), or is dressed for "
        "people to read (1,234): it may stand for several people. Send ids as texts.",
        raw,
    )


def _no_id(message_id: str | None, ids: tuple[Any, ...], raw: bytes) -> RejectedEvent:
    if any(isinstance(value, str) and len(value.strip()) > ID_CHARACTERS_MAX for value in ids):
        return refused(
            message_id,
            "id_too_long",
            f"An id may have {ID_CHARACTERS_MAX} characters at most.",
            raw,
        )
    return refused(
        message_id,
        "no_user_anon_id",
        "The event names nobody: send userId or anonymousId. Blank and placeholder values "
        "(null, <userId>, 0000 …) do not count.",
        raw,
    )
