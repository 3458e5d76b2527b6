"""What people may ask of us: to be left alone, to be forgotten, and to be told what we know.

Each step is one transaction over every station's tables, and one line in the log: what was done, by
whom, how much it was, and nothing of the person. What waits in the broker is dropped when it comes
to be taken in; what was kept aside there is rewritten.
"""

from dataclasses import dataclass
from uuid import UUID

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.broker import Broker, JobKind
from clarion.clock import Clock
from clarion.customers import erasure_store, suppression_store
from clarion.customers.identity import device_row_id
from clarion.customers.ingestion import Ingestion
from clarion.customers.person import Person, tells_of
from clarion.customers.store import find_customer
from clarion.customers.suppression import SuppressionKind, judge
from clarion.deliveries.erasure_store import make_nobodys
from clarion.events.erasure_store import blank_refusals, remove_events
from clarion.events.inbox import Item, Parcel, decode, encode, open_parcel
from clarion.storage.database import Database

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """How much was known of somebody who is not known any more."""

    customers: int
    events: int
    deliveries: int
    """Kept for the books, as nobody's."""
    refusals: int


class Regulator:
    """Suppresses, unsuppresses and erases customers. `by` names who asked for it: an API key's id
    or the command line."""

    def __init__(self, database: Database, broker: Broker, clock: Clock) -> None:
        self._database = database
        self._broker = broker
        self._clock = clock

    async def suppress(self, workspace_id: UUID, name: str, *, by: str) -> bool:
        """Collect nothing more of the customer `name` and send nothing; what is known is kept.
        False: there is no such customer."""
        now = self._clock.now()
        async with self._database.write() as connection:
            person = await self._find(connection, workspace_id, name)
            if person is None:
                return False
            await suppression_store.list_ids(
                connection,
                workspace_id,
                subject=person.subject,
                ids=person.ids,
                kind=SuppressionKind.SUPPRESSED,
                now=now,
            )
            await suppression_store.mark_suppressed(connection, person.customer_ids, now)
        log.info("customer_suppressed", workspace=str(workspace_id), by=by)
        return True

    async def unsuppress(self, workspace_id: UUID, name: str, *, by: str) -> bool:
        """Collect of and send to `name` again, who may have been erased; False: it was never
        forbidden."""
        async with self._database.write() as connection:
            person = await self._find(connection, workspace_id, name)
            subject = name if person is None else person.subject
            count = await suppression_store.unlist(connection, workspace_id, subject)
            if person is not None:
                await suppression_store.mark_suppressed(connection, person.customer_ids, None)
        if count:
            log.info("customer_unsuppressed", workspace=str(workspace_id), by=by)
        return count > 0

    async def erase(self, workspace_id: UUID, name: str, *, by: str) -> Erased | None:
        """Remove everything that is known of `name`, and drop whatever of theirs comes later;
        None: there is no such customer."""
        async with self._database.write() as connection:
            person = await self._find(connection, workspace_id, name)
            if person is None:
                return None
            erased = await self._erase(connection, workspace_id, person)
        await self._broker.rewrite_rejected(
            JobKind.EVENTS, lambda payload: without(payload, workspace_id, person)
        )
        # A warning, so that a command tells it too: it is the one trace of what can not be undone.
        log.warning(
            "customer_erased",
            workspace=str(workspace_id),
            by=by,
            customers=erased.customers,
            events=erased.events,
            deliveries=erased.deliveries,
            refusals=erased.refusals,
        )
        return erased

    async def _erase(
        self, connection: AsyncConnection, workspace_id: UUID, person: Person
    ) -> Erased:
        now = self._clock.now()
        had = await erasure_store.past_devices_of(connection, workspace_id, person)
        deliveries = await make_nobodys(
            connection,
            workspace_id,
            device_rows=[device_row_id(workspace_id, one) for one in had | person.ids],
            customer_ids=person.customer_ids,
            new_id=self._clock.new_id,
            now=now,
        )
        await erasure_store.strip_devices(
            connection, workspace_id, person, had | person.ids | person.shared
        )
        events = await remove_events(
            connection, workspace_id, customer_ids=person.customer_ids, ids=person.ids
        )
        words = person.words
        refusals = await blank_refusals(
            connection, workspace_id, lambda text: tells_of(text, words)
        )
        await erasure_store.remove_person(connection, workspace_id, person)
        await suppression_store.list_ids(
            connection,
            workspace_id,
            subject=person.subject,
            ids=person.ids,
            kind=SuppressionKind.ERASED,
            now=now,
        )
        await Ingestion(connection, workspace_id, now).settle_anew(person.shared)
        return Erased(
            customers=len(person.customer_ids),
            events=events,
            deliveries=deliveries,
            refusals=refusals,
        )

    async def _find(
        self, connection: AsyncConnection, workspace_id: UUID, name: str
    ) -> Person | None:
        customer = await find_customer(connection, workspace_id, name)
        if customer is None:
            return None
        key = await erasure_store.key_of(connection, customer.id)
        return await erasure_store.find_person(connection, workspace_id, customer, key)


def without(payload: bytes, workspace_id: UUID, person: Person) -> bytes | None:
    """An events job without what is the person's; None: nothing in it is."""
    try:
        before = decode(payload)
    except msgspec.DecodeError:
        return None
    after = [
        _without(parcel, person) if parcel.workspace_id == workspace_id else parcel
        for parcel in before
    ]
    return None if after == before else encode(after)


def _without(parcel: Parcel, person: Person) -> Parcel:
    return msgspec.structs.replace(
        parcel,
        items=[item for item in parcel.items if not _is_theirs(parcel, item, person)],
        refusals=[
            one
            for one in parcel.refusals
            if not tells_of(f"{one.message_id} {one.message} {one.excerpt}", person.words)
        ],
    )


def _is_theirs(parcel: Parcel, item: Item, person: Person) -> bool:
    events, refusals = open_parcel(msgspec.structs.replace(parcel, items=[item], refusals=[]))
    if refusals:
        return tells_of(item.raw.decode(errors="replace"), person.words)
    return any(judge(event, person.ids).is_dropped for event in events)
