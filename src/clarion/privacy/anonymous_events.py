"""Anonymous events that name a person's devices: an erasure removes them, too."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from msgspec import Struct

from clarion.customers.identity.person import ids_of_body
from clarion.events.erasure_store import strangers_events
from clarion.events.ownership_store import Standing, standing_of
from clarion.storage.database import Database

STRANGERS_MAX = 20
"""An id that more anonymous people than this came with is no device of one person's."""


class AnonymousEvent(Struct, frozen=True, kw_only=True):
    """A stored event without a user id. `owner_key` decides its owner."""

    seq: int
    message_id: str
    owner_key: str
    standing: Standing


async def events_of_strangers(
    database: Database, workspace_id: UUID, ids: Collection[str], rows_max: int
) -> list[AnonymousEvent]:
    """The anonymous events that name one of `ids`, each once. Reads all anonymous events of the
    workspace, `rows_max` at a time."""
    naming: dict[str, dict[int, AnonymousEvent]] = defaultdict(dict)
    keys: dict[str, set[str]] = defaultdict(set)
    wanted, after = frozenset(ids), 0
    while True:
        async with database.read() as connection:
            page = await strangers_events(connection, workspace_id, after=after, limit=rows_max)
        for row in page:
            for device_id in ids_of_body(row.body) & wanted:
                keys[device_id].add(row.owner_key)
                if len(keys[device_id]) <= STRANGERS_MAX:
                    naming[device_id][row.seq] = AnonymousEvent(
                        seq=row.seq,
                        message_id=row.message_id,
                        owner_key=row.owner_key,
                        standing=standing_of(row),
                    )
        if len(page) < rows_max:
            break
        after = page[-1].seq
    events = {
        seq: event
        for device_id, events in naming.items()
        if len(keys[device_id]) <= STRANGERS_MAX
        for seq, event in events.items()
    }
    return list(events.values())
