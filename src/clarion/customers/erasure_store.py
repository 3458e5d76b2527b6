"""A person's rows among customers, identifiers, claims and devices: removed."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from uuid import UUID

from msgspec import structs
from sqlalchemy import delete, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.devices import registration_store
from clarion.customers.devices.device import KeptDevice
from clarion.customers.identity import store as identity_store
from clarion.customers.identity.merges import store as merge_store
from clarion.customers.identity.person import Person
from clarion.customers.profile.category_store import forget_choices
from clarion.events.ownership_store import customer_of, forget_ownership, is_in_period
from clarion.events.seen_store import seqs_of
from clarion.storage.bulk import in_parts
from clarion.storage.dialect import unindexed
from clarion.storage.schema import (
    claims,
    companions,
    customers,
    device_deletions,
    device_history,
    devices,
    event_traces,
    events,
    identifiers,
    ownership_periods,
    tokens,
    trait_claims,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installations:
    """By hash: those that live on some devices, and which of them other devices had before."""

    here: frozenset[str]
    elsewhere: frozenset[str]


async def past_devices_of(
    connection: AsyncConnection, workspace_id: UUID, person: Person
) -> set[str]:
    """The ids of every device that is or was the person's."""
    lines = device_history.c
    device_ids: set[str] = set()
    for part in in_parts(person.customer_ids):
        for table, column in (
            (device_history, lines.customer_id),
            (device_history, lines.previous_customer_id),
            (devices, devices.c.customer_id),
        ):
            rows = await connection.execute(
                select(unindexed(table.c.device_id))
                .where(table.c.workspace_id == workspace_id, column.in_(part))
                .distinct()
            )
            device_ids |= set(rows.scalars())
    return device_ids


async def owners_of(
    connection: AsyncConnection, workspace_id: UUID, device_ids: AbstractSet[str]
) -> set[UUID]:
    """The customers whose these devices are or ever were."""
    lines = device_history.c
    customer_ids: set[UUID] = set()
    for part in in_parts(device_ids):
        for table, column in (
            (device_history, lines.customer_id),
            (device_history, lines.previous_customer_id),
            (devices, devices.c.customer_id),
        ):
            rows = await connection.execute(
                select(unindexed(column))
                .where(
                    table.c.workspace_id == workspace_id,
                    table.c.device_id.in_(part),
                    column.is_not(None),
                )
                .distinct()
            )
            customer_ids |= set(rows.scalars())
    return customer_ids


async def installations_on(
    connection: AsyncConnection, workspace_id: UUID, device_ids: AbstractSet[str]
) -> Installations:
    """What lives on these devices."""
    here: set[str] = set()
    elsewhere: set[str] = set()
    for part in in_parts(device_ids):
        rows = await connection.execute(
            select(tokens.c.installation_hash).where(
                tokens.c.workspace_id == workspace_id, tokens.c.device_id.in_(part)
            )
        )
        here |= set(rows.scalars())
    for part in in_parts(here):
        for moved in (devices.c.moved_fcm, devices.c.moved_fid, devices.c.moved_apns):
            rows = await connection.execute(
                select(moved, devices.c.device_id).where(
                    devices.c.workspace_id == workspace_id, moved.in_(part)
                )
            )
            elsewhere |= {hashed for hashed, device_id in rows if device_id not in device_ids}
    return Installations(here=frozenset(here), elsewhere=frozenset(elsewhere))


async def remove_some(
    connection: AsyncConnection, workspace_id: UUID, person: Person, limit: int
) -> int:
    """Remove up to `limit` rows of what may be many: claims, history, deletions. Their events are
    gone already, so that nothing is filed anew for what is missing. Returns how many."""
    lines = device_history.c
    for table, column, theirs in (
        (claims, claims.c.user_id, person.ids),
        (claims, claims.c.key, person.ids),
        (trait_claims, trait_claims.c.key, person.ids),
        (event_traces, event_traces.c.key, person.ids),
        (companions, companions.c.id, person.ids),
        (companions, companions.c.key, person.ids),
        (device_history, lines.customer_id, person.customer_ids),
        (device_history, lines.device_id, person.ids),
        (device_deletions, device_deletions.c.user_id, person.ids),
        (device_deletions, device_deletions.c.device_id, person.ids),
    ):
        key = tuple_(*(column for column in table.primary_key if column.name != "workspace_id"))
        ours = found_by = table.c.workspace_id == workspace_id
        if "workspace_id" not in table.primary_key.columns:
            found_by = unindexed(table.c.workspace_id) == workspace_id  # by key alone
        for part in in_parts(theirs):
            some = select(*key.clauses).where(ours, column.in_(part)).limit(limit)
            gone = await connection.execute(delete(table).where(found_by, key.in_(some)))
            if gone.rowcount:
                return gone.rowcount
    return 0


async def remove_person(connection: AsyncConnection, workspace_id: UUID, person: Person) -> None:
    """Remove what is left of them, once nothing is that `remove_some` removes: what follows for
    `person.shared` is to be settled anew."""
    lines = device_history.c
    for table, column, theirs in (
        (identifiers, identifiers.c.key, person.ids),
        (customers, customers.c.id, person.customer_ids),
    ):
        for part in in_parts(theirs):
            await connection.execute(
                delete(table).where(table.c.workspace_id == workspace_id, column.in_(part))
            )
    await forget_ownership(connection, workspace_id, person.ids)
    await forget_choices(connection, workspace_id, person.users)
    await merge_store.forget_merges(connection, workspace_id, person.users)
    for part in in_parts(person.customer_ids):
        await connection.execute(
            update(device_history)
            .where(lines.workspace_id == workspace_id, lines.previous_customer_id.in_(part))
            .values(previous_customer_id=None)
        )


