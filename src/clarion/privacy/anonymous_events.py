"""Anonymous events that name a person's devices: an erasure removes them, too."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from clarion.customers.identity.companion_store import keys_beside
from clarion.customers.identity.person import ids_of_body
from clarion.customers.profile.trait_claim_store import StrangersClaim, strangers_claims
from clarion.events.erasure_store import strangers_events
from clarion.storage.database import Database

REMOVED = 0
"""The `seq` of an event that is not stored any more."""
STRANGERS_MAX = 20
"""An id that more anonymous people than this came with is no device of one person's."""


class AnonymousEvent(Struct, frozen=True, kw_only=True):
    """An event that no person's user id decides: what tells whose it was."""

    seq: int
    message_id: str
    type: str
    key: str
    user_id: str | None
    source_id: UUID
    at: datetime
    clock_at: datetime | None
    order_at: datetime | None
    received_at: datetime


async def events_of_strangers(
    database: Database, workspace_id: UUID, ids: Collection[str], rows_max: int
) -> list[AnonymousEvent]:
    """The events that name one of `ids`, each once, and those that are removed but have taught what
    is still known. Looks through the events of the few keys that such an id stood beside,
    `rows_max` at a time."""
    events: dict[int, AnonymousEvent] = {}
    lessons: list[AnonymousEvent] = []
    beside: dict[str, set[str]] = {}
    for name in sorted(ids):
        async with database.read() as connection:
            keys = await keys_beside(
                connection, workspace_id, name, but=ids, most=STRANGERS_MAX + 1
            )
        for key in keys if len(keys) <= STRANGERS_MAX else ():
            beside.setdefault(key, set()).add(name)
    for key, names in sorted(beside.items()):
        last = None
        while True:
            async with database.read() as connection:
                page = await strangers_events(
                    connection, workspace_id, key, after=last, limit=rows_max
                )
            for row in page:
                if ids_of_body(row.body) & names:
                    events[row.seq] = AnonymousEvent(
                        seq=row.seq,
                        message_id=row.message_id,
                        type=row.type,
                        key=key,
                        user_id=row.user_id,
                        source_id=row.source_id,
                        at=row.at,
                        clock_at=row.clock_at,
                        order_at=row.order_at,
                        received_at=row.received_at,
                    )
            if len(page) < rows_max:
                break
            last = page[-1]
        async with database.read() as connection:
            claims = await strangers_claims(connection, workspace_id, key, names)
        stored = {event.message_id for event in events.values()}
        lessons += [_event_of(claim) for claim in claims if claim.message_id not in stored]
    return [*events.values(), *lessons]


def _event_of(claim: StrangersClaim) -> AnonymousEvent:
    """The identify that made a claim, which is removed for its age."""
    return AnonymousEvent(
        seq=REMOVED,
        message_id=claim.message_id,
        type="identify",
        key=claim.key,
        user_id=claim.key if claim.is_user else None,
        source_id=claim.source_id,
        at=claim.at,
        clock_at=claim.clock_at,
        order_at=claim.order_at,
        received_at=claim.received_at,
    )
