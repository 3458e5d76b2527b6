"""OneSignal's CSV of subscriptions (once: players), as `POST /players/csv_export` and the dashboard
make it. Pure.

Format: OneSignal's API reference, "Export subscriptions CSV": fixed columns, and `extra_fields`
such as `external_user_id`, `notification_types`, `country` and `timezone_id`. Its `device_type`
is a number.
"""

from collections.abc import Mapping
from typing import Any

from clarion.faults import Rejected
from clarion.importing.services.service_row import (
    DENIED,
    ServiceRow,
    customer_record,
    device_record,
    fault_of_token,
    is_yes,
    moment_of,
    object_of,
    text_of,
)

NAMES = {
    "id": "device_id",
    "subscription_id": "device_id",
    "identifier": "token",
    "external_user_id": "user_id",
    "external_id": "user_id",
}
_PUSH = {"0": "iOS", "1": "Android"}
_OTHERS = {
    "2": "Amazon device",
    "3": "Windows device",
    "4": "Chrome app",
    "5": "Chrome web subscription",
    "6": "Windows device",
    "7": "Safari web subscription",
    "8": "Firefox web subscription",
    "9": "macOS device",
    "13": "Huawei device",
    "17": "Safari web subscription",
}
_ADDRESSES = {"11": "email", "14": "phone"}
_NOT_PERMITTED = {"0", "-3", "-19"}
"""Of `notification_types`: the phone does not permit it. Other numbers below 1 are the person's own
word, or that of whoever asked for it."""


def read(record: Mapping[str, Any]) -> ServiceRow | Rejected:
    """A subscription: its user's tags and opt-out, and its device where it is one of FCM's."""
    kind = text_of(record.get("device_type"))
    user_id, device_id = text_of(record.get("user_id")), text_of(record.get("device_id"))
    address = text_of(record.get("token"))
    if kind is None:
        return Rejected(
            code="device_type_missing",
            message="A subscription needs a device_type, a number such as 1 for Android.",
        )
    is_push = kind in _PUSH or kind in _OTHERS
    types = text_of(record.get("notification_types"))
    at = moment_of(record.get("last_active"))
    traits: dict[str, Any] = object_of(record.get("tags"))
    traits |= {
        "language": text_of(record.get("language")),
        "country": text_of(record.get("country")),
        "timezone": text_of(record.get("timezone_id")),
    }
    if kind in _ADDRESSES and address is not None:
        traits.setdefault(_ADDRESSES[kind], address)
    customer = customer_record(
        user_id, device_id, traits, at=at, is_opted_out=is_push and _is_opted_out(record, types)
    )
    if not is_push:
        if user_id is not None:
            return ServiceRow(customer=customer)
        return Rejected(
            code="no_push_channel",
            message="An e-mail or SMS subscription without an external id is nobody whom a push "
            "can reach.",
        )
    fault = _fault(record, kind, address, device_id)
    if fault is not None:
        return ServiceRow(customer=customer, refused=[fault])
    assert address is not None and device_id is not None
    facts: dict[str, Any] = {
        "app_version": text_of(record.get("game_version")),
        "os_version": text_of(record.get("device_os")),
        "model": text_of(record.get("device_model")),
        "locale": text_of(record.get("language")),
        "timezone": text_of(record.get("timezone_id")),
    }
    if types in _NOT_PERMITTED:
        facts |= DENIED
    device = device_record(device_id, address, _PUSH[kind], user_id=user_id, at=at, facts=facts)
    return ServiceRow(customer=customer, devices=[device])


def _is_opted_out(record: Mapping[str, Any], types: str | None) -> bool:
    """Whether the person, or somebody for them, has said no: a phone's permission is none."""
    if types is not None:
        return types.lstrip("-").isdigit() and int(types) < 1 and types not in _NOT_PERMITTED
    return text_of(record.get("unsubscribed_at")) is not None


def _fault(
    record: Mapping[str, Any], kind: str, address: str | None, device_id: str | None
) -> Rejected | None:
    """Why the subscription's device is not taken."""
    if kind in _OTHERS:
        return Rejected(
            code="no_fcm_device",
            message=f"A {_OTHERS[kind]} is not sent to through Firebase: it comes in when the app "
            "or page with Firebase Messaging is opened.",
        )
    if is_yes(record.get("invalid_identifier")):
        return Rejected(
            code="identifier_invalid",
            message="OneSignal marks this subscription as one that can no longer be sent to.",
        )
    if device_id is None:
        return Rejected(code="device_id_missing", message="A subscription needs its id.")
    return fault_of_token(address, platform=_PUSH[kind])
