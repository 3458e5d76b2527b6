"""One transaction that takes in events: what is stored, what the rules say, what is written.

The rules are in `batch`, `registration` and `profile`; this is their order. Everything an event
does is in the transaction that stores it, so a crash leaves all of it or nothing, and a repeated
messageId stops before it does anything (R1).
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.devices import registration_store
from clarion.customers.devices.device import Deletion, Registration
from clarion.customers.devices.device_plan import DevicePlan
from clarion.customers.devices.registration_reader import (
    DEVICES_MAX,
    TOO_MANY_DEVICES,
    read_deletions,
    read_registrations,
)
from clarion.customers.devices.store import add_history, count_devices
from clarion.customers.diagnostics import WarningCode
from clarion.customers.identity import store as identity_store
from clarion.customers.identity.batch import Arrival, Batch
from clarion.customers.identity.claim import sender_of
from clarion.customers.identity.companion_store import add_companions
from clarion.customers.identity.identifier import Owner, User, customer_ids
from clarion.customers.identity.known import Identifier
from clarion.customers.identity.repeated_claim_store import claims_told_again
from clarion.customers.outcomes import Outcomes
from clarion.customers.profile import store
from clarion.customers.profile.customer import NEVER, CustomerRecord, Seen, new_customer, seen
from clarion.customers.profile.trait_claim_store import (
    add_trait_claims,
    trait_claims_of,
    with_few_claims,
)
from clarion.customers.profile.traits import Profile
from clarion.customers.profile.wrong_clock import in_one_order
from clarion.customers.suppression import ids_in
from clarion.customers.suppression_store import let_through
from clarion.customers.warnings import Warned, warnings_of
from clarion.events.messages.message import Event
from clarion.events.messages.proof import Proof
from clarion.events.messages.reserved import PUSH_NAMES, RECEIPT_NAMES, plain_name
from clarion.events.store import insert_events, look_before
from clarion.faults import Rejected
from clarion.ingest_log.tally import Names, Tally

BESIDE_MIN = 100
"""Events; so many take some milliseconds."""
IDENTIFIES_MAX = 1_000
"""Of a customer who has more, those by a wrong clock count by the guess at their time alone."""

_MICROSECOND = timedelta(microseconds=1)

T = TypeVar("T")


def owner_of_stored(row: Any, known: Identifier) -> Owner:
    """Whose a row of `events` is, by what is known of its key."""
    if row.user_id is not None and known.flags.is_real:
        return User(row.key)
    ahead = None if row.clock_at is None else (row.clock_at - row.received_at) // _MICROSECOND
    claimed_at = row.clock_at or row.order_at or row.at
    line = known.timeline
    return line.owner_at(row.key, line.placed(claimed_at, sender_of(row.source_id), ahead))


async def beside(size: int, work: Callable[[], T]) -> T:
    """Do `work`, which only computes, on `size` events: in a thread where that takes long enough to
    keep others waiting who share the event loop."""
    return await asyncio.to_thread(work) if size > BESIDE_MIN else work()


def _met(
    fresh: Sequence[Arrival], merges: Mapping[str, str], known: Mapping[str, Identifier]
) -> Batch:
    batch = Batch(fresh, merges)
    batch.meet(known)
    return batch


class Ingestion:
    """The events of one workspace, in one transaction."""

    def __init__(
        self,
        connection: AsyncConnection,
        workspace_id: UUID,
        now: datetime,
        tally: Tally | None = None,
    ) -> None:
        """`tally`: hears what became of the events, for whoever writes it down."""
        self._connection = connection
        self._workspace_id = workspace_id
        self._customer_id_of = customer_ids(workspace_id)
        self._now = now
        self._outcomes = Outcomes(tally or Tally(Names()), workspace_id)
        self._arrivals: Mapping[str, Arrival] = {}
        self._hashes: Mapping[str, bytes] = {}
        self._awaited: Collection[str] = ()

    async def take(self, arrivals: Sequence[Arrival]) -> int:
        """Take in `arrivals`; returns how many were new."""
        keys = {key for arrival in arrivals for key in ids_in(arrival.event)}
        known = await identity_store.lock_identifiers(self._connection, self._workspace_id, keys)
        message_ids = list({one.event.message_id for one in arrivals})
        before = await look_before(self._connection, self._workspace_id, message_ids)
        if before.salt is not None:
            arrivals, dropped = await let_through(
                self._connection, self._workspace_id, arrivals, known, before.salt
            )
            self._outcomes.drop(dropped)
        fresh = self._fresh(arrivals, before.stored)
        if not fresh:
            return 0
        self._outcomes.accept(fresh)
        self._arrivals = {arrival.event.message_id: arrival for arrival in fresh}
        self._hashes, self._awaited = before.hashes, before.awaited
        batch = await beside(len(fresh), lambda: _met(fresh, before.merges, known))
        await self._write(batch)
        self._outcomes.warn(warnings_of(batch))
        return len(fresh)

    async def settle_anew(self, keys: Iterable[str]) -> None:
        """Make what follows from the claims on `keys` anew: some of them are there no more."""
        before = await look_before(self._connection, self._workspace_id, [])
        batch = Batch([], before.merges)
        batch.reopen(
            await identity_store.lock_identifiers(self._connection, self._workspace_id, keys)
        )
        await self._write(batch)

    async def make_anew(self, users: Iterable[Owner]) -> None:
        """Make what is known of `users` anew from their events; who has none is forgotten."""
        owners: dict[UUID, Owner] = {self._customer_id_of(one): one for one in users}
        kept = await self._made_anew(owners)
        await store.keep_customers(self._connection, self._workspace_id, kept)
        gone = owners.keys() - {customer.id for customer in kept}
        await store.forget_customers(self._connection, self._workspace_id, gone)

    async def _write(self, batch: Batch) -> None:
        registry = await self._identify(batch)
        await identity_store.add_claims(self._connection, self._workspace_id, batch.claims_to_add())
        await identity_store.keep_identifiers(self._connection, self._workspace_id, batch.to_keep())
        owned, outdated, led = batch.owned()
        await identity_store.write_owned(
            self._connection,
            self._workspace_id,
            owned,
            outdated=outdated,
            led=led,
            near={arrival.source_id for arrival in batch.arrivals},
        )
        await add_companions(self._connection, self._workspace_id, batch.companions())
        await self._store_events(batch)
        await self._keep_devices(registry, batch)

    def _fresh(self, arrivals: Sequence[Arrival], stored: Mapping[str, datetime]) -> list[Arrival]:
        first: dict[str, Arrival] = {}
        second = [
            arrival
            for arrival in arrivals
            if first.setdefault(arrival.event.message_id, arrival) is not arrival
        ]
        if stored:
            second += [first[message_id] for message_id in stored if message_id in first]
        # What is stored as received at that same instant is the same call: not the app repeats
        # itself, but its job has come back.
        repeated = [
            one for one in second if stored.get(one.event.message_id) != one.event.received_at
        ]
        self._outcomes.repeat(repeated)
        return [arrival for message_id, arrival in first.items() if message_id not in stored]

    async def _identify(self, batch: Batch) -> DevicePlan:
        """Settle the timelines, reading no more claims than may change one."""
        connection, workspace_id = self._connection, self._workspace_id
        claimed = await identity_store.keys_claimed_by(connection, workspace_id, batch.flipped)
        claimed |= await registration_store.devices_deleted_by(
            connection, workspace_id, batch.flipped
        )
        if claimed:
            batch.reopen(await identity_store.lock_identifiers(connection, workspace_id, claimed))
        reread = {key for key in batch.unsettled() if batch.stored_before(key)}
        stored = await identity_store.claims_on(connection, workspace_id, reread)
        strangers = batch.strangers_in(stored)
        batch.introduce(await identity_store.read_flags(connection, workspace_id, strangers))
        days = batch.days_to_read(stored)
        told_again = await claims_told_again(connection, workspace_id, days, self._now)
        await beside(len(batch.arrivals), lambda: batch.settle(stored, told_again))
        registrations, deletions = self._read_registrations(batch)
        return DevicePlan(workspace_id, batch, registrations, deletions, self._now)

    def _read_registrations(self, batch: Batch) -> tuple[list[Registration], list[Deletion]]:
        registrations: list[Registration] = []
        deletions: list[Deletion] = []
        for arrival in batch.arrivals:
            event = arrival.event
            if event.proof is Proof.UNPROVEN or (
                event.type != "identify" and plain_name(event.name) not in PUSH_NAMES
            ):
                continue
            deletions += read_deletions(event)
            match read_registrations(event, arrival.source_id):
                case Rejected() as fault:
                    self._outcomes.refuse_registration(arrival, fault)
                case found:
                    registrations += found
        return registrations, deletions

    async def _store_events(self, batch: Batch) -> None:
        """Insert the events, then bring their owners up to date."""
        rows: list[dict[str, Any]] = []
        receipts: set[str] = set()
        gained: dict[Owner, list[tuple[Event, bool]]] = defaultdict(list)
        taught: set[Owner] = set()
        doubted: dict[UUID, Owner] = {}
        source_id, sender = None, 0
        for arrival in batch.arrivals:
            event = arrival.event
            if arrival.source_id is not source_id:
                source_id, sender = arrival.source_id, sender_of(arrival.source_id)
            key, owner = batch.owner_of(event, sender)
            if owner is not None:
                gained[owner].append((event, key is None))
                if event.type == "identify":
                    taught.add(owner)
                    if event.is_clock_wrong:
                        doubted[self._customer_id_of(owner)] = owner
            if event.type == "track" and plain_name(event.name) in RECEIPT_NAMES:
                receipts.add(event.message_id)
            rows.append(
                {
                    "workspace_id": self._workspace_id,
                    "message_id": event.message_id,
                    "source_id": source_id,
                    "type": event.type,
                    "name": event.name,
                    "user_id": event.user_id,
                    "anonymous_id": event.anonymous_id,
                    "device_id": event.device_id,
                    "key": key or event.user_id,
                    "at": event.at,
                    "clock_at": event.clock_at,
                    "order_at": event.order_at,
                    "received_at": event.received_at,
                    "body": event.body,
                }
            )
        await insert_events(self._connection, rows, self._hashes, receipts, self._awaited)
        await add_trait_claims(self._connection, self._workspace_id, batch.arrivals)
        few = await with_few_claims(self._connection, self._workspace_id, doubted, IDENTIFIES_MAX)
        batch.touched |= {doubted[customer_id] for customer_id in few}
        await self._keep_customers(gained, taught, batch)

    async def _keep_customers(
        self,
        gained: Mapping[Owner, list[tuple[Event, bool]]],
        taught: AbstractSet[Owner],
        batch: Batch,
    ) -> None:
        """Customers gain events and inherit from those they absorbed; the touched are made anew.
        `taught`: those of whom an identify says something.

        Only those who are taught something, or inherit, are read; of the others it is noted when
        they were seen.
        """
        owners = {
            owner: self._customer_id_of(owner)
            for owner in {*gained, *batch.touched, *batch.absorbed, *batch.absorbed.values()}
        }
        heirs = set(batch.absorbed.values())
        students = taught | (heirs & gained.keys())
        known = await store.lock_customers(
            self._connection, (owners[one] for one in {*students, *heirs, *batch.absorbed})
        )
        met: list[Seen] = []
        after: dict[Owner, CustomerRecord] = {}
        for owner, events in gained.items():
            if owner in batch.touched:
                continue
            customer_id = owners[owner]
            if owner in students:
                before = known.get(customer_id) or new_customer(customer_id, owner, events[0][0].at)
                after[owner] = before.apply_identify(events)
            else:
                met.append(seen(customer_id, owner, events))
        for old, owner in batch.absorbed.items():
            inherited = known.get(owners[old])
            if owner not in batch.touched and inherited is not None:
                heir = after.get(owner) or known.get(owners[owner])
                heir = heir or new_customer(owners[owner], owner, inherited.first_seen_at)
                after[owner] = heir.absorb(inherited)
        kept = list(after.values())
        left_out = {one for customer in kept for one in customer.profile.left_out}
        self._warn_of(batch, left_out, WarningCode.PROFILE_FULL)
        kept += await self._made_anew({owners[owner]: owner for owner in batch.touched})
        await store.see_customers(self._connection, self._workspace_id, met)
        await store.keep_customers(self._connection, self._workspace_id, kept)
        gone = {owners[owner] for owner in {*batch.touched, *batch.absorbed}}
        self._emptied = gone - {customer.id for customer in kept}

    async def _leave_out(self, registry: DevicePlan, newcomers: Mapping[str, UUID]) -> None:
        """Register no more devices than one customer may have."""
        if not newcomers:
            return
        counts = await count_devices(self._connection, self._workspace_id, newcomers.values())
        too_many: list[str] = []
        for device_id, customer_id in newcomers.items():
            counts[customer_id] += 1
            if counts[customer_id] > DEVICES_MAX:
                too_many.append(device_id)
        for message_id in registry.leave_out(too_many):
            self._outcomes.refuse_registration(self._arrivals[message_id], TOO_MANY_DEVICES)

    def _warn_of(self, batch: Batch, message_ids: AbstractSet[str], code: WarningCode) -> None:
        if not message_ids:
            return
        self._outcomes.warn(
            Warned(arrival.source_id, arrival.event, code)
            for arrival in batch.arrivals
            if arrival.event.message_id in message_ids
        )

    async def _made_anew(self, owners: dict[UUID, Owner]) -> list[CustomerRecord]:
        connection, workspace_id = self._connection, self._workspace_id
        spans = await store.seen_between(connection, workspace_id, owners)
        claims = await trait_claims_of(connection, workspace_id, owners)
        kept = []
        for customer_id in sorted(spans.keys() | claims.keys()):
            theirs = claims.get(customer_id, [])
            first, last = spans.get(customer_id, (theirs[0].at if theirs else NEVER, None))
            unseen = {one.taught.lesson.message_id for one in theirs if not one.is_active}
            if unseen and last is not None:
                last = await store.last_seen(connection, workspace_id, customer_id, unseen=unseen)
            there = [one.at for one in theirs if one.is_active]
            lessons = in_one_order([one.taught for one in theirs])
            kept.append(
                replace(
                    new_customer(
                        customer_id, owners[customer_id], min([first, *(one.at for one in theirs)])
                    ),
                    last_seen_at=max([last or NEVER, *there]),
                    profile=Profile().apply_identify(lessons),
                )
            )
        return kept

    async def _keep_devices(self, registry: DevicePlan, batch: Batch) -> None:
        connection, workspace_id = self._connection, self._workspace_id
        if registry.device_ids or batch.noted:
            holders = await registration_store.lock_holders(
                connection, workspace_id, registry.installations
            )
            losers = registry.meet_holders(holders)
            devices, deletions = await registration_store.lock_devices(
                connection, workspace_id, registry.device_ids | losers | batch.noted.keys()
            )
            others = await registration_store.lock_holders(
                connection, workspace_id, registry.installations_of(devices)
            )
            deletions.update(
                await registration_store.deletions_of(
                    connection, workspace_id, registry.unmet(devices)
                )
            )
            await self._leave_out(registry, registry.newcomers(devices))
            self._warn_of(batch, registry.returned(devices), WarningCode.TWO_INSTALLATIONS)
            for deletion in registry.deletions:
                deletions[deletion.device_id].append(deletion)
            await registration_store.add_deletions(connection, workspace_id, registry.deletions)
            await registration_store.forget_old_deletions(connection, workspace_id, deletions)
            speakers = batch.strangers(one.user_id for many in deletions.values() for one in many)
            batch.introduce(await identity_store.read_flags(connection, workspace_id, speakers))
            kept = await beside(
                len(batch.arrivals), lambda: registry.settle(devices, others, deletions)
            )
            await registration_store.keep_devices(connection, workspace_id, kept, devices)
            await registration_store.keep_holders(
                connection, workspace_id, registry.changed_holders.values(), holders
            )
            await add_history(connection, workspace_id, registry.history)
        await store.forget_customers(connection, workspace_id, self._emptied)
