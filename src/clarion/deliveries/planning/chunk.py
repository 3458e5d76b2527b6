"""A chunk: deliveries of one launch, through one provider app, that are sent together. Pure.

What is planned stands in its chunk as a member: 33 bytes a device, and no row of its own. A row is
written once the delivery is settled, or has to wait longer than its chunk: because it is tried
again, or because its app reports it before the provider's answer is known. So the deliveries of an
open chunk are its members and the pending rows that name it; one that is both is the row.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from struct import iter_unpack
from typing import Any
from uuid import UUID

from msgspec import Struct

from clarion.broker import JobKind, NewJob
from clarion.campaigns.content.language import LOCALE_FACT
from clarion.campaigns.content.live_activity import LiveActivity, LiveEvent
from clarion.clock import id_maker
from clarion.customers.devices.device import Platform
from clarion.customers.devices.facts import LIVE_ID, LIVE_START_TOKEN, LIVE_TOKEN

READY, LEASED, SETTLED = "ready", "leased", "settled"

_CODES = {Platform.IOS.value: b"i", Platform.ANDROID.value: b"a", Platform.WEB.value: b"w"}
_PLATFORMS = {code: platform for platform, code in _CODES.items()}


class Member(Struct, frozen=True, gc=False):
    """A delivery that is planned and has no row yet. `platform` and `customer_id` are those of when
    it was planned."""

    device_id: UUID
    customer_id: UUID
    platform: str


class OpenDelivery(Struct, gc=False):
    """A pending delivery with its device and customer as they are now; None where there is none.

    `has_arrived`: the answer to an earlier attempt was lost, and meanwhile the app has reported the
    push; it is not sent again. `is_still_theirs`: the device belongs to the customer for whom the
    delivery was planned.
    """

    device_id: UUID
    platform: str
    is_still_theirs: bool | None = False
    device_state: str | None = None
    token: str | None = None
    token_kind: str | None = None
    token_hash: str | None = None
    push_opted_out: bool | None = None
    notifications_off: bool | None = None
    user_id: str | None = None
    traits: Mapping[str, Any] | None = None
    facts: Mapping[str, str] | None = None
    attempts: int = 0
    first_tried_at: datetime | None = None
    reason: str | None = None
    has_arrived: bool = False
    customer_id: UUID | None = None
    """For whom it was planned."""
    zone: str | None = None
    """In which its customer is, where the content asks for it."""

    @property
    def locale(self) -> str | None:
        """The device's own; None where its facts were not asked for, or tell none."""
        return None if self.facts is None else self.facts.get(LOCALE_FACT)

    def live_activity_token(self, activity: LiveActivity) -> str | None:
        """The token of the Live Activity on this device; None if the device has told none."""
        facts: Mapping[str, str] = self.facts or {}
        if self.platform != Platform.IOS:
            return None
        if activity.event is LiveEvent.START:
            return facts.get(LIVE_START_TOKEN)
        if activity.activity_id not in (None, facts.get(LIVE_ID)):
            return None
        return facts.get(LIVE_TOKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A claimed chunk. `attempt` is ours until somebody claims it after our lease.

    `lost` counts the claims before ours that ended in nothing: the sender died or was too late, so
    the answers to what it may have sent are lost.
    """

    id: UUID
    launch_id: UUID
    workspace_id: UUID
    firebase_app_id: UUID
    attempt: int
    lost: int
    size: int
    due_at: datetime
    members: bytes | None = None
    """As `pack` writes them."""
    is_transactional: bool = False
    """It is of a push to one customer, which waits for no campaign."""
    turn_at: datetime | None = None
    """When it was due before it was put back; None: it never was, or a person has let it go on."""

    @property
    def turn(self) -> datetime:
        """When it was to be sent, however long it has waited since."""
        return self.turn_at or self.due_at


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChunk:
    """Deliveries to be tried again together at `due_at`."""

    id: UUID
    due_at: datetime
    device_ids: Sequence[UUID]
    tried: bool
    """They were tried: from the first time on, the time runs in which they may be tried again."""
    held: bool = False
    """They wait for a person, not for the provider."""
    turn_at: datetime | None = None
    """Where it is still their turn, though they wait; None: they have another one."""


def chunk_row(chunk: Chunk, new: NewChunk, waiting: Sequence[Member]) -> dict[str, Any]:
    """The row of a chunk that a settled one goes on in. `waiting`: those without a row."""
    return {
        "id": new.id,
        "launch_id": chunk.launch_id,
        "workspace_id": chunk.workspace_id,
        "firebase_app_id": chunk.firebase_app_id,
        "state": READY,
        "attempt": 0,
        "due_at": new.due_at,
        "turn_at": new.turn_at,
        "is_held": new.held,
        "is_transactional": chunk.is_transactional,
        "size": len(new.device_ids),
        **member_columns(sorted(waiting, key=lambda member: member.device_id)),
    }


def job_of(
    chunk_id: UUID,
    *,
    is_transactional: bool,
    due_at: datetime | None = None,
    key: str | None = None,
) -> NewJob:
    """The job that has a chunk sent, at `due_at` or at once."""
    kind = JobKind.PUSH if is_transactional else JobKind.CHUNK
    return NewJob(kind=kind, payload=chunk_id.bytes, key=key, available_at=due_at)


def pack(members: Iterable[Member]) -> bytes:
    """Members as a chunk's row holds them: device, customer, and a letter for the platform."""
    return b"".join(
        [
            member.device_id.bytes + member.customer_id.bytes + _CODES[member.platform]
            for member in members
        ]
    )


def unpack(packed: bytes | None) -> list[Member]:
    """What `pack` has packed; nothing where there is nothing."""
    if not packed:
        return []
    make_id = id_maker()
    return [
        Member(make_id(device), make_id(customer), _PLATFORMS[code])
        for device, customer, code in iter_unpack("16s16sc", packed)
    ]


def member_columns(members: Sequence[Member]) -> dict[str, Any]:
    """The columns of a chunk's row that say which these are. They are in the order of their
    devices."""
    return {
        "members": pack(members) or None,
        "first_device_id": members[0].device_id if members else None,
        "last_device_id": members[-1].device_id if members else None,
    }
