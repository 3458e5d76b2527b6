"""Rows of companions: which other ids stood in events that no person's user id decides.

So whoever is erased is found in what nobody known did on their devices, without reading all events
of nobody known. Of events that somebody decides the claims tell the same.
"""

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.storage.bulk import in_parts, insert_new
from clarion.storage.dialect import unindexed
from clarion.storage.schema import claims, companions

Companion = tuple[str, str]
"""An id, and the key of an event in which it stood."""


async def add_companions(
    connection: AsyncConnection, workspace_id: UUID, new_companions: Iterable[Companion]
) -> None:
    """Note these; one that is there already stays."""
    await insert_new(
        connection,
        companions,
        [
            {"workspace_id": workspace_id, "id": id_beside, "key": key}
            for id_beside, key in sorted(set(new_companions))
        ],
    )


async def ids_beside(
    connection: AsyncConnection, workspace_id: UUID, keys: Iterable[str]
) -> set[str]:
    """The ids that stood in events of these keys, as long as no person's user id decided them."""
    ids: set[str] = set()
    for part in in_parts(keys):
        rows = await connection.execute(
            select(companions.c.id).where(
                companions.c.workspace_id == workspace_id, companions.c.key.in_(part)
            )
        )
        ids |= set(rows.scalars())
    return ids


async def keys_beside(
    connection: AsyncConnection, workspace_id: UUID, name: str, *, but: Collection[str], most: int
) -> set[str]:
    """The keys, none of `but`, of events in which the id `name` stood; no more than `most`."""
    keys: set[str] = set()
    for statement in (
        select(companions.c.key).where(
            companions.c.workspace_id == workspace_id, companions.c.id == name
        ),
        select(unindexed(claims.c.user_id))
        .where(claims.c.workspace_id == workspace_id, claims.c.key == name)
        .distinct(),
    ):
        # Those that are left out are the person's own: as many more are asked for.
        rows = await connection.execute(statement.limit(most + len(but)))
        keys |= set(rows.scalars()) - set(but)
    return keys if len(keys) <= most else set(sorted(keys)[:most])
