"""Events of nobody known that name a person's devices: an erasure removes them, too."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from clarion.customers.identity.person import ids_of_body
from clarion.events.erasure_store import strangers_events
from clarion.storage.database import Database

STRANGERS_MAX = 20
"""An id that more anonymous people than this came with is no device of one person's."""


async def events_of_strangers(
    database: Database, workspace_id: UUID, ids: Collection[str], rows_max: int
) -> list[Any]:
    """Rows of `events` that name one of `ids`, each once. Looks through all events of nobody known,
    `rows_max` at a time."""
    named: dict[str, dict[int, Any]] = defaultdict(dict)
    keys: dict[str, set[str]] = defaultdict(set)
    wanted, after = frozenset(ids), 0
    while True:
        async with database.read() as connection:
            page = await strangers_events(connection, workspace_id, after=after, limit=rows_max)
        for row in page:
            for one in ids_of_body(row.body) & wanted:
                keys[one].add(row.key)
                if len(keys[one]) <= STRANGERS_MAX:
                    named[one][row.seq] = row
        if len(page) < rows_max:
            break
        after = page[-1].seq
    found = {
        seq: row
        for one, rows in named.items()
        if len(keys[one]) <= STRANGERS_MAX
        for seq, row in rows.items()
    }
    return list(found.values())
