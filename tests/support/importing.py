"""A door for imports without the API between."""

from collections.abc import Sequence
from uuid import UUID

from cryptography.fernet import Fernet

from clarion.accounts.actor import operator
from clarion.accounts.command import Services
from clarion.broker import Broker, JobKind
from clarion.clock import Clock
from clarion.faults import Rejected
from clarion.importing.commands import import_events
from clarion.importing.importer import ImportRefused
from clarion.importing.lines.reading import RefusedEvent
from clarion.storage.database import Database
from clarion.storage.vault import Vault


class DirectDoor:
    """Implements `importer.Door`."""

    def __init__(
        self, database: Database, broker: Broker, clock: Clock, workspace_id: UUID, source_id: UUID
    ) -> None:
        self._broker = broker
        self._services = Services(
            database=database, clock=clock, broker=broker, vault=Vault(Fernet.generate_key())
        )
        self._actor = operator(workspace_id)
        self._source_id = source_id

    async def take(self, body: bytes) -> Sequence[RefusedEvent]:
        """See `Door.take`."""
        taken = await import_events(
            self._services, self._broker, self._actor, self._source_id, body
        )
        if isinstance(taken, Rejected):
            raise ImportRefused(taken.message)
        return taken

    async def waiting(self) -> int:
        """See `Door.waiting`."""
        return await self._broker.depth(JobKind.EVENTS)
