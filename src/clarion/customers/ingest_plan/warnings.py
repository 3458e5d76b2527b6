"""What a batch of events gives cause to warn of. Pure.

Said of each event, at the cost of a few looks at what is known by then; what they become is one row
an hour, source and subject, and a count (`outcomes.py`).
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from clarion.customers.diagnostics import REFRESH_DAYS, WarningCode
from clarion.customers.identity.batch import Batch
from clarion.events.calls.body import is_damaged
from clarion.events.messages.installation import is_apns_token
from clarion.events.messages.message import Event
from clarion.events.messages.push_preference import is_preference_unreadable
from clarion.events.messages.reserved import REGISTRATION_NAMES, TOKEN_NAMES, plain_name

_REFRESH = timedelta(days=REFRESH_DAYS)
_APPLE = frozenset({"ios", "ipados", "tvos", "watchos", "macos", "visionos"})


class Warned(NamedTuple):
    """One event of a source, and what is to be said of it; `subject` tells alike ones apart."""

    source_id: UUID
    event: Event
    code: WarningCode
    subject: str = ""


def warnings_of(batch: Batch) -> Iterator[Warned]:
    """Every warning that the batch's events deserve, once their identity is settled."""
    doubtful = batch.doubtful_keys()
    shared = batch.shared_keys()
    for arrival in batch.arrivals:
        event = arrival.event
        if event.time_fault is not None:
            yield Warned(arrival.source_id, event, WarningCode(event.time_fault))
        if is_damaged(event.body):
            yield Warned(arrival.source_id, event, WarningCode.TEXT_DAMAGED)
        if event.received_at - event.at > _REFRESH and _registers(event):
            yield Warned(arrival.source_id, event, WarningCode.REGISTERED_LONG_AGO)
        if event.type == "identify" and is_preference_unreadable(event.traits):
            yield Warned(arrival.source_id, event, WarningCode.PUSH_PREFERENCE_UNREADABLE)
        if event.type == "alias" and (code := _alias(event, batch)) is not None:
            yield Warned(arrival.source_id, event, code)
        where = _apns_token(event)
        if where is not None:
            yield Warned(arrival.source_id, event, WarningCode.APNS_TOKEN, where)
        if doubtful and not doubtful.isdisjoint(
            (event.user_id, event.device_id, event.context_device_id)
        ):
            yield Warned(arrival.source_id, event, WarningCode.DEVICE_ID_IS_USER_ID)
        if shared and not shared.isdisjoint(
            (event.anonymous_id, event.device_id, event.context_device_id)
        ):
            yield Warned(arrival.source_id, event, WarningCode.KEY_SHARED)


def _registers(event: Event) -> bool:
    name = plain_name(event.name) if event.type == "track" else ""
    return name in REGISTRATION_NAMES or name in TOKEN_NAMES


def _alias(event: Event, batch: Batch) -> WarningCode | None:
    if event.previous_id is None:
        return WarningCode.ALIAS_WITHOUT_PREVIOUS_ID
    user_id = event.user_id
    joins = (
        user_id is not None
        and batch.is_real(user_id)
        and event.previous_id != user_id
        and not batch.is_real(event.previous_id)
    )
    return None if joins else WarningCode.CANNOT_MERGE


def _apns_token(event: Event) -> str | None:
    """Where an app has put an APNs token. What an SDK adds is one on Apple's devices alone; as
    `fcmToken` one has been sent by mistake, whatever the device is said to be."""
    device = event.context.get("device")
    if type(device) is dict:
        token = device.get("token")
        if type(token) is str and is_apns_token(token) and _is_apple(device, event.context):
            return "context.device.token"
    properties = event.properties
    token = properties.get("fcmToken") or properties.get("fcm_token")
    return "properties.fcmToken" if type(token) is str and is_apns_token(token) else None


def _is_apple(device: Mapping[str, Any], context: Mapping[str, Any]) -> bool:
    os = context.get("os")
    names = (device.get("type"), os.get("name") if isinstance(os, dict) else None)
    return any(isinstance(name, str) and name.strip().lower() in _APPLE for name in names)
