"""What of a workspace is handed out, to be imported again."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor, Permission
from clarion.accounts.command import forbidden
from clarion.faults import Rejected
from clarion.importing import export_store
from clarion.importing.row import RecordKind

Key = UUID | int
"""Of a row: an event's is its `seq`, anything else's its id."""


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
