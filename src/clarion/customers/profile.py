"""What we know of a customer: traits and push preference, as a function of the set of identifies.

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

from msgspec import Struct, field

from clarion.clock import to_micros

EMAIL_CHARACTERS_MAX = 320
"""A longer one can not be an address (RFC 5321), and is not looked for."""

FIRST_WORDS = frozenset({"campaign"})
"""Traits whose first word stays, whoever said it: how somebody came does not change."""

TraitStamp = tuple[int, int, str]
"""(rank, µs, messageId): greater wins."""
PushStamp = tuple[int, bool, str]
"""(µs, opted out, messageId): greater wins."""


class Lesson(Struct, frozen=True, kw_only=True, gc=False):
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

    @property
    def push_opted_out(self) -> bool:
        """True if no push may be sent: the last word on push was no, or an exclusion holds."""
        if self.push is not None and self.push[1]:
            return True
        exclusions = self.traits.get("exclusions")
        if not isinstance(exclusions, Mapping):
            return False
        return any(value is not False and value is not None for value in exclusions.values())

    @property
    def email(self) -> str | None:
        """The trait `email` as it is looked for; None where it can not be an address."""
        return searchable_email(self.traits.get("email"))

    def taught(self, lessons: Iterable[Lesson]) -> "Profile":
        """The profile with `lessons` added; their order and repetition do not matter."""
        traits = dict(self.traits)
        stamps = dict(self.stamps)
        push = self.push
        for lesson in lessons:
            at = to_micros(lesson.at)
            stamp: TraitStamp = (int(lesson.is_identified), at, lesson.message_id)
            for name, value in lesson.traits.items():
                if not _counts(name, stamp, stamps.get(name)):
                    continue
                if value is None and name in FIRST_WORDS:
                    continue
                stamps[name] = stamp
                if value is None:
                    traits.pop(name, None)
                else:
                    traits[name] = value
            wanted = push_preference(lesson.traits)
            if wanted is not None:
                said: PushStamp = (at, not wanted, lesson.message_id)
                push = said if push is None else max(push, said)
        return Profile(traits=traits, stamps=stamps, push=push)

    def merged(self, other: "Profile") -> "Profile":
        """What both know, as if one had been taught all of it."""
        traits = dict(self.traits)
        stamps = dict(self.stamps)
        for name, stamp in other.stamps.items():
            if not _counts(name, stamp, stamps.get(name)):
                continue
            stamps[name] = stamp
            if name in other.traits:
                traits[name] = other.traits[name]
            else:
                traits.pop(name, None)
        said = [push for push in (self.push, other.push) if push is not None]
        return Profile(traits=traits, stamps=stamps, push=max(said, default=None))


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


def push_preference(traits: Mapping[str, Any]) -> bool | None:
    """Whether an identify asks for push (True), declines it (False) or does not say (None).

    Reads `marketingPreferences.channels[]` with `channel` "push"; several: any "no" counts.
    """
    preferences = traits.get("marketingPreferences")
    channels = preferences.get("channels") if isinstance(preferences, Mapping) else None
    if not isinstance(channels, list):
        return None
    said = [
        channel["subscribed"]
        for channel in channels
        if isinstance(channel, Mapping)
        and str(channel.get("channel", "")).lower() == "push"
        and isinstance(channel.get("subscribed"), bool)
    ]
    return all(said) if said else None
