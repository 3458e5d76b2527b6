"""Dictionaries in place of tables: what drives the plan of ingestion where there is no database.

No rule stands here. What a store finds by SQL is found by looking through a dictionary.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, assert_never
from uuid import UUID

from msgspec.structs import replace

from clarion.customers.devices.device import Deletion, DeviceState, KeptDevice
from clarion.customers.devices.device_plan import Holder
from clarion.customers.identity.batch import Arrival
from clarion.customers.identity.claims.claim import Claim, sender_of
from clarion.customers.identity.claims.extract import claims_of
from clarion.customers.identity.claims.repeated_claims import Day
from clarion.customers.identity.identifier import Owner, customer_id_of
from clarion.customers.identity.known import Identifier, Stored
from clarion.customers.identity.ownership import owner_of_stored
from clarion.customers.ingest_plan import requests as ask
from clarion.customers.ingest_plan.outcomes import Outcomes
from clarion.customers.ingest_plan.plan import IngestPlan
from clarion.customers.profile.customer import (
    CustomerRecord,
    TraitClaim,
    installation_of,
    lesson_of,
    trait_claim,
)
from clarion.customers.profile.traits import Profile
from clarion.customers.profile.wrong_clock import Installation
from clarion.events.before import Before
from clarion.events.messages.message import Event
from clarion.ingest_log.tally import Names, Tally

WORKSPACE = UUID(int=1)
SOURCE = UUID(int=2)
NOW = datetime.fromisoformat("2026-03-02T00:00:00+00:00")

T = TypeVar("T")


@dataclass
class Filed:
    """A stored event."""

    event: Event
    key: str
    source_id: UUID

    def __getattr__(self, name: str) -> Any:
        return getattr(self.event, name)


@dataclass
class Book:
    identifiers: dict[str, Identifier] = field(default_factory=dict)
    claims: dict[str, dict[tuple[datetime, str], Claim]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    events: dict[str, Filed] = field(default_factory=dict)
    taught: dict[str, Filed] = field(default_factory=dict)
    customers: dict[UUID, CustomerRecord] = field(default_factory=dict)
    devices: dict[str, KeptDevice] = field(default_factory=dict)
    holders: dict[str, Holder] = field(default_factory=dict)
    deletions: dict[str, list[Deletion]] = field(default_factory=lambda: defaultdict(list))
    claims_read: int = 0

    def take(self, events: Iterable[Event], source_id: UUID = SOURCE) -> int:
        arrivals = [Arrival(event=event, source_id=source_id) for event in events]
        return self._drive(self._plan().take(arrivals))

    def make_anew(self) -> None:
        """What is known of everybody, by their events."""
        owners = {self.customer_of(filed): self._owner_of(filed) for filed in self.events.values()}
        self._drive(self._plan().make_anew(owners.values()))

    def customer_of(self, filed: Filed) -> UUID:
        """Whose an event is by what is known now."""
        return customer_id_of(WORKSPACE, self._owner_of(filed))

    def state(self) -> dict[str, Any]:
        """Everything that must not depend on order: owners, devices, tokens, traits."""
        return {
            "owners": {key: self.customer_of(filed) for key, filed in sorted(self.events.items())},
            "devices": {
                key: (
                    device.customer_id,
                    device.registrations,
                    dict(device.facts),
                    device.last_seen_at,
                )
                for key, device in sorted(self.devices.items())
            },
            "customers": {
                key: (
                    dict(customer.profile.traits),
                    customer.profile.push_opted_out,
                    customer.first_seen_at,
                    max(customer.first_seen_at, customer.last_seen_at),
                )
                for key, customer in sorted(self.customers.items())
            },
            "holders": dict(sorted(self.holders.items())),
        }

    def _plan(self) -> IngestPlan:
        return IngestPlan(WORKSPACE, NOW, Outcomes(Tally(Names()), WORKSPACE))

    def _drive(self, plan: ask.Plan[T]) -> T:
        answer: Any = None
        while True:
            try:
                asked = plan.send(answer)
            except StopIteration as end:
                result: T = end.value
                return result
            match asked:
                case ask.Compute():
                    answer = asked.work()
                case ask.Write():
                    answer = None
                    self._write(asked)
                case _:
                    answer = self._read(asked)

    def _read(self, asked: ask.Read) -> Any:
        match asked:
            case ask.LockIdentifiers(keys):
                return _those(self.identifiers, keys)
            case ask.LookBefore(message_ids):
                filed = _those(self.events, message_ids)
                stored = {key: one.event.received_at for key, one in filed.items()}
                return Before(hashes={}, stored=stored, salt=None, merges={})
            case ask.LetThrough():
                raise AssertionError("nobody is suppressed here")
            case ask.KeysOf(user_ids):
                said = [one for many in self.claims.values() for one in many.values()]
                gone = [one for many in self.deletions.values() for one in many]
                return {one.key for one in said if one.user_id in user_ids} | {
                    one.device_id for one in gone if one.user_id in user_ids
                }
            case ask.ClaimsOn(keys):
                found = {key: Stored(list(many.values())) for key, many in self.claims.items()}
                found = _those(found, keys)
                self.claims_read += sum(len(one.claims) for one in found.values())
                return found
            case ask.FlagsOf(keys):
                return {key: one.flags for key, one in _those(self.identifiers, keys).items()}
            case ask.ClaimsToldAgain(days):
                return self._told_again(days)
            case ask.FewClaims(ids, most):
                return {one for one in ids if len(self._trait_claims([one]).get(one, ())) <= most}
            case ask.LockCustomers(ids):
                return _those(self.customers, ids)
            case ask.SeenBetween(ids):
                return {one: (min(at), max(at)) for one, at in self._times(ids).items()}
            case ask.TraitClaimsOf(ids):
                return self._trait_claims(ids)
            case ask.LastSeen(customer_id, unseen):
                return max(self._times([customer_id], unseen).get(customer_id, ()), default=None)
            case ask.LockHolders(hashes):
                return _those(self.holders, hashes)
            case ask.LockDevices(device_ids):
                there = _those(self.devices, device_ids)
                return there, {key: list(self.deletions[key]) for key in there}
            case ask.DeletionsOf(device_ids):
                return {key: list(self.deletions[key]) for key in device_ids}
            case ask.CountDevices(ids):
                active = [
                    device for device in self.devices.values() if device.state is DeviceState.ACTIVE
                ]
                return Counter(one.customer_id for one in active if one.customer_id in ids)
        assert_never(asked)

    def _write(self, asked: ask.Written) -> None:
        match asked:
            case ask.WriteIdentity(claims, identifiers):
                for claim in claims:
                    self.claims[claim.key][(claim.at, claim.message_id)] = claim
                self.identifiers.update(identifiers)
            case ask.WriteEvents():
                self.events.update(_filed(asked.events))
                self.taught.update(_filed(asked.taught))
            case ask.WriteCustomers(seen, kept):
                for one in seen:
                    nobody = CustomerRecord(
                        id=one.id,
                        user_id=one.user_id,
                        key=one.key,
                        profile=Profile(),
                        first_seen_at=one.first_at,
                        last_seen_at=one.last_at,
                    )
                    before = self.customers.get(one.id, nobody)
                    self.customers[one.id] = replace(
                        before,
                        first_seen_at=min(before.first_seen_at, one.first_at),
                        last_seen_at=max(before.last_seen_at, one.last_at),
                    )
                self.customers.update({one.id: one for one in kept})
            case ask.ForgetCustomers(ids):
                held = {device.customer_id for device in self.devices.values()}
                for customer_id in set(ids) - held:
                    self.customers.pop(customer_id, None)
            case ask.WriteDeletions(deletions, outdated):
                for deletion in deletions:
                    self.deletions[deletion.device_id].append(deletion)
                for device_id, at in outdated.items():
                    left = [deletion for deletion in self.deletions[device_id] if deletion.at >= at]
                    self.deletions[device_id] = left
            case ask.WriteDevices():
                self.devices.update({device.device_id: device for device in asked.devices})
                self.holders.update({holder.installation_hash: holder for holder in asked.holders})
            case _:
                assert_never(asked)

    def _told_again(self, days: Mapping[str, AbstractSet[Day]]) -> dict[str, list[Claim]]:
        """The claims on these keys that were left to the events of these days."""
        found: dict[str, list[Claim]] = {key: [] for key in days}
        for filed in self.events.values():
            for claim in claims_of(filed.event, sender_of(filed.source_id)):
                start = claim.at.replace(hour=0, minute=0, second=0, microsecond=0)
                if claim.is_told_again and Day(start, claim.user_id) in days.get(claim.key, ()):
                    found[claim.key].append(claim)
        return found

    def _owner_of(self, filed: Any) -> Owner:
        return owner_of_stored(filed, self.identifiers[filed.key])

    def _times(
        self, ids: Collection[UUID], but: Collection[str] = ()
    ) -> dict[UUID, list[datetime]]:
        """When each of these customers did something, but for some messageIds."""
        found: dict[UUID, list[datetime]] = defaultdict(list)
        for message_id, filed in self.events.items():
            customer_id = self.customer_of(filed)
            if customer_id in ids and message_id not in but:
                found[customer_id].append(filed.event.at)
        return found

    def _trait_claims(self, ids: Collection[UUID]) -> dict[UUID, list[TraitClaim]]:
        found: dict[UUID, list[TraitClaim]] = defaultdict(list)
        for filed in self.taught.values():
            customer_id = self.customer_of(filed)
            if customer_id in ids:
                found[customer_id].append(self._trait_claim(filed))
        return found

    def _trait_claim(self, filed: Filed) -> TraitClaim:
        event, installation = filed.event, installation_of(filed.event)
        is_real = event.user_id is not None and self.identifiers[filed.key].flags.is_real
        clock = None if installation is None else Installation(filed.source_id, installation)
        return trait_claim(event, lesson_of(event, event.traits, is_identified=is_real), clock)


def _those(kept: Mapping[Any, T], keys: Iterable[Any]) -> dict[Any, T]:
    return {key: kept[key] for key in keys if key in kept}


def _filed(events: Iterable[ask.Keyed]) -> dict[str, Filed]:
    filed = {}
    for key, arrival in events:
        assert key is not None, "every event of the tests names somebody"
        filed[arrival.event.message_id] = Filed(arrival.event, key, arrival.source_id)
    return filed
