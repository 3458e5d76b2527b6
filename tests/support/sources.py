"""A source that is otherwise than it was made, without an administrator's call."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.sources.store import get_source, save_source


async def set_source(
    connection: AsyncConnection, workspace_id: UUID, source_id: UUID, **values: Any
) -> None:
    """Write `values`, fields of `Source`, into the row of a source that is there."""
    source = await get_source(connection, workspace_id, source_id)
    assert source is not None
    await save_source(connection, replace(source, **values))
