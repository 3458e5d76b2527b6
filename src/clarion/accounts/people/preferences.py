"""How a person reads: their zone, locale and colours. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clarion.faults import Fault, Rejected, invalid
from clarion.time_zone import read_zone

THEMES = ("system", "light", "dark")
_LOCALE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8}){0,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What a person has chosen; None: nothing yet."""

    time_zone: str | None = None
    locale: str | None = None
    """A language and a country, as de_DE."""
    theme: str | None = None
    """One of `THEMES`."""
    single_keys: bool | None = None
    """Whether single keys do something on pages."""


NOT_CHOSEN = Preferences()


def read_preferences(wanted: Mapping[str, Any]) -> Preferences | Rejected:
    """Those in `wanted`, or everything that is wrong with them."""
    faults: list[Fault] = []
    zone = read_zone(str(wanted.get("time_zone")), "time_zone")
    if isinstance(zone, Fault):
        faults.append(zone)
    locale, theme = wanted.get("locale"), wanted.get("theme")
    if not isinstance(locale, str) or not _LOCALE.fullmatch(locale):
        faults.append(Fault("locale", "must be a language and a country, as de_DE"))
    if theme not in THEMES:
        faults.append(Fault("theme", f"must be one of {', '.join(THEMES)}"))
    if faults:
        return invalid(*faults)
    return Preferences(
        time_zone=str(wanted["time_zone"]),
        locale=locale,
        theme=theme,
        single_keys=wanted.get("single_keys") is True,
    )
