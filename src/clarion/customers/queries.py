"""What is shown of customers, of their devices, and of what sources sent of them."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor
from clarion.customers.profile.redaction import shown_text
from clarion.customers.profile.redaction_store import known_tokens
from clarion.events import store as event_store
from clarion.events.store import StoredRefusal
from clarion.faults import Rejected, not_found
from clarion.sources.store import get_source


async def list_refusals(
    connection: AsyncConnection,
    actor: Actor,
    source_id: UUID,
    *,
    before_seq: int | None,
    limit: int,
) -> list[StoredRefusal] | Rejected:
    """A page of what was refused of a source, newest first, with tokens replaced by
    fingerprints."""
    workspace_id = actor.workspace_id
    if await get_source(connection, workspace_id, source_id) is None:
        return not_found("source")
    refusals = await event_store.list_refusals(
        connection, workspace_id, source_id=source_id, before_seq=before_seq, limit=limit
    )
    excerpts = [refusal.excerpt for refusal in refusals if refusal.excerpt]
    known = await known_tokens(connection, workspace_id, excerpts)
    return [
        replace(one, excerpt=one.excerpt and shown_text(one.excerpt, known)) for one in refusals
    ]
