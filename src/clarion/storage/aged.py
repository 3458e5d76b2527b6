"""Rows that are removed when they are old: found by readers, removed by their keys in slices."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Table, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.storage.bulk import in_parts


class Aged(Protocol):
    """What has an age at which it may go. `before`: older than that."""

    async def count(self, connection: AsyncConnection, workspace_id: UUID, before: datetime) -> int:
        """How many would be removed."""

    async def find(
        self, connection: AsyncConnection, workspace_id: UUID, before: datetime, limit: int
    ) -> Any:
        """At most `limit` of them, for `remove`; None: there are none."""

    async def remove(self, connection: AsyncConnection, old_rows: Any, now: datetime) -> int:
        """Remove what was found, in one short transaction; returns how many rows."""

    def removed(self, old_rows: Any) -> None:
        """That transaction is committed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgedRows:
    """Those of one table, which has a `workspace_id` and a key of one column."""

    table: Table
    key: Column[Any]
    is_old: Callable[[datetime], ColumnElement[bool]]

    async def count(self, connection: AsyncConnection, workspace_id: UUID, before: datetime) -> int:
        """See Aged."""
        statement = select(func.count()).where(*self._old(workspace_id, before))
        return int((await connection.execute(statement)).scalar_one())

    async def find(
        self, connection: AsyncConnection, workspace_id: UUID, before: datetime, limit: int
    ) -> Sequence[Any] | None:
        """See Aged: their keys."""
        statement = select(self.key).where(*self._old(workspace_id, before))
        rows = await connection.execute(statement.order_by(self.key).limit(limit))
        return list(rows.scalars()) or None

    async def remove(
        self, connection: AsyncConnection, old_rows: Sequence[Any], now: datetime
    ) -> int:
        """See Aged."""
        count = 0
        for keys in in_parts(old_rows):
            count += (
                await connection.execute(delete(self.table).where(self.key.in_(keys)))
            ).rowcount
        return count

    def removed(self, old_rows: Sequence[Any]) -> None:
        """See Aged: nothing is remembered of it."""

    def _old(self, workspace_id: UUID, before: datetime) -> tuple[ColumnElement[bool], ...]:
        return self.table.c.workspace_id == workspace_id, self.is_old(before)
