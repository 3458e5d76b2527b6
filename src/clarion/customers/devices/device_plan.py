"""What a batch of events does to devices. Pure.

For each device concerned the facts are put together (`standing.judged`), the owner is read from its
timeline, and every step on the way becomes a line of its history, with the event that caused it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from clarion.clock import from_micros
from clarion.customers.devices.device import (
    DELETED,
    TOKEN_MOVED,
    Deletion,
    Held,
    Home,
    KeptDevice,
    Registration,
    Stamp,
    TokenKind,
)
from clarion.customers.devices.history import HistoryEntry, HistoryRecorder, Step
from clarion.customers.devices.liveness import held, is_effective, judged, ranked
from clarion.customers.identity.batch import Batch
from clarion.customers.identity.identifier import User, customer_ids, device_row_id

DELETIONS_KEPT = 100
"""Of one device."""


class Holder(Struct, frozen=True, kw_only=True, gc=False):
    """The device an installation lives on."""

    installation_hash: str
    device_id: str
    stamp: Stamp


class DevicePlan:
    """The devices a batch concerns. Asks first which rows it needs, then says what to write."""

    def __init__(
        self,
        workspace_id: UUID,
        batch: Batch,
        registrations: Sequence[Registration],
        deletions: Sequence[Deletion],
        now: datetime,
    ) -> None:
        self._workspace_id = workspace_id
        self._customer_id_of = customer_ids(workspace_id)
        self._batch = batch
        self._now = now
        self._registrations: dict[str, list[Registration]] = defaultdict(list)
        for registration in registrations:
            self._registrations[registration.device_id].append(registration)
        self.deletions = deletions
        self._holders: dict[str, Holder] = {}
        self._stored_holders: Mapping[str, Holder] = {}
        self.changed_holders: dict[str, Holder] = {}
        self.history: list[HistoryEntry] = []
        deleted = {deletion.device_id for deletion in deletions}
        self.device_ids = deleted | set(self._registrations) | batch.unsettled()
        """Devices that register or are deleted, or whose owner may be another one now."""

    @property
    def installations(self) -> set[str]:
        """Those that register, by hash."""
        return {
            registration.installation_hash
            for many in self._registrations.values()
            for registration in many
        }

    def meet_holders(self, holders: Mapping[str, Holder]) -> set[str]:
        """Take in where the installations live; returns the devices that lose one."""
        self._holders.update(holders)
        self._stored_holders = dict(holders)
        losers: set[str] = set()
        for registrations in self._registrations.values():
            for registration in registrations:
                key = registration.installation_hash
                known = self._holders.get(key)
                if known is not None and known.stamp >= registration.stamp:
                    if known.device_id != registration.device_id:
                        losers.add(registration.device_id)
                    continue
                if known is not None and known.device_id != registration.device_id:
                    losers.add(known.device_id)
                holder = Holder(
                    installation_hash=key,
                    device_id=registration.device_id,
                    stamp=registration.stamp,
                )
                self._holders[key] = self.changed_holders[key] = holder
        return losers

    def installations_of(self, devices: Mapping[str, KeptDevice]) -> set[str]:
        """The installations that the devices concerned will still hold, and whose holder is not
        known yet."""
        return {
            registration.installation_hash
            for device in devices.values()
            if device.device_id in self.device_ids
            for registration in device.registrations
            if registration.installation_hash not in self._holders
            and not any(
                new.token_kind is registration.token_kind and new.stamp > registration.holds
                for new in self._registrations.get(device.device_id, ())
            )
        }

    def unmet(self, devices: Mapping[str, KeptDevice]) -> set[str]:
        """The devices concerned that are not there yet."""
        return self.device_ids - devices.keys()

    def newcomers(self, devices: Mapping[str, KeptDevice]) -> dict[str, UUID]:
        """The devices that register for the first time as somebody's, and whose they will be. Who
        is known by the device alone has no other one."""
        owners = {
            device_id: self._batch.device_owner(device_id)
            for device_id in self._registrations
            if device_id not in devices
        }
        return {
            device_id: self._customer_id_of(owner)
            for device_id, owner in owners.items()
            if isinstance(owner, User)
        }

    def leave_out(self, device_ids: Iterable[str]) -> set[str]:
        """Register none of these; returns the messageIds of what would have."""
        return {
            registration.stamp.message_id
            for device_id in device_ids
            for registration in self._registrations.pop(device_id, ())
        }

    def returned(self, devices: Mapping[str, KeptDevice]) -> set[str]:
        """The messageIds of registrations by which an installation takes back a device id that
        another one has taken from it: both are alive. Asked before `settle`, with the holders as
        they were stored."""
        return {
            message_id
            for device_id, many in self._registrations.items()
            for message_id in self._returned(device_id, devices.get(device_id), many)
        }

    def _returned(
        self, device_id: str, before: KeptDevice | None, new: Sequence[Registration]
    ) -> Iterator[str]:
        installations = [
            (registration.stamp, registration.installation_hash)
            for registration in new
            if _tells_installation(registration)
        ]
        fresh = {stamp for stamp, _ in installations}
        for earlier in before.registrations if before is not None else ():
            if earlier.knows_installation and earlier.can_be_sent_to:
                installations.append((earlier.holds, earlier.installation_hash))
        for key in {installation for _, installation in installations}:
            stored = self._stored_holders.get(key)
            if stored is not None and stored.device_id == device_id:
                installations.append((stored.stamp, key))
        seen: set[str] = set()
        last = None
        for stamp, installation in sorted(installations):
            if installation != last and installation in seen and stamp in fresh:
                yield stamp.message_id
            seen.add(installation)
            last = installation

    def settle(
        self,
        devices: Mapping[str, KeptDevice],
        holders: Mapping[str, Holder],
        deletions: Mapping[str, Sequence[Deletion]],
    ) -> list[KeptDevice]:
        """The devices to write. `deletions` holds the stored ones and the batch's own."""
        self._holders.update(
            {key: holder for key, holder in holders.items() if key not in self._holders}
        )
        kept = []
        for device_id in sorted(devices.keys() | self._registrations.keys()):
            before = devices.get(device_id)
            after = self._after(device_id, before, deletions.get(device_id, ()))
            if after != before:
                kept.append(after)
        return kept

    def _after(
        self, device_id: str, before: KeptDevice | None, deletions: Iterable[Deletion]
    ) -> KeptDevice:
        registrations, seen = self._registered(device_id, before)
        facts = self._batch.facts_of(device_id)
        effective: list[Deletion] = []
        if device_id in self.device_ids:
            line = self._batch.timeline(device_id)
            effective = [
                deletion
                for deletion in deletions
                if is_effective(deletion, line, self._batch.is_real)
            ]
            customer_id = self._customer_id_of(self._batch.device_owner(device_id))
            registrations = judged(
                registrations,
                device_id=device_id,
                homes={
                    registration.installation_hash: self._home(registration)
                    for registration in registrations
                },
                deletions=effective,
                left_at=line.left_at,
            )
        else:
            assert before is not None, "what registers is among those concerned"
            customer_id = before.customer_id
            registrations = self._bereft(device_id, registrations)
        known = {} if before is None else before.facts
        after = KeptDevice(
            id=device_row_id(self._workspace_id, device_id) if before is None else before.id,
            device_id=device_id,
            customer_id=customer_id,
            registrations=registrations,
            facts=known if facts is None else facts.values,
            last_seen_at=seen if facts is None else max(seen, from_micros(facts.seen)),
        )
        if before is not None and registrations is before.registrations:
            return after
        chronicle = HistoryRecorder(before=before, after=after, now=self._now)
        chronicle.write(
            self._registrations.get(device_id, ()),
            self._steps(device_id),
            self._end(after, effective),
        )
        self.history += chronicle.lines
        return after

    def _registered(
        self, device_id: str, before: KeptDevice | None
    ) -> tuple[tuple[Held, ...], datetime]:
        """A device's registrations with those of the batch, and when it was last seen by them."""
        registrations = self._registrations.get(device_id, ())
        if before is not None and not registrations:
            return before.registrations, before.last_seen_at
        kinds = (
            {registration.token_kind: registration for registration in before.registrations}
            if before
            else {}
        )
        for registration in registrations:
            kind = registration.token_kind
            kinds[kind] = held(kinds.get(kind), registration)
        seen = [registration.registered_at for registration in registrations]
        if before is not None:
            seen.append(before.last_seen_at)
        assert seen, "a device exists by its first registration"
        return tuple(kinds.values()), max(seen)

    def _bereft(self, device_id: str, registrations: tuple[Held, ...]) -> tuple[Held, ...]:
        """Those of a device that only loses what another one has registered."""
        ends = []
        left = []
        for registration in registrations:
            holder = self._holders.get(registration.installation_hash)
            if holder is not None and holder.device_id != device_id:
                ends.append((holder.stamp.at, TOKEN_MOVED))
                registration = registration.ended(TOKEN_MOVED)
            left.append(registration)
        return ranked(left, ends) if ends else registrations

    def _end(self, device: KeptDevice, deletions: Sequence[Deletion]) -> Step | None:
        """The event that ended what the device was sent to by, if one did."""
        if device.reason == TOKEN_MOVED:
            holders = (
                self._holders.get(deletion.installation_hash) for deletion in device.registrations
            )
            taken = [
                deletion.stamp
                for deletion in holders
                if deletion and deletion.device_id != device.device_id
            ]
            return _cause(max(taken, default=None))
        if device.reason != DELETED:
            return None
        named = {None, *(deletion.token_hash for deletion in device.registrations)}
        since = device.current.holds.at
        fitting = [
            deletion
            for deletion in deletions
            if deletion.token_hash in named and deletion.at > since
        ]
        first = min(
            fitting or deletions,
            key=lambda deletion: (deletion.at, deletion.message_id),
            default=None,
        )
        return _cause(first)

    def _home(self, registration: Held) -> Home:
        holder = self._holders[registration.installation_hash]
        return Home(device_id=holder.device_id, at=holder.stamp.at)

    def _steps(self, device_id: str) -> list[Step]:
        if not self._batch.knows(device_id):
            return []
        return [
            Step(
                message_id=step.claim.message_id,
                at=step.claim.at,
                customer_id=self._customer_id_of(step.owner),
            )
            for step in self._batch.owner_steps(device_id)
        ]


def keep_newest(deletions: Mapping[str, list[Deletion]]) -> dict[str, datetime]:
    """Leave of each device's the newest DELETIONS_KEPT: older ones stand against registrations that
    are long replaced. Returns, for devices that had more, before when they are not kept."""
    outdated: dict[str, datetime] = {}
    for device_id, many in deletions.items():
        if len(many) > DELETIONS_KEPT:
            many.sort(key=lambda deletion: (deletion.at, deletion.message_id))
            del many[:-DELETIONS_KEPT]
            outdated[device_id] = many[0].at
    return outdated


def _tells_installation(registration: Registration) -> bool:
    """Whether FCM can send to it, and it is known which installation it is of."""
    if registration.token_kind is TokenKind.FID:
        return True
    return (
        registration.token_kind is TokenKind.FCM
        and registration.installation_hash != registration.token_hash
    )


def _cause(said: Stamp | Deletion | None) -> Step | None:
    if said is None:
        return None
    return Step(message_id=said.message_id, at=said.at, customer_id=None)
