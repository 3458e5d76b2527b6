"""Which registrations of a device stand, and which one a push goes to: rules R6 and R8. Pure.

A device has at most three: by FCM token, by Firebase installation id (FID), and by bare APNs token.
What holds is a function of facts that only accumulate, so their order of arrival can not matter:

    registrations   of each kind, the one with the greatest stamp is held
    holders         of each installation: the device whose registration of it has the greatest stamp
    removals        by the provider or the sweeper: "registrations of it up to this time are dead"
    deletions       said by the app: effective where its speaker owned the device at that time

A held registration is **active** while none of the last three speaks against it. Each dies and
comes back by itself; one push goes to the newest active one that FCM can send to, never to two (but
a FID that FCM has once not known comes after a token: the app may only have read it):

                 registers (again, later)
    (nothing) ─────────────▶ ACTIVE ◀───────────────┐ registers again, later
                               │                    │
                               └──▶ REMOVED ────────┘
                                    unregistered …   FCM's verdict on this token, or this FID
                                    stale            not refreshed for the workspace's days
                                    deleted_by_app   Device Deleted, uninstalled, unsubscribed
                                    token_moved      its installation registered as another device
                                    replaced         another installation took over this device id

    by token, sent to ──FID registers──▶ by FID, sent to; the token is spare ──FID dies──▶ by token
          ▲                                        │ token dies: only the spare is gone      │
          └───────token registers, later───────────┴───────────FID registers again───────────┘

A removal names the token or the FID that was sent to, so the former kind's death can not end the
newer one. A deletion that names one ends it and what it had replaced; one that names none, all; at
one instant it comes before what registers. After the owner's own, what nobody in particular
registers stays dead until somebody is signed in: SDKs go on telling their token, and the person has
just left. An APNs token is kept beside and never sent to; it is dead when all that FCM could send
to has died since. Two rows of one installation are told by the FID its tokens begin with, and the
newer has it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from clarion.customers.devices.device import (
    DELETED,
    NOT_KNOWN,
    REPLACED,
    TOKEN_MOVED,
    Deletion,
    DeviceState,
    Held,
    Home,
    KeptDevice,
    Registration,
    Removed,
    Stamp,
    TokenKind,
)
from clarion.customers.identity.identifier import User
from clarion.customers.identity.timeline import Timeline


def held(known: Held | None, registration: Registration) -> Held:
    """What is held of a kind after `registration`: the one with the greater stamp."""
    if known is not None and registration.stamp <= known.holds:
        return known
    return Held(
        source_id=registration.source_id,
        platform=registration.platform,
        token=registration.token,
        token_kind=registration.token_kind,
        token_hash=registration.token_hash,
        installation_hash=registration.installation_hash,
        holds=registration.stamp,
        registered_at=registration.registered_at,
        removed=known.removed if known is not None else None,
    )


def is_effective(deletion: Deletion, line: Timeline, is_real: Callable[[str], bool]) -> bool:
    """Whether the speaker had the device to delete: as its owner then, or as nobody in particular.

    An SDK sends the former owner's deletion just before the next one registers, and it may come
    after.
    """
    speaker = deletion.user_id
    if speaker is None or not is_real(speaker):
        return True
    return line.owner_at(deletion.device_id, deletion.at) == User(speaker)


def without(device: KeptDevice, *removals: Removed) -> KeptDevice:
    """What is left when the provider or the sweeper has removed one registration, or several."""
    after = device.registrations
    for removed in removals:
        after = tuple(registration.removed_by(removed) for registration in after)
    ends = [(removed.until, removed.reason) for removed in removals]
    return replace(device, registrations=ranked(after, ends))


def judged(
    registrations: Sequence[Held],
    *,
    device_id: str,
    homes: Mapping[str, Home],
    deletions: Iterable[Deletion],
    left_at: datetime | None = None,
) -> tuple[Held, ...]:
    """A device's registrations by what is known now, the one to send to first; `deletions` are the
    effective ones, `left_at` since when its owner has left it."""
    effective = list(deletions)
    if len(registrations) == 1:
        only = registrations[0]
        end = _end(only, registrations, device_id, homes, effective, left_at)
        return (only.revived() if end is None else only.ended(end[1]),)
    ends = [
        _end(registration, registrations, device_id, homes, effective, left_at)
        for registration in registrations
    ]
    alive = [
        registration.revived() if end is None else registration.ended(end[1])
        for registration, end in zip(registrations, ends, strict=True)
    ]
    return ranked(alive, [end for end in ends if end is not None])


def ranked(registrations: Iterable[Held], ends: Sequence[tuple[datetime, str]]) -> tuple[Held, ...]:
    """`registrations`, the one to send to first; `ends` are the (time, reason) of those that are
    known to have ended."""
    several = list(registrations)
    if len(several) == 1:
        return tuple(several)
    sendable = [registration for registration in several if registration.can_be_sent_to]
    if ends and sendable and not any(registration.is_active for registration in sendable):
        until, reason = max(ends)
        several = [
            replace(registration, state=DeviceState.REMOVED, reason=reason)
            if not registration.can_be_sent_to
            and registration.is_active
            and registration.holds.at <= until
            else registration
            for registration in several
        ]
    return tuple(sorted(several, key=_rank, reverse=True))


def _end(
    registration: Held,
    registrations: Sequence[Held],
    device_id: str,
    homes: Mapping[str, Home],
    deletions: Iterable[Deletion],
    left_at: datetime | None,
) -> tuple[datetime, str] | None:
    """When and why a registration ended; None: it has not."""
    home = homes[registration.installation_hash]
    if home.device_id != device_id:
        return home.at, TOKEN_MOVED
    removed = registration.removed
    if removed is not None and registration.removed_by(removed) is not registration:
        return removed.until, removed.reason
    if left_at is not None and registration.holds.rank == 0 and registration.holds.at >= left_at:
        return left_at, DELETED
    for deletion in deletions:
        if deletion.at <= registration.holds.at:
            continue
        if _names(deletion, registration, registrations):
            return deletion.at, DELETED
    if len(registrations) == 1:
        return None
    newest = max(
        (other for other in registrations if other.can_be_sent_to),
        key=lambda other: other.holds,
        default=registration,
    )
    if (
        registration.can_be_sent_to
        and newest.holds > registration.holds
        and newest.knows_installation
        and registration.knows_installation
        and newest.installation_hash != registration.installation_hash
    ):
        return newest.holds.at, REPLACED
    return None


def _names(deletion: Deletion, registration: Held, registrations: Sequence[Held]) -> bool:
    """Whether the app says that `registration` is gone, or what had replaced it.

    Registering again what was named does not bring back what went with it. Nor does replacing it:
    a name that is held no more was held until then, if its kind has been registered since. An APNs
    token replaces nothing that FCM sends to.
    """
    if deletion.token_hash is None:
        return True
    later = [
        other
        for other in registrations
        if other.holds >= registration.holds and (other is registration or other.can_be_sent_to)
    ]
    if any(other.token_hash == deletion.token_hash for other in registrations):
        return any(other.token_hash == deletion.token_hash for other in later)
    return any(
        other.token_kind is not registration.token_kind and other.holds.at >= deletion.at
        for other in later
    )


def _rank(registration: Held) -> tuple[bool, bool, bool, Stamp, bool]:
    is_fid = registration.token_kind is TokenKind.FID
    return (
        registration.is_active,
        registration.can_be_sent_to,
        not _is_in_doubt(registration),
        registration.holds,
        is_fid,
    )


def _is_in_doubt(registration: Held) -> bool:
    """Whether it is a FID that FCM has once not known, though the app registers it again.

    An app that reads its FID (`getId()`) without registering it for messaging tells it at each
    start. While a token lives, that is what reaches the device; without one the FID is tried.
    """
    removed = registration.removed
    return (
        registration.token_kind is TokenKind.FID
        and removed is not None
        and removed.token_hash == registration.token_hash
        and removed.reason in NOT_KNOWN
    )
