"""What of a workspace is handed out, to be imported again."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts import workspace_store
from clarion.accounts.actor import Actor, ActorKind, Permission
from clarion.accounts.command import forbidden
from clarion.faults import Rejected
from clarion.importing import export_store
from clarion.importing.importer import WAITING_JOBS_MAX
from clarion.importing.lines.row import RecordKind

Key = UUID | int
"""Of a row: an event's is its `seq`, anything else's its id."""


async def waiting_jobs(connection: AsyncConnection, actor: Actor, depth: int) -> int:
    """What `actor` is told of the `depth` jobs of events that wait for an ingestor: they hold
    events of all workspaces.

    The operator, and everybody where there is one workspace, is told how many. Elsewhere the number
    would tell how much the others send: it is 0, or 1, or, where an import should wait, more than
    `WAITING_JOBS_MAX` by one. Whoever sends an event notices as much by the time that it takes.
    """
    is_shared = await workspace_store.has_others(connection, actor.workspace_id)
    if actor.kind is ActorKind.OPERATOR or not is_shared:
        return depth
    return WAITING_JOBS_MAX + 1 if depth > WAITING_JOBS_MAX else min(depth, 1)


async def count_export(
    connection: AsyncConnection, actor: Actor, kind: RecordKind
) -> int | Rejected:
    """How many rows an export will have, but for what arrives meanwhile, and a device's second and
    third registration."""
    if not actor.may(Permission.ADMIN):
        return forbidden(Permission.ADMIN)
    return await export_store.count_rows(connection, actor.workspace_id, kind)


async def export_page(
    connection: AsyncConnection,
    actor: Actor,
    kind: RecordKind,
    *,
    after: Key | None,
    limit: int,
    with_tokens: bool,
) -> tuple[list[dict[str, Any]], Key | None] | Rejected:
    """See `export_store.export_page`. For admins: it is everything that is known of everybody."""
    if not actor.may(Permission.ADMIN):
        return forbidden(Permission.ADMIN)
    return await export_store.export_page(
        connection, actor.workspace_id, kind, after=after, limit=limit, with_tokens=with_tokens
    )
