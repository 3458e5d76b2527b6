"""A person's rows among customers, identifiers, claims and devices: found, and removed."""

from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from uuid import UUID

from msgspec import structs
from sqlalchemy import ColumnElement, Text, cast, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers import identity_store, merge_store, registration_store
from clarion.customers.device import KeptDevice
from clarion.customers.identity import Provisional, Timeline, User, customer_id_of
from clarion.customers.person import Person, ids_of_body, telling_words
from clarion.customers.store import Customer
from clarion.storage.schema import (
    claims,
    customers,
    device_deletions,
    device_history,
    devices,
    events,
    identifiers,
    tokens,
)

BODIES_AT_ONCE = 5_000
ROUNDS_MAX = 8
"""Ids lead to events, and those to further ids; no more often than that."""


async def find_person(
    connection: AsyncConnection, workspace_id: UUID, customer: Customer, key: str | None
) -> Person:
    """Everything that is this customer's alone, locked until the transaction ends. `key`: the
    provisional key of one who has not signed in."""
    subject = customer.user_id or key
    assert subject is not None, "a customer has a user id or a key"
    users = await _users_of(connection, workspace_id, customer)
    theirs, shared = set(users), set[str]()
    customer_ids = {customer.id, *(customer_id_of(workspace_id, User(one)) for one in users)}
    await identity_store.lock_identifiers(connection, workspace_id, theirs)
    for _ in range(ROUNDS_MAX):
        found = await _ids_near(connection, workspace_id, theirs, customer_ids)
        found = (found | {subject}) - theirs - shared
        if not found:
            break
        known = await identity_store.lock_identifiers(connection, workspace_id, found | theirs)
        others = await _real_owners(connection, workspace_id, found, users)
        for one in sorted(found):
            is_somebody = one in known and known[one].flags.is_real
            if others.get(one) or is_somebody:
                shared.add(one)
                continue
            theirs.add(one)
            if one in known:
                customer_ids |= _strangers(workspace_id, one, known[one].timeline)
    return Person(
        subject=subject,
        customer_ids=frozenset(customer_ids),
        ids=frozenset(theirs),
        shared=frozenset(shared),
        words=frozenset(await _words(connection, workspace_id, customer_ids, theirs)),
    )


async def key_of(connection: AsyncConnection, customer_id: UUID) -> str | None:
    """The provisional key of a customer who has not signed in."""
    rows = await connection.execute(select(customers.c.key).where(customers.c.id == customer_id))
    return rows.scalar_one_or_none()


async def device_rows_of(
    connection: AsyncConnection, workspace_id: UUID, person: Person
) -> dict[str, UUID]:
    """The devices that hold the person's registration: device id → row id."""
    rows = await connection.execute(
        select(devices.c.device_id, devices.c.id).where(
            devices.c.workspace_id == workspace_id,
            or_(
                devices.c.customer_id.in_(person.customer_ids),
                devices.c.device_id.in_(person.ids),
            ),
        )
    )
    return {row.device_id: row.id for row in rows}


async def past_devices_of(
    connection: AsyncConnection, workspace_id: UUID, person: Person
) -> set[str]:
    """The ids of every device that is or was the person's."""
    lines = device_history.c
    rows = await connection.execute(
        select(lines.device_id)
        .where(
            lines.workspace_id == workspace_id,
            or_(
                lines.customer_id.in_(person.customer_ids),
                lines.previous_customer_id.in_(person.customer_ids),
            ),
        )
        .distinct()
    )
    held = await device_rows_of(connection, workspace_id, person)
    return set(rows.scalars()) | held.keys()


async def remove_person(connection: AsyncConnection, workspace_id: UUID, person: Person) -> None:
    """Remove every row of theirs; of shared devices what they did there. Their events are gone
    already, and what follows for `person.shared` is to be settled anew."""
    lines = device_history.c
    is_left: ColumnElement[bool] = lines.previous_customer_id.in_(person.customer_ids)
    for table, theirs in (
        (device_deletions, device_deletions.c.user_id.in_(person.ids)),
        (device_deletions, device_deletions.c.device_id.in_(person.ids)),
        (device_history, lines.customer_id.in_(person.customer_ids)),
        (device_history, lines.device_id.in_(person.ids)),
        (claims, claims.c.user_id.in_(person.ids)),
        (claims, claims.c.key.in_(person.ids)),
        (identifiers, identifiers.c.key.in_(person.ids)),
        (customers, customers.c.id.in_(person.customer_ids)),
    ):
        await connection.execute(delete(table).where(table.c.workspace_id == workspace_id, theirs))
    await merge_store.forget_merges(connection, workspace_id, person.ids)
    await connection.execute(
        update(device_history)
        .where(lines.workspace_id == workspace_id, is_left)
        .values(previous_customer_id=None)
    )


