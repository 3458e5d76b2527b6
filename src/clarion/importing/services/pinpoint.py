"""Amazon Pinpoint's endpoints, as its export jobs wrote them to a bucket: JSON, one endpoint a
line, or CSV with a column a field (`User.UserAttributes.Plan`). Pure.

Formats: the developer guide's pages "Exporting endpoints" and "Endpoint files", and the API
reference's EndpointResponse. An attribute is a list of texts; in CSV a column of the same name
stands once for each of them.
"""

from collections.abc import Mapping
from typing import Any

from clarion.faults import Rejected
from clarion.importing.services.service_row import (
    ServiceRow,
    customer_record,
    device_record,
    fault_of_token,
    moment_of,
    text_of,
)

NAMES = {"Id": "device_id", "Address": "token", "User.UserId": "user_id"}
_APNS = ("APNS", "APNS_SANDBOX", "APNS_VOIP", "APNS_VOIP_SANDBOX")
_ADDRESSES = {"EMAIL": "email", "SMS": "phone", "VOICE": "phone"}
"""Channels that are no push, and what their address says of the customer."""
_PLATFORMS = {"ios": "iOS", "iphone os": "iOS", "android": "Android", "web": "Web"}
_FACTS = {
    "AppVersion": "app_version",
    "Make": "manufacturer",
    "Model": "model",
    "PlatformVersion": "os_version",
    "Locale": "locale",
    "Timezone": "timezone",
}


def read(record: Mapping[str, Any]) -> ServiceRow | Rejected:
    """An endpoint: its user's attributes and opt-out, and its device where it is one of FCM's."""
    endpoint = _nested(record)
    user = endpoint.get("User")
    user = user if isinstance(user, Mapping) else {}
    user_id = text_of(record.get("user_id")) or text_of(user.get("UserId"))
    device_id = text_of(record.get("device_id"))
    address, channel = text_of(record.get("token")), text_of(endpoint.get("ChannelType"))
    if channel is None:
        return Rejected(
            code="channel_missing", message="An endpoint needs a ChannelType, such as GCM or APNS."
        )
    channel = channel.upper()
    is_push = channel == "GCM" or channel in _APNS
    at = moment_of(endpoint.get("EffectiveDate"))
    traits = _plain(user.get("UserAttributes")) | _plain(endpoint.get("Attributes"))
    traits |= _plain(endpoint.get("Metrics"))
    if channel in _ADDRESSES and address is not None:
        traits.setdefault(_ADDRESSES[channel], address)
    said_no = text_of(endpoint.get("OptOut")) or "NONE"
    customer = customer_record(
        user_id,
        device_id,
        traits,
        at=at,
        is_opted_out=is_push and said_no.upper() == "ALL",
    )
    if not is_push:
        if user_id is not None:
            return ServiceRow(customer=customer)
        return Rejected(
            code="no_push_channel",
            message=f"An endpoint of the channel {channel} without a UserId is nobody whom a push "
            "can reach.",
        )
    demographic = endpoint.get("Demographic")
    demographic = demographic if isinstance(demographic, Mapping) else {}
    platform = _platform(demographic, channel)
    fault = _fault(endpoint, channel, address, device_id, platform)
    if fault is not None:
        return ServiceRow(customer=customer, refused=[fault])
    assert address is not None and device_id is not None
    facts = {fact: text_of(demographic.get(name)) for name, fact in _FACTS.items()}
    device = device_record(device_id, address, platform, user_id=user_id, at=at, facts=facts)
    return ServiceRow(customer=customer, devices=[device])


def _fault(
    endpoint: Mapping[str, Any],
    channel: str,
    address: str | None,
    device_id: str | None,
    platform: str,
) -> Rejected | None:
    """Why the endpoint's device is not taken."""
    status = text_of(endpoint.get("EndpointStatus"))
    if status is not None and status.upper() == "INACTIVE":
        return Rejected(
            code="endpoint_inactive",
            message="Pinpoint could no longer send to this endpoint: its device is left out.",
        )
    if device_id is None:
        return Rejected(code="device_id_missing", message="An endpoint needs its Id.")
    fault = fault_of_token(address, platform=platform)
    if fault is None and channel in _APNS:
        return Rejected(
            code="token_of_apns",
            message=f"An endpoint of the channel {channel} is one of Apple's push service, which "
            "FCM can not send to: the device comes in when the app with Firebase Messaging is "
            "started.",
        )
    return fault


def _platform(demographic: Mapping[str, Any], channel: str) -> str:
    """Firebase sends to all platforms; Pinpoint's channel GCM says nothing of which."""
    said = (text_of(demographic.get("Platform")) or "").lower()
    return _PLATFORMS.get(said, "iOS" if channel in _APNS else "Android")


def _nested(record: Mapping[str, Any]) -> dict[str, Any]:
    """Columns such as `User.UserAttributes.Plan` as the object that JSON would hold."""
    nested: dict[str, Any] = {}
    for name, value in record.items():
        *outer, inner = name.split(".", 2)
        held: dict[str, Any] = nested
        for part in outer:
            below = held.setdefault(part, {})
            if not isinstance(below, dict):
                break
            held = below
        else:
            held[inner] = value
    return nested


def _plain(attributes: Any) -> dict[str, Any]:
    """Attributes as traits: a list of one is that one."""
    if not isinstance(attributes, Mapping):
        return {}
    return {
        str(name): value[0] if isinstance(value, list) and len(value) == 1 else value
        for name, value in attributes.items()
    }
