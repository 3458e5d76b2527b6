"""Why something an app sent was rejected, and what could be read of it all the same. Pure."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from clarion.faults import Rejected
from clarion.text import is_storable

LABEL_CHARACTERS_MAX = 100
"""Of a name or a version that stands beside what was counted or refused."""
LABELS_KEPT = 1_024
"""So many are remembered: nearly all events are of the same few libraries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """What could be read of an event that was refused: enough to find who sends it."""

    type: str | None = None
    name: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    library: str | None = None
    library_version: str | None = None


NO_HINT = Hint()


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedEvent(Rejected):
    """Why an event, or a part of what it asks for, was not taken; for people to read. Travels in
    jobs of events."""

    message_id: str | None
    excerpt: str
    hint: Hint = NO_HINT


def library_of(context: Any) -> tuple[str | None, str | None]:
    """Which SDK made an event, and its version, as its context tells them."""
    library = context.get("library") if isinstance(context, dict) else None
    if not isinstance(library, dict):
        return None, None
    return label(library.get("name")), label(library.get("version"))


def label(value: Any) -> str | None:
    """A short text to tell alike things apart; None if `value` is no text that can be kept."""
    if type(value) is str and len(value) <= LABEL_CHARACTERS_MAX:
        return _short_label(value)
    return _label(value) if isinstance(value, str) else None


@lru_cache(maxsize=LABELS_KEPT)
def _short_label(value: str) -> str | None:
    return _label(value)


def _label(value: str) -> str | None:
    if not is_storable(value):
        return None
    return value.strip()[:LABEL_CHARACTERS_MAX] or None
