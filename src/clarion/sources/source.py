"""A source: an app that sends events, and what it may. Pure.

A source has several **write keys**, all valid, so that installations which keep an old one can go
on sending until people have updated. A key ends when it is *retired*: at once, or at a time to
come; until somebody restores it. **Identity secrets** follow the same rule.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from clarion.faults import Fault
from clarion.sources.rate_limit import Limit

VALID_KEYS_MAX = 10
"""Of one source, of each kind."""
ORIGINS_MAX = 100
ORIGIN_CHARACTERS_MAX = 255

_ORIGIN = re.compile(r"[a-z][a-z0-9+.\-]*://(\*\.)?(\[[0-9a-f:.]+\]|[a-z0-9._\-]+)(:[0-9]{1,5})?")


class KeyKind(StrEnum):
    """Which of a source's keys."""

    WRITE_KEY = "write_key"
    IDENTITY_SECRET = "identity_secret"  # noqa: S105 - a kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One of several that may be valid at a time."""

    id: UUID
    created_at: datetime
    last_used_at: datetime | None
    """To the minute; of a retired key: when somebody last tried it."""
    retires_at: datetime | None
    """From then on it is refused; None: it stands."""

    def is_valid(self, now: datetime) -> bool:
        return self.retires_at is None or now < self.retires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteKey(Key):
    """Public: it can send events, and nothing else."""

    write_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitySecret(Key):
    """What an app's own server signs user ids with; itself it is never shown again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An app that sends events."""

    id: UUID
    workspace_id: UUID
    name: str
    firebase_app_id: UUID | None
    created_at: datetime
    revoked_at: datetime | None
    allowed_origins: tuple[str, ...] = ()
    """Web pages that may send; empty: all."""
    limit: Limit | None = None
    """How fast each of its write keys may send; None: as fast as it goes."""
    signatures_from: datetime | None = None
    """Before that a secret signs, but nothing is refused for want of it; None: always."""
    write_keys: tuple[WriteKey, ...] = ()
    """Oldest first, retired ones too."""
    identity_secrets: tuple[IdentitySecret, ...] = ()

    @property
    def write_key(self) -> str:
        """The write key to put into apps: the newest valid one."""
        standing = [key for key in self.write_keys if key.retires_at is None]
        return (standing or list(self.write_keys))[-1].write_key

    def keys_of(self, kind: KeyKind) -> Sequence[Key]:
        """Oldest first, retired ones too."""
        return self.write_keys if kind is KeyKind.WRITE_KEY else self.identity_secrets

    def key(self, kind: KeyKind, key_id: UUID) -> Key | None:
        return next((key for key in self.keys_of(kind) if key.id == key_id), None)

    def asks_for_signatures(self, now: datetime) -> bool:
        """Whether a userId must be signed to act for its person."""
        is_time = self.signatures_from is None or self.signatures_from <= now
        return is_time and any(secret.is_valid(now) for secret in self.identity_secrets)


def is_last(keys: Sequence[Key], key_id: UUID) -> bool:
    """Whether without it none would stand: to retire it is to end them all."""
    return not any(key.retires_at is None for key in keys if key.id != key_id)


def is_full(keys: Sequence[Key], now: datetime) -> bool:
    """Whether so many are valid that no other can be made."""
    return sum(key.is_valid(now) for key in keys) >= VALID_KEYS_MAX


def read_origin(text: str) -> str | None:
    """An origin as browsers write it, in lower case; its host may begin with `*.`: any below that
    domain. None where it is none: an address with a path, a bare name."""
    origin = text.strip().lower().removesuffix("/")
    if len(origin) > ORIGIN_CHARACTERS_MAX or not _ORIGIN.fullmatch(origin):
        return None
    return origin


def read_origins(origins: Sequence[str]) -> tuple[str, ...] | list[Fault]:
    """The origins as browsers write them, each once; or what is wrong with them."""
    if len(origins) > ORIGINS_MAX:
        return [Fault("allowed_origins", f"may hold {ORIGINS_MAX} at most")]
    read = [read_origin(origin) for origin in origins]
    faults = [
        Fault(
            f"allowed_origins[{place}]",
            "must be an origin such as https://shop.example or https://*.shop.example",
        )
        for place, origin in enumerate(read)
        if origin is None
    ]
    return faults or tuple(dict.fromkeys(origin for origin in read if origin is not None))


def is_allowed(origin: str, allowed: Sequence[str]) -> bool:
    """Whether a page of `origin` may send; nothing in `allowed`: every page."""
    if not allowed:
        return True
    origin = origin.lower()
    if origin in allowed:
        return True
    scheme, _, host = origin.partition("://")
    return any(
        wanted == scheme and domain.startswith("*.") and host.endswith(domain[1:])
        for wanted, _, domain in (pattern.partition("://") for pattern in allowed)
    )
