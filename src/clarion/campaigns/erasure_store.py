"""A person who is erased, in the audiences that name them: a name that is nobody's stands there
from then on, so that a list keeps its length and a campaign its audience."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.audiences.saved.erasure_store import forget_in_rule, forget_in_saved
from clarion.storage.dialect import among
from clarion.storage.schema import campaigns, launches

CAMPAIGNS_AT_ONCE = 100


async def forget_in_audiences(
    connection: AsyncConnection,
    workspace_id: UUID,
    ids: AbstractSet[str],
    words: AbstractSet[str],
    *,
    after: UUID | None,
    new_id: Callable[[], UUID],
) -> UUID | None:
    """Take `ids`, and addresses among `words`, out of a page of campaigns, those after `after`, and
    with the first page out of saved audiences. Returns after which to go on; None: that was the
    last page."""
    statement = select(campaigns.c.id, campaigns.c.audience).where(
        campaigns.c.workspace_id == workspace_id
    )
    if after is not None:
        statement = statement.where(campaigns.c.id > after)
    found = await connection.execute(
        statement.order_by(campaigns.c.id).limit(CAMPAIGNS_AT_ONCE).with_for_update()
    )
    rows = found.all()
    if after is None:
        await forget_in_saved(connection, workspace_id, ids, words, new_id=new_id)
    for table, held in ((campaigns, rows), (launches, await _begun(connection, rows))):
        for row in held:
            wire = forget_in_rule(row.audience, ids, words, f"erased-{new_id()}")
            if wire != row.audience:
                await connection.execute(
                    update(table).where(table.c.id == row.id).values(audience=wire)
                )
    return rows[-1].id if len(rows) == CAMPAIGNS_AT_ONCE else None


async def _begun(connection: AsyncConnection, rows: Sequence[Any]) -> Sequence[Any]:
    """The launches of these campaigns that keep the rule that they began with."""
    found = await connection.execute(
        select(launches.c.id, launches.c.audience).where(
            among(connection, launches.c.campaign_id, [row.id for row in rows]),
            launches.c.audience.is_not(None),
        )
    )
    return found.all()
