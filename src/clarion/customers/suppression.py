"""Whose events are dropped: people who asked not to be followed, or to be forgotten. Pure.

Of an erased person nothing may be left, not even the id by which a late event of theirs would be
known. So what is kept are hashes of their ids, keyed with the workspace's own salt: enough to
recognise an id that comes again, useless to learn it from.

An event that names a person is theirs: it is dropped if that person's id is listed. One that names
nobody, only a browser or a device, is dropped if any of those is listed. Where somebody else signs
in on a listed device, it is theirs from then on, and is taken off the list.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

from clarion.customers.identity.claims.extract import Sighting
from clarion.ingest_log.rejection import RejectedEvent

HASH_BYTES = 32

PERSON_SUPPRESSED = RejectedEvent(
    message_id=None,
    code="person_suppressed",
    message="The event is of a person who was suppressed or erased, or of their device: it was "
    "dropped, and nothing of it is kept.",
    excerpt="",
)
"""What is told of such an event: not whose it was."""


class SuppressionKind(StrEnum):
    SUPPRESSED = "suppressed"
    """Nothing more is collected and nothing sent; what is known is kept."""
    ERASED = "erased"
    """Nothing is known, and nothing will be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of an event, and which listed ids belong to somebody else now."""

    is_dropped: bool
    released: frozenset[str] = frozenset()


def id_hash(salt: bytes, id_: str) -> str:
    """How a listed id is kept."""
    return blake2b(id_.encode(), key=salt, digest_size=HASH_BYTES).hexdigest()


def ids_in(sighting: Sighting) -> set[str]:
    """Every id an event carries."""
    return {
        key
        for key in (
            sighting.user_id,
            sighting.anonymous_id,
            sighting.previous_id,
            sighting.device_id,
            sighting.context_device_id,
        )
        if key is not None
    }


def judge(sighting: Sighting, listed: AbstractSet[str]) -> Verdict:
    """Whether an event is dropped, where `listed` are the listed ones of `ids_in`."""
    listed_ids = ids_in(sighting) & listed
    if not listed_ids:
        return Verdict(is_dropped=False)
    person = sighting.user_id
    if person in (None, sighting.device_id, sighting.context_device_id):
        return Verdict(is_dropped=True)
    if person in listed_ids or sighting.previous_id in listed_ids:
        return Verdict(is_dropped=True)
    return Verdict(is_dropped=False, released=frozenset(listed_ids))
