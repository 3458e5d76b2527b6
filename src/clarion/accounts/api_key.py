"""API keys: what scripts and people call `/api/v1` with. Pure.

A key is 256 random bits, so a plain hash of it is enough: there is nothing to guess or to look up.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

KEY_PREFIX = "clk_"
HINT_CHARACTERS = 4
USED_SECONDS = 60
"""How exactly `last_used_at` is known: a key in use is written about once in so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as people see it. `key_hint` ends as the key does. `made_by`: the person behind it, who
    made it or the key it was made with; None: the operator did, or an earlier version."""

    id: UUID
    workspace_id: UUID
    name: str
    key_hint: str
    scopes: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    made_by: UUID | None = None


def hash_of(secret: str) -> str:
    """What is kept of a key."""
    return sha256(secret.encode()).hexdigest()


def hint_of(secret: str) -> str:
    """What is shown of a key."""
    return f"{KEY_PREFIX}…{secret[-HINT_CHARACTERS:]}"


def is_use_noted(key: ApiKey, now: datetime) -> bool:
    """Whether `last_used_at` is recent enough to be left alone."""
    return key.last_used_at is not None and now - key.last_used_at < timedelta(seconds=USED_SECONDS)
