"""What an event announces of its device: registrations, a deletion, or neither. Pure.

| event | registers |
|---|---|
| `Register Push` | `properties.fcmToken`, `properties.fid`, whoever sends it |
| `Device Created or Updated`, `Registered for Push`, `Device Token Retrieved` | the token or FID in properties or `context.device`, whoever sends it |
| `Push Subscription Change` | the token that `context.messaging_subscriptions` says SUBSCRIBED of |
| identify with the trait `pushToken` | that token, for the trait `deviceId` |
| identify, `Application Opened`, `Application Installed` | the FCM token or FID that the SDK carries along in `context.device`, if somebody is signed in: SDKs go on carrying it after sign-out |

`Device Deleted` and `Application Uninstalled` end what they name; so does a subscription that is
UNSUBSCRIBED. Whether they may is for `standing.is_effective`. An APNs token in a deletion names the
whole device, for what FCM sends to is not known by it; in a subscription it names itself alone:
that pushes are not wanted is what the device's facts say, until they are.
"""  # noqa: E501 - a table

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from clarion.customers.device import (
    Deletion,
    Platform,
    Registration,
    RegistrationFault,
    Stamp,
    TokenKind,
    installation_hash,
    token_hash,
)
from clarion.events.ids import ID_CHARACTERS_MAX
from clarion.events.installation import (
    TOKEN_CHARACTERS_MAX,
    fid_of,
    first,
    is_apns_token,
    is_fid,
    is_token,
    said_addresses,
    unwanted_addresses,
)
from clarion.events.message import Event
from clarion.events.reserved import (
    DELETION_NAMES,
    OPENING_NAMES,
    REGISTRATION_NAMES,
    SUBSCRIBING_NAMES,
    TOKEN_NAMES,
    plain_name,
)
from clarion.events.strangers import stranger

APNS_CURE = (
    "This is an APNs token, which FCM can not send to: register the token that Firebase Messaging "
    "gives on iOS (fcmToken), or the Firebase installation id (fid)."
)


def read_registrations(event: Event, source_id: UUID) -> Sequence[Registration] | RegistrationFault:
    """What an event registers: by FID, by token, by both or by nothing; or why it can not."""
    name = plain_name(event.name) if event.type == "track" else ""
    is_identify = event.type == "identify"
    is_told = is_identify and bool(first(event.traits, "pushToken", "push_token"))
    is_carried = (is_identify and not is_told) or name in OPENING_NAMES
    asks = name in REGISTRATION_NAMES
    if not (is_identify or is_carried or asks or name in TOKEN_NAMES or name in SUBSCRIBING_NAMES):
        return ()
    if asks and event.device_id is None:
        return _device_id_fault(first(event.properties, "deviceId", "device_id"))
    fid, token = said_addresses(event.type, name, event.properties, event.traits, event.context)
    said = [one.strip() for one in (fid, token) if isinstance(one, str) and one.strip()]
    device_id = event.device_id or event.context_device_id
    if not said or device_id is None:
        return _TOKEN_MISSING if asks else ()
    if is_carried and not _is_signed_in(event):
        return ()
    alien = next(filter(None, map(stranger, said)), None)
    if alien is not None:
        return () if is_carried else _not_fcms(alien)
    if not all(map(is_token, said)):
        return () if is_carried else _TOKEN_MALFORMED
    platform = _platform(event, said)
    if platform is None:
        return () if is_carried else _DEVICE_TYPE_UNKNOWN
    is_identified = event.user_id is not None and event.user_id != device_id
    stamp = Stamp(event.ordered_at, int(is_identified), event.message_id)
    found = []
    for one in dict.fromkeys(said):
        is_said_fid = isinstance(fid, str) and one == fid.strip()
        kind = _kind(one, is_said_fid)
        if is_carried and kind is TokenKind.APNS:
            continue
        hashed = token_hash(one)
        found.append(
            Registration(
                device_id=device_id,
                token=one,
                token_kind=kind,
                platform=platform,
                source_id=source_id,
                stamp=stamp,
                registered_at=event.at,
                token_hash=hashed,
                installation_hash=installation_hash(one, kind, hashed),
            )
        )
    return found


