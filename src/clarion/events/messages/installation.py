"""Which installation an event speaks of, and by what it can be reached. Pure.

An FCM registration token begins with the Firebase installation id (FID) of the installation it was
made for, `<fid>:APA91b…`; the id has 22 characters, or 11 where it comes from the Instance ID of
old. So a token and a FID, or two tokens, can be known to be of one installation whatever device id
they came with.
"""

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from clarion.events.messages.identifiers import ID_CHARACTERS_MAX, usable_id
from clarion.events.messages.reserved import (
    DELETION_NAMES,
    OPENING_NAMES,
    PUSH_NAMES,
    REGISTRATION_NAMES,
    SUBSCRIBING_NAMES,
    TOKEN_NAMES,
    plain_name,
)

TOKEN_CHARACTERS_MAX = 4096
FID_CHARACTERS = 22
DERIVED_CHARACTERS = 32

_TOKEN = re.compile(r"[\x21-\x7e]+")
_PLACEHOLDER = re.compile(r"<[^<>]*>|\{\{?.*\}\}?|\$\{.*\}|fingerprint:[0-9a-f]{12}")
"""The last one is what Clarion shows in place of a token: somebody has copied it from a page."""
_FID = re.compile(r"[cdef][A-Za-z0-9_-]{21}")
_APNS_TOKEN = re.compile(r"[0-9a-fA-F]{64,200}")
_CLASSIC_TOKEN = re.compile(r"([A-Za-z0-9_-]{22}|[A-Za-z0-9_-]{11}):APA91b")
_BLACKLISTED = "blacklisted"
"""What Google's services give in place of a token on phones they do not serve: the same to all."""
_SUBSCRIBED = "subscribed"
_UNWANTED = frozenset({"unsubscribed", "did_not_subscribe"})


def is_token(text: str) -> bool:
    """Whether `text` can be a token. A placeholder is none: every installation would send it, and
    take it from the one before."""
    if len(text) <= ID_CHARACTERS_MAX and (usable_id(text) is None or text.lower() == _BLACKLISTED):
        return False
    return (
        len(text) <= TOKEN_CHARACTERS_MAX
        and _TOKEN.fullmatch(text) is not None
        and _PLACEHOLDER.fullmatch(text) is None
    )


def is_fid(text: str) -> bool:
    """Whether `text` has the shape of a Firebase installation id."""
    return len(text) == FID_CHARACTERS and _FID.fullmatch(text) is not None


def is_apns_token(text: str) -> bool:
    """Whether `text` has the shape of a bare APNs token, which FCM can not send to."""
    return text.isalnum() and _APNS_TOKEN.fullmatch(text) is not None


def fid_of(token: str) -> str | None:
    """The FID that a registration token begins with."""
    match = _CLASSIC_TOKEN.match(token)
    return match[1] if match is not None else None


def said_addresses(
    kind: str,
    name: str,
    properties: Mapping[str, Any],
    traits: Mapping[str, Any],
    context: Mapping[str, Any],
) -> tuple[Any, Any]:
    """What an event gives as (FID, token) of its installation, as it came; `name` is plain.

    The named event says them in its properties (an identify, in its traits); what the SDKs carry
    along in `context.device` counts after that, and not for `Register Push`, whose token is its
    own: on iOS the other one is APNs'.
    """
    device = _object(context.get("device"))
    fid = token = None
    if kind == "identify":
        token = first(traits, "pushToken", "push_token")
    elif name in REGISTRATION_NAMES or name in TOKEN_NAMES or name in DELETION_NAMES:
        fid = first(properties, "fid")
        token = first(properties, "fcmToken", "fcm_token", "token")
    if name in SUBSCRIBING_NAMES:
        return None, _subscribed(context)
    if fid is None:
        fid = device.get("fid")
    if token is None and name not in REGISTRATION_NAMES:
        token = device.get("token")
        if token is None and name in TOKEN_NAMES:
            token = _subscribed(context)
    return fid, token


def unwanted_addresses(name: str, context: Mapping[str, Any]) -> list[str]:
    """The tokens of which an event says that no push is wanted there any more."""
    if name not in SUBSCRIBING_NAMES:
        return []
    return [key for key, status in _subscriptions(context) if status in _UNWANTED]


def named_device(
    kind: str,
    name: str | None,
    properties: Mapping[str, Any],
    traits: Mapping[str, Any],
    context: Mapping[str, Any],
) -> Any:
    """The device id that a push event gives elsewhere than in `properties.deviceId`, or None.

    Two shapes: an identify of old with the traits `pushToken` and `deviceId` (which may be a name
    for people, "Ada's phone", and then is no id); and an event that names its device by nothing but
    the token, as Customer.io's API does. There the FID in the token is the id, or else one made
    from the token.
    """
    plain = plain_name(name) if kind == "track" else ""
    if kind == "identify":
        if not first(traits, "pushToken", "push_token"):
            return None
        said = first(traits, "deviceId", "device_id")
        if usable_id(said) is not None and not any(map(str.isspace, str(said).strip())):
            return said
    elif plain not in PUSH_NAMES or plain in REGISTRATION_NAMES:
        return None
    device = context.get("device")
    if usable_id(device.get("id") if isinstance(device, Mapping) else None) is not None:
        return None
    if plain in OPENING_NAMES and not isinstance(device, Mapping):
        return None
    fid, token = said_addresses(kind, plain, properties, traits, context)
    address = fid or token or next(iter(unwanted_addresses(plain, context)), None)
    return (
        _derived(address.strip())
        if isinstance(address, str) and is_token(address.strip())
        else None
    )


def first(members: Mapping[str, Any], *names: str) -> Any:
    """The first of `names` that has a value."""
    for name in names:
        value = members.get(name)
        if value is not None:
            return value
    return None


def _derived(address: str) -> str:
    """A device id for an installation that gives none but its address."""
    if is_fid(address):
        return address
    return fid_of(address) or f"token-{sha256(address.encode()).hexdigest()[:DERIVED_CHARACTERS]}"


def _object(value: Any) -> Mapping[str, Any]:
    return value if type(value) is dict or isinstance(value, Mapping) else {}


def _subscribed(context: Mapping[str, Any]) -> str | None:
    """The first token of which `context.messaging_subscriptions` says that pushes are wanted."""
    return next((key for key, status in _subscriptions(context) if status == _SUBSCRIBED), None)


def _subscriptions(context: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(token, status in lower case) of each push entry of `context.messaging_subscriptions`."""
    entries = context.get("messaging_subscriptions")
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, Mapping):
            continue
        key, kind, status = entry.get("key"), entry.get("type"), entry.get("status")
        is_push = isinstance(kind, str) and kind.upper().endswith("_PUSH")
        if is_push and isinstance(key, str) and isinstance(status, str):
            yield key, status.strip().lower()
