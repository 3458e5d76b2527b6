"""Airship's channels: the objects of `GET /api/channels`, one a line. Pure.

Format: Airship's REST API reference, "Channel listing". A channel is one device of at most one
named user.
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
    is_no,
    moment_of,
    object_of,
    text_of,
)

NAMES = {"channel_id": "device_id", "push_address": "token", "named_user_id": "user_id"}
_PUSH = {"ios": "iOS", "android": "Android"}


def read(record: Mapping[str, Any]) -> ServiceRow | Rejected:
    """A channel: its named user's attributes and tags, and its device where it is one of FCM's."""
    held = record.get("channel")
    channel = held if isinstance(held, Mapping) else record

    def of(name: str, here: str) -> str | None:
        return text_of(record.get(here)) or text_of(channel.get(name))

    kind = (text_of(channel.get("device_type")) or "").lower()
    user_id = of("named_user_id", "user_id") or text_of(channel.get("named_user"))
    device_id, token = of("channel_id", "device_id"), of("push_address", "token")
    at = moment_of(channel.get("last_registration") or channel.get("created"))
    if not kind:
        return Rejected(
            code="device_type_missing", message="A channel needs a device_type, such as android."
        )
    traits = object_of(channel.get("attributes"))
    tags = channel.get("tags")
    if isinstance(tags, list) and tags:
        traits["tags"] = tags
    for group, held_tags in object_of(channel.get("tag_groups")).items():
        traits[f"tags_{group}"] = held_tags
    customer = customer_record(user_id, device_id, traits, at=at)
    if kind not in _PUSH:
        fault = Rejected(
            code="no_fcm_device",
            message=f"A channel of the type {kind[:40]} is not sent to through Firebase.",
        )
        return fault if user_id is None else ServiceRow(customer=customer, refused=[fault])
    fault_of_device = _fault(channel, device_id, token, kind)
    if fault_of_device is not None:
        return ServiceRow(customer=customer, refused=[fault_of_device])
    assert device_id is not None and token is not None
    fields: dict[str, Any] = {
        "app_version": text_of(channel.get("app_version")),
        "model": text_of(channel.get("device_model")),
        "os_version": text_of(channel.get("device_os")),
        "locale": _locale(channel),
        "timezone": text_of(channel.get("timezone")),
    }
    if is_no(channel.get("opt_in")):
        fields |= DENIED
    device = device_record(device_id, token, _PUSH[kind], user_id=user_id, at=at, facts=fields)
    return ServiceRow(customer=customer, devices=[device])


def _fault(
    channel: Mapping[str, Any], device_id: str | None, token: str | None, kind: str
) -> Rejected | None:
    """Why the channel's device is not taken."""
    if is_no(channel.get("installed")):
        return Rejected(
            code="app_uninstalled", message="Airship says that the app is no longer installed."
        )
    if device_id is None:
        return Rejected(code="device_id_missing", message="A channel needs its channel_id.")
    return fault_of_token(token, platform=_PUSH[kind])


def _locale(channel: Mapping[str, Any]) -> str | None:
    language, country = (
        text_of(channel.get("locale_language")),
        text_of(channel.get("locale_country")),
    )
    return f"{language}-{country}" if language and country else language
