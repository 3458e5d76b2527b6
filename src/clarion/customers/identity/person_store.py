"""Whose ids are whose: a person's own, and those that they share with somebody."""

from collections.abc import AsyncIterator, Iterable
from collections.abc import Set as AbstractSet
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.identity import store as identity_store
from clarion.customers.identity.companion_store import ids_beside
from clarion.customers.identity.identifier import Provisional, User, customer_id_of
from clarion.customers.identity.merges import store as merge_store
from clarion.customers.identity.person import Person, ids_of_body, telling_words
from clarion.customers.identity.timeline import Timeline
from clarion.customers.profile.store import Customer
from clarion.events.ownership_store import keys_of, of_key
from clarion.storage.bulk import in_parts
from clarion.storage.database import Database
from clarion.storage.schema import customers, devices, events

ROUNDS_MAX = 8
"""Ids lead to further ids; no more often than that."""
BODIES_AT_ONCE = 2_000


async def named_person(
    connection: AsyncConnection, workspace_id: UUID, customer: Customer
) -> Person:
    """The person whom a customer is, by their name alone: `find_person` finds the rest."""
    rows = await connection.execute(select(customers.c.key).where(customers.c.id == customer.id))
    subject = customer.user_id or rows.scalar_one_or_none()
    assert subject is not None, "a customer has a user id or a key"
    users: set[str] = set()
    if customer.user_id is not None:
        merges = await merge_store.active_merges_of(connection, workspace_id, [customer.user_id])
        users = {customer.user_id, *(merge.from_user for merge in merges)}
    return Person(
        subject=subject,
        users=frozenset(users),
        customer_ids=frozenset({customer.id}),
        ids=frozenset(users),
        shared=frozenset(),
        words=frozenset(),
    )


async def find_person(
    connection: AsyncConnection,
    workspace_id: UUID,
    before: Person,
    near: Iterable[str] = (),
    *,
    locks: bool = False,
) -> Person:
    """What is the person's alone by the claims that stand. `before`: as they were last seen;
    `near`: ids that stand beside theirs in events. `locks`: events that carry any of their ids are
    taken in before this transaction or after it."""
    read = identity_store.lock_identifiers if locks else identity_store.read_identifiers
    theirs, shared = set(before.users), set[str]()
    users = before.users
    customer_ids = {
        *before.customer_ids,
        *(customer_id_of(workspace_id, User(id_)) for id_ in users),
    }
    await read(connection, workspace_id, theirs)
    ids = {before.subject, *before.ids, *before.shared, *near} - theirs
    for _ in range(ROUNDS_MAX):
        ids |= await identity_store.keys_claimed_by(connection, workspace_id, theirs)
        ids |= await _devices_held_by(connection, workspace_id, customer_ids)
        ids |= await ids_beside(connection, workspace_id, theirs)  # of events that may be gone
        ids -= theirs | shared
        if not ids:
            break
        known = await read(connection, workspace_id, ids | theirs)
        owners = await _real_owners(connection, workspace_id, ids, users)
        for own_id in sorted(ids):
            if owners.get(own_id) or (own_id in known and known[own_id].flags.is_real):
                shared.add(own_id)
                continue
            theirs.add(own_id)
            if own_id in known:
                customer_ids |= _strangers(workspace_id, own_id, known[own_id].timeline)
    return Person(
        subject=before.subject,
        users=users,
        customer_ids=frozenset(customer_ids),
        ids=frozenset(theirs),
        shared=frozenset(shared),
        words=before.words
        | await _words(connection, workspace_id, customer_ids)
        | telling_words(theirs),
    )


async def ids_in_events(
    database: Database, workspace_id: UUID, customer_ids: Iterable[UUID]
) -> set[str]:
    """Every id in the events of these customers, read page by page: nobody waits for it."""
    ids: set[str] = set()
    for customer_id in customer_ids:
        async with database.read() as connection:
            keys = await keys_of(connection, workspace_id, customer_id)
        for key in keys:
            async for body in _bodies_of(database, workspace_id, key, customer_id):
                ids |= ids_of_body(body)
    return ids


async def _bodies_of(
    database: Database, workspace_id: UUID, key: str, customer_id: UUID
) -> AsyncIterator[str]:
    """By time, as the index of a key's events has them: no page is sorted."""
    last: Any = None
    while True:
        statement = select(events.c.at, events.c.seq, events.c.body).where(
            *of_key(workspace_id, key, customer_id)
        )
        if last is not None:
            later = or_(events.c.at > last.at, events.c.seq > last.seq)
            statement = statement.where(events.c.at >= last.at, later)
        async with database.read() as connection:
            rows = await connection.execute(
                statement.order_by(events.c.at, events.c.seq).limit(BODIES_AT_ONCE)
            )
            page = rows.all()
        for row in page:
            yield row.body
        if len(page) < BODIES_AT_ONCE:
            return
        last = page[-1]


async def _devices_held_by(
    connection: AsyncConnection, workspace_id: UUID, customer_ids: Iterable[UUID]
) -> set[str]:
    device_ids: set[str] = set()
    for part in in_parts(customer_ids):
        rows = await connection.execute(
            select(devices.c.device_id).where(
                devices.c.workspace_id == workspace_id, devices.c.customer_id.in_(part)
            )
        )
        device_ids |= set(rows.scalars())
    return device_ids


async def _real_owners(
    connection: AsyncConnection, workspace_id: UUID, keys: Iterable[str], but: AbstractSet[str]
) -> dict[str, set[str]]:
    """Which real users have been seen with each of `keys`, but for these."""
    seen = await identity_store.users_seen_with(connection, workspace_id, keys)
    users = set[str]().union(*seen.values()) - but
    flags = await identity_store.read_flags(connection, workspace_id, users)
    real = {user_id for user_id, known in flags.items() if known.is_real}
    return {key: many & real for key, many in seen.items()}


def _strangers(workspace_id: UUID, key: str, line: Timeline) -> set[UUID]:
    """The anonymous customers that a key may have."""
    starts = [None, *(span.since for span in line.spans if span.user_id is None)]
    return {customer_id_of(workspace_id, Provisional(key, since)) for since in starts}


async def _words(
    connection: AsyncConnection, workspace_id: UUID, customer_ids: Iterable[UUID]
) -> frozenset[str]:
    values: list[object] = []
    for part in in_parts(customer_ids):
        traits = await connection.execute(
            select(customers.c.traits).where(
                customers.c.workspace_id == workspace_id, customers.c.id.in_(part)
            )
        )
        values += traits.scalars()
        held = await connection.execute(
            select(devices.c.token).where(
                devices.c.workspace_id == workspace_id, devices.c.customer_id.in_(part)
            )
        )
        values += held.scalars()
    return frozenset(telling_words(values))
