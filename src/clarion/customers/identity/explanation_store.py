"""What is read to say why a device belongs to its customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.identity.claims.claim import Claim
from clarion.customers.identity.explanation import Explanation, explain
from clarion.customers.identity.identifier import Flags
from clarion.customers.identity.known import Stored
from clarion.customers.identity.store import claims_on, read_flags
from clarion.events.store import StoredEvent, get_event

CLAIMS_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """The explanation, the event behind it, and the newest claims that were weighed."""

    explanation: Explanation
    event: StoredEvent | None
    claims: Sequence[Claim]


async def explain_owner(
    connection: AsyncConnection, workspace_id: UUID, device_id: str
) -> Explained:
    """Why the device belongs to whom it belongs to."""
    stored = (await claims_on(connection, workspace_id, [device_id])).get(device_id, Stored())
    claims = stored.claims
    flags = await read_flags(connection, workspace_id, {claim.user_id for claim in claims})

    def is_real(user_id: str) -> bool:
        return flags.get(user_id, Flags()).is_real

    explanation = explain(claims, is_real)
    event = None
    if explanation.claim is not None:
        event = await get_event(connection, workspace_id, explanation.claim.message_id)
    newest = sorted(claims, key=lambda claim: (claim.at, claim.message_id), reverse=True)
    return Explained(explanation=explanation, event=event, claims=newest[:CLAIMS_SHOWN])
