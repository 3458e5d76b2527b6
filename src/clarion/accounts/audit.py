"""What the audit log says: who did what to which thing, and when. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from clarion.accounts.actor import Actor, ActorKind

Changes = Mapping[str, Any]
"""What became different: a field's name → `[before, after]`, or its value where it is new.

Everything in it must have a form in JSON. Never a secret, a token, or a trait of a customer: the
log outlives both a key and an erased person."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What was acted upon. `kind` is the API's word for it, in the singular: `campaign`."""

    kind: str
    id: UUID | str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One act. It is never changed afterwards."""

    id: UUID
    """A UUIDv7: entries sort by time."""
    workspace_id: UUID
    at: datetime
    actor_kind: ActorKind
    actor_id: UUID | None
    actor_name: str
    verb: str
    """The command: `campaign.schedule`."""
    thing_kind: str
    thing_id: str
    request_id: str | None
    changes: Changes


def new_entry(
    actor: Actor, verb: str, thing: Thing, changes: Changes, *, entry_id: UUID, at: datetime
) -> AuditEntry:
    return AuditEntry(
        id=entry_id,
        workspace_id=actor.workspace_id,
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
        verb=verb,
        thing_kind=thing.kind,
        thing_id=str(thing.id),
        request_id=actor.request_id,
        changes=changes,
    )


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The fields of `after` that are not as they were: name → `[before, after]`."""
    return {
        name: [before.get(name), value]
        for name, value in after.items()
        if before.get(name) != value
    }
