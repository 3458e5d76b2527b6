"""Frequency caps: how many pushes one customer gets at most in so many hours or days. Pure.

A push counts once for a customer, however many devices it goes to. Hours and days are counted back
from now: three in a day are three in any 24 hours.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from clarion.customers.profile.category import read_category
from clarion.faults import Fault

CAPS_MAX = 10
PUSHES_MAX = 1_000
HOURS_MAX = 720
DAYS_MAX = 30
_FIELDS = ("pushes", "hours", "days", "category")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most `pushes` in `hours` or `days`, one of which is given. With a `category` it counts and
    stops pushes of that category alone."""

    pushes: int
    hours: int | None = None
    days: int | None = None
    category: str | None = None

    @property
    def period(self) -> timedelta:
        return timedelta(hours=self.hours or 0, days=self.days or 0)


def caps_on(
    caps: Iterable[Cap], *, category: str | None, is_transactional: bool
) -> tuple[Cap, ...]:
    """Those that hold for a campaign of this category."""
    if is_transactional:
        return ()
    return tuple(cap for cap in caps if cap.category in (None, category))


def parse_caps(wire: Any, faults: list[Fault]) -> tuple[Cap, ...]:
    """The caps in a list; what is wrong with them goes to `faults`."""
    if not isinstance(wire, list) or len(wire) > CAPS_MAX:
        faults.append(Fault("caps", f"must be a list of at most {CAPS_MAX} caps"))
        return ()
    caps = [_parse_cap(cap, f"caps[{place}]", faults) for place, cap in enumerate(wire)]
    return tuple(cap for cap in caps if cap is not None)


def dump_cap(cap: Cap) -> dict[str, Any]:
    """As it is written."""
    given = {name: getattr(cap, name) for name in _FIELDS}
    return {name: value for name, value in given.items() if value is not None}


def _parse_cap(wire: Any, field: str, faults: list[Fault]) -> Cap | None:
    if not isinstance(wire, Mapping):
        faults.append(Fault(field, 'must be an object such as {"pushes": 3, "days": 1}'))
        return None
    wrong = [
        Fault(f"{field}.{name}", f"is unknown; use {', '.join(_FIELDS)}")
        for name in wire
        if name not in _FIELDS
    ]
    given = {name: value for name, value in wire.items() if value is not None}
    if not _is_within(given.get("pushes"), PUSHES_MAX):
        wrong.append(Fault(f"{field}.pushes", f"must be a whole number from 1 to {PUSHES_MAX}"))
    if ("hours" in given) == ("days" in given):
        wrong.append(Fault(field, "must have either hours or days"))
    for name, most in (("hours", HOURS_MAX), ("days", DAYS_MAX)):
        if name in given and not _is_within(given[name], most):
            wrong.append(Fault(f"{field}.{name}", f"must be whole {name} from 1 to {most}"))
    if "category" in given:
        category = read_category(given["category"], f"{field}.category")
        wrong += [category] if isinstance(category, Fault) else []
    faults += wrong
    return None if wrong else Cap(**given)


def _is_within(value: Any, most: int) -> bool:
    return type(value) is int and 1 <= value <= most