async def strip_devices(
    connection: AsyncConnection, workspace_id: UUID, person: Person, device_ids: Iterable[str]
) -> None:
    """Take the person's registrations, and what they told, off devices that stay, and remove those
    that are theirs. Asked while their events are still there."""
    wanted = set(device_ids)
    known = await identity_store.lock_identifiers(connection, workspace_id, wanted)
    told = {key: one.facts for key, one in known.items() if one.facts is not None}
    kept, _ = await registration_store.lock_devices(connection, workspace_id, wanted)
    said = {held.holds.message_id for one in kept.values() for held in one.registrations}
    said |= {message_id for facts in told.values() for message_id in facts.message_ids}
    rows = await connection.execute(
        select(events.c.message_id).where(
            events.c.workspace_id == workspace_id,
            events.c.message_id.in_(said),
            events.c.customer_id.in_(person.customer_ids),
        )
    )
    theirs = set(rows.scalars())
    left = {key: facts.without(theirs) for key, facts in told.items()}
    await identity_store.keep_identifiers(
        connection,
        workspace_id,
        {
            key: structs.replace(known[key], facts=facts)
            for key, facts in left.items()
            if facts != told[key]
        },
    )
    gone: list[UUID] = []
    changed: list[KeptDevice] = []
    for device in kept.values():
        others = [one for one in device.registrations if one.holds.message_id not in theirs]
        is_theirs = device.customer_id in person.customer_ids or device.device_id in person.ids
        if is_theirs or not others:
            gone.append(device.id)
            continue
        facts = left[device.device_id].values if device.device_id in left else device.facts
        stays = structs.replace(device, registrations=tuple(others), facts=facts)
        if stays != device:
            changed.append(stays)
    await registration_store.keep_devices(connection, workspace_id, changed)
    await connection.execute(delete(devices).where(devices.c.id.in_(gone)))
    homes = {
        (device.device_id, one.installation_hash)
        for device in kept.values()
        if device.id not in gone
        for one in device.registrations
        if one.holds.message_id not in theirs
    }
    await _remove_tokens(connection, workspace_id, set(kept) | person.ids, homes)


async def _remove_tokens(
    connection: AsyncConnection,
    workspace_id: UUID,
    device_ids: Collection[str],
    homes: AbstractSet[tuple[str, str]],
) -> None:
    """Forget where installations live that lived on these devices and are at home there no more.
    One that somebody else's device had before lives nowhere from now on."""
    ours = tokens.c.workspace_id == workspace_id
    found = await connection.execute(
        select(tokens.c.device_id, tokens.c.installation_hash).where(
            ours, tokens.c.device_id.in_(device_ids)
        )
    )
    loose = {one for device_id, one in found if (device_id, one) not in homes}
    if not loose:
        return
    had = await connection.execute(
        select(devices).where(
            devices.c.workspace_id == workspace_id,
            or_(
                devices.c.installation_hash.in_(loose),
                *(cast(devices.c.spares, Text).contains(one) for one in loose),
            ),
        )
    )
    needed = loose & {
        held.installation_hash
        for row in had
        for held in registration_store.kept_device(row).registrations
    }
    lost = loose - needed
    await connection.execute(delete(tokens).where(ours, tokens.c.installation_hash.in_(lost)))
    await connection.execute(
        update(tokens)
        .where(ours, tokens.c.installation_hash.in_(needed))
        .values(device_id="", message_id="")
    )


async def _ids_near(
    connection: AsyncConnection,
    workspace_id: UUID,
    theirs: Iterable[str],
    customer_ids: Iterable[UUID],
) -> set[str]:
    """Ids that were seen together with the person: claimed by them, or in events of theirs."""
    found = await identity_store.keys_claimed_by(connection, workspace_id, theirs)
    of_customer = list(customer_ids)
    after = 0
    while True:
        page = await connection.execute(
            select(events.c.seq, events.c.body)
            .where(
                events.c.workspace_id == workspace_id,
                events.c.customer_id.in_(of_customer),
                events.c.seq > after,
            )
            .order_by(events.c.seq)
            .limit(BODIES_AT_ONCE)
        )
        bodies = page.all()
        for row in bodies:
            found |= ids_of_body(row.body)
        if len(bodies) < BODIES_AT_ONCE:
            break
        after = bodies[-1].seq
    held = await connection.execute(
        select(devices.c.device_id).where(
            devices.c.workspace_id == workspace_id, devices.c.customer_id.in_(of_customer)
        )
    )
    return found | set(held.scalars())


async def _users_of(
    connection: AsyncConnection, workspace_id: UUID, customer: Customer
) -> set[str]:
    """The user ids that count as the customer's."""
    if customer.user_id is None:
        return set()
    merges = await merge_store.active_merges_of(connection, workspace_id, [customer.user_id])
    return {customer.user_id, *(one.from_user for one in merges)}


async def _real_owners(
    connection: AsyncConnection, workspace_id: UUID, keys: Iterable[str], but: set[str]
) -> dict[str, set[str]]:
    """Which real users have been seen with each of `keys`, but for these."""
    claimed = await identity_store.claims_on(connection, workspace_id, keys)
    users = {claim.user_id for many in claimed.values() for claim in many} - but
    flags = await identity_store.read_flags(connection, workspace_id, users)
    real = {one for one, known in flags.items() if known.is_real}
    return {key: {one.user_id for one in many} & real for key, many in claimed.items()}


def _strangers(workspace_id: UUID, key: str, line: Timeline) -> set[UUID]:
    """The anonymous customers that a key may have."""
    starts = [None, *(span.at for span in line.spans if span.user_id is None)]
    return {customer_id_of(workspace_id, Provisional(key, since)) for since in starts}


async def _words(
    connection: AsyncConnection, workspace_id: UUID, customer_ids: set[UUID], ids: set[str]
) -> set[str]:
    traits = await connection.execute(
        select(customers.c.traits).where(
            customers.c.workspace_id == workspace_id, customers.c.id.in_(customer_ids)
        )
    )
    held = await connection.execute(
        select(devices.c.token).where(
            devices.c.workspace_id == workspace_id, devices.c.customer_id.in_(customer_ids)
        )
    )
    values = [one for many in traits.scalars() for one in many.values()]
    return telling_words([*values, *held.scalars(), *ids])
