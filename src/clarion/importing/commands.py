"""What is done with the events of an import: they come in as others do, by the word of whoever may
write, for a source that is asked neither for signatures nor for origins, and has no limit."""

from collections.abc import Sequence
from typing import assert_never
from uuid import UUID

from clarion.accounts.actor import Actor, Permission
from clarion.accounts.command import Services, forbidden
from clarion.broker import Broker
from clarion.events.collector import Collector, ComeAgain, Taken
from clarion.faults import Rejected, not_found
from clarion.importing.importer import RefusedEvent
from clarion.sources.store import get_source


async def import_events(
    services: Services, broker: Broker, actor: Actor, source_id: UUID, body: bytes
) -> Sequence[RefusedEvent] | Rejected:
    """Take `{"batch": [event, …]}`: what is not refused is durable. Events have no entry in the
    audit log, whoever sends them."""
    if not actor.may(Permission.WRITE):
        return forbidden(Permission.WRITE)
    async with services.database.read() as connection:
        source = await get_source(connection, actor.workspace_id, source_id)
    if source is None:
        return not_found("source")
    if source.revoked_at is not None:
        return Rejected("conflict", "The source is revoked.")
    collector = Collector(services.database, broker, services.clock)
    try:
        collected = await collector.take(
            body, workspace_id=actor.workspace_id, source_id=source_id, type_hint=None
        )
    finally:
        await collector.close()
    match collected:
        case Taken():
            return [
                RefusedEvent(
                    message_id=rejected.message_id, code=rejected.code, message=rejected.message
                )
                for rejected in collected.refused
            ]
        case ComeAgain():
            return Rejected("unavailable", "The broker can not do it now: send it again later.")
        case Rejected(message=message):
            return Rejected("malformed", message)
        case _:
            assert_never(collected)
