"""One person as their rows know them: every id that is theirs alone. Pure.

A device or a browser that somebody else has signed in on is shared: it stays, without this person.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec

from clarion.events.messages.identifiers import usable_id

TELLING_CHARACTERS_MIN = 4
"""A shorter text is not looked for within others: it says nothing, and is in everything."""
TOLD_CHARACTERS = 32
"""Of a long text, such as a token, the beginning is enough."""
TELLING_NUMBER_MIN = 100_000
"""A smaller number, such as an age, is anybody's; a telephone number is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """`subject`: the user id, or the key of one who never signed in. `users`: the user ids that
    count as theirs. `ids`: those, and the keys that are nobody else's. `shared`: keys that somebody
    else came with, too. `words`: what else would tell of them, such as an address."""

    subject: str
    users: frozenset[str]
    customer_ids: frozenset[UUID]
    ids: frozenset[str]
    shared: frozenset[str]
    words: frozenset[str] = field(repr=False)


class PiiMatcher:
    """What in a text would tell of a person: their ids, whole, and the words that are theirs."""

    def __init__(self, person: Person) -> None:
        # Whoever begins as a word does for so long is taken for it: texts may break off anywhere.
        self._words = {id_.lower()[:TOLD_CHARACTERS] for id_ in person.words}
        self._beginnings = {
            word[:size]
            for word in self._words
            for size in range(TELLING_CHARACTERS_MIN, len(word) + 1)
        }
        self._sizes = sorted({len(id_) for id_ in self._beginnings})
        short = sorted(re.escape(id_.lower()) for id_ in person.ids if not is_telling(id_))
        self._short = re.compile(rf"(?<![\w-])(?:{'|'.join(short)})(?![\w-])") if short else None

    def are_in(self, text: str) -> bool:
        """Whether `text` holds one of them, or breaks off within one."""
        text = text.lower()
        if any(text[-size:] in self._beginnings for size in self._sizes if size <= len(text)):
            return True
        if self._short is not None and self._short.search(text):
            return True
        return any(word in text for word in self._words)


def ids_of_body(body: str) -> set[str]:
    """Every id in a stored event, those that have no column of their own included."""
    wire = msgspec.json.decode(body)
    values = [wire.get(name) for name in ("userId", "anonymousId", "previousId")]
    properties, context = wire.get("properties"), wire.get("context")
    if isinstance(properties, Mapping):
        values += [properties.get("deviceId"), properties.get("device_id")]
    device = context.get("device") if isinstance(context, Mapping) else None
    if isinstance(device, Mapping):
        values.append(device.get("id"))
    return {id_ for value in values if (id_ := usable_id(value)) is not None}


def telling_words(values: Iterable[Any]) -> set[str]:
    """Every text and number in traits that is long enough to tell somebody by."""
    words: set[str] = set()
    for value in values:
        if isinstance(value, str):
            if is_telling(value):
                words.add(value)
        elif isinstance(value, Mapping):
            words |= telling_words(value.values())
        elif isinstance(value, list):
            words |= telling_words(value)
        elif isinstance(value, int) and abs(value) >= TELLING_NUMBER_MIN:
            words.add(str(value))
    return words


def words_of_body(body: str) -> set[str]:
    """What the traits in a stored event tell."""
    wire = msgspec.json.decode(body)
    context = wire.get("context")
    traits = context.get("traits") if isinstance(context, Mapping) else None
    return telling_words([wire.get("traits"), traits])


def is_telling(text: str) -> bool:
    return len(text) >= TELLING_CHARACTERS_MIN
