"""A session: a browser in which somebody is signed in.

Its token is 256 random bits in a cookie; what is stored is the SHA-256 of that. The token that
forms carry against cross-site requests follows from it, so it needs no row of its own.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

IDLE = timedelta(hours=12)
"""A session that is not used for so long is over."""
LIFE = timedelta(days=30)
"""So is one that began so long ago, however much it is used."""
USED = timedelta(seconds=60)
"""How exactly `last_used_at` is known: a session in use is written about once in so long."""
TOKEN_BYTES = 32
BROWSER_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    id: UUID
    person_id: UUID
    workspace_id: UUID
    """In which the person works at the moment."""
    address: str | None
    """From which they signed in."""
    browser: str | None
    """As its User-Agent said: for the list of one's sessions."""
    created_at: datetime
    last_used_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where somebody signs in."""

    address: str | None
    browser: str | None


def is_over(session: Session, now: datetime) -> bool:
    return now - session.last_used_at >= IDLE or now - session.created_at >= LIFE


def is_use_noted(session: Session, now: datetime) -> bool:
    """Whether `last_used_at` is recent enough to be left alone."""
    return now - session.last_used_at < USED


def hash_of(token: str) -> str:
    """What is kept of the token of a session or an invitation."""
    return sha256(token.encode()).hexdigest()


def csrf_token_of(token: str) -> str:
    """What a form of this session carries: only a page that was given it can know it, and it says
    nothing of the cookie."""
    return sha256(f"csrf {token}".encode()).hexdigest()
