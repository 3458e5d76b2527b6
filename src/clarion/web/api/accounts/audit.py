"""/audit: who did what to which thing, and when."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import QueryParameter

from clarion.accounts import audit
from clarion.accounts.actor import ActorKind, Scope
from clarion.accounts.audit_store import AuditFilter
from clarion.accounts.queries import list_audit
from clarion.clock import Moment
from clarion.web.api.gate import NEEDS, GivenCaller, GivenParts
from clarion.web.api.pages import LIMIT_DEFAULT, Cursor, Limit, Page, after_id, page

ActorId = Annotated[
    UUID | None, QueryParameter(description="What this API key or this person did.")
]
Kind = Annotated[ActorKind | None, QueryParameter(description="What actors of this kind did.")]
Verb = Annotated[str | None, QueryParameter(description="What was done, such as `api_key.revoke`.")]
ThingKind = Annotated[
    str | None, QueryParameter(description="To things of this kind, such as `api_key`.")
]
ThingId = Annotated[str | None, QueryParameter(description="To the thing with this id.")]

Before = Annotated[
    UUID | None,
    QueryParameter(description="Those older than the entry with this id; a cursor goes before it."),
]


class AuditActor(msgspec.Struct, frozen=True, kw_only=True):
    """Who did it. `id` is null for the command line and for Clarion itself; `name` as it was
    then."""

    kind: ActorKind
    id: UUID | None
    name: str


class AuditThing(msgspec.Struct, frozen=True, kw_only=True):
    """What it was done to."""

    kind: str
    id: str


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One act. `changes` has what became different: a field's name, and what it was and is, or
    what it is where it is new. `request_id`: of the call, as its X-Request-Id said."""

    id: UUID
    at: Moment
    actor: AuditActor
    verb: str
    thing: AuditThing
    request_id: str | None
    changes: dict[str, Any]


class Audit(Controller):
    path = "/audit"
    tags = ("audit",)
    opt = {NEEDS: Scope.ADMIN}  # noqa: RUF012 - Litestar's own shape

    @get("", summary="List what was done")
    async def list_all(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        actor_id: ActorId = None,
        actor_kind: Kind = None,
        verb: Verb = None,
        thing_kind: ThingKind = None,
        thing_id: ThingId = None,
        before: Before = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Page[AuditEntry]:
        """Audit entries, the newest first. Entries are never changed; each is written in one
        transaction with the change it records."""
        wanted = AuditFilter(
            actor_id=actor_id,
            actor_kind=actor_kind,
            verb=verb,
            thing_kind=thing_kind,
            thing_id=thing_id,
        )
        older_than = before if cursor is None else after_id(cursor)
        entries = await parts.ask(list_audit, caller, wanted, limit=limit + 1, before=older_than)
        return page(entries, limit, _shown, lambda entry: entry.id.bytes)


def _shown(entry: audit.AuditEntry) -> AuditEntry:
    return AuditEntry(
        id=entry.id,
        at=entry.at,
        actor=AuditActor(kind=entry.actor_kind, id=entry.actor_id, name=entry.actor_name),
        verb=entry.verb,
        thing=AuditThing(kind=entry.thing_kind, id=entry.thing_id),
        request_id=entry.request_id,
        changes=dict(entry.changes),
    )