async def strip_devices(
    connection: AsyncConnection,
    workspace_id: UUID,
    person: Person,
    device_ids: AbstractSet[str],
    installations: Installations,
) -> None:
    """Take the person's registrations, and what they told, off devices that stay, and remove those
    that are theirs. Their events are gone already: what no event of anybody tells was told by one
    of theirs."""
    known = await identity_store.lock_identifiers(connection, workspace_id, device_ids)
    facts_by_key = {key: device.facts for key, device in known.items() if device.facts is not None}
    kept, _ = await registration_store.lock_devices(connection, workspace_id, device_ids)
    said = {held.holds.message_id for device in kept.values() for held in device.registrations}
    said |= {message_id for facts in facts_by_key.values() for message_id in facts.message_ids}
    theirs = said - await _others_events(connection, workspace_id, person, said)
    left = {key: facts.without(theirs) for key, facts in facts_by_key.items()}
    await identity_store.keep_identifiers(
        connection,
        workspace_id,
        {
            key: structs.replace(known[key], facts=facts)
            for key, facts in left.items()
            if facts != facts_by_key[key]
        },
    )
    gone: list[UUID] = []
    changed: list[KeptDevice] = []
    for device in kept.values():
        others = [
            registration
            for registration in device.registrations
            if registration.holds.message_id not in theirs
        ]
        is_theirs = device.customer_id in person.customer_ids or device.device_id in person.ids
        if is_theirs or not others:
            gone.append(device.id)
            continue
        facts = left[device.device_id].values if device.device_id in left else device.facts
        stays = structs.replace(device, registrations=tuple(others), facts=facts)
        if stays != device:
            changed.append(stays)
    await registration_store.keep_devices(connection, workspace_id, changed)
    for part in in_parts(gone):
        await connection.execute(delete(devices).where(devices.c.id.in_(part)))
    homes = {
        registration.installation_hash: device.device_id
        for device in kept.values()
        if device.id not in gone
        for registration in device.registrations
        if registration.holds.message_id not in theirs
    }
    await _remove_tokens(connection, workspace_id, device_ids, installations, homes)


async def messages_told(
    connection: AsyncConnection, workspace_id: UUID, device_ids: Iterable[str]
) -> set[str]:
    """The messageIds of the events that said what is known of these devices."""
    message_ids: set[str] = set()
    for part in in_parts(device_ids):
        known = await identity_store.read_identifiers(connection, workspace_id, part)
        for device in known.values():
            if device.facts is not None:
                message_ids |= device.facts.message_ids
        rows = await connection.execute(
            select(devices).where(
                devices.c.workspace_id == workspace_id, devices.c.device_id.in_(part)
            )
        )
        for row in rows:
            kept = registration_store.kept_device(row)
            message_ids |= {held.holds.message_id for held in kept.registrations}
    return message_ids


async def _remove_tokens(
    connection: AsyncConnection,
    workspace_id: UUID,
    device_ids: AbstractSet[str],
    installations: Installations,
    homes: Mapping[str, str],
) -> None:
    """Forget where installations live that lived on these devices and are at home there no more.
    One that somebody else's device had before lives nowhere from now on."""
    ours = tokens.c.workspace_id == workspace_id
    for part in in_parts(installations.here):
        rows = await connection.execute(
            select(tokens.c.device_id, tokens.c.installation_hash).where(
                ours, tokens.c.installation_hash.in_(part)
            )
        )
        loose = {
            installation_hash
            for device_id, installation_hash in rows
            if device_id in device_ids and homes.get(installation_hash) != device_id
        }
        needed = loose & (installations.elsewhere | homes.keys())
        await connection.execute(
            delete(tokens).where(ours, tokens.c.installation_hash.in_(loose - needed))
        )
        await connection.execute(
            update(tokens)
            .where(ours, tokens.c.installation_hash.in_(needed))
            .values(device_id="", message_id="")
        )


async def _others_events(
    connection: AsyncConnection, workspace_id: UUID, person: Person, message_ids: Iterable[str]
) -> set[str]:
    others_ids: set[str] = set()
    for part in in_parts(message_ids):
        seqs = await seqs_of(connection, workspace_id, part)
        rows = await connection.execute(
            select(events.c.message_id, customer_of().label("customer_id")).where(
                events.c.seq.in_(seqs), events.c.message_id.in_(part)
            )
        )
        others_ids |= {row.message_id for row in rows if row.customer_id not in person.customer_ids}
        removed = await connection.execute(
            select(event_traces.c.message_id)
            .join_from(event_traces, ownership_periods, is_in_period(event_traces))
            .where(
                unindexed(event_traces.c.workspace_id) == workspace_id,
                event_traces.c.message_id.in_(part),
                ownership_periods.c.customer_id.not_in(person.customer_ids),
            )
        )
        others_ids |= set(removed.scalars())
    return others_ids
