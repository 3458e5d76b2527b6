"""A device's line of an imported file as the events that say the same. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from clarion.events.messages.timestamps import parse_time
from clarion.faults import Rejected
from clarion.importing.lines.columns import (
    AT,
    DEVICE_ID,
    FID,
    MESSAGE_ID,
    PLATFORM,
    TOKEN,
    USER_ID,
    damaged_id,
    first_of,
)

REMOVED = "removed"
OWNER_PARTS = 2
_FACTS = {
    "app_name": ("app", "name"),
    "app_version": ("app", "version"),
    "app_build": ("app", "build"),
    "os_name": ("os", "name"),
    "os_version": ("os", "version"),
    "manufacturer": ("device", "manufacturer"),
    "model": ("device", "model"),
    "locale": ("", "locale"),
    "timezone": ("", "timezone"),
    "push_permission": ("", "push_permission"),
}
"""What an export says of a device, and where in an event's context an app says it."""


def registrations(record: Mapping[str, Any]) -> list[dict[str, Any]] | Rejected:
    """The events of a device's line: its owners, its facts and its registration."""
    damaged = damaged_id(record, (*DEVICE_ID, *TOKEN, *FID, *USER_ID))
    if damaged is not None:
        return damaged
    device_id = first_of(record, DEVICE_ID)
    token, fid = first_of(record, TOKEN), first_of(record, FID)
    if record.get("token_kind") == "fid" and fid is None:
        token, fid = None, token
    if device_id is None:
        return Rejected(code="device_id_missing", message="A device needs a device_id.")
    if record.get("state") == REMOVED:
        return Rejected(
            code="device_removed", message="This device was removed: there is nothing to register."
        )
    if token is None and fid is None:
        return Rejected(
            code="token_missing",
            message="A device needs a token or a fid (`clarion export` writes them --with-tokens).",
        )
    properties = {
        "deviceId": device_id,
        "fcmToken": token,
        "fid": fid,
        "deviceType": first_of(record, PLATFORM),
    }
    user_id, at = first_of(record, USER_ID), first_of(record, (*AT, "registered_at"))
    register: dict[str, Any] = {
        "type": "track",
        "event": "Register Push",
        "userId": user_id or device_id,
        "messageId": first_of(record, MESSAGE_ID),
        "timestamp": at,
        "properties": {name: value for name, value in properties.items() if value is not None},
    }
    owners = _owners(record.get("owners"))
    earlier: list[dict[str, Any]] = []
    if owners is not None and (owners or user_id is None):
        # A registration claims the device for its user at its own time. Since when it has been
        # whose is said by events of their own.
        earlier = [_claim(register, *owner, at) for owner in owners if not _is_at(owner[0], at)]
        by_then = [user for since, user in owners if _is_at(since, at) or _is_before(since, at)]
        register["userId"] = (by_then[-1] or device_id) if by_then else None
    context = _told_of(record, device_id, at)
    if context is not None and _is_at(context["timestamp"], at):
        register["context"], context = context["context"], None
        del register["context"]["active"]
    before = earlier if context is None else [*earlier, context]
    return [*before, {name: value for name, value in register.items() if value is not None}]


def _owners(said: Any) -> list[tuple[Any, Any]] | None:
    """(Since when, whose; None: signed out) of each owner, the first first."""
    if not isinstance(said, list):
        return None
    return [
        (entry[0], entry[1])
        for entry in said
        if isinstance(entry, list) and len(entry) == OWNER_PARTS
    ]


def _claim(register: Mapping[str, Any], since: Any, user_id: Any, at: Any) -> dict[str, Any]:
    """Says whose the device is since another time than that of its registration."""
    device_id = register["properties"]["deviceId"]
    times = _times_of(since)
    if user_id is not None:
        context = {"device": {"id": device_id}}
        return {"type": "identify", "userId": user_id, **times, "context": context}
    claim = {**register, "userId": device_id, "messageId": None, **times}
    if _is_before(since, at):
        return claim
    return claim | {"properties": {"deviceId": device_id}}  # without a token it registers nothing


def _times_of(since: Any) -> dict[str, Any]:
    """When it was, and what keeps the order of what was at one time (`events.moment`)."""
    at = parse_time(since)
    less = at.microsecond % 1_000 if at is not None else 0
    if at is None or not less:
        return {"timestamp": since}
    shown = at - timedelta(microseconds=less)
    return {"timestamp": shown.isoformat(), "originalTimestamp": at.isoformat()}


def _is_at(left: Any, right: Any) -> bool:
    return parse_time(left) == parse_time(right)


def _is_before(left: Any, right: Any) -> bool:
    first, second = parse_time(left), parse_time(right)
    return first is not None and second is not None and first < second


def _told_of(record: Mapping[str, Any], device_id: Any, at: Any) -> dict[str, Any] | None:
    """What is known of a device, said by itself when it was last seen."""
    facts, seen_at = record.get("facts"), record.get("last_seen_at") or at
    facts = facts if isinstance(facts, Mapping) else {}
    if not facts and seen_at == at:
        return None
    context: dict[str, Any] = {"device": {"id": device_id}, "active": False}
    for fact, (section, name) in _FACTS.items():
        if fact in facts:
            held = context.setdefault(section, {}) if section else context
            held[name] = facts[fact]
    return {"type": "identify", "timestamp": seen_at, "context": context}
