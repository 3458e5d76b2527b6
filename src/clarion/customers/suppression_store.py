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
from clarion.ingest_log.rejection import RejectedEvent
from clarion.storage.bulk import upsert
from clarion.storage.dialect import among, has_one_writer
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
    hashes = {key: id_hash(salt, key) for arrival in arrivals for key in ids_in(arrival.event)}
    rows = await connection.execute(
        select(suppressions.c.hash).where(
            suppressions.c.workspace_id == workspace_id,
            suppressions.c.hash.in_(sorted(hashes.values())),
        )
    )
    hashes_listed = set(rows.scalars())
    if not hashes_listed:
        return arrivals, []
    listed = {key for key, hashed in hashes.items() if hashed in hashes_listed}
    verdicts = [(arrival, judge(arrival.event, listed)) for arrival in arrivals]
    released = {key for _, verdict in verdicts for key in verdict.released}
    if released:
        await connection.execute(
            delete(suppressions).where(
                suppressions.c.workspace_id == workspace_id,
                suppressions.c.hash.in_([hashes[key] for key in released]),
            )
        )
    kept = [arrival for arrival, verdict in verdicts if not verdict.is_dropped]
    dropped = [arrival for arrival, verdict in verdicts if verdict.is_dropped]
    if dropped:
        needed = {key for arrival in kept for key in ids_in(arrival.event)}
        await _unlock_strangers(connection, workspace_id, hashes.keys() - needed - set(known))
        log.info("suppressed_events_dropped", count=len(dropped))
    return kept, dropped


async def without_listed(
    connection: AsyncConnection, refused: Sequence[tuple[UUID, Sequence[RejectedEvent]]]
) -> list[Sequence[RejectedEvent]]:
    """Refusals by workspace; of those that tell of somebody listed only that there was one. Two
    statements, whatever the number of refusals.

    The list stays as it is read until this transaction ends: the workspaces' rows are locked, which
    `wait_for_refusals` waits for. Asked before any identifier is locked.
    """
    ids = sorted({workspace_id for workspace_id, refusals in refused if refusals})
    if not ids:
        return [refusals for _, refusals in refused]
    has_list = exists().where(suppressions.c.workspace_id == workspaces.c.id).label("has_list")
    rows = await connection.execute(
        select(workspaces.c.id, workspaces.c.salt, has_list)
        .where(workspaces.c.id.in_(ids))
        .order_by(workspaces.c.id)
        .with_for_update(read=True)
    )
    salts = {row.id: row.salt for row in rows if row.has_list}
    hashes = {
        (workspace_id, key): id_hash(salts[workspace_id], key)
        for workspace_id, refusals in refused
        if workspace_id in salts
        for refusal in refusals
        for key in _hinted(refusal)
    }
    if not hashes:
        return [refusals for _, refusals in refused]
    rows = await connection.execute(
        select(suppressions.c.hash).where(
            suppressions.c.workspace_id.in_(sorted(salts)),
            among(connection, suppressions.c.hash, sorted(set(hashes.values()))),
        )
    )
    listed = set(rows.scalars())
    return [
        [
            RejectedEvent(message_id=None, code=refusal.code, message=refusal.message, excerpt="")
            if any(hashes.get((workspace_id, key)) in listed for key in _hinted(refusal))
            else refusal
            for refusal in refusals
        ]
        for workspace_id, refusals in refused
    ]


async def wait_for_refusals(connection: AsyncConnection, workspace_id: UUID) -> None:
    """Wait for every transaction that has asked `without_listed`. Those that ask later see what is
    listed by now. In a transaction of its own: nobody waits for whoever waits here. (SQLite has one
    writer, which is this one.)"""
    row = select(workspaces.c.id).where(workspaces.c.id == workspace_id)
    await connection.execute(row.with_for_update(key_share=True))


def _hinted(refusal: RejectedEvent) -> list[str]:
    return [id_ for id_ in (refusal.hint.user_id, refusal.hint.anonymous_id) if id_ is not None]


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


async def _salt(connection: AsyncConnection, workspace_id: UUID) -> bytes | None:
    statement = select(workspaces.c.salt).where(workspaces.c.id == workspace_id)
    return (await connection.execute(statement)).scalar_one_or_none()


async def _unlock_strangers(
    connection: AsyncConnection, workspace_id: UUID, keys: Collection[str]
) -> None:
    """Take back the empty rows that were made to lock ids of which nothing is stored."""
    if keys and not has_one_writer(connection):
        await connection.execute(
            delete(identifiers).where(
                identifiers.c.workspace_id == workspace_id, identifiers.c.key.in_(list(keys))
            )
        )
