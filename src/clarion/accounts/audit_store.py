"""Rows of the audit log. They are added and read, never changed, and removed by age alone."""

from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import ActorKind
from clarion.accounts.audit import AuditEntry
from clarion.clock import first_id_after
from clarion.storage.aged import AgedRows
from clarion.storage.bulk import insert_new
from clarion.storage.schema import audit

_FIELDS = tuple(field.name for field in fields(AuditEntry))


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which entries are wanted; None: all."""

    actor_id: UUID | None = None
    actor_kind: ActorKind | None = None
    verb: str | None = None
    thing_kind: str | None = None
    thing_id: str | None = None


async def add_entry(connection: AsyncConnection, entry: AuditEntry) -> None:
    row = {name: getattr(entry, name) for name in _FIELDS}
    row |= {"actor_kind": entry.actor_kind.value, "changes": dict(entry.changes)}
    await insert_new(connection, audit, [row])


async def list_entries(
    connection: AsyncConnection,
    workspace_id: UUID,
    wanted: AuditFilter,
    *,
    limit: int,
    before: UUID | None = None,
) -> list[AuditEntry]:
    """At most `limit` entries, the newest first; `before`: those older than this one."""
    statement = select(*(audit.c[name] for name in _FIELDS)).where(
        audit.c.workspace_id == workspace_id
    )
    for field in fields(AuditFilter):
        value = getattr(wanted, field.name)
        if value is not None:
            statement = statement.where(audit.c[field.name] == value)
    if before is not None:
        statement = statement.where(audit.c.id < before)
    rows = await connection.execute(statement.order_by(audit.c.id.desc()).limit(limit))
    return [_entry(row) for row in rows]


AUDIT_BY_AGE = AgedRows(
    table=audit, key=audit.c.id, is_old=lambda before: audit.c.id < first_id_after(before)
)


def _entry(row: Any) -> AuditEntry:
    values = {name: getattr(row, name) for name in _FIELDS}
    return AuditEntry(**{**values, "actor_kind": ActorKind(row.actor_kind)})
