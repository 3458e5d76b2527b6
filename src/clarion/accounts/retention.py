"""How long a workspace keeps what grows: days for each kind, or for ever. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from clarion.faults import Fault, Rejected, invalid

DAYS_MAX = 3_650


class Retained(StrEnum):
    """What is kept for a time."""

    EVENTS = "events"
    DELIVERIES = "deliveries"
    INGEST_LOG = "ingest_log"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Days to keep each kind, counted from when it came or, of a delivery, from the end of its
    launch; None: for ever."""

    events: int | None = 400
    deliveries: int | None = 400
    ingest_log: int | None = 30
    audit: int | None = 400

    def keeps_from(self, kind: Retained, now: datetime) -> datetime | None:
        """What is older than this is removed; None: nothing is."""
        days: int | None = getattr(self, kind.value)
        return None if days is None else now - timedelta(days=days)


def load(saved: Mapping[str, int | None] | None) -> Retention:
    """From its saved form, which names what somebody has chosen; None: nothing."""
    known = {field.name for field in fields(Retention)}
    return Retention(**{name: days for name, days in (saved or {}).items() if name in known})


def dump(retention: Retention) -> dict[str, int | None]:
    """Its saved form."""
    return asdict(retention)


def change(retention: Retention, wanted: Mapping[str, Any]) -> Retention | Rejected:
    """With other days for the kinds that `wanted` names."""
    known = [field.name for field in fields(Retention)]
    faults = [
        Fault(name, f"is unknown; use {', '.join(known)}") for name in wanted if name not in known
    ]
    faults += [
        Fault(name, f"must be whole days from 1 to {DAYS_MAX}, or null: for ever")
        for name, days in wanted.items()
        if name in known and not _is_fine(days)
    ]
    return invalid(*faults) if faults else replace(retention, **wanted)


def _is_fine(days: Any) -> bool:
    return days is None or (type(days) is int and 1 <= days <= DAYS_MAX)
