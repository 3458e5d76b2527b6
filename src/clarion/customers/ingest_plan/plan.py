"""How a workspace takes in events: which rows are asked for, what the rules say, what is written.
Pure.

The rules are in `batch`, `device_plan` and `customer`; this is their order. Whoever drives it does
all of it in one transaction, so a crash leaves all of it or nothing, and a repeated messageId stops
before it does anything (R1).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from uuid import UUID

from clarion.customers.devices.device import Deletion, Registration
from clarion.customers.devices.device_plan import DevicePlan, keep_newest
from clarion.customers.devices.registration_reader import (
    DEVICES_MAX,
    TOO_MANY_DEVICES,
    read_deletions,
    read_registrations,
)
from clarion.customers.diagnostics import WarningCode
from clarion.customers.identity.batch import Arrival, Batch
from clarion.customers.identity.claims.claim import sender_of
from clarion.customers.identity.identifier import Owner, customer_ids
from clarion.customers.identity.known import Identifier
from clarion.customers.ingest_plan.outcomes import Outcomes
from clarion.customers.ingest_plan.profile_plan import customers_anew, keep_customers
from clarion.customers.ingest_plan.requests import (
    ClaimsOn,
    ClaimsToldAgain,
    Compute,
    CountDevices,
    DeletionsOf,
    FewClaims,
    FlagsOf,
    ForgetCustomers,
    Keyed,
    KeysOf,
    LetThrough,
    LockDevices,
    LockHolders,
    LockIdentifiers,
    LookBefore,
    Plan,
    WriteCustomers,
    WriteDeletions,
    WriteDevices,
    WriteEvents,
    WriteIdentity,
)
from clarion.customers.ingest_plan.warnings import Warned, warnings_of
from clarion.customers.profile.customer import teaches
from clarion.customers.suppression import ids_in
from clarion.events.messages.message import Event
from clarion.events.messages.proof import Proof
from clarion.events.messages.reserved import PUSH_NAMES, RECEIPT_NAMES, plain_name
from clarion.faults import Rejected

IDENTIFIES_MAX = 1_000
"""Of a customer who has more, those by a wrong clock count by the guess at their time alone."""


class IngestPlan:
    """For the events of one workspace. Each plan is driven to its end by itself."""

    def __init__(self, workspace_id: UUID, now: datetime, outcomes: Outcomes) -> None:
        """`outcomes`: hears what became of the events."""
        self._workspace_id = workspace_id
        self._customer_id_of = customer_ids(workspace_id)
        self._now = now
        self._outcomes = outcomes
        self._arrivals: Mapping[str, Arrival] = {}
        self._hashes: Mapping[str, bytes] = {}
        self._awaited: Collection[str] = ()

    def take(self, arrivals: Sequence[Arrival]) -> Plan[int]:
        """Take in `arrivals`; returns how many were new."""
        known = yield from LockIdentifiers(
            {key for arrival in arrivals for key in ids_in(arrival.event)}
        )
        message_ids = list({arrival.event.message_id for arrival in arrivals})
        before = yield from LookBefore(message_ids)
        if before.salt is not None:
            arrivals, dropped = yield from LetThrough(arrivals, known, before.salt)
            self._outcomes.drop(dropped)
        fresh = self._fresh(arrivals, before.stored)
        if not fresh:
            return 0
        self._outcomes.accept(fresh)
        self._arrivals = {arrival.event.message_id: arrival for arrival in fresh}
        self._hashes, self._awaited = before.hashes, before.awaited
        batch = yield from Compute(len(fresh), lambda: _met(fresh, before.merges, known))
        yield from self._write(batch)
        self._outcomes.warn(warnings_of(batch))
        return len(fresh)

    def settle_anew(self, keys: Collection[str]) -> Plan[None]:
        """Make what follows from the claims on `keys` anew: some of them are there no more."""
        before = yield from LookBefore([])
        batch = Batch([], before.merges)
        batch.reopen((yield from LockIdentifiers(keys)))
        yield from self._write(batch)

    def make_anew(self, users: Iterable[Owner]) -> Plan[None]:
        """Make what is known of `users` anew from their events; who has none is forgotten."""
        owners: dict[UUID, Owner] = {self._customer_id_of(user): user for user in users}
        kept = yield from customers_anew(owners)
        yield from WriteCustomers([], kept)
        yield from ForgetCustomers(owners.keys() - {customer.id for customer in kept})

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
            arrival
            for arrival in second
            if stored.get(arrival.event.message_id) != arrival.event.received_at
        ]
        self._outcomes.repeat(repeated)
        return [arrival for message_id, arrival in first.items() if message_id not in stored]

    def _write(self, batch: Batch) -> Plan[None]:
        registry = yield from self._identify(batch)
        owned, outdated, led = batch.owned()
        yield from WriteIdentity(
            claims=batch.claims_to_add(),
            identifiers=batch.to_keep(),
            owned=owned,
            outdated=outdated,
            led=led,
            near={arrival.source_id for arrival in batch.arrivals},
            companions=batch.companions(),
        )
        emptied = yield from self._store_events(batch)
        if registry.device_ids or batch.noted:
            yield from self._keep_devices(registry, batch)
        if emptied:
            yield from ForgetCustomers(emptied)

    def _identify(self, batch: Batch) -> Plan[DevicePlan]:
        """Settle the timelines, reading no more claims than may change one."""
        if batch.flipped and (claimed := (yield from KeysOf(batch.flipped))):
            batch.reopen((yield from LockIdentifiers(claimed)))
        reread = {key for key in batch.unsettled() if batch.stored_before(key)}
        stored = (yield from ClaimsOn(reread)) if reread else {}
        if strangers := batch.strangers_in(stored):
            batch.introduce((yield from FlagsOf(strangers)))
        days = batch.days_to_read(stored)
        told_again = (yield from ClaimsToldAgain(days)) if days else {}
        yield from Compute(len(batch.arrivals), lambda: batch.settle(stored, told_again))
        registrations, deletions = self._read_registrations(batch)
        return DevicePlan(self._workspace_id, batch, registrations, deletions, self._now)

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
                case accepted:
                    registrations += accepted
        return registrations, deletions

    def _store_events(self, batch: Batch) -> Plan[AbstractSet[UUID]]:
        """Insert the events, then bring their owners up to date. Returns customers who have no
        events any more."""
        events: list[Keyed] = []
        lessons: list[Keyed] = []
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
            keyed = key or event.user_id, arrival
            events.append(keyed)
            if owner is not None:
                gained[owner].append((event, key is None))
                if event.type == "identify":
                    taught.add(owner)
                    if teaches(event):
                        lessons.append(keyed)
                    if event.is_clock_wrong:
                        doubted[self._customer_id_of(owner)] = owner
            if event.type == "track" and plain_name(event.name) in RECEIPT_NAMES:
                receipts.add(event.message_id)
        yield from WriteEvents(events, self._hashes, receipts, self._awaited, lessons)
        if doubted:
            few = yield from FewClaims(doubted.keys(), IDENTIFIES_MAX)
            batch.touched |= {doubted[customer_id] for customer_id in few}
        changed = yield from keep_customers(gained, taught, batch, self._customer_id_of)
        self._warn_of(batch, changed.left_out, WarningCode.PROFILE_FULL)
        return changed.emptied

    def _keep_devices(self, registry: DevicePlan, batch: Batch) -> Plan[None]:
        holders = yield from LockHolders(registry.installations)
        losers = registry.meet_holders(holders)
        devices, deletions = yield from LockDevices(
            registry.device_ids | losers | batch.noted.keys()
        )
        unknown = registry.installations_of(devices)
        others = (yield from LockHolders(unknown)) if unknown else {}
        if unmet := registry.unmet(devices):
            deletions.update((yield from DeletionsOf(unmet)))
        if newcomers := registry.newcomers(devices):
            yield from self._leave_out(registry, newcomers)
        self._warn_of(batch, registry.returned(devices), WarningCode.TWO_INSTALLATIONS)
        for deletion in registry.deletions:
            deletions.setdefault(deletion.device_id, []).append(deletion)
        outdated = keep_newest(deletions)
        if registry.deletions or outdated:
            yield from WriteDeletions(registry.deletions, outdated)
        named = (deletion.user_id for many in deletions.values() for deletion in many)
        if speakers := batch.strangers(named):
            batch.introduce((yield from FlagsOf(speakers)))
        kept = yield from Compute(
            len(batch.arrivals), lambda: registry.settle(devices, others, deletions)
        )
        yield from WriteDevices(
            devices=kept,
            devices_before=devices,
            holders=registry.changed_holders.values(),
            holders_before=holders,
            history=registry.history,
        )

    def _leave_out(self, registry: DevicePlan, newcomers: Mapping[str, UUID]) -> Plan[None]:
        """Register no more devices than one customer may have."""
        counts = yield from CountDevices(newcomers.values())
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


def _met(
    fresh: Sequence[Arrival], merges: Mapping[str, str], known: Mapping[str, Identifier]
) -> Batch:
    batch = Batch(fresh, merges)
    batch.meet(known)
    return batch
