"""Erasures that are under way: whom they remove, and how far they are.

Such a row knows what is to be forgotten, so it is the last thing of a person that is removed.

Whoever works on one has claimed it, which counts its `attempt` up. That is a fence, as a chunk's
is: everything that is done for an erasure is done in transactions that look whether the attempt is
still theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.identity.person import Person
from clarion.storage.bulk import insert_new
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
    attempt: int = 0
    """Whose it is: that of whoever has claimed it last."""

    def is_of(self, name: str) -> bool:
        """Whether `name` names whom it removes."""
        person = self.person
        return name in {person.subject, *person.users, *map(str, person.customer_ids)}

    def joined(self, person: Person) -> "Erasure":
        """Adds what is known of the person now to what was known before."""
        return replace(
            self,
            person=replace(
                person,
                users=person.users | self.person.users,
                customer_ids=person.customer_ids | self.person.customer_ids,
                words=person.words | self.person.words,
            ),
        )


async def add_erasure(connection: AsyncConnection, erasure: Erasure) -> None:
    """Adds an erasure, claimed by the process that adds it."""
    await insert_new(connection, erasures, [_row(erasure)])


async def claim_erasure(
    connection: AsyncConnection, erasure: Erasure, now: datetime
) -> Erasure | None:
    """Claim it as it is by now; None: it is finished, or somebody has claimed it since it was
    read. Whoever had it before changes nothing any more."""
    rows = await connection.execute(
        update(erasures)
        .where(*_ours(erasure))
        .values(attempt=erasures.c.attempt + 1, touched_at=now)
        .returning(erasures)
    )
    row = rows.one_or_none()
    return None if row is None else _erasure(row, row.person)


async def touch_erasure(connection: AsyncConnection, erasure: Erasure, now: datetime) -> bool:
    """Say that it goes on; False: it is not ours any more. Nobody claims it before this transaction
    ends."""
    rows = await connection.execute(
        update(erasures).where(*_ours(erasure)).values(touched_at=now).returning(erasures.c.id)
    )
    return rows.one_or_none() is not None


async def keep_erasure(connection: AsyncConnection, erasure: Erasure) -> None:
    """Write what is known of it by now. After `touch_erasure`, in the same transaction."""
    row = _row(erasure)
    values = {name: row[name] for name in row if name not in ("id", "workspace_id", "attempt")}
    await connection.execute(update(erasures).where(*_ours(erasure)).values(values))


async def get_erasure(connection: AsyncConnection, erasure_id: UUID) -> Erasure | None:
    """None: it is finished."""
    rows = await connection.execute(select(erasures).where(erasures.c.id == erasure_id))
    row = rows.one_or_none()
    return None if row is None else _erasure(row, row.person)


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
    "attempt",
)
_OF_PERSON = ("users", "ids", "shared", "words")


def _ours(erasure: Erasure) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return erasures.c.id == erasure.id, erasures.c.attempt == erasure.attempt


def _row(erasure: Erasure) -> dict[str, Any]:
    person = erasure.person
    row = {name: getattr(erasure, name) for name in _PLAIN}
    row["person"] = {
        "subject": person.subject,
        **{name: sorted(getattr(person, name)) for name in _OF_PERSON},
        "customer_ids": sorted(map(str, person.customer_ids)),
        "met": sorted(erasure.met),
        "devices": sorted(erasure.devices),
    }
    return row


def _erasure(row: Any, details: Mapping[str, Any]) -> Erasure:
    return Erasure(
        person=Person(
            subject=details["subject"],
            customer_ids=frozenset(map(UUID, details["customer_ids"])),
            **{name: frozenset(details[name]) for name in _OF_PERSON},
        ),
        met=frozenset(details["met"]),
        devices=frozenset(details["devices"]),
        **{name: getattr(row, name) for name in _PLAIN},
    )
