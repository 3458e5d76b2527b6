"""What one event says of the identifiers in it: flags, claims, and which of them decides whose the
event is (R2, R3, R5). Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from clarion.customers.identity.claims.claim import Claim, ClaimKind
from clarion.customers.identity.identifier import NO_FLAGS, Flags
from clarion.events.messages.proof import Proof
from clarion.events.messages.reserved import (
    DELETION_NAMES,
    MOVER_NAMES,
    REGISTRATION_NAMES,
    plain_name,
)

_DAY = timedelta(days=1)
_OWN_DEVICE = Flags(is_device=True)
_NAMED_DEVICE = Flags(is_named=True)
_PROVEN_USER = Flags(is_user=True, is_guarded=True)
_USERS = {
    (is_known, is_guarded): Flags(is_user=True, is_known=is_known, is_guarded=is_guarded)
    for is_known in (False, True)
    for is_guarded in (False, True)
}
CONTACTABLE_TRAITS = ("email", "phone")
"""An identify with one of these proves that a userId is a person, not a device (R2)."""


class Sighting(Protocol):
    """The part of an event that identity looks at: ids, normalised (R0), and when it happened."""

    @property
    def message_id(self) -> str: ...
    @property
    def claimed_at(self) -> datetime: ...
    @property
    def at(self) -> datetime: ...
    @property
    def clock_ahead(self) -> int | None: ...
    @property
    def type(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def user_id(self) -> str | None: ...
    @property
    def anonymous_id(self) -> str | None: ...
    @property
    def device_id(self) -> str | None: ...
    @property
    def context_device_id(self) -> str | None: ...
    @property
    def previous_id(self) -> str | None: ...
    @property
    def traits(self) -> Mapping[str, Any]: ...
    @property
    def proof(self) -> Proof | None: ...


def sighted_flags(sighting: Sighting) -> dict[str, Flags]:
    """What one event says of the identifiers in it (R2)."""
    flags_by_key: dict[str, Flags] = {}
    is_asked = sighting.proof is not None
    user_id, device_id = sighting.user_id, sighting.device_id
    for key in (sighting.anonymous_id, sighting.previous_id):
        if key is not None:
            flags_by_key[key] = NO_FLAGS
    for key in (device_id, sighting.context_device_id):
        if key is None:
            continue
        flags = NO_FLAGS
        if not is_asked:
            if key == user_id:
                flags = _OWN_DEVICE
            elif user_id is not None and _registers(sighting):
                flags = _NAMED_DEVICE
        before = flags_by_key.get(key)
        flags_by_key[key] = flags if before is None else before.merged(flags)
    if user_id is None:
        return flags_by_key
    if is_asked:
        flags = _PROVEN_USER if sighting.proof is Proof.PROVEN else NO_FLAGS
    else:
        is_known = sighting.type == "identify" and bool(sighting.traits)
        is_guarded = (device_id is not None and device_id != user_id) or (
            is_known and any(sighting.traits.get(name) for name in CONTACTABLE_TRAITS)
        )
        flags = _USERS[is_known, is_guarded]
    before = flags_by_key.get(user_id)
    flags_by_key[user_id] = flags if before is None else before.merged(flags)
    return flags_by_key


def claims_of(sighting: Sighting, sender: int = 0) -> list[Claim]:
    """The claims one event makes (R3); `sender` tells the clocks of sources apart. A deletion
    claims nothing: it may come after the next owner's registration, and must not take the device
    back."""
    user_id = sighting.user_id
    name = plain_name(sighting.name) if sighting.type == "track" else ""
    if sighting.proof is Proof.DEVICE:
        return _signs_out(sighting, sender) if name in REGISTRATION_NAMES else []
    if user_id is None or sighting.proof is Proof.UNPROVEN:
        return []
    if name in DELETION_NAMES:
        key = sighting.device_id or sighting.context_device_id
        return [] if key is None else _claims(sighting, sender, user_id, {key: ClaimKind.DELETION})
    kinds: dict[str, ClaimKind] = {}
    moves = sighting.type == "identify" or name in MOVER_NAMES
    ordinary = ClaimKind.MOVER if moves else ClaimKind.PLAIN
    if sighting.type == "alias" and sighting.previous_id is not None:
        kinds[sighting.previous_id] = ClaimKind.ALIAS
    for key in (sighting.context_device_id, sighting.anonymous_id):
        if key is not None:
            kinds[key] = ordinary
    if sighting.device_id is not None:
        is_registration = name in REGISTRATION_NAMES
        kinds[sighting.device_id] = ClaimKind.REGISTRATION if is_registration else ordinary
    return _claims(sighting, sender, user_id, kinds)


def owner_key(sighting: Sighting) -> str | None:
    """The one id that decides the event's owner, for good: a real user id is its customer's, of any
    other one its timeline says whose it was (R5). None: nobody is named.

    A user id that stands beside another device id is real, or not proven to be (R2): then the event
    is its person's as soon as it is. So the device decides only where there is no user id.
    """
    return (
        sighting.user_id
        or sighting.device_id
        or sighting.anonymous_id
        or sighting.context_device_id
    )


def companions_of(sighting: Sighting) -> set[tuple[str, str]]:
    """(id, key): the other ids in an event, with the key that decides whose it is."""
    key = owner_key(sighting)
    if key is None:
        return set()
    others = (
        sighting.anonymous_id,
        sighting.previous_id,
        sighting.device_id,
        sighting.context_device_id,
    )
    return {(other, key) for other in others if other is not None and other != key}


def _registers(sighting: Sighting) -> bool:
    return sighting.type == "track" and plain_name(sighting.name) in REGISTRATION_NAMES


def _signs_out(sighting: Sighting, sender: int) -> list[Claim]:
    device_id = sighting.device_id
    assert device_id is not None, "such an event names its own device"
    return _claims(sighting, sender, device_id, {device_id: ClaimKind.SIGN_OUT})


def _claims(
    sighting: Sighting, sender: int, user_id: str, kinds: Mapping[str, ClaimKind]
) -> list[Claim]:
    at, ahead = sighting.claimed_at, sighting.clock_ahead
    # What was proven is known no more when the event is read again, and an event is looked for by
    # the server's time.
    is_told_again = sighting.proof is None and -_DAY < sighting.at - at < _DAY
    return [
        Claim(
            key=key,
            at=at,
            message_id=sighting.message_id,
            user_id=user_id,
            kind=kind,
            sender=sender,
            ahead=ahead,
            is_told_again=is_told_again,
        )
        for key, kind in kinds.items()
    ]
