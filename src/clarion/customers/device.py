"""A device: an installation that can be reached, and the rules of its registration (R6, R8).

What holds is a function of facts that only accumulate, so their order of arrival can not matter:

    registrations   the one with the greatest stamp holds the device's token
    holders         of each token: the device whose registration with it has the greatest stamp
    removals        by the provider or the sweeper: "registrations up to this time are dead"
    deletions       said by the app: effective where its speaker owned the device at that time

A device is **active** while none of the last three speaks against the registration that holds.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

from clarion.customers.identity import Timeline, User
from clarion.events.ids import ID_CHARACTERS_MAX, usable_id
from clarion.events.message import Event
from clarion.events.reserved import DELETION_NAMES, REGISTRATION_NAMES, plain_name

TOKEN_CHARACTERS_MAX = 4096
FINGERPRINT_CHARACTERS = 12

_TOKEN = re.compile(r"[\x21-\x7e]+")
_PLACEHOLDER = re.compile(r"<[^<>]*>|\{\{?.*\}\}?|\$\{.*\}")
_APNS_TOKEN = re.compile(r"(?:[0-9a-fA-F]{2}){32,100}")


class Platform(StrEnum):
    """What kind of installation a device is; the values are those of `deviceType` on the wire."""

    IOS = "iOS"
    ANDROID = "Android"
    WEB = "Web"


class TokenKind(StrEnum):
    """What the registration is addressed by."""

    FCM = "fcm"
    """An FCM registration token."""
    FID = "fid"
    """A Firebase installation id."""
    APNS = "apns"
    """A bare APNs token: kept, never sent to FCM."""


class DeviceState(StrEnum):
    ACTIVE = "active"
    REMOVED = "removed"


TOKEN_MOVED = "token_moved"  # noqa: S105 - a reason
DELETED = "deleted_by_app"
STALE = "stale"


@dataclass(frozen=True, slots=True, order=True)
class Stamp:
    """Which of two registrations counts: the later; at one instant, the identified one."""

    at: datetime
    rank: int
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """One valid `Register Push`."""

    device_id: str
    token: str = field(repr=False)
    token_kind: TokenKind
    platform: Platform
    source_id: UUID
    stamp: Stamp

    @property
    def token_hash(self) -> str:
        return token_hash(self.token)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationFault:
    """Why a `Register Push` registers nothing, and the cure. The event itself is kept."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """The app says: this device is gone."""

    device_id: str
    at: datetime
    message_id: str
    user_id: str | None
    token_hash: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """The provider or the sweeper says: this registration is dead."""

    device_row_id: UUID
    token_hash: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A removal as the device keeps it."""

    token_hash: str
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    state: DeviceState
    reason: str | None = None


def token_hash(token: str) -> str:
    """The one way a token is compared and shown: SHA-256 in hex. Its first
    `FINGERPRINT_CHARACTERS` are the fingerprint people see."""
    return sha256(token.encode()).hexdigest()


def read_registration(event: Event, source_id: UUID) -> Registration | RegistrationFault | None:
    """The registration in an event, why it is none, or None if it does not try to be one."""
    if event.type != "track" or plain_name(event.name) not in REGISTRATION_NAMES:
        return None
    properties = event.properties
    if event.device_id is None:
        return _device_id_fault(_first(properties, "deviceId", "device_id"))
    fid = _first(properties, "fid")
    token = fid if fid else _first(properties, "fcmToken", "fcm_token", "token")
    if not isinstance(token, str) or not token.strip():
        return RegistrationFault(
            code="token_missing",
            message="properties.fcmToken is missing or empty: send the token that the Firebase "
            "SDK gives you, and only once it has given one.",
        )
    token = token.strip()
    if not _is_token(token):
        return RegistrationFault(
            code="token_malformed",
            message=f"properties.fcmToken is not a token: {TOKEN_CHARACTERS_MAX} printable "
            "characters at most, without spaces, and not a placeholder (null, <token> …).",
        )
    platform = _platform(_first(properties, "deviceType", "device_type", "platform"))
    if platform is None:
        return RegistrationFault(
            code="device_type_unknown",
            message="properties.deviceType must be iOS, Android or Web.",
        )
    is_apns = platform is Platform.IOS and not fid and is_apns_token(token)
    kind = TokenKind.FID if fid else TokenKind.APNS if is_apns else TokenKind.FCM
    is_identified = event.user_id is not None and event.user_id != event.device_id
    return Registration(
        device_id=event.device_id,
        token=token,
        token_kind=kind,
        platform=platform,
        source_id=source_id,
        stamp=Stamp(event.at, int(is_identified), event.message_id),
    )


def read_deletion(event: Event) -> Deletion | None:
    """What `Device Deleted` or `Application Uninstalled` says; None for every other event."""
    if event.type != "track" or plain_name(event.name) not in DELETION_NAMES:
        return None
    device_id = event.device_id or event.context_device_id
    if device_id is None:
        return None
    device = event.context.get("device")
    token = _first(event.properties, "fcmToken", "fcm_token", "token")
    if token is None and isinstance(device, Mapping):
        token = device.get("token")
    named = isinstance(token, str) and token.strip()
    return Deletion(
        device_id=device_id,
        at=event.at,
        message_id=event.message_id,
        user_id=event.user_id,
        token_hash=token_hash(token.strip()) if named and isinstance(token, str) else None,
    )


def is_apns_token(text: str) -> bool:
    """Whether it has the shape of a token of Apple's own service, which FCM can not send to."""
    return _APNS_TOKEN.fullmatch(text) is not None


def standing(
    *,
    device_id: str,
    holds: Stamp,
    token_hash: str,
    holder: str,
    removed: Removed | None,
    deletions: Iterable[Deletion],
    line: Timeline,
    is_real: Callable[[str], bool],
) -> Standing:
    """Whether the registration that `holds` is alive; `holder` is the device the token lives on."""
    if holder != device_id:
        return Standing(state=DeviceState.REMOVED, reason=TOKEN_MOVED)
    if removed is not None and removed.token_hash == token_hash and holds.at <= removed.until:
        return Standing(state=DeviceState.REMOVED, reason=removed.reason)
    for deletion in deletions:
        if deletion.at < holds.at or deletion.token_hash not in (None, token_hash):
            continue
        speaker = deletion.user_id
        if speaker is None or not is_real(speaker):
            return Standing(state=DeviceState.REMOVED, reason=DELETED)
        if line.owner_at(device_id, deletion.at) == User(speaker):
            return Standing(state=DeviceState.REMOVED, reason=DELETED)
    return Standing(state=DeviceState.ACTIVE)


def _is_token(text: str) -> bool:
    """A placeholder is none: every installation would send it, and take it from the one before."""
    if len(text) <= ID_CHARACTERS_MAX and usable_id(text) is None:
        return False
    return (
        len(text) <= TOKEN_CHARACTERS_MAX
        and _TOKEN.fullmatch(text) is not None
        and _PLACEHOLDER.fullmatch(text) is None
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


def _platform(raw: Any) -> Platform | None:
    return _PLATFORMS.get(raw.strip().lower()) if isinstance(raw, str) else None


_PLATFORMS = {platform.value.lower(): platform for platform in Platform}


def _first(properties: Mapping[str, Any], *names: str) -> Any:
    return next((properties[name] for name in names if properties.get(name) is not None), None)