def read_deletions(event: Event) -> Sequence[Deletion]:
    """What an event says to be gone; nothing for most."""
    name = plain_name(event.name) if event.type == "track" else ""
    device_id = event.device_id or event.context_device_id
    if device_id is None:
        return ()
    if name in SUBSCRIBING_NAMES:
        unwanted = unwanted_addresses(name, event.context)
        return [_deletion(event, device_id, one) for one in unwanted if is_token(one.strip())]
    if name not in DELETION_NAMES:
        return ()
    fid, token = said_addresses(event.type, name, event.properties, event.traits, event.context)
    said = (one for one in (fid, token) if isinstance(one, str) and one.strip())
    named = next(said, None)
    return [_deletion(event, device_id, None if named and is_apns_token(named.strip()) else named)]


def _deletion(event: Event, device_id: str, address: str | None) -> Deletion:
    named = address.strip() if address is not None else ""
    return Deletion(
        device_id=device_id,
        at=event.ordered_at,
        message_id=event.message_id,
        user_id=event.user_id,
        token_hash=token_hash(named) if named else None,
    )


def _is_signed_in(event: Event) -> bool:
    others = (event.device_id, event.context_device_id, event.anonymous_id)
    return event.user_id is not None and event.user_id not in others


def _kind(address: str, is_said_fid: bool) -> TokenKind:
    """By its shape, before the name it came under: FCM takes a FID where a token is asked for, so
    apps may give one there; and what looks like APNs' is sent to FCM from no platform."""
    if is_apns_token(address):
        return TokenKind.APNS
    if is_fid(address) or (is_said_fid and fid_of(address) is None):
        return TokenKind.FID
    return TokenKind.FCM


def _platform(event: Event, addresses: Sequence[str]) -> Platform | None:
    """By the event's own word, or else by what the SDK says of the device; an iOS token of old
    speaks for itself."""
    own = event.traits if event.type == "identify" else event.properties
    said = first(own, "deviceType", "device_type", "platform")
    if said is not None:
        return _named(said)
    context = event.context
    for part, member in (("device", "type"), ("os", "name")):
        found = context.get(part)
        platform = _named(found.get(member)) if isinstance(found, Mapping) else None
        if platform is not None:
            return platform
    if any(map(is_apns_token, addresses)):
        return Platform.IOS
    subscriptions = context.get("messaging_subscriptions")
    for entry in subscriptions if isinstance(subscriptions, list) else ():
        kind = entry.get("type") if isinstance(entry, Mapping) else None
        if isinstance(kind, str) and kind.upper().endswith("_PUSH"):
            return _named(kind[: -len("_PUSH")])
    return None


def _named(raw: Any) -> Platform | None:
    return _PLATFORMS.get(raw.strip().lower()) if isinstance(raw, str) else None


_PLATFORMS = {platform.value.lower(): platform for platform in Platform} | dict.fromkeys(
    ("ipados", "watchos", "tvos", "visionos", "macos", "mac os x"), Platform.IOS
)

_TOKEN_MISSING = RegistrationFault(
    code="token_missing",
    message="properties.fcmToken is missing or empty: send the token that the Firebase "
    "SDK gives you, and only once it has given one.",
)
_TOKEN_MALFORMED = RegistrationFault(
    code="token_malformed",
    message=f"The token is none: {TOKEN_CHARACTERS_MAX} printable characters at most, without "
    "spaces, and not a placeholder (null, <token> …).",
)
_DEVICE_TYPE_UNKNOWN = RegistrationFault(
    code="device_type_unknown",
    message="properties.deviceType must be iOS, Android or Web; without it, context.device.type.",
)


DEVICES_MAX = 500
"""Of one customer: no more are registered."""

TOO_MANY_DEVICES = RegistrationFault(
    code="too_many_devices",
    message=f"The customer has {DEVICES_MAX} devices already: this one is not registered.",
)


def _not_fcms(alien: str) -> RegistrationFault:
    return RegistrationFault(
        code=_TOKEN_MALFORMED.code, message=f"The token is none: it is {alien}."
    )


def _device_id_fault(raw: Any) -> RegistrationFault:
    if isinstance(raw, str) and len(raw.strip()) > ID_CHARACTERS_MAX:
        return RegistrationFault(
            code="device_id_too_long",
            message=f"properties.deviceId is longer than {ID_CHARACTERS_MAX} characters.",
        )
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return RegistrationFault(
            code="device_id_missing",
            message="properties.deviceId is missing or empty: send an id that the installation "
            "keeps, such as the Firebase installation id.",
        )
    return RegistrationFault(
        code="device_id_blocked",
        message="properties.deviceId is a placeholder or a value that many installations share "
        "(null, 0000, unknown …): send an id of this installation alone.",
    )
