"""One person as their rows know them: every id that is theirs alone. Pure.

A device or a browser that somebody else has signed in on is shared: it stays, without this person.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec

from clarion.events.ids import usable_id

TELLING_CHARACTERS_MIN = 4
"""A shorter text is not looked for: it says nothing, and is in everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """`subject`: the user id, or the key of one who never signed in. `ids`: it, and the keys that
    are nobody else's. `words`: what else would tell of them, such as an address."""

    subject: str
    customer_ids: frozenset[UUID]
    ids: frozenset[str]
    shared: frozenset[str]
    words: frozenset[str] = field(repr=False)


def ids_of_body(body: str) -> set[str]:
    """Every id in a stored event, those that have no column of their own included."""
    wire = msgspec.json.decode(body)
    found = [wire.get(name) for name in ("userId", "anonymousId", "previousId")]
    properties, context = wire.get("properties"), wire.get("context")
    if isinstance(properties, Mapping):
        found += [properties.get("deviceId"), properties.get("device_id")]
    device = context.get("device") if isinstance(context, Mapping) else None
    if isinstance(device, Mapping):
        found.append(device.get("id"))
    return {one for value in found if (one := usable_id(value)) is not None}


def telling_words(values: Iterable[Any]) -> set[str]:
    """Every text in traits that is long enough to tell somebody by."""
    found: set[str] = set()
    for value in values:
        if isinstance(value, str):
            found.add(value)
        elif isinstance(value, Mapping):
            found |= telling_words(value.values())
        elif isinstance(value, list):
            found |= telling_words(value)
    return {one for one in found if len(one) >= TELLING_CHARACTERS_MIN}


def tells_of(text: str, words: Iterable[str]) -> bool:
    """Whether `text` holds one of `words`, or breaks off within one."""
    text = text.lower()
    for word in words:
        word = word.lower()
        if word in text:
            return True
        longest = min(len(word), len(text))
        if any(text.endswith(word[:size]) for size in range(TELLING_CHARACTERS_MIN, longest + 1)):
            return True
    return False
