"""What became of what a source sent: one noun, `Entry`, for those who write it and read it. Pure.

An accepted event is told from its own row in `events`. Everything else is a row of `ingest_log`:
what was refused, came again, or deserved a warning.
"""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

from clarion.ingest_log.rejection import RejectedEvent


class Outcome(StrEnum):
    """What became of an event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    WARNING = "warning"
    """Nothing was refused, but somebody should know: once an hour."""


class Stage(StrEnum):
    """Where a refusal or a warning arose."""

    CALL = "call"
    """The whole call was turned away, and nothing of it is kept."""
    EVENT = "event"
    PERSON = "person"
    """It was of somebody who is suppressed or erased, and is dropped."""
    REGISTRATION = "registration"
    IDENTITY = "identity"
    ADVICE = "advice"

    @property
    def outcome(self) -> Outcome:
        is_warning = self in (Stage.IDENTITY, Stage.ADVICE)
        return Outcome.WARNING if is_warning else Outcome.REFUSED


class Entry(Struct, frozen=True, kw_only=True):
    """One event, or several that are alike, and what became of it. What could not be read of a
    refused one is None. `seq`: of the row; 0 until it is written."""

    seq: int = 0
    workspace_id: UUID
    source_id: UUID
    received_at: datetime
    outcome: Outcome
    stage: Stage | None = None
    code: str | None = None
    message: str | None = None
    count: int = 1
    """How many calls or events the row was written for."""
    message_id: str | None = None
    type: str | None = None
    name: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    device_id: str | None = None
    library: str | None = None
    library_version: str | None = None
    at: datetime | None = None
    excerpt: str | None = None

    @property
    def place(self) -> str:
        """Where its row is, of `Position`."""
        return "events" if self.outcome is Outcome.ACCEPTED else "log"


def refused_entry(
    workspace_id: UUID,
    source_id: UUID,
    received_at: datetime,
    stage: Stage,
    refusal: RejectedEvent,
    count: int = 1,
) -> Entry:
    """The entry of a rejected event or of a warning."""
    hint = refusal.hint
    return Entry(
        workspace_id=workspace_id,
        source_id=source_id,
        received_at=received_at,
        outcome=stage.outcome,
        stage=stage,
        code=refusal.code,
        message=refusal.message,
        count=count,
        message_id=refusal.message_id,
        type=hint.type,
        name=hint.name,
        user_id=hint.user_id,
        anonymous_id=hint.anonymous_id,
        library=hint.library,
        library_version=hint.library_version,
        excerpt=refusal.excerpt or None,
    )


class Position(NamedTuple):
    """A row of `events` and one of `ingest_log`, by their numbers: 0 is before the first."""

    events: int
    log: int


def hour_of(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
