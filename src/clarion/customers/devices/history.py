"""A device's history: what happened to it, a line each, with the event that caused it. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from clarion.customers.devices.device import DeviceState, Held, KeptDevice, Registration


class HistoryEntry(Struct, frozen=True, kw_only=True, gc=False):
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


class Step(Struct, frozen=True, kw_only=True, gc=False):
    """Whose a device was after an event that named it."""

    message_id: str
    at: datetime
    customer_id: UUID | None
    """None: the event said nothing of that."""


@dataclass(slots=True)
class HistoryRecorder:
    """The lines that one device's change from `before` to `after` adds."""

    before: KeptDevice | None
    after: KeptDevice
    now: datetime
    lines: list[HistoryEntry] = field(default_factory=list)

    def write(
        self,
        registrations: Sequence[Registration],
        steps: Sequence[Step],
        end: Step | None = None,
    ) -> None:
        """One line for each thing that happened, in the order it became known. `end`: what ended
        the device, should it be removed now."""
        by_message: dict[str, list[Registration]] = defaultdict(list)
        for added in registrations:
            by_message[added.stamp.message_id].append(added)
        stepped = {step.message_id for step in steps}
        causes = [
            *steps,
            *(
                Step(message_id=message_id, at=many[0].stamp.at, customer_id=None)
                for message_id, many in by_message.items()
                if message_id not in stepped
            ),
        ]
        before = self.before
        customer_id = before.customer_id if before is not None else None
        held = (
            {}
            if before is None
            else {registration.token_kind: registration for registration in before.registrations}
        )
        known = {
            kind: (registration.holds, registration.token_hash)
            for kind, registration in held.items()
        }
        token = before.current.token_hash if before is not None else None
        for cause in causes:
            new_id = cause.customer_id or self.after.customer_id
            many = by_message.get(cause.message_id, [])
            brought = [
                registration
                for registration in many
                if registration.token_kind not in known
                or registration.stamp > known[registration.token_kind][0]
            ]
            fresh = [
                registration
                for registration in brought
                if registration.token_kind not in known
                or registration.token_hash != known[registration.token_kind][1]
            ]
            is_first = not known and bool(many)
            known.update(
                {
                    registration.token_kind: (registration.stamp, registration.token_hash)
                    for registration in brought
                }
            )
            if is_first:
                token = many[0].token_hash
                self._add("registered", cause, new_id, token=token)
                customer_id = new_id
                continue
            if customer_id is not None and new_id != customer_id:
                self._add("moved", cause, new_id, previous=customer_id, token=token)
                customer_id = new_id
            if fresh:
                token = fresh[0].token_hash
                self._add("token", cause, new_id, token=token)
        if customer_id is not None and customer_id != self.after.customer_id:
            self._add("moved", None, self.after.customer_id, previous=customer_id, token=token)
        self.write_standing(end)

    def write_standing(self, end: Step | None = None) -> None:
        """Whether it was removed or came back; or went on by another token, since one died."""
        before, after = self.before, self.after
        was = DeviceState.ACTIVE if before is None else before.state
        current = after.current
        if after.state is not was:
            if after.state is DeviceState.REMOVED:
                self._add("removed", end, after.customer_id, reason=current.reason)
            else:
                cause = _registered(current)
                self._add("revived", cause, after.customer_id, token=current.token_hash)
            return
        if before is None or not current.is_active:
            return
        if any(line.token_hash == current.token_hash for line in self.lines):
            return
        if current.token_hash != before.current.token_hash:
            former = _by_hash(after.registrations).get(before.current.token_hash)
            died = former is not None and not former.is_active
            self._add(
                "token",
                None if died else _registered(current),
                after.customer_id,
                reason=former.reason if died and former is not None else None,
                token=current.token_hash,
            )

    def _add(
        self,
        change: str,
        cause: Step | None,
        customer_id: UUID,
        *,
        previous: UUID | None = None,
        reason: str | None = None,
        token: str | None = None,
    ) -> None:
        self.lines.append(
            HistoryEntry(
                device_id=self.after.device_id,
                customer_id=customer_id,
                previous_customer_id=previous,
                change=change,
                reason=reason,
                token_hash=token or self.after.current.token_hash,
                message_id=None if cause is None else cause.message_id,
                at=self.now if cause is None else cause.at,
            )
        )


def _registered(registration: Held) -> Step:
    return Step(
        message_id=registration.holds.message_id, at=registration.holds.at, customer_id=None
    )


def _by_hash(registrations: Sequence[Held]) -> Mapping[str, Held]:
    return {registration.token_hash: registration for registration in registrations}
