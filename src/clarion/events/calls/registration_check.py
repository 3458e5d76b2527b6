"""Whether an event asks for a registration, and whether it can have it. Pure.

The collector asks to tell its caller at once, the ingestor to register: both by these rules.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from clarion.events.calls.foreign_tokens import stranger
from clarion.events.messages.identifiers import ID_CHARACTERS_MAX, is_inexact, usable_id
from clarion.events.messages.installation import (
    TOKEN_CHARACTERS_MAX,
    fid_of,
    first,
    is_apns_token,
    is_token,
    said_addresses,
)
from clarion.events.messages.message import Event
from clarion.events.messages.reserved import (
    ASKING_NAMES,
    OPENING_NAMES,
    REGISTRATION_NAMES,
    plain_name,
)
from clarion.faults import Rejected

_PUSH_TOKEN = re.compile(rb"push_?[tT]oken|\\u")


def asks_to_register(type_: str, name: Any, raw: bytes) -> bool:
    """Whether what an event registers may be refused: at a small part of the cost of reading it,
    and sometimes True without a cause."""
    if type_ == "track":
        return isinstance(name, str) and plain_name(name) in ASKING_NAMES
    return type_ == "identify" and _PUSH_TOKEN.search(raw) is not None


class _Said(Struct):
    properties: Any = None


_said = msgspec.json.Decoder(_Said)


def is_plainly_in_order(raw: bytes) -> bool:
    """Whether an event registers an FCM token in the plain words of the guides, so that nothing can
    be wrong with it: at a part of the cost of reading it. False says nothing."""
    properties = _said.decode(raw).properties
    if type(properties) is not dict or "fid" in properties:
        return False
    device_id, token = properties.get("deviceId"), properties.get("fcmToken")
    return (
        type(device_id) is str
        and type(token) is str
        and properties.get("deviceType") in PLATFORMS
        and fid_of(token) is not None
        and is_token(token)
        and usable_id(device_id) is not None
    )


class Wanted(Struct, frozen=True, kw_only=True, gc=False):
    """What an event registers: the addresses of one device."""

    device_id: str
    addresses: Sequence[str]
    fid: str | None
    """The one of `addresses` that it calls a FID."""
    platform: str
    is_carried: bool
    """It is not what the event is about: its SDK carries it along."""


def wanted_registration(event: Event) -> Wanted | Rejected | None:
    """What an event registers, why it can not, or None for what asks for nothing."""
    name = plain_name(event.name) if event.type == "track" else ""
    is_identify = event.type == "identify"
    is_told = is_identify and bool(first(event.traits, "pushToken", "push_token"))
    is_carried = (is_identify and not is_told) or name in OPENING_NAMES
    asks = name in REGISTRATION_NAMES
    if not (is_identify or is_carried or name in ASKING_NAMES):
        return None
    if asks and event.device_id is None:
        return _device_id_fault(first(event.properties, "deviceId", "device_id"))
    fid, token = said_addresses(event.type, name, event.properties, event.traits, event.context)
    said = [
        address.strip() for address in (fid, token) if isinstance(address, str) and address.strip()
    ]
    device_id = event.device_id or event.context_device_id
    if not said or device_id is None:
        return _TOKEN_MISSING if asks else None
    if is_carried and not _is_signed_in(event):
        return None
    alien = next(filter(None, map(stranger, said)), None)
    if alien is not None:
        return None if is_carried else _not_fcms(alien)
    if not all(map(is_token, said)):
        return None if is_carried else _TOKEN_MALFORMED
    platform = _platform(event, said)
    if platform is None:
        return None if is_carried else _DEVICE_TYPE_UNKNOWN
    return Wanted(
        device_id=device_id,
        addresses=list(dict.fromkeys(said)),
        fid=fid.strip() if isinstance(fid, str) else None,
        platform=platform,
        is_carried=is_carried,
    )


def _is_signed_in(event: Event) -> bool:
    others = (event.device_id, event.context_device_id, event.anonymous_id)
    return event.user_id is not None and event.user_id not in others


def _platform(event: Event, addresses: Sequence[str]) -> str | None:
    """By the event's own word, or else by what the SDK says of the device; an iOS token of old
    speaks for itself."""
    own = event.traits if event.type == "identify" else event.properties
    said = first(own, "deviceType", "device_type", "platform")
    if said is not None:
        return _named(said)
    context = event.context
    for part, member in (("device", "type"), ("os", "name")):
        section = context.get(part)
        platform = _named(section.get(member)) if isinstance(section, Mapping) else None
        if platform is not None:
            return platform
    if any(map(is_apns_token, addresses)):
        return IOS
    subscriptions = context.get("messaging_subscriptions")
    for entry in subscriptions if isinstance(subscriptions, list) else ():
        kind = entry.get("type") if isinstance(entry, Mapping) else None
        if isinstance(kind, str) and kind.upper().endswith("_PUSH"):
            return _named(kind[: -len("_PUSH")])
    return None


def _named(raw: Any) -> str | None:
    return _PLATFORMS.get(raw.strip().lower()) if isinstance(raw, str) else None


IOS = "iOS"
PLATFORMS = (IOS, "Android", "Web")
_PLATFORMS = {name.lower(): name for name in PLATFORMS} | dict.fromkeys(
    ("ipados", "watchos", "tvos", "visionos", "macos", "mac os x"), IOS
)

_TOKEN_MISSING = Rejected(
    code="token_missing",
    message="properties.fcmToken is missing or empty: send the token that the Firebase "
    "SDK gives you, and only once it has given one.",
)
_TOKEN_MALFORMED = Rejected(
    code="token_malformed",
    message=f"The token is none: {TOKEN_CHARACTERS_MAX} printable characters at most, without "
    "spaces, and not a placeholder (null, <token> …).",
)
_DEVICE_TYPE_UNKNOWN = Rejected(
    code="device_type_unknown",
    message="properties.deviceType must be iOS, Android or Web; without it, context.device.type.",
)


def _not_fcms(alien: str) -> Rejected:
    return Rejected(code=_TOKEN_MALFORMED.code, message=f"The token is none: it is {alien}.")


def _device_id_fault(raw: Any) -> Rejected:
    if isinstance(raw, str) and len(raw.strip()) > ID_CHARACTERS_MAX:
        return Rejected(
            code="device_id_too_long",
            message=f"properties.deviceId is longer than {ID_CHARACTERS_MAX} characters.",
        )
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return Rejected(
            code="device_id_missing",
            message="properties.deviceId is missing or empty: send an id that the installation "
            "keeps, such as the Firebase installation id.",
        )
    if is_inexact(raw):
        return Rejected(
            code="device_id_not_exact",
            message="properties.deviceId is a number that is not told to its last digit, or is "
            "dressed for people to read (1e+16, 1,234): send it as a text.",
        )
    return Rejected(
        code="device_id_blocked",
        message="properties.deviceId is a placeholder or a value that many installations share "
        "(null, 0000, unknown …): send an id of this installation alone.",
    )
