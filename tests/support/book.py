"""The pure core run against dictionaries instead of tables: the same steps as `Ingestion`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from clarion.customers.devices.device import Deletion, KeptDevice, Registration
from clarion.customers.devices.device_plan import DevicePlan, Holder
from clarion.customers.devices.registration_reader import read_deletions, read_registrations
from clarion.customers.identity.batch import Arrival, Batch
from clarion.customers.identity.claim import Claim, sender_of
from clarion.customers.identity.extract import claims_of, owner_key
from clarion.customers.identity.identifier import Flags, User, customer_id_of
from clarion.customers.identity.known import Identifier, Stored
from clarion.customers.identity.repeated_claims import Day
from clarion.customers.profile.traits import Profile, TraitUpdate
from clarion.customers.profile.wrong_clock import Installation, Taught, in_one_order
from clarion.events.messages.message import Event
from clarion.faults import Rejected

WORKSPACE = UUID(int=1)
SOURCE = UUID(int=2)
NOW = datetime.fromisoformat("2026-03-02T00:00:00+00:00")


@dataclass
class Filed:
    event: Event
    key: str
    source_id: UUID


@dataclass
class Book:
    identifiers: dict[str, Identifier] = field(default_factory=dict)
    claims: dict[str, dict[tuple[datetime, str], Claim]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    events: dict[str, Filed] = field(default_factory=dict)
    devices: dict[str, KeptDevice] = field(default_factory=dict)
    holders: dict[str, Holder] = field(default_factory=dict)
    deletions: dict[str, list[Deletion]] = field(default_factory=lambda: defaultdict(list))
    claims_read: int = 0

    def take(self, events: Iterable[Event], source_id: UUID = SOURCE) -> None:
        first: dict[str, Event] = {}
        for event in events:
            first.setdefault(event.message_id, event)
        fresh = [event for message_id, event in first.items() if message_id not in self.events]
        if not fresh:
            return
        batch = Batch([Arrival(event=event, source_id=source_id) for event in fresh])
        batch.meet({key: self.identifiers[key] for key in batch.keys if key in self.identifiers})
        claimed = {
            claim.key
            for many in self.claims.values()
            for claim in many.values()
            if claim.user_id in batch.flipped
        }
        claimed |= {
            device_id
            for device_id, many in self.deletions.items()
            if any(one.user_id in batch.flipped for one in many)
        }
        if claimed:
            batch.reopen({key: self.identifiers[key] for key in claimed})
        stored = {
            key: Stored(list(self.claims[key].values()))
            for key in batch.unsettled()
            if batch.stored_before(key)
        }
        self.claims_read += sum(len(one.claims) for one in stored.values())
        batch.introduce(self.flags(batch.strangers_in(stored)))
        batch.settle(stored, self.told_again(batch.days_to_read(stored)))
        for claim in batch.claims_to_add():
            self.claims[claim.key][(claim.at, claim.message_id)] = claim
        self.identifiers.update(batch.to_keep())
        for event in fresh:
            key = owner_key(event)
            assert key is not None, "every event of the tests names somebody"
            self.events[event.message_id] = Filed(event=event, key=key, source_id=source_id)
        self._register(batch, fresh, source_id)

    def told_again(self, days: Mapping[str, AbstractSet[Day]]) -> dict[str, list[Claim]]:
        """The claims on these keys that were left to the events of these days."""
        found: dict[str, list[Claim]] = {key: [] for key in days}
        for filed in self.events.values():
            for claim in claims_of(filed.event, sender_of(filed.source_id)):
                start = claim.at.replace(hour=0, minute=0, second=0, microsecond=0)
                if claim.is_told_again and Day(start, claim.user_id) in days.get(claim.key, ()):
                    found[claim.key].append(claim)
        return found

    def flags(self, keys: Iterable[str]) -> dict[str, Flags]:
        return {key: self.identifiers[key].flags for key in keys if key in self.identifiers}

    def customer_of(self, filed: Filed) -> UUID:
        """Whose an event is by what is known now."""
        key, event = filed.key, filed.event
        known = self.identifiers[key]
        if event.user_id is not None and known.flags.is_real:
            return customer_id_of(WORKSPACE, User(key))
        line = known.timeline
        at = line.placed(event.claimed_at, sender_of(filed.source_id), event.clock_ahead)
        return customer_id_of(WORKSPACE, line.owner_at(key, at))

    def _register(self, batch: Batch, fresh: Sequence[Event], source_id: UUID) -> None:
        registrations: list[Registration] = []
        for event in fresh:
            read = read_registrations(event, source_id)
            registrations += [] if isinstance(read, Rejected) else read
        deletions = [one for event in fresh for one in read_deletions(event)]
        registry = DevicePlan(WORKSPACE, batch, registrations, deletions, NOW)
        losers = registry.meet_holders(
            {one: self.holders[one] for one in registry.installations if one in self.holders}
        )
        wanted = registry.device_ids | losers | batch.noted.keys()
        devices = {key: self.devices[key] for key in wanted if key in self.devices}
        others = {key: self.holders[key] for key in registry.installations_of(devices)}
        for deletion in deletions:
            self.deletions[deletion.device_id].append(deletion)
        batch.introduce(
            self.flags(
                batch.strangers(one.user_id for many in self.deletions.values() for one in many)
            )
        )
        for device in registry.settle(devices, others, self.deletions):
            self.devices[device.device_id] = device
        self.holders.update(registry.changed_holders)

    def state(self) -> dict[str, Any]:
        """Everything that must not depend on order: owners, devices, tokens, traits."""
        taught: dict[UUID, list[Taught]] = defaultdict(list)
        owners = {key: self.customer_of(filed) for key, filed in self.events.items()}
        for filed in self.events.values():
            known = taught[owners[filed.event.message_id]]
            event = filed.event
            if event.type == "identify":
                key = event.context_device_id or event.device_id or event.anonymous_id
                known.append(
                    Taught(
                        lesson=TraitUpdate(
                            traits=event.traits,
                            is_identified=event.user_id is not None
                            and self.identifiers[filed.key].flags.is_real,
                            at=event.ordered_at,
                            message_id=event.message_id,
                        ),
                        installation=None if key is None else Installation(filed.source_id, key),
                        clock_at=event.clock_at if event.is_clock_wrong else None,
                    )
                )
        profiles = {
            key: Profile().apply_identify(in_one_order(many)) for key, many in taught.items()
        }
        heard: dict[UUID, list[datetime]] = defaultdict(list)
        there: dict[UUID, list[datetime]] = defaultdict(list)
        for filed in self.events.values():
            customer_id = owners[filed.event.message_id]
            heard[customer_id].append(filed.event.at)
            if filed.event.is_active:
                there[customer_id].append(filed.event.at)
        return {
            "owners": dict(sorted(owners.items())),
            "devices": {
                key: (
                    one.customer_id,
                    one.registrations,
                    dict(one.facts),
                    one.last_seen_at,
                )
                for key, one in sorted(self.devices.items())
            },
            "customers": {
                key: (
                    dict(profile.traits),
                    profile.push_opted_out,
                    min(heard[key]),
                    max(there[key], default=min(heard[key])),
                )
                for key, profile in sorted(profiles.items())
            },
            "holders": dict(sorted(self.holders.items())),
        }
