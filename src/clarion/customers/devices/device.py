"""A device: an installation that can be reached, and the registrations it is reached by. Values;
what holds of them is said by `liveness`. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from clarion.events.messages.installation import fid_of

FINGERPRINT_CHARACTERS = 12


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
REPLACED = "replaced"

NOT_KNOWN = frozenset({"unregistered", "malformed_token"})
"""What the provider says of a token or FID that is not registered with it."""

RECALLABLE = frozenset({TOKEN_MOVED, DELETED, REPLACED})
"""A fact that arrives late may take these back, so the token is not forgotten."""


class Stamp(Struct, frozen=True, order=True, gc=False):
    """Which of two registrations counts: the later; at one instant, the identified one."""

    at: datetime
    rank: int
    message_id: str


class Registration(Struct, frozen=True, kw_only=True, gc=False):
    """One address that an event registers."""

    device_id: str
    token: str
    token_kind: TokenKind
    platform: Platform
    source_id: UUID
    stamp: Stamp
    registered_at: datetime
    """By the server's clock; the stamp's time is by the sender's (`events.moment`)."""
    token_hash: str
    installation_hash: str

    def __repr__(self) -> str:
        """Names it by its hash: a token is shown nowhere."""
        return f"Registration({self.device_id!r}, {self.token_kind}, {self.token_hash!r})"


class Deletion(Struct, frozen=True, kw_only=True, gc=False):
    """The app says: this device is gone, or the registration by this token."""

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


class Removed(Struct, frozen=True, kw_only=True, gc=False):
    """A removal as the registration keeps it."""

    token_hash: str
    until: datetime
    reason: str


class Held(Struct, frozen=True, kw_only=True, gc=False):
    """A registration as its device keeps it."""

    source_id: UUID
    platform: Platform
    token: str | None
    token_kind: TokenKind
    token_hash: str
    installation_hash: str
    holds: Stamp
    registered_at: datetime
    removed: Removed | None = None
    state: DeviceState = DeviceState.ACTIVE
    reason: str | None = None

    def __repr__(self) -> str:
        """Names it by its hash: a token is shown nowhere."""
        return f"Held({self.token_kind}, {self.token_hash!r}, {self.holds}, {self.state})"

    @property
    def is_active(self) -> bool:
        return self.state is DeviceState.ACTIVE

    @property
    def can_be_sent_to(self) -> bool:
        return self.token_kind is not TokenKind.APNS

    @property
    def knows_installation(self) -> bool:
        return self.token_kind is TokenKind.FID or self.installation_hash != self.token_hash

    def revived(self) -> "Held":
        if self.is_active:
            return self
        return replace(self, state=DeviceState.ACTIVE, reason=None)

    def ended(self, reason: str) -> "Held":
        """Dead. A token that nothing can bring back is forgotten."""
        token = self.token if reason in RECALLABLE else None
        return replace(self, token=token, state=DeviceState.REMOVED, reason=reason)

    def removed_by(self, removed: Removed) -> "Held":
        """What the provider or the sweeper says, if it still speaks of this registration."""
        if removed.token_hash != self.token_hash or self.registered_at > removed.until:
            return self
        return replace(self, removed=removed).ended(removed.reason)


class KeptDevice(Struct, frozen=True, kw_only=True, gc=False):
    """A device as its registration rules keep it. `registrations`: the one to send to first;
    `facts`: what SDKs tell of it."""

    id: UUID
    device_id: str
    customer_id: UUID
    registrations: tuple[Held, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    last_seen_at: datetime

    @property
    def current(self) -> Held:
        return self.registrations[0]

    @property
    def state(self) -> DeviceState:
        return self.current.state

    @property
    def reason(self) -> str | None:
        return self.current.reason


class Home(Struct, frozen=True, kw_only=True, gc=False):
    """Where an installation lives, and since when."""

    device_id: str
    at: datetime


def token_hash(token: str) -> str:
    """The one way a token is compared and shown: SHA-256 in hex. Its first
    `FINGERPRINT_CHARACTERS` are the fingerprint people see."""
    return sha256(token.encode()).hexdigest()


def installation_hash(token: str, kind: TokenKind, hashed: str | None = None) -> str:
    """The same for every token and FID of one installation, where a token tells its FID. `hashed`
    is the token's own hash, if it is at hand."""
    fid = fid_of(token) if kind is TokenKind.FCM else None
    return token_hash(fid) if fid is not None else hashed or token_hash(token)


@dataclass(frozen=True, slots=True)
class Spares:
    """A device's registrations besides the one that pushes go to, as stored, and who told them."""

    source_id: UUID
    registrations: Sequence[Mapping[str, Any]]

    def reach(self, kind: TokenKind) -> bool:
        """Whether it can be reached by one of another kind than `kind`."""
        return any(
            registration["token_kind"] not in (TokenKind.APNS, kind)
            and registration["state"] == DeviceState.ACTIVE
            and registration["token"]
            for registration in self.registrations
        )
