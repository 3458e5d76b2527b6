"""What a batch of events changes in whom we know. Asked only about the keys concerned. Pure.

An agent drives it: it brings what is stored of the batch's identifiers (`meet`), then the claims of
the few keys whose timeline may change (`unsettled`, `settle`), and writes down what follows:

    events ─ sightings ─ flags ──────────── who is real ─┐
                      └─ claims ─ (stored claims of a key) ─ timelines ─ owners, periods of keys

A key's stored claims are read only when a new claim does not fit its timeline, or when somebody who
claimed it turned out to be real, or a device.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from msgspec import Struct

from clarion.customers.devices.facts import Facts, noted
from clarion.customers.identity.claims.claim import Claim, lead_of, sender_of
from clarion.customers.identity.claims.extract import (
    Sighting,
    claims_of,
    companions_of,
    owner_key,
    sighted_flags,
)
from clarion.customers.identity.claims.repeated_claims import (
    DAYS_READ_MAX,
    Day,
    DayClaim,
    chosen,
    days_to_read,
    kept_in,
)
from clarion.customers.identity.identifier import Flags, Owner, Provisional, User
from clarion.customers.identity.known import UNKNOWN, Identifier, Stored, with_told_again
from clarion.customers.identity.ownership import Decider, Owned, OwnerStep, owned_anew
from clarion.customers.identity.timeline import (
    Earlier,
    Timeline,
    compared,
    leaves_unchanged,
    owners_after,
    timeline,
)
from clarion.events.messages.message import Event


class Arrival(Struct, frozen=True, kw_only=True, gc=False):
    """An event and the source that sent it."""

    event: Event
    source_id: UUID


class Batch:
    """New events (each messageId once, none stored before) against what is known."""

    def __init__(
        self, arrivals: Sequence[Arrival], merges: Mapping[str, str] | None = None
    ) -> None:
        """`merges`: user ids that count as another one, because somebody has said so."""
        self.arrivals = arrivals
        self._merges = merges or {}
        self.claims: list[Claim] = []
        self.flipped: set[str] = set()
        self.touched: set[Owner] = set()
        """Owners who lost or gained a part of another: what is known of them is made anew."""
        self.absorbed: dict[Provisional, Owner] = {}
        """Owners all of whose events go to one other: that one inherits what is known of them."""
        self.noted: dict[str, Facts] = {}
        """What is known of devices now, where it is something else than before."""
        self._seen: dict[str, Flags] = {}
        self._of_devices: dict[str, list[Event]] = defaultdict(list)
        self._facts: dict[str, Facts] = {}
        self._known: dict[str, Identifier] = {}
        self._flags: dict[str, Flags] = {}
        self._real: set[str] = set()
        """The keys of `_flags` that are people's user ids: asked several times an event."""
        self._timelines: dict[str, Timeline] = {}
        self._new: dict[str, list[Claim]] = defaultdict(list)
        self._stored: Mapping[str, Stored] = {}
        self._reopened: set[str] = set()
        self._unsettled: set[str] | None = None
        self._claims_to_add: list[Claim] = []
        self._day_claims: dict[str, DayClaim | None] = {}
        self._to_keep: dict[str, Identifier] | None = None
        self._decides: set[Decider] = set()
        source_id, sender = None, 0
        for arrival in arrivals:
            event = arrival.event
            if arrival.source_id is not source_id:
                source_id, sender = arrival.source_id, sender_of(arrival.source_id)
            if (decider := owner_key(event)) is not None:
                self._decides.add((decider, event.user_id is not None))
            for key, flags in sighted_flags(event).items():
                known = self._seen.get(key)
                self._seen[key] = flags if known is None else known.merged(flags)
            for claim in claims_of(event, sender):
                self.claims.append(claim)
                self._new[claim.key].append(claim)
            device_id, other_id = event.device_id, event.context_device_id
            if device_id is not None:
                self._of_devices[device_id].append(event)
            if other_id is not None and other_id != device_id:
                self._of_devices[other_id].append(event)

    @property
    def keys(self) -> set[str]:
        """Every identifier in the batch."""
        return set(self._seen)

    def meet(self, known: Mapping[str, Identifier]) -> None:
        """Take in what is stored of `keys`; a key that is missing has never been seen."""
        self._known.update(known)
        for key, events in self._of_devices.items():
            kept = known[key].facts if key in known else None
            facts = self._facts[key] = noted(kept, events)
            if facts is not kept:
                self.noted[key] = facts
        for key, seen in self._seen.items():
            before = known.get(key, UNKNOWN)
            self._learn(key, before.flags.merged(seen))
            self._timelines[key] = before.timeline
            if key in known and (key in self._real) != before.flags.is_real:
                self.flipped.add(key)
                self._reopened.add(key)

    def reopen(self, known: Mapping[str, Identifier]) -> None:
        """Keys that somebody in `flipped` has claimed, and devices that one has deleted: what
        follows from them must be made anew."""
        for key, identifier in known.items():
            self._reopened.add(key)
            if key not in self._flags:
                self._known[key] = identifier
                self._learn(key, identifier.flags)
                self._timelines[key] = identifier.timeline

    def unsettled(self) -> set[str]:
        """The keys whose timeline may change. Asked after `meet` and `reopen`."""
        if self._unsettled is None:
            is_real, lines = self._real.__contains__, self._timelines
            self._unsettled = set(self._reopened)
            for key, claims in self._new.items():
                line = lines[key]
                for claim in claims:
                    if not leaves_unchanged(line, claim, is_real):
                        self._unsettled.add(key)
                        break
        return self._unsettled

    def doubtful_keys(self) -> set[str]:
        """Device ids of the batch that are the user id of a real customer, too (R2)."""
        return self._real & self._of_devices.keys()

    def shared_keys(self) -> set[str]:
        """Keys of the batch that too many users came with (R12)."""
        return {key for key in self._seen if self._timelines[key].is_shared}

    def stored_before(self, key: str) -> bool:
        return key in self._known

    def strangers(self, user_ids: Iterable[str | None]) -> set[str]:
        """Those of `user_ids` whose flags are not known yet."""
        return {user for user in user_ids if user is not None and user not in self._flags}

    def strangers_in(self, stored: Mapping[str, Stored]) -> set[str]:
        """The users that stored claims name, and timelines where claims were not read, and whose
        flags are not known yet."""
        named = {claim.user_id for identifier in stored.values() for claim in identifier.claims}
        for key, kept in stored.items():
            if kept.since is not None:
                named |= {span.user_id for span in self._timelines[key].spans if span.user_id}
        return self.strangers(named)

    def days_to_read(self, stored: Mapping[str, Stored]) -> dict[str, set[Day]]:
        """Of which keys which days' events have to be read for claims that were left to them.
        Asked once the flags of all who claim are known."""
        days_by_key: dict[str, set[Day]] = {}
        left = DAYS_READ_MAX
        for key, identifier in stored.items():
            new = self._new.get(key, ())
            is_anew = key in self._reopened or self._timelines[key].leads or any(map(lead_of, new))
            days = days_to_read(
                identifier.claims, new, is_made_anew=bool(is_anew), is_real=self.is_real
            )
            if left and days:
                days_by_key[key] = set(days[:left])
                left -= len(days_by_key[key])
        return days_by_key

    def introduce(self, flags: Mapping[str, Flags]) -> None:
        for key, known in flags.items():
            self._learn(key, known)

    def _learn(self, key: str, flags: Flags) -> None:
        self._flags[key] = flags
        (self._real.add if flags.is_real else self._real.discard)(key)

    def settle(
        self, stored: Mapping[str, Stored], told_again: Mapping[str, Sequence[Claim]] | None = None
    ) -> None:
        """Make the timelines of `unsettled()` anew from `stored`, what the events of
        `days_to_read` have told again, and the batch's own claims."""
        self._stored = dict(stored)
        for key, claims in (told_again or {}).items():
            self._stored[key], missing = with_told_again(stored[key], claims)
            self._claims_to_add += missing
        for key in sorted(self.unsettled()):
            before = self._timelines[key]
            after = before if before.is_nobodys else self._timeline_of(key, before)
            self._timelines[key] = after
            if key not in self._known:
                continue
            if before.leads or after.leads:
                self._touch_placed(key, before, after)
            elif key in self.flipped:
                self._touch_all(key, before, after)
            else:
                self._move(key, before, after)

        self._choose_claims()
        if self._merges:
            self.touched = {self.canonical(owner) for owner in self.touched}
            self.absorbed = {owner: self.canonical(heir) for owner, heir in self.absorbed.items()}

    def claims_to_add(self) -> list[Claim]:
        """What to store of the batch's claims, and of those that events have told again: none on a
        key that is nobody's, and none that only repeats what is stored."""
        return self._claims_to_add

    def _choose_claims(self) -> None:
        unsettled = self.unsettled()
        for key in self._new.keys() | self._reopened:
            line = self._timelines[key]
            if line.is_nobodys:
                self._day_claims[key] = None
                continue
            before = self._known.get(key)
            known = None if before is None else before.day_claim
            is_settled = key not in unsettled
            if known is not None and not is_settled:
                known = kept_in(known, self._stored.get(key, Stored()).claims)
            to_store, self._day_claims[key] = chosen(
                self._new.get(key, ()),
                known,
                may_repeat=is_settled and not line.leads,
            )
            self._claims_to_add += to_store

    def canonical(self, owner: Owner) -> Owner:
        """Whom an owner counts as. Everything else here goes by the ids that apps sent."""
        if self._merges and isinstance(owner, User) and owner.user_id in self._merges:
            return User(self._merges[owner.user_id])
        return owner

    def is_real(self, user_id: str) -> bool:
        return user_id in self._real

    def timeline(self, key: str) -> Timeline:
        return self._timelines[key]

    def knows(self, key: str) -> bool:
        return key in self._timelines

    def owner_of(self, sighting: Sighting, sender: int) -> tuple[str | None, Owner | None]:
        """The key that decides an event's owner (None: its user id does), and the owner; no owner
        where the event names nobody. `sender`: of its source."""
        key = owner_key(sighting)
        if key is None:
            return None, None
        if key == sighting.user_id and key in self._real:
            owner: Owner = User(key)
            return None, self.canonical(owner) if self._merges else owner
        line, at = self._timelines[key], sighting.claimed_at
        if line.leads:
            at = line.placed(at, sender, sighting.clock_ahead)
        return key, self.canonical(line.owner_at(key, at))

    def owned(self) -> tuple[dict[Decider, Owned], list[Decider], set[str]]:
        """Whose the keys are that decide an event for the first time, or are somebody else's than
        before; and what has to be removed first (`owned_anew`)."""
        changed = self.to_keep().items()
        return owned_anew(
            ((key, self._known.get(key, UNKNOWN), now) for key, now in changed), self.canonical
        )

    def companions(self) -> set[tuple[str, str]]:
        """(id, key): the other ids in events that no person's user id decides, with their key."""
        pairs: set[tuple[str, str]] = set()
        for event in (arrival.event for arrival in self.arrivals):
            if event.user_id is None or not self.is_real(event.user_id):
                pairs |= companions_of(event)
        return pairs

    def device_owner(self, device_id: str) -> Owner:
        """Whose the device is now."""
        return self.canonical(self._timelines[device_id].device_owner(device_id))

    def owner_steps(self, device_id: str) -> list[OwnerStep]:
        """Whom a device belonged to after each claim, in the order of arrival: its history."""
        new = self._new.get(device_id, [])
        if device_id not in self._stored and device_id in self._known:
            owner = self.device_owner(device_id)
            return [OwnerStep(claim=claim, owner=owner) for claim in new]
        stored = self._stored.get(device_id, Stored()).claims
        owners = owners_after(device_id, stored, new, self._timelines[device_id], self.is_real)
        return [
            OwnerStep(claim=claim, owner=self.canonical(owner))
            for claim, owner in zip(new, owners, strict=True)
        ]

    def to_keep(self) -> dict[str, Identifier]:
        """The identifiers to write: new ones, and those that changed. Asked after `settle`."""
        if self._to_keep is None:
            self._to_keep = {}
            for key in self._timelines:
                known, identifier = self._known.get(key), self._identifier(key)
                if identifier is not known and identifier != known:
                    self._to_keep[key] = identifier
        return self._to_keep

    def _identifier(self, key: str) -> Identifier:
        """What is to be kept of one; what is kept already, itself, where nothing is new."""
        known = self._known.get(key)
        flags, line, facts = self._flags[key], self._timelines[key], self._facts.get(key)
        as_user, as_key = (key, True) in self._decides, (key, False) in self._decides
        day_claim_ = self._day_claims.get(key, None if known is None else known.day_claim)
        if known is not None:
            facts = known.facts if facts is None else facts
            as_user, as_key = as_user or known.decides_as_user, as_key or known.decides_as_key
            if (
                flags is known.flags
                and line is known.timeline
                and facts is known.facts
                and as_user == known.decides_as_user
                and as_key == known.decides_as_key
                and day_claim_ == known.day_claim
            ):
                return known
        return Identifier(
            flags=flags,
            timeline=line,
            facts=facts,
            decides_as_user=as_user,
            decides_as_key=as_key,
            day_claim=day_claim_,
        )

    def facts_of(self, device_id: str) -> Facts | None:
        """What is known of a device that the batch names."""
        return self._facts.get(device_id)

    def _timeline_of(self, key: str, before: Timeline) -> Timeline:
        stored = self._stored.get(key, Stored())
        claims = [*stored.claims, *self._new.get(key, ())]
        earlier = None if stored.since is None else Earlier(before, stored.since)
        return timeline(claims, self.is_real, earlier=earlier)

    def _touch_placed(self, key: str, before: Timeline, after: Timeline) -> None:
        """Where a clock is ahead, the same event may stand elsewhere on the timeline than before:
        whoever had a part of it is made anew."""
        if before == after and key not in self.flipped:
            return
        self.touched |= {User(key)} if key in self.flipped else set()
        for part in compared(key, before, after):
            self.touched |= {part.was, part.now}

    def _move(self, key: str, before: Timeline, after: Timeline) -> None:
        """Who lost and gained. The common case, a sign-in, takes over a stranger whole."""
        if before == after:
            return
        heirs: dict[Owner, set[Owner]] = defaultdict(set)
        for change in compared(key, before, after):
            heirs[change.was].add(change.now)
        for owner, now in heirs.items():
            if now == {owner}:
                continue
            if isinstance(owner, Provisional) and len(now) == 1:
                self.absorbed[owner] = next(iter(now))
            else:
                self.touched |= {owner, *now}

    def _touch_all(self, key: str, before: Timeline, after: Timeline) -> None:
        """A flipped id: its events change sides, whosever they were."""
        self.touched.add(User(key))
        for line in (before, after):
            self.touched |= {owner for _, _, owner in line.runs(key)}
