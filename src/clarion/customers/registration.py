"""What a batch of events does to devices: pure.

For each device concerned the facts are put together (`device.standing`), the owner is read from its
timeline, and every step on the way becomes a line of its history, with the event that caused it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from clarion.customers.batch import Batch
from clarion.customers.device import (
    DELETED,
    TOKEN_MOVED,
    Deletion,
    DeviceState,
    Platform,
    Registration,
    Removed,
    Stamp,
    Standing,
    TokenKind,
    standing,
)
from clarion.customers.identity import Owner, customer_id_of, device_row_id


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDevice:
    """A device as its registration rules keep it."""

    id: UUID
    device_id: str
    customer_id: UUID
    source_id: UUID
    platform: Platform
    token: str | None = field(repr=False)
    token_kind: TokenKind
    token_hash: str
    holds: Stamp
    state: DeviceState
    reason: str | None
    removed: Removed | None
    last_seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The device a token lives on."""

    token_hash: str
    device_id: str
    stamp: Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChange:
    """A line to add to a device's history."""

    device_id: str
    customer_id: UUID | None
    previous_customer_id: UUID | None
    change: str
    """registered | moved | token | removed | revived"""
    reason: str | None
    token_hash: str | None
    message_id: str | None
    at: datetime


class Registry:
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
        self._batch = batch
        self._now = now
        self._registrations: dict[str, list[Registration]] = defaultdict(list)
        for registration in registrations:
            self._registrations[registration.device_id].append(registration)
        self.deletions = deletions
        self._before: dict[str, KeptDevice] = {}
        self._holders: dict[str, Holder] = {}
        self.changed_holders: dict[str, Holder] = {}
        self.history: list[NewChange] = []

    @property
    def device_ids(self) -> set[str]:
        """Devices that register or are deleted, or whose owner may be another one now."""
        deleted = {deletion.device_id for deletion in self.deletions}
        return deleted | set(self._registrations) | self._batch.unsettled()

    @property
    def token_hashes(self) -> set[str]:
        """The tokens that the registrations bring."""
        return {one.token_hash for many in self._registrations.values() for one in many}

    def meet_holders(self, holders: Mapping[str, Holder]) -> set[str]:
        """Take in where the tokens live; returns the devices that lose one."""
        self._holders.update(holders)
        losers: set[str] = set()
        for registrations in self._registrations.values():
            for one in registrations:
                known = self._holders.get(one.token_hash)
                if known is not None and known.stamp >= one.stamp:
                    if known.device_id != one.device_id:
                        losers.add(one.device_id)
                    continue
                if known is not None and known.device_id != one.device_id:
                    losers.add(known.device_id)
                holder = Holder(token_hash=one.token_hash, device_id=one.device_id, stamp=one.stamp)
                self._holders[one.token_hash] = self.changed_holders[one.token_hash] = holder
        return losers

    def tokens_of(self, devices: Mapping[str, KeptDevice]) -> set[str]:
        """The tokens that `devices` hold and whose holder is not known yet."""
        return {
            device.token_hash
            for device in devices.values()
            if device.token_hash not in self._holders
        }

    def settle(
        self,
        devices: Mapping[str, KeptDevice],
        holders: Mapping[str, Holder],
        deletions: Mapping[str, Sequence[Deletion]],
    ) -> list[KeptDevice]:
        """The devices to write. `deletions` holds the stored ones and the batch's own."""
        self._holders.update(
            {token: one for token, one in holders.items() if token not in self._holders}
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
        registrations = self._registrations.get(device_id, [])
        after = before
        for registration in registrations:
            after = self._registered(after, registration)
        assert after is not None, "a device exists by its first registration"
        if self._batch.knows(device_id):
            owner = self._batch.timeline(device_id).device_owner(device_id)
            after = replace(after, customer_id=customer_id_of(self._workspace_id, owner))
            stands = standing(
                device_id=device_id,
                holds=after.holds,
                token_hash=after.token_hash,
                holder=self._holders[after.token_hash].device_id,
                removed=after.removed,
                deletions=deletions,
                line=self._batch.timeline(device_id),
                is_real=self._batch.is_real,
            )
        elif self._holders[after.token_hash].device_id != device_id:
            stands = Standing(state=DeviceState.REMOVED, reason=TOKEN_MOVED)
        else:
            stands = Standing(state=after.state, reason=after.reason)
        after = _standing(after, stands)
        self._write_history(before, after, registrations)
        return after

    def _registered(self, known: KeptDevice | None, one: Registration) -> KeptDevice:
        if known is None:
            return KeptDevice(
                id=device_row_id(self._workspace_id, one.device_id),
                device_id=one.device_id,
                customer_id=self._workspace_id,  # its owner is set before it is written
                source_id=one.source_id,
                platform=one.platform,
                token=one.token,
                token_kind=one.token_kind,
                token_hash=one.token_hash,
                holds=one.stamp,
                state=DeviceState.ACTIVE,
                reason=None,
                removed=None,
                last_seen_at=one.stamp.at,
            )
        seen = max(known.last_seen_at, one.stamp.at)
        if one.stamp <= known.holds:
            return replace(known, last_seen_at=seen)
        return replace(
            known,
            source_id=one.source_id,
            platform=one.platform,
            token=one.token,
            token_kind=one.token_kind,
            token_hash=one.token_hash,
            holds=one.stamp,
            last_seen_at=seen,
        )

    def _write_history(
        self, before: KeptDevice | None, after: KeptDevice, registrations: Sequence[Registration]
    ) -> None:
        """One line for each thing that happened, in the order it became known."""
        device_id = after.device_id
        by_message = {one.stamp.message_id: one for one in registrations}
        customer_id = before.customer_id if before is not None else None
        holds = before.holds if before is not None else None
        token = before.token_hash if before is not None else None
        steps = self._batch.owner_steps(device_id) if self._batch.knows(device_id) else []
        causes: list[tuple[str, datetime, Owner | None]] = [
            (step.claim.message_id, step.claim.at, step.owner) for step in steps
        ]
        claimed = {message_id for message_id, _, _ in causes}
        causes += [
            (one.stamp.message_id, one.stamp.at, None)
            for one in registrations
            if one.stamp.message_id not in claimed
        ]
        for message_id, at, owner in causes:
            one = by_message.get(message_id)
            new_id = customer_id_of(self._workspace_id, owner) if owner else after.customer_id
            if one is not None and holds is None:
                self._line("registered", after, message_id, at, new_id, None, one.token_hash)
                customer_id, holds, token = new_id, one.stamp, one.token_hash
                continue
            if customer_id is not None and new_id != customer_id:
                self._line("moved", after, message_id, at, new_id, customer_id, token)
                customer_id = new_id
            if one is not None and holds is not None and one.stamp > holds:
                holds = one.stamp
                if one.token_hash != token:
                    token = one.token_hash
                    self._line("token", after, message_id, at, new_id, None, token)
        if customer_id is not None and customer_id != after.customer_id:
            self._line("moved", after, None, self._now, after.customer_id, customer_id, token)
        self._write_standing(before, after)

    def _write_standing(self, before: KeptDevice | None, after: KeptDevice) -> None:
        was = DeviceState.ACTIVE if before is None else before.state
        if after.state is was:
            return
        change = "removed" if after.state is DeviceState.REMOVED else "revived"
        self._line(
            change,
            after,
            after.holds.message_id if change == "revived" else None,
            self._now if change == "removed" else after.holds.at,
            after.customer_id,
            None,
            after.token_hash,
        )

    def _line(
        self,
        change: str,
        device: KeptDevice,
        message_id: str | None,
        at: datetime,
        customer_id: UUID,
        previous: UUID | None,
        token: str | None,
    ) -> None:
        self.history.append(
            NewChange(
                device_id=device.device_id,
                customer_id=customer_id,
                previous_customer_id=previous,
                change=change,
                reason=device.reason if change == "removed" else None,
                token_hash=token,
                message_id=message_id,
                at=at,
            )
        )


def _standing(device: KeptDevice, stands: Standing) -> KeptDevice:
    """A removed registration's token is forgotten, unless only the app's word removed it: that
    word may lose its weight when an earlier owner becomes known."""
    forget = stands.state is DeviceState.REMOVED and stands.reason != DELETED
    return replace(
        device,
        state=stands.state,
        reason=stands.reason,
        token=None if forget else device.token,
    )
