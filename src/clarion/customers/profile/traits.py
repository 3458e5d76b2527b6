"""What we know of a customer: traits and push preference, as a function of the set of identifies.
Pure.

Each trait is won by one identify (R10): an identified one before a provisional one, then the later,
then the greater messageId. A null wins like any value and removes the trait; its stamp stays, so
that an older identify arriving after it can not bring the trait back. Nested values are replaced
whole.

Push preference follows time alone, whoever said it: the last word counts, and at one instant "no"
counts before "yes".
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct, field

from clarion.clock import to_micros
from clarion.events.messages.push_preference import is_excluded, push_preference

EMAIL_CHARACTERS_MAX = 320
"""A longer one can not be an address (RFC 5321), and is not looked for."""

TRAITS_MAX = 1_000
"""Names in one profile, those of removed traits included: no more are taken."""
PROFILE_BYTES_MAX = 256 * 1024
"""Of all traits, as JSON: one that would make them more is not taken."""

FIRST_WORDS = frozenset({"campaign"})
"""Traits whose first word stays, whoever said it: how somebody came does not change."""

TraitStamp = tuple[int, int, str]
"""(rank, µs, messageId): greater wins."""
PushStamp = tuple[int, bool, str]
"""(µs, opted out, messageId): greater wins."""


class TraitUpdate(Struct, frozen=True, kw_only=True, gc=False):
    """What one identify says."""

    traits: Mapping[str, Any]
    is_identified: bool
    """It carried a real user id, not a device's."""
    at: datetime
    message_id: str


class Profile(Struct, frozen=True, kw_only=True, gc=False):
    """A customer's traits with what won them. Never changed in place."""

    traits: Mapping[str, Any] = field(default_factory=dict)
    stamps: Mapping[str, TraitStamp] = field(default_factory=dict)
    push: PushStamp | None = None
    left_out: frozenset[str] = frozenset()
    """The messageIds of what was taught now and found no room. Not kept."""

    @property
    def push_opted_out(self) -> bool:
        """True if no push may be sent: the last word on push was no, or an exclusion holds."""
        if self.push is not None and self.push[1]:
            return True
        return is_excluded(self.traits)

    @property
    def email(self) -> str | None:
        """The trait `email` as it is looked for; None where it can not be an address."""
        return searchable_email(self.traits.get("email"))

    def apply_identify(self, lessons: Iterable[TraitUpdate]) -> "Profile":
        """The profile with `lessons` added; their order and repetition do not matter."""
        traits = dict(self.traits)
        stamps = dict(self.stamps)
        push = self.push
        size = len(_json(traits))
        left_out: set[str] = set()
        for lesson in lessons:
            at = to_micros(lesson.at)
            stamp: TraitStamp = (int(lesson.is_identified), at, lesson.message_id)
            for name, value in lesson.traits.items():
                if not _counts(name, stamp, stamps.get(name)):
                    continue
                if value is None and name in FIRST_WORDS:
                    continue
                grown = size + weight(name, value) - weight(name, traits.get(name))
                if (name not in stamps and len(stamps) >= TRAITS_MAX) or (
                    grown > PROFILE_BYTES_MAX and grown > size
                ):
                    left_out.add(lesson.message_id)
                    continue
                size = grown
                stamps[name] = stamp
                if value is None:
                    traits.pop(name, None)
                else:
                    traits[name] = value
            wanted = push_preference(lesson.traits)
            if wanted is not None:
                said: PushStamp = (at, not wanted, lesson.message_id)
                push = said if push is None else max(push, said)
        return Profile(traits=traits, stamps=stamps, push=push, left_out=frozenset(left_out))

    def merged(self, other: "Profile") -> "Profile":
        """What both know, as if one had been taught all of it."""
        traits = dict(self.traits)
        stamps = dict(self.stamps)
        size = len(_json(traits))
        for name, stamp in other.stamps.items():
            if not _counts(name, stamp, stamps.get(name)):
                continue
            size += weight(name, other.traits.get(name)) - weight(name, traits.get(name))
            if name not in stamps and (len(stamps) >= TRAITS_MAX or size > PROFILE_BYTES_MAX):
                continue
            stamps[name] = stamp
            if name in other.traits:
                traits[name] = other.traits[name]
            else:
                traits.pop(name, None)
        said = [push for push in (self.push, other.push) if push is not None]
        return Profile(traits=traits, stamps=stamps, push=max(said, default=None))


_json = msgspec.json.Encoder().encode


def weight(name: str, value: Any) -> int:
    """What a trait adds to the bytes of a profile."""
    return 0 if value is None else len(_json(name)) + len(_json(value)) + 2


def _counts(name: str, stamp: TraitStamp, known: TraitStamp | None) -> bool:
    """Whether what was said at `stamp` counts before what is known."""
    if known is None:
        return True
    return stamp[1:] < known[1:] if name in FIRST_WORDS else stamp > known


def searchable_email(value: Any) -> str | None:
    """An address as customers are found by it: in small letters, without spaces around it."""
    if not isinstance(value, str):
        return None
    email = value.strip().lower()
    return email if 0 < len(email) <= EMAIL_CHARACTERS_MAX else None
