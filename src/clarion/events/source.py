"""A source: an app that sends events, and what it may. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An app that sends events. Its write key is public and can only send."""

    id: UUID
    workspace_id: UUID
    name: str
    write_key: str = field(repr=False)
    firebase_app_id: UUID | None
    created_at: datetime
    revoked_at: datetime | None
