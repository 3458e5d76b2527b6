"""What is shown of pushes to one customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor
from clarion.deliveries.pushes import store
from clarion.deliveries.pushes.push import Push
from clarion.deliveries.store import Delivery, deliveries_of_push
from clarion.faults import Rejected, not_found


@dataclass(frozen=True, slots=True, kw_only=True)
class PushView:
    """A push, and what became of it on each device. Deliveries that are older than the workspace
    keeps them are gone."""

    push: Push
    deliveries: Sequence[Delivery]


async def show_push(
    connection: AsyncConnection, actor: Actor, push_id: UUID
) -> PushView | Rejected:
    """A push as it is now."""
    push = await store.get_push(connection, actor.workspace_id, push_id)
    if push is None:
        return not_found("push")
    return PushView(push=push, deliveries=await deliveries_of_push(connection, push_id))
