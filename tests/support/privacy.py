"""Privacy requests as somebody makes them who has no key and no command line."""

from uuid import UUID

from clarion.accounts.actor import system
from clarion.broker import Broker
from clarion.clock import Clock
from clarion.faults import Rejected
from clarion.privacy import commands
from clarion.privacy.eraser import Eraser, EraserOptions
from clarion.privacy.erasure_request_store import Erasure
from clarion.storage.database import Database
from support.services import services


class Regulator:
    """`by`: who asks."""

    def __init__(
        self, database: Database, broker: Broker, clock: Clock, options: EraserOptions | None = None
    ) -> None:
        self._services = services(database, clock)
        self._eraser = Eraser(database, broker, clock, options)

    async def erase(self, workspace_id: UUID, name: str, *, by: str) -> Erasure | None:
        """None: there is no such customer."""
        actor = system(workspace_id, by)
        erased = await commands.erase(self._services, actor, name, self._eraser)
        return None if isinstance(erased, Rejected) else erased

    async def begin(self, workspace_id: UUID, name: str, *, by: str) -> Erasure | None:
        """Its first transaction, and no more."""
        begun = await commands.begin_erasure(self._services, system(workspace_id, by), name)
        return None if isinstance(begun, Rejected) else begun

    async def suppress(self, workspace_id: UUID, name: str, *, by: str) -> bool:
        """False: there is no such customer."""
        return await commands.suppress(self._services, system(workspace_id, by), name) is None

    async def unsuppress(self, workspace_id: UUID, name: str, *, by: str) -> bool:
        """False: it was never forbidden."""
        return await commands.unsuppress(self._services, system(workspace_id, by), name) is True
