"""Erasures that are under way: whom they remove, and how far they are.

Such a row knows what is to be forgotten, so it is the last thing of a person that is removed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.identity.person import Person
from clarion.storage.bulk import upsert
from clarion.storage.schema import erasures


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """`met`: ids that stood in the person's events; `devices`: the ids of those they ever had.
    `events`, `deliveries`, `refusals`: how many were removed, or made nobody's, so far."""

    id: UUID
    workspace_id: UUID
    person: Person = field(repr=False)
    met: frozenset[str] = field(default=frozenset(), repr=False)
    devices: frozenset[str] = field(default=frozenset(), repr=False)
    made_by: str
    begun_at: datetime
    touched_at: datetime
    events: int = 0
    deliveries: int = 0
    refusals: int = 0

    def is_of(self, name: str) -> bool:
        """Whether `name` names whom it removes."""
        person = self.person
        return name in {person.subject, *person.users, *map(str, person.customer_ids)}

    def joined(self, person: Person) -> "Erasure":
        """With what is known of the person now; what was theirs before is not forgotten."""
        return replace(
            self,
            person=replace(
                person,
                users=person.users | self.person.users,
                customer_ids=person.customer_ids | self.person.customer_ids,
                words=person.words | self.person.words,
            ),
        )


async def keep_erasure(connection: AsyncConnection, erasure: Erasure) -> None:
    """Write it, whether it was there or not."""
    person = erasure.person
    row = {name: getattr(erasure, name) for name in _PLAIN}
    row["person"] = {
        "subject": person.subject,
        **{name: sorted(getattr(person, name)) for name in _OF_PERSON},
        "customer_ids": sorted(map(str, person.customer_ids)),
        "met": sorted(erasure.met),
        "devices": sorted(erasure.devices),
    }
    await upsert(connection, erasures, [row], key=("id",))


async def unfinished(
    connection: AsyncConnection, *, workspace_id: UUID | None = None
) -> list[Erasure]:
    """Every erasure that is under way."""
    statement = select(erasures).order_by(erasures.c.id)
    if workspace_id is not None:
        statement = statement.where(erasures.c.workspace_id == workspace_id)
    return [_erasure(row, row.person) for row in await connection.execute(statement)]


async def forget_erasure(connection: AsyncConnection, erasure_id: UUID) -> None:
    await connection.execute(delete(erasures).where(erasures.c.id == erasure_id))


_PLAIN = (
    "id",
    "workspace_id",
    "made_by",
    "begun_at",
    "touched_at",
    "events",
    "deliveries",
    "refusals",
)
_OF_PERSON = ("users", "ids", "shared", "words")


def _erasure(row: Any, told: Mapping[str, Any]) -> Erasure:
    return Erasure(
        person=Person(
            subject=told["subject"],
            customer_ids=frozenset(map(UUID, told["customer_ids"])),
            **{name: frozenset(told[name]) for name in _OF_PERSON},
        ),
        met=frozenset(told["met"]),
        devices=frozenset(told["devices"]),
        **{name: getattr(row, name) for name in _PLAIN},
    )
