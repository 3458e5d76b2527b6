"""A person who is erased, in the audiences that name them: a name that is nobody's stands there
from then on, so that a list keeps its length and a campaign its audience."""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.audiences import rule
from clarion.audiences.names import indexed_name, without_person
from clarion.campaigns.store import index_names
from clarion.storage.bulk import in_parts
from clarion.storage.schema import campaign_names, campaigns


async def campaigns_naming(
    connection: AsyncConnection, workspace_id: UUID, names: Iterable[str]
) -> list[UUID]:
    """The ids of the campaigns whose audience may name one of `names`: user ids or addresses."""
    campaign_ids: set[UUID] = set()
    for part in in_parts({indexed_name(name) for name in names}):
        rows = await connection.execute(
            select(campaign_names.c.campaign_id)
            .where(campaign_names.c.workspace_id == workspace_id, campaign_names.c.name.in_(part))
            .distinct()
        )
        campaign_ids |= set(rows.scalars())
    return sorted(campaign_ids)


async def forget_in_audiences(
    connection: AsyncConnection,
    campaign_ids: Iterable[UUID],
    ids: AbstractSet[str],
    words: AbstractSet[str],
    *,
    new_id: Callable[[], UUID],
) -> None:
    """Take `ids`, and addresses among `words`, out of the audiences of these campaigns."""
    rows = await connection.execute(
        select(campaigns.c.id, campaigns.c.workspace_id, campaigns.c.audience)
        .where(campaigns.c.id.in_(list(campaign_ids)))
        .order_by(campaigns.c.id)
        .with_for_update()
    )
    for row in rows.all():
        audience = rule.parse(row.audience)
        assert not isinstance(audience, list), "only checked audiences are saved"
        without = without_person(audience, ids, words, f"erased-{new_id()}")
        if without != audience:
            await connection.execute(
                update(campaigns)
                .where(campaigns.c.id == row.id)
                .values(audience=rule.dump(without))
            )
            await index_names(connection, row.workspace_id, row.id, without)
