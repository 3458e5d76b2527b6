"""Rows of the list of people whose events are dropped."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.identity.batch import Arrival
from clarion.customers.identity.person import Person
from clarion.customers.suppression import SuppressionKind, id_hash, ids_in, judge
from clarion.ingest_log.rejection import Refusal
from clarion.storage.bulk import upsert
from clarion.storage.schema import customers, identifiers, suppressions, workspaces

log = structlog.get_logger(__name__)


async def let_through(
    connection: AsyncConnection,
    workspace_id: UUID,
    arrivals: Sequence[Arrival],
    known: Collection[str],
    salt: bytes,
) -> tuple[Sequence[Arrival], Sequence[Arrival]]:
    """(The events that are nobody's who is listed, those that are dropped.)

    Asked, and `salt` read, after the events' identifiers are locked: an erasure holds the same
    locks, so it is either seen here or sees what we store. `known`: those of the identifiers that
    were there before.
    """
    hashes = {key: id_hash(salt, key) for one in arrivals for key in ids_in(one.event)}
    rows = await connection.execute(
        select(suppressions.c.hash).where(
            suppressions.c.workspace_id == workspace_id,
            suppressions.c.hash.in_(sorted(hashes.values())),
        )
    )
    found = set(rows.scalars())
    if not found:
        return arrivals, []
    listed = {key for key, hashed in hashes.items() if hashed in found}
    verdicts = [(one, judge(one.event, listed)) for one in arrivals]
    released = {key for _, verdict in verdicts for key in verdict.released}
    if released:
        await connection.execute(
            delete(suppressions).where(
                suppressions.c.workspace_id == workspace_id,
                suppressions.c.hash.in_([hashes[key] for key in released]),
            )
        )
    kept = [one for one, verdict in verdicts if not verdict.is_dropped]
    dropped = [one for one, verdict in verdicts if verdict.is_dropped]
    if dropped:
        needed = {key for one in kept for key in ids_in(one.event)}
        await _unlock_strangers(connection, workspace_id, hashes.keys() - needed - set(known))
        log.info("suppressed_events_dropped", count=len(dropped))
    return kept, dropped


async def without_listed(
    connection: AsyncConnection, workspace_id: UUID, refused: Sequence[Refusal]
) -> Sequence[Refusal]:
    """The refusals, and of those that tell of somebody listed only that there was one."""
    salt = await _salt(connection, workspace_id, if_used=True) if refused else None
    if salt is None:
        return refused
    hashes = [{id_hash(salt, key) for key in _hinted(one)} for one in refused]
    rows = await connection.execute(
        select(suppressions.c.hash).where(
            suppressions.c.workspace_id == workspace_id,
            suppressions.c.hash.in_(sorted(set().union(*hashes))),
        )
    )
    listed = set(rows.scalars())
    return [
        Refusal(message_id=None, code=one.code, message=one.message, excerpt="")
        if theirs & listed
        else one
        for one, theirs in zip(refused, hashes, strict=True)
    ]


def _hinted(refusal: Refusal) -> list[str]:
    return [one for one in (refusal.hint.user_id, refusal.hint.anonymous_id) if one is not None]


async def shut_out(
    connection: AsyncConnection,
    workspace_id: UUID,
    person: Person,
    kind: SuppressionKind,
    now: datetime,
) -> None:
    """Drop what comes with the person's ids from now on, and send nothing to them."""
    salt = await _salt(connection, workspace_id)
    assert salt is not None, "a workspace has a salt from its beginning"
    await upsert(
        connection,
        suppressions,
        [
            {
                "workspace_id": workspace_id,
                "hash": hashed,
                "subject": id_hash(salt, person.subject),
                "kind": kind.value,
                "at": now,
            }
            for hashed in sorted({id_hash(salt, key) for key in (person.subject, *person.ids)})
        ],
        key=("workspace_id", "hash"),
    )
    await mark_suppressed(connection, person.customer_ids, now)


async def unlist(connection: AsyncConnection, workspace_id: UUID, subject: str) -> int:
    """Take a person and their devices off the list; returns how many ids were on it."""
    salt = await _salt(connection, workspace_id)
    if salt is None:
        return 0
    rows = await connection.execute(
        delete(suppressions)
        .where(
            suppressions.c.workspace_id == workspace_id,
            suppressions.c.subject == id_hash(salt, subject),
        )
        .returning(suppressions.c.hash)
    )
    return len(rows.all())


async def subject_hash(connection: AsyncConnection, workspace_id: UUID, subject: str) -> str:
    """How a person is named where their id must not be."""
    salt = await _salt(connection, workspace_id)
    assert salt is not None, "a workspace has a salt from its beginning"
    return id_hash(salt, subject)


async def mark_suppressed(
    connection: AsyncConnection, customer_ids: Iterable[UUID], at: datetime | None
) -> None:
    """Nothing is sent to these customers; `at` None: again it is."""
    await connection.execute(
        update(customers).where(customers.c.id.in_(list(customer_ids))).values(suppressed_at=at)
    )


async def _salt(
    connection: AsyncConnection, workspace_id: UUID, *, if_used: bool = False
) -> bytes | None:
    """The workspace's salt; `if_used`: None where nobody is listed."""
    statement = select(workspaces.c.salt).where(workspaces.c.id == workspace_id)
    if if_used:
        statement = statement.where(exists().where(suppressions.c.workspace_id == workspaces.c.id))
    return (await connection.execute(statement)).scalar_one_or_none()


async def _unlock_strangers(
    connection: AsyncConnection, workspace_id: UUID, keys: Collection[str]
) -> None:
    """Take back the empty rows that were made to lock ids of which nothing is stored."""
    if keys and connection.dialect.name == "postgresql":
        await connection.execute(
            delete(identifiers).where(
                identifiers.c.workspace_id == workspace_id, identifiers.c.key.in_(list(keys))
            )
        )
