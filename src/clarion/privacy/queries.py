"""What is shown of what people have asked of us, without saying who they are."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor, Permission
from clarion.accounts.command import forbidden
from clarion.faults import Rejected
from clarion.privacy.erasure_request_store import unfinished


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureUnderWay:
    """An erasure that is not finished. `events`, `deliveries`: how many were removed, or made
    nobody's, so far."""

    id: UUID
    begun_at: datetime
    touched_at: datetime
    events: int
    deliveries: int


async def list_erasures(
    connection: AsyncConnection, actor: Actor
) -> list[ErasureUnderWay] | Rejected:
    """Those under way, the oldest first."""
    if not actor.may(Permission.ADMIN):
        return forbidden(Permission.ADMIN)
    return [
        ErasureUnderWay(
            id=erasure.id,
            begun_at=erasure.begun_at,
            touched_at=erasure.touched_at,
            events=erasure.events,
            deliveries=erasure.deliveries,
        )
        for erasure in await unfinished(connection, workspace_id=actor.workspace_id)
    ]
