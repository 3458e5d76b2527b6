"""Events of nobody known that name a person's devices: an erasure removes them, too."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from clarion.customers.identity.companion_store import keys_beside
from clarion.customers.identity.person import ids_of_body
from clarion.events.erasure_store import strangers_events
from clarion.storage.database import Database

STRANGERS_MAX = 20
"""An id that more anonymous people than this came with is no device of one person's."""


async def events_of_strangers(
    database: Database, workspace_id: UUID, ids: Collection[str], rows_max: int
) -> list[Any]:
    """Rows of `events` that name one of `ids`, each once. Looks through the events of the few keys
    that such an id stood beside, `rows_max` at a time."""
    found: dict[int, Any] = {}
    beside: dict[str, set[str]] = {}
    for name in sorted(ids):
        async with database.read() as connection:
            keys = await keys_beside(
                connection, workspace_id, name, but=ids, most=STRANGERS_MAX + 1
            )
        for key in keys if len(keys) <= STRANGERS_MAX else ():
            beside.setdefault(key, set()).add(name)
    for key, names in sorted(beside.items()):
        last: Any = None
        while True:
            async with database.read() as connection:
                page = await strangers_events(
                    connection, workspace_id, key, after=last, limit=rows_max
                )
            found |= {row.seq: row for row in page if ids_of_body(row.body) & names}
            if len(page) < rows_max:
                break
            last = page[-1]
    return list(found.values())
