"""Types of events, and names that mean something of their own, in whatever spelling they come.
Pure."""

import re
from functools import lru_cache

_NOT_LETTERS = re.compile(r"[\s_\-]+")


@lru_cache(maxsize=1_024)
def plain_name(name: str | None) -> str:
    """An event's name as reserved names are compared: any case, spaces or underscores (S19)."""
    return _NOT_LETTERS.sub(" ", name or "").strip().lower()


EVENT_TYPES = frozenset({"track", "identify", "page", "screen", "group", "alias"})
REGISTRATION_NAMES = frozenset({"register push"})
DELETION_NAMES = frozenset({"device deleted", "application uninstalled"})
TOKEN_NAMES = frozenset(
    {
        "device created or updated",
        "registered for push",
        "device token retrieved",
    }
)
"""What SDKs track when they have a token for this device: they register it."""
OPENING_NAMES = frozenset({"application opened", "application installed"})
"""They register the token they carry along, where somebody is signed in."""
SUBSCRIBING_NAMES = frozenset({"push subscription change", "push subscription declined"})
"""Twilio Engage's: `context.messaging_subscriptions` says whether pushes are wanted."""
ASKING_NAMES = REGISTRATION_NAMES | TOKEN_NAMES | SUBSCRIBING_NAMES
"""Tracks whose registration may be refused; what is carried along in others is taken or left."""
MOVER_NAMES = TOKEN_NAMES | OPENING_NAMES | {"push subscription change"}
PUSH_NAMES = REGISTRATION_NAMES | DELETION_NAMES | TOKEN_NAMES | OPENING_NAMES | SUBSCRIBING_NAMES
"""All that may make, refresh, move or end a registration."""
OPENED_NAMES = frozenset({"push notification tapped", "push opened"})
RECEIPT_NAMES = OPENED_NAMES | {"push notification received"}

SLIPS_MAX = 2
"""So many letters may be wrong, missing or too many in a name that was meant to be another."""
_ALL = PUSH_NAMES | RECEIPT_NAMES


@lru_cache(maxsize=1_024)
def meant_name(name: str) -> str | None:
    """The reserved name that a name all but is (`RegisterPush`, `registr push`); None where it is
    one, or is like none. To be asked about few names: it costs far more than comparing them."""
    plain = plain_name(name)
    if plain in _ALL:
        return None
    letters = plain.replace(" ", "")
    for reserved in sorted(_ALL):
        wanted = reserved.replace(" ", "")
        near = abs(len(letters) - len(wanted)) <= SLIPS_MAX
        if near and _slips(letters, wanted) <= SLIPS_MAX:
            return reserved.title()
    return None


def _slips(letters: str, other: str) -> int:
    """How many letters have to be put in, left out or changed to make one of the other."""
    row = list(range(len(other) + 1))
    for count, letter in enumerate(letters, 1):
        diagonal, row[0] = row[0], count
        for index, wanted in enumerate(other, 1):
            diagonal, row[index] = (
                row[index],
                min(row[index] + 1, row[index - 1] + 1, diagonal + (letter != wanted)),
            )
    return row[-1]
