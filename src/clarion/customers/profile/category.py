"""The categories of campaigns that a customer can leave, and who says so. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clarion.clock import to_micros
from clarion.events.messages.push_preference import category_preference
from clarion.faults import Fault

CATEGORY = re.compile("[a-z0-9][a-z0-9_-]{0,63}")
PREFERENCES = "marketingPreferences"
"""The trait that says which are wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryChoice:
    """What was chosen by the API for a customer and a category."""

    category: str
    is_subscribed: bool
    at: datetime


def read_category(wire: Any, field: str = "category") -> str | Fault:
    """A category as campaigns and caps name it."""
    if isinstance(wire, str) and CATEGORY.fullmatch(wire):
        return wire
    return Fault(
        field, "must be a code of small letters, digits, - and _, at most 64, such as news"
    )


def has_left(
    category: str, preferences: Any, said_at_micros: int, choices: Iterable[CategoryChoice]
) -> bool:
    """Whether a customer wants no campaign of the category. `preferences`: the trait, told at
    `said_at_micros`. The last word counts; at one instant a no counts before a yes."""
    words = [
        (to_micros(choice.at), not choice.is_subscribed)
        for choice in choices
        if choice.category == category
    ]
    wanted = category_preference(preferences, category)
    if wanted is not None:
        words.append((said_at_micros, not wanted))
    return max(words)[1] if words else False


def named_categories(preferences: Any) -> set[str]:
    """Those that the trait says something of."""
    listed = preferences.get("categories") if isinstance(preferences, Mapping) else None
    names: Iterable[Any] = ()
    if isinstance(listed, Mapping):
        names = listed
    elif isinstance(listed, list):
        names = [said.get("category") for said in listed if isinstance(said, Mapping)]
    plain = (str(name).strip().lower() for name in names)
    return {name for name in plain if CATEGORY.fullmatch(name)}
