"""The contract with whoever carries a push to a device: a Push goes in, an Outcome comes out.
Pure.

`providers/fcm/` is the one provider; nothing of FCM's vocabulary crosses this line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from clarion.campaigns.content.appearance import NO_SOUND, InterruptionLevel
from clarion.campaigns.content.spec import Content, Priority, is_reserved
from clarion.customers.devices.device import Platform, TokenKind
from clarion.faults import Fault

__all__ = [
    "NO_SOUND",
    "Accepted",
    "Content",
    "InterruptionLevel",
    "Misconfigured",
    "Outcome",
    "Platform",
    "Priority",
    "Provider",
    "ProviderApp",
    "Push",
    "PushSize",
    "Rejected",
    "ThrottleScope",
    "Throttled",
    "TokenKind",
    "TryingProvider",
    "Unavailable",
    "Unregistered",
    "is_reserved",
]


class Push(Struct, frozen=True, kw_only=True, gc=False):
    """One push to one device. `delivery_id` goes into `data`; `tag` makes a repeat replace."""

    token: str
    token_kind: TokenKind
    platform: Platform
    delivery_id: str
    """Comes back in `Push Notification Received` / `Tapped`; the key of attribution."""
    tag: str
    """≤ 32 URL-safe characters, the same for every attempt of one delivery."""
    content: Content
    unrendered: Content | None = None
    """What `content` was rendered from for this customer: one object for many pushes, so that a
    provider can prepare it once. They differ in texts alone. None: `content` is such an object."""
    live_activity_token: str | None = None
    """Where the content's Live Activity is started, or runs, on this device."""
    is_transactional: bool = False
    """It leaves before what waits of campaigns."""

    def __repr__(self) -> str:
        """Without its tokens."""
        return f"Push({self.delivery_id}, {self.platform.value}, {self.token_kind.value})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The provider took it. That is all it means: not shown, not received."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unregistered:
    """This registration is dead: remove it, if the device still holds the same token."""

    reason: str
    """A short fixed word: unregistered | malformed_token | apns_unregistered | apns_bad_token
    | sender_mismatch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """This push can never be sent as it is; the registration is not to blame."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttled:
    """Too much: for the whole app, for a platform's devices, or for this device alone. Try again
    later."""

    scope: "ThrottleScope"
    retry_after_seconds: float | None = None


class ThrottleScope(StrEnum):
    APP = "app"
    PLATFORM = "platform"
    """All devices of the push's platform, and no others."""
    DEVICE = "device"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """The provider is in trouble, or its answer never came. Try again later.

    `maybe_accepted` is True when the request left and no answer was seen (timeout, reset): a
    repeat may then be a second one, and is counted as such.
    """

    reason: str
    retry_after_seconds: float | None = None
    maybe_accepted: bool = False
    left: bool = True
    """False: no request went out for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misconfigured:
    """An operator must act: credentials, permissions, the app's APNs key. Never the token's fault.

    `platforms` names those concerned; empty means the whole Firebase app. One such answer alone
    proves nothing about the app: see `belief`.
    """

    reason: str
    detail: str = ""
    platforms: frozenset[Platform] = frozenset()
    left: bool = True
    """False: no push went out, since the key itself gives no access token. Then it is certain."""


Outcome = Accepted | Unregistered | Rejected | Throttled | Unavailable | Misconfigured


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderApp:
    """A Firebase app as a sender needs it: which project, and its decrypted service account."""

    id: UUID
    project_id: str
    service_account: Mapping[str, str] = field(repr=False)


class KeyReader(Protocol):
    """What reads the file of a provider app's key."""

    def __call__(self, file: bytes, *, may_be_simulated: bool) -> Mapping[str, str] | list[Fault]:
        """Its fields, or all that is wrong with it. `may_be_simulated`: a simulator's, anywhere on
        this machine, will do."""


class Provider(Protocol):
    """Carries pushes. Never raises for what a provider can answer: that is an Outcome."""

    async def send(self, app: ProviderApp, pushes: Sequence[Push]) -> Sequence[Outcome]:
        """One outcome for each push, in the order of `pushes`. Retries nothing but a stale access
        token, once."""

    def check(self, content: Content, *, platform: Platform) -> Sequence[Fault]:
        """What the provider would refuse in this content, before anything is sent."""

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PushSize:
    """How large a push is by the provider's count, of how much it takes."""

    bytes: int
    bytes_max: int


class TryingProvider(Provider, Protocol):
    """What is asked besides where a content is tried out."""

    def measure(self, content: Content, *, platform: Platform) -> PushSize:
        """The size that `check` goes by. `content` has passed it but for its size."""

    async def validate(self, app: ProviderApp, pushes: Sequence[Push]) -> Sequence[Outcome]:
        """As `send`, but the provider only says what it would do: nothing reaches a device."""
