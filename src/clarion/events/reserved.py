"""Names of events that mean something of their own, in whatever spelling they come. Pure."""

import re
from functools import lru_cache

_NOT_LETTERS = re.compile(r"[\s_\-]+")


@lru_cache(maxsize=1_024)
def plain_name(name: str | None) -> str:
    """An event's name as reserved names are compared: any case, spaces or underscores (S19)."""
    return _NOT_LETTERS.sub(" ", name or "").strip().lower()


REGISTRATION_NAMES = frozenset({"register push"})
DELETION_NAMES = frozenset({"device deleted", "application uninstalled"})
MOVER_NAMES = frozenset(
    {
        "application opened",
        "application installed",
        "device created or updated",
        "registered for push",
        "device token retrieved",
    }
)
