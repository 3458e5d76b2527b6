"""A person who is erased, in the audiences that name them: a name that is nobody's stands there
from then on, so that a list keeps its length and a campaign its audience."""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.audiences.names import indexed_name
from clarion.audiences.saved.erasure_store import forget_in_rule
from clarion.storage.bulk import in_parts
from clarion.storage.schema import campaign_names, campaigns, launches, workspace_limits


async def campaigns_naming(
    connection: AsyncConnection, workspace_id: UUID, names: Iterable[str]
) -> list[UUID]:
    """The ids of the campaigns whose audience, or that of a launch, may name one of `names`: user
    ids or addresses."""
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
    """Take `ids`, and addresses among `words`, out of the audiences of these campaigns and of
    their launches."""
    wanted = list(campaign_ids)
    for table, key in ((campaigns, campaigns.c.id), (launches, launches.c.campaign_id)):
        rows = await connection.execute(
            select(table.c.id, table.c.audience)
            .where(key.in_(wanted), table.c.audience.is_not(None))
            .order_by(table.c.id)
            .with_for_update()
        )
        for row in rows.all():
            without = forget_in_rule(row.audience, ids, words, f"erased-{new_id()}")
            if without != row.audience:
                await connection.execute(
                    update(table).where(table.c.id == row.id).values(audience=without)
                )
    await _forget_in_exclusions(connection, wanted, ids, words, new_id)
    for part in in_parts({indexed_name(name) for name in ids | words}):
        await connection.execute(
            delete(campaign_names).where(
                campaign_names.c.campaign_id.in_(wanted), campaign_names.c.name.in_(part)
            )
        )


async def _forget_in_exclusions(
    connection: AsyncConnection,
    workspace_ids: Iterable[UUID],
    ids: AbstractSet[str],
    words: AbstractSet[str],
    new_id: Callable[[], UUID],
) -> None:
    """The index of names holds a workspace's exclusions under the workspace's own id."""
    rows = await connection.execute(
        select(workspace_limits.c.workspace_id, workspace_limits.c.exclusions)
        .where(
            workspace_limits.c.workspace_id.in_(workspace_ids),
            workspace_limits.c.exclusions.is_not(None),
        )
        .with_for_update()
    )
    for row in rows.all():
        without = forget_in_rule(row.exclusions, ids, words, f"erased-{new_id()}")
        if without != row.exclusions:
            await connection.execute(
                update(workspace_limits)
                .where(workspace_limits.c.workspace_id == row.workspace_id)
                .values(exclusions=without)
            )
