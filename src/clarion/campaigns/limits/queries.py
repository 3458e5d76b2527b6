"""What is shown of a workspace's limits."""

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor
from clarion.campaigns.limits import store
from clarion.campaigns.limits.limits import Limits


async def get_limits(connection: AsyncConnection, actor: Actor) -> Limits:
    """What the actor's workspace has set."""
    return await store.get_limits(connection, actor.workspace_id)
