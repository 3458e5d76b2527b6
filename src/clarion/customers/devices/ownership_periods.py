"""Which devices a customer has and had, from when until when: read from their history. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID


class Line(Protocol):
    """A line of history, as far as it matters here."""

    @property
    def device_id(self) -> str: ...
    @property
    def customer_id(self) -> UUID | None: ...
    @property
    def previous_customer_id(self) -> UUID | None: ...
    @property
    def message_id(self) -> str | None: ...
    @property
    def at(self) -> datetime: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A time during which a device was a customer's. `until` None: it still is. `began_by` and
    `ended_by` are the messageIds of the events that gave and took it, if an event did."""

    device_id: str
    since: datetime
    until: datetime | None
    began_by: str | None
    ended_by: str | None
    next_customer_id: UUID | None


def holdings(lines: Iterable[Line], customer_id: UUID) -> list[Holding]:
    """The customer's holdings, the newest first. `lines`: their history, oldest first."""
    now: dict[str, Holding] = {}
    past: list[Holding] = []
    for line in lines:
        held = now.get(line.device_id)
        if line.customer_id == customer_id and held is None:
            now[line.device_id] = Holding(
                device_id=line.device_id,
                since=line.at,
                until=None,
                began_by=line.message_id,
                ended_by=None,
                next_customer_id=None,
            )
        elif held is not None and line.customer_id != customer_id:
            del now[line.device_id]
            past.append(
                replace(
                    held,
                    until=line.at,
                    ended_by=line.message_id,
                    next_customer_id=line.customer_id,
                )
            )
    return [*reversed(now.values()), *reversed(past)]
