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

from collections.abc import Sequence
from uuid import UUID

from clarion.customers.devices.device import (
    Deletion,
    Platform,
    Registration,
    Stamp,
    TokenKind,
    installation_hash,
    token_hash,
)
from clarion.events.calls.registration_check import wanted_registration
from clarion.events.messages.installation import (
    fid_of,
    is_apns_token,
    is_fid,
    is_token,
    said_addresses,
    unwanted_addresses,
)
from clarion.events.messages.message import Event
from clarion.events.messages.reserved import DELETION_NAMES, SUBSCRIBING_NAMES, plain_name
from clarion.faults import Rejected

_ENDING_NAMES = DELETION_NAMES | SUBSCRIBING_NAMES

APNS_CURE = (
    "This is an APNs token, which FCM can not send to: register the token that Firebase Messaging "
    "gives on iOS (fcmToken), or the Firebase installation id (fid)."
)


def read_registrations(event: Event, source_id: UUID) -> Sequence[Registration] | Rejected:
    """What an event registers: by FID, by token, by both or by nothing; or why it can not."""
    wanted = wanted_registration(event)
    if wanted is None or isinstance(wanted, Rejected):
        return wanted or ()
    is_identified = event.user_id is not None and event.user_id != wanted.device_id
    stamp = Stamp(event.ordered_at, int(is_identified), event.message_id)
    registrations = []
    for address in wanted.addresses:
        kind = _kind(address, address == wanted.fid)
        if wanted.is_carried and kind is TokenKind.APNS:
            continue
        hashed = token_hash(address)
        registrations.append(
            Registration(
                device_id=wanted.device_id,
                token=address,
                token_kind=kind,
                platform=Platform(wanted.platform),
                source_id=source_id,
                stamp=stamp,
                registered_at=event.at,
                token_hash=hashed,
                installation_hash=installation_hash(address, kind, hashed),
            )
        )
    return registrations


def read_deletions(event: Event) -> Sequence[Deletion]:
    """What an event says to be gone; nothing for most."""
    name = plain_name(event.name) if event.type == "track" else ""
    device_id = event.device_id or event.context_device_id
    if device_id is None or name not in _ENDING_NAMES:
        return ()
    if name in SUBSCRIBING_NAMES:
        unwanted = unwanted_addresses(name, event.context)
        return [
            _deletion(event, device_id, address)
            for address in unwanted
            if is_token(address.strip())
        ]
    fid, token = said_addresses(event.type, name, event.properties, event.traits, event.context)
    said = (address for address in (fid, token) if isinstance(address, str) and address.strip())
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


def _kind(address: str, is_said_fid: bool) -> TokenKind:
    """By its shape, before the name it came under: FCM takes a FID where a token is asked for, so
    apps may give one there; and what looks like APNs' is sent to FCM from no platform."""
    if is_apns_token(address):
        return TokenKind.APNS
    if is_fid(address) or (is_said_fid and fid_of(address) is None):
        return TokenKind.FID
    return TokenKind.FCM


DEVICES_MAX = 500
"""Of one customer: no more are registered."""

TOO_MANY_DEVICES = Rejected(
    code="too_many_devices",
    message=f"The customer has {DEVICES_MAX} devices already: this one is not registered.",
)
