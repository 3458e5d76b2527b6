"""Customer.io's people: the answers of `GET /v1/customers/{id}/attributes`, one a line, with their
devices; or the CSV of people, without devices. Pure.

Formats: Customer.io's App API reference ("Lookup a customer's attributes"), its device object
(Track API) and its reserved attributes. A device's `id` is its token.
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
    is_yes,
    moment_of,
    object_of,
    text_of,
)

NAMES = {"id": "user_id"}
PREFERENCES = "cio_subscription_preferences"
_OWN = frozenset({"id", "cio_id", "user_id", "unsubscribed", "devices", "identifiers", PREFERENCES})
"""Members and columns that are no traits, beside those that begin with `_`."""
_PLATFORMS = {"ios": "iOS", "android": "Android", "web": "Web"}
_FACTS = {
    "app_version": "app_version",
    "device_os": "os_version",
    "device_model": "model",
    "device_locale": "locale",
}
_ENDED = ("bounced", "suppressed")


def read(record: Mapping[str, Any]) -> ServiceRow | Rejected:
    """A person: attributes, opt-outs, the topics they have left, and their devices."""
    held = record.get("customer")
    person = held if isinstance(held, Mapping) else record
    attributes = person.get("attributes")
    attributes = attributes if isinstance(attributes, Mapping) else person
    identifiers = object_of(person.get("identifiers"))
    user_id = (
        text_of(identifiers.get("id"))
        or text_of(record.get("user_id"))
        or text_of(person.get("id"))
        or text_of(attributes.get("id"))
    )
    if user_id is None:
        return Rejected(
            code="user_id_missing",
            message="A person needs an id: one who has only an e-mail address or a cio_id is not "
            "known to the app.",
        )
    preferences = object_of(attributes.get(PREFERENCES))
    topics, channels = object_of(preferences.get("topics")), object_of(preferences.get("channels"))
    unsubscribed = person.get("unsubscribed", attributes.get("unsubscribed"))
    traits = {
        str(name): value
        for name, value in attributes.items()
        if name not in _OWN and not str(name).startswith("_")
    }
    customer = customer_record(
        user_id,
        None,
        traits,
        is_opted_out=is_yes(unsubscribed) or is_no(channels.get("push")),
        left=sorted(name.lower() for name, wanted in topics.items() if is_no(wanted)),
    )
    devices, refused = devices_in(person.get("devices"), lambda device: _device(device, user_id))
    return ServiceRow(customer=customer, devices=devices, refused=refused)


def _device(device: Any, user_id: str) -> dict[str, Any] | Rejected:
    if not isinstance(device, Mapping):
        return Rejected(code="device_no_object", message="A device must be a JSON object.")
    said = text_of(device.get("platform")) or ""
    platform, token = _PLATFORMS.get(said.lower()), text_of(device.get("id"))
    if platform is None:
        return Rejected(
            code="platform_unknown",
            message=f"The platform of a device must be ios or android, and is {said[:40]!r}.",
        )
    attributes = object_of(device.get("attributes"))
    status = text_of(device.get("_last_status")) or text_of(attributes.get("_last_status")) or ""
    if status.lower() in _ENDED:
        return Rejected(
            code="device_suppressed",
            message=f"Customer.io no longer sends to this device: its last push was {status}.",
        )
    fault = fault_of_token(token, platform=platform)
    if fault is not None:
        return fault
    assert token is not None
    facts: dict[str, Any] = {fact: text_of(attributes.get(name)) for name, fact in _FACTS.items()}
    if is_no(attributes.get("push_enabled")):
        facts |= DENIED
    return device_record(
        device_id_of("customer-io", token),
        token,
        platform,
        user_id=user_id,
        at=moment_of(device.get("last_used")),
        facts=facts,
    )
