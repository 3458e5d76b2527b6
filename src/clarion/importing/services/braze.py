"""Braze's user profiles, as `/users/export/segment` writes them: one a line, with the fields that
were asked for. Pure.

Format: Braze's API reference, "Users by segment" (user export object). Its tokens stand in
`push_tokens`, whether a person wants push in `push_subscribe`.
"""

from collections.abc import Mapping
from typing import Any

from clarion.faults import Rejected
from clarion.importing.services.service_row import (
    DENIED,
    ServiceRow,
    customer_record,
    device_id_of,
    device_record,
    devices_in,
    fault_of_token,
    is_no,
    object_of,
    text_of,
)

NAMES = {"external_id": "user_id"}
_TRAITS = (
    "first_name", "last_name", "email", "phone", "country", "home_city", "language", "time_zone",
    "dob", "gender", "created_at",
)  # fmt: skip
_PLATFORMS = (("ios", "iOS"), ("android", "Android"), ("web", "Web"))
"""Words in Braze's names of platforms, such as `Android Push`."""


def read(record: Mapping[str, Any]) -> ServiceRow | Rejected:
    """A profile: its attributes, its word on push, and a device for each token."""
    user_id = text_of(record.get("user_id"))
    anonymous_id = text_of(record.get("braze_id"))
    if user_id is None and anonymous_id is None:
        return Rejected(
            code="user_id_missing",
            message="A profile needs an external_id (or a braze_id): ask for it in "
            "fields_to_export.",
        )
    traits = {name: record[name] for name in _TRAITS if record.get(name) is not None}
    traits |= object_of(record.get("custom_attributes"))
    word = (text_of(record.get("push_subscribe")) or "").lower()
    customer = customer_record(user_id, anonymous_id, traits, is_opted_out=word == "unsubscribed")
    devices, refused = devices_in(record.get("push_tokens"), lambda entry: _device(entry, user_id))
    return ServiceRow(customer=customer, devices=devices, refused=refused)


def _device(entry: Any, user_id: str | None) -> dict[str, Any] | Rejected:
    if not isinstance(entry, Mapping):
        return Rejected(code="token_no_object", message="An entry of push_tokens is an object.")
    said = (text_of(entry.get("platform")) or "").lower()
    platform = next((name for word, name in _PLATFORMS if word in said), None)
    if platform is None:
        return Rejected(
            code="platform_unknown",
            message=f"The platform of a push token is unknown: {said[:40]!r}. Known are iOS, "
            "Android and Web.",
        )
    token = text_of(entry.get("token"))
    fault = fault_of_token(token, platform=platform)
    if fault is not None:
        return fault
    assert token is not None
    facts: dict[str, Any] = {"app_name": text_of(entry.get("app"))}
    if is_no(entry.get("notifications_enabled")):
        facts |= DENIED
    device_id = text_of(entry.get("device_id")) or device_id_of("braze", token)
    return device_record(device_id, token, platform, user_id=user_id, facts=facts)
