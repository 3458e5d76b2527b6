"""What people may ask of us: to be left alone, to be forgotten, and to be told what we know.

Each is one line in the log: what was done, by whom, how much it was, and nothing of the person.
What waits in the broker is dropped when it comes to be taken in; what was kept aside there is
rewritten.
"""

from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.broker import Broker
from clarion.clock import Clock
from clarion.customers import suppression_store
from clarion.customers.identity.person import Person
from clarion.customers.identity.person_store import find_person, ids_in_events, named_person
from clarion.customers.profile.store import find_customer
from clarion.customers.suppression import SuppressionKind
from clarion.privacy.eraser import Eraser, EraserOptions
from clarion.privacy.erasure_request_store import Erasure
from clarion.storage.database import Database

ROUNDS_MAX = 8

log = structlog.get_logger(__name__)


class Regulator:
    """Suppresses, unsuppresses and erases customers. `by` names who asked for it: an API key's id
    or the command line."""

    def __init__(
        self,
        database: Database,
        broker: Broker,
        clock: Clock,
        options: EraserOptions | None = None,
    ) -> None:
        self._database = database
        self._eraser = Eraser(database, broker, clock, options)
        self._clock = clock

    async def suppress(self, workspace_id: UUID, name: str, *, by: str) -> bool:
        """Collect nothing more of the customer `name` and send nothing; what is known is kept.
        False: there is no such customer."""
        now = self._clock.now()
        person = await self._look(workspace_id, name)
        if person is None:
            return False

        async def work(connection: AsyncConnection) -> None:
            locked = await find_person(connection, workspace_id, person, locks=True)
            await suppression_store.shut_out(
                connection, workspace_id, locked, SuppressionKind.SUPPRESSED, now
            )

        await self._database.transact(work, self._clock)
        log.info("customer_suppressed", workspace=str(workspace_id), by=by)
        return True

    async def unsuppress(self, workspace_id: UUID, name: str, *, by: str) -> bool:
        """Collect of and send to `name` again, who may have been erased; False: it was never
        forbidden."""
        person = await self._look(workspace_id, name)

        async def work(connection: AsyncConnection) -> int:
            subject = name if person is None else person.subject
            count = await suppression_store.unlist(connection, workspace_id, subject)
            if person is not None:
                await suppression_store.mark_suppressed(connection, person.customer_ids, None)
            return count

        count = await self._database.transact(work, self._clock)
        if count:
            log.info("customer_unsuppressed", workspace=str(workspace_id), by=by)
        return count > 0

    async def erase(self, workspace_id: UUID, name: str, *, by: str) -> Erasure | None:
        """Remove everything that is known of `name`, and drop whatever of theirs comes later;
        None: there is no such customer. What was cut off is finished by whoever asks again."""
        erasure = await self._eraser.begin(workspace_id, name, by=by)
        return None if erasure is None else await self._eraser.finish(erasure)

    async def _look(self, workspace_id: UUID, name: str) -> Person | None:
        """Who `name` is, with the ids that stand in their events only: they are read while nobody
        waits."""
        async with self._database.read() as connection:
            customer = await find_customer(connection, workspace_id, name)
            if customer is None:
                return None
            person = await named_person(connection, workspace_id, customer)
            person = await find_person(connection, workspace_id, person)
        looked_at: frozenset[UUID] = frozenset()
        for _ in range(ROUNDS_MAX):
            fresh = person.customer_ids - looked_at
            if not fresh:
                break
            looked_at |= fresh
            near = await ids_in_events(self._database, workspace_id, fresh)
            async with self._database.read() as connection:
                person = await find_person(connection, workspace_id, person, near)
        return person
