"""What a write key opens, and why a call with one is rejected. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from clarion.faults import Rejected
from clarion.sources.rate_limit import Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """An identity secret, opened."""

    id: UUID
    text: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthResult:
    """All that a collector has to know of a write key and its source."""

    key_id: UUID
    source_id: UUID
    workspace_id: UUID
    source_created_at: datetime
    allowed_origins: tuple[str, ...] = ()
    limit: Limit | None = None
    secrets: tuple[Secret, ...] = ()
    """Any of them may have signed a userId; none: nobody asks for signatures."""
    has_locked_secrets: bool = False
    """There are others that can not be opened: they may have signed, and nobody can say."""
    asks_for_signatures: bool = True
    """Whether anything is refused for want of one, if there are secrets."""
    has_signatures: bool = False
    """Some source of the workspace has, or had, a secret: signatures may stand in any event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """The key was known once; it is retired, or its source is revoked."""

    key_id: UUID
    source_id: UUID
    workspace_id: UUID
    is_source_revoked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownKey:
    """The write key is missing, unknown, retired or of a revoked source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginRefused:
    """The source may be used by pages of other origins only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TooFast:
    """The write key has sent as much as it may; nothing of this call is kept."""

    retry_after_seconds: int


WRITE_KEY_RETIRED = "write_key_retired"
SOURCE_REVOKED = "source_revoked"
KEY_MEANINGS = {
    WRITE_KEY_RETIRED: "The write key is retired: nothing that is sent with it is taken.",
    SOURCE_REVOKED: "The source is revoked: nothing that is sent with its write keys is taken.",
}
"""What a source is told of calls that were answered `write_key_unknown`."""


class Place(NamedTuple):
    """The workspace and source of a call."""

    workspace_id: UUID
    source_id: UUID


class RejectedCalls(Protocol):
    """Where rejected calls are recorded: the ingest log."""

    def count(self, code: str) -> None:
        """Counts a rejected call of any source, or of none."""

    def note(self, place: Place, why: Rejected, about: str = "") -> None:
        """It was this source's: its people can read why. `about` tells alike ones apart: an
        origin, a key."""
