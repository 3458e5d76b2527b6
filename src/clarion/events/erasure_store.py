"""A person's events, and what was recorded of those that were refused: removed."""

from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.storage.schema import claims, events, refusals, repeats

REFUSALS_AT_ONCE = 1_000


async def remove_events(
    connection: AsyncConnection,
    workspace_id: UUID,
    *,
    customer_ids: Collection[UUID],
    ids: Collection[str],
) -> int:
    """Remove the events of these customers, of these ids, and those that name one of the ids as
    somebody's former one; returns how many there were."""
    naming = select(claims.c.message_id).where(
        claims.c.workspace_id == workspace_id, claims.c.key.in_(ids)
    )
    theirs: ColumnElement[bool] = and_(
        events.c.workspace_id == workspace_id,
        or_(
            events.c.customer_id.in_(customer_ids),
            events.c.owner_key.in_(ids),
            events.c.message_id.in_(naming),
        ),
    )
    for table in (refusals, repeats):
        await connection.execute(
            delete(table).where(
                table.c.workspace_id == workspace_id,
                table.c.message_id.in_(select(events.c.message_id).where(theirs)),
            )
        )
    rows = await connection.execute(delete(events).where(theirs).returning(events.c.seq))
    return len(rows.all())


async def blank_refusals(
    connection: AsyncConnection, workspace_id: UUID, tells: Callable[[str], bool]
) -> int:
    """Take away what refused events showed of a person, where `tells` says that a text does; the
    refusal itself stays, to be counted. Returns how many there were."""
    after, blanked = 0, 0
    while True:
        found = await connection.execute(
            select(refusals)
            .where(refusals.c.workspace_id == workspace_id, refusals.c.seq > after)
            .order_by(refusals.c.seq)
            .limit(REFUSALS_AT_ONCE)
        )
        rows = found.all()
        if not rows:
            return blanked
        after = rows[-1].seq
        seqs = [
            row.seq for row in rows if tells(" ".join(str(row._mapping[name]) for name in _TELLING))
        ]
        blanked += len(seqs)
        if seqs:
            await connection.execute(
                update(refusals)
                .where(refusals.c.seq.in_(seqs))
                .values(dict.fromkeys(_TELLING) | {"message": "Of somebody who was erased."})
            )


_TELLING = ("message_id", "message", "excerpt", "name", "user_id", "anonymous_id")


def _told(row: Any) -> str:
    return " ".join(str(row._mapping[name]) for name in _TELLING)
