"""Rows of identifiers and claims, and whose each key is."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from operator import attrgetter, itemgetter
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Result, Select, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.clock import from_micros, to_micros
from clarion.customers.devices.facts import Facts
from clarion.customers.identity.claims.claim import Claim, ClaimKind, sender_of
from clarion.customers.identity.claims.repeated_claims import DayClaim
from clarion.customers.identity.identifier import Flags, customer_ids
from clarion.customers.identity.known import Identifier, Stored
from clarion.customers.identity.ownership import Decider, Owned
from clarion.customers.identity.timeline import CLAIMS_READ_MAX, NOBODYS, Span, Timeline
from clarion.events.ownership_store import Ownership, Period, sources_with_leads, write_ownership
from clarion.sources.store import list_sources
from clarion.storage.bulk import in_parts, insert_new, insert_unseen, upsert
from clarion.storage.dialect import Id, among, has_one_writer, prepared, several, unindexed
from clarion.storage.schema import claims as claims_table
from clarion.storage.schema import identifiers

CLAIMS_AT_ONCE = 10_000
"""Claims of all the keys of a batch that one statement reads; where there are more, each key is
asked for by itself, so that nobody's past can grow what a transaction reads."""


async def lock_identifiers(
    connection: AsyncConnection, workspace_id: UUID, keys: Iterable[str]
) -> dict[str, Identifier]:
    """What is stored of `keys`; nobody else changes them until this transaction ends (R13).

    On PostgreSQL keys never seen are inserted empty, so that two transactions can not both believe
    to be the first; both take their locks in the order of the keys. SQLite has one writer.
    """
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    fresh: set[str] = set()
    if not has_one_writer(connection):
        fresh = await _insert_empty(connection, workspace_id, wanted)
    values = {"workspace": workspace_id, "keys": wanted}
    rows = await connection.execute(_lock_identifiers(connection), values)
    known = _identifiers(rows.all())
    return {key: known[key] for key in known.keys() - fresh} if fresh else known


@prepared
def _lock_identifiers(connection: AsyncConnection) -> Select[Any]:
    keys = several(connection, "keys", identifiers.c.key)
    return (
        select(*_KEPT)
        .where(
            identifiers.c.workspace_id == bindparam("workspace", type_=Id),
            among(connection, identifiers.c.key, keys),
        )
        .order_by(identifiers.c.key)
        .with_for_update()
    )


async def read_flags(
    connection: AsyncConnection, workspace_id: UUID, keys: Iterable[str]
) -> dict[str, Flags]:
    """The flags of `keys`, without locking them."""
    known = await read_identifiers(connection, workspace_id, keys)
    return {key: identifier.flags for key, identifier in known.items()}


async def read_identifiers(
    connection: AsyncConnection, workspace_id: UUID, keys: Iterable[str]
) -> dict[str, Identifier]:
    """What is stored of `keys`, without locking them."""
    identifiers_by_key: dict[str, Identifier] = {}
    for part in in_parts(keys):
        rows = await connection.execute(
            select(*_KEPT).where(
                identifiers.c.workspace_id == workspace_id, identifiers.c.key.in_(part)
            )
        )
        identifiers_by_key |= _identifiers(rows.all())
    return identifiers_by_key


async def keep_identifiers(
    connection: AsyncConnection, workspace_id: UUID, changed: Mapping[str, Identifier]
) -> None:
    """Write `changed`, whether they were there or not."""
    await upsert(
        connection,
        identifiers,
        [
            {
                "workspace_id": workspace_id,
                "key": key,
                "is_user": identifier.flags.is_user,
                "is_device": identifier.flags.is_device,
                "is_guarded": identifier.flags.is_guarded,
                "is_named": identifier.flags.is_named,
                "is_known": identifier.flags.is_known,
                "timeline": _dump(identifier.timeline),
                "facts": _dump_struct(identifier.facts),
                "decides_as_user": identifier.decides_as_user,
                "decides_as_key": identifier.decides_as_key,
                "day_claim": _dump_struct(identifier.day_claim),
            }
            for key, identifier in sorted(changed.items(), key=_first)
        ],
        key=("workspace_id", "key"),
    )


async def write_owned(
    connection: AsyncConnection,
    workspace_id: UUID,
    owned: Mapping[Decider, Owned],
    *,
    outdated: Iterable[Decider],
    led: Iterable[str],
    near: Iterable[UUID] = (),
) -> None:
    """Write whose these keys are. Of those `outdated` the periods have to be removed first, of the
    keys `led` the leads. `near`: sources that may be new."""
    ahead = [key for (key, _), ownership in owned.items() if ownership.leads]
    sources: dict[int, set[UUID]] = defaultdict(set)
    if ahead:
        known = {source.id for source in await list_sources(connection, workspace_id)}
        known |= await sources_with_leads(connection, workspace_id, ahead)
        for source_id in known.union(near):
            sources[sender_of(source_id)].add(source_id)
    id_of = customer_ids(workspace_id)
    await write_ownership(
        connection,
        workspace_id,
        {
            decider: Ownership(
                periods=[Period(run.start, run.end, id_of(run.owner)) for run in ownership.runs],
                is_real=ownership.is_real,
                leads={
                    source_id: lead
                    for sender, lead in ownership.leads.items()
                    for source_id in sources[sender]
                },
            )
            for decider, ownership in owned.items()
        },
        outdated=outdated,
        led=led,
    )


async def add_claims(
    connection: AsyncConnection, workspace_id: UUID, claims: Sequence[Claim]
) -> None:
    await insert_new(
        connection,
        claims_table,
        [
            {
                "workspace_id": workspace_id,
                "key": claim.key,
                "at": claim.at,
                "message_id": claim.message_id,
                "user_id": claim.user_id,
                "kind": claim.kind.value,
                "sender": claim.sender,
                "ahead": claim.ahead,
            }
            for claim in sorted(claims, key=attrgetter("key"))
        ],
    )


async def claims_on(
    connection: AsyncConnection, workspace_id: UUID, keys: Iterable[str]
) -> dict[str, Stored]:
    """The stored claims on each of `keys`: all of them, or of a key that has more than
    CLAIMS_READ_MAX the newest so many."""
    wanted = sorted(keys)
    if not wanted:
        return {}
    values = {"workspace": workspace_id, "keys": wanted}
    claims_by_key = _by_key(await connection.execute(_claims_on(connection), values))
    if sum(map(len, claims_by_key.values())) > CLAIMS_AT_ONCE or any(
        len(many) > CLAIMS_READ_MAX for many in claims_by_key.values()
    ):
        return {key: await _newest_on(connection, workspace_id, key) for key in wanted}
    return {key: Stored(many) for key, many in claims_by_key.items()}


@prepared
def _claims_on(connection: AsyncConnection) -> Select[Any]:
    keys = several(connection, "keys", claims_table.c.key)
    return (
        select(claims_table)
        .where(
            claims_table.c.workspace_id == bindparam("workspace", type_=Id),
            among(connection, claims_table.c.key, keys),
        )
        .limit(CLAIMS_AT_ONCE + 1)
    )


async def _newest_on(connection: AsyncConnection, workspace_id: UUID, key: str) -> Stored:
    rows = await connection.execute(
        select(claims_table)
        .where(claims_table.c.workspace_id == workspace_id, claims_table.c.key == key)
        .order_by(claims_table.c.at.desc(), claims_table.c.message_id.desc())
        .limit(CLAIMS_READ_MAX + 1)
    )
    newest = _by_key(rows)[key]
    if len(newest) <= CLAIMS_READ_MAX:
        return Stored(newest)
    kept = newest[:CLAIMS_READ_MAX]
    return Stored(kept, kept[-1].at)


def _by_key(rows: Result[Any]) -> dict[str, list[Claim]]:
    claims_by_key: dict[str, list[Claim]] = defaultdict(list)
    for row in rows.all():
        claims_by_key[row.key].append(
            Claim(
                key=row.key,
                at=row.at,
                message_id=row.message_id,
                user_id=row.user_id,
                kind=ClaimKind(row.kind),
                sender=row.sender,
                ahead=row.ahead,
            )
        )
    return claims_by_key


async def keys_claimed_by(
    connection: AsyncConnection, workspace_id: UUID, user_ids: Iterable[str]
) -> set[str]:
    """The keys that any of `user_ids` was ever seen with."""
    keys: set[str] = set()
    for part in in_parts(user_ids):
        rows = await connection.execute(
            select(unindexed(claims_table.c.key))  # SQLite would read all keys in their order
            .where(claims_table.c.workspace_id == workspace_id, claims_table.c.user_id.in_(part))
            .distinct()
        )
        keys |= set(rows.scalars())
    return keys


async def users_seen_with(
    connection: AsyncConnection, workspace_id: UUID, keys: Iterable[str]
) -> dict[str, set[str]]:
    """The user ids that were ever seen with each of `keys`."""
    users_by_key: dict[str, set[str]] = defaultdict(set)
    for part in in_parts(keys):
        rows = await connection.execute(
            select(unindexed(claims_table.c.key), unindexed(claims_table.c.user_id))
            .where(claims_table.c.workspace_id == workspace_id, claims_table.c.key.in_(part))
            .distinct()
        )
        for key, user_id in rows:
            users_by_key[key].add(user_id)
    return users_by_key


async def _insert_empty(
    connection: AsyncConnection, workspace_id: UUID, keys: Sequence[str]
) -> set[str]:
    empty: dict[str, Any] = {
        "workspace_id": workspace_id,
        "is_user": False,
        "is_device": False,
        "is_guarded": False,
        "is_named": False,
        "is_known": False,
        "timeline": [],
    }
    rows = [{"key": key} for key in keys]
    fresh = await insert_unseen(connection, identifiers, rows, returning="key", same=empty)
    return set(fresh)


_KEPT = (
    identifiers.c.key,
    identifiers.c.is_user,
    identifiers.c.is_device,
    identifiers.c.is_guarded,
    identifiers.c.is_named,
    identifiers.c.is_known,
    identifiers.c.timeline,
    identifiers.c.facts,
    identifiers.c.decides_as_user,
    identifiers.c.decides_as_key,
    identifiers.c.day_claim,
)
_first = itemgetter(0)
_UNCLAIMED = Timeline()
_facts = msgspec.json.Decoder(Facts)
_day_claim = msgspec.json.Decoder(DayClaim)


def _dump_struct(value: Facts | DayClaim | None) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _identifiers(rows: Iterable[Any]) -> dict[str, Identifier]:
    return {key: _identifier(*kept) for key, *kept in rows}


def _identifier(
    is_user: bool,
    is_device: bool,
    is_guarded: bool,
    is_named: bool,
    is_known: bool,
    timeline: list[Any],
    facts: str | None,
    decides_as_user: bool,
    decides_as_key: bool,
    day_claim: str | None,
) -> Identifier:
    return Identifier(
        flags=_flags(is_user, is_device, is_named, is_known, is_guarded),
        timeline=_load(timeline),
        facts=None if facts is None else _facts.decode(facts),
        decides_as_user=decides_as_user,
        decides_as_key=decides_as_key,
        day_claim=None if day_claim is None else _day_claim.decode(day_claim),
    )


@cache
def _flags(
    is_user: bool, is_device: bool, is_named: bool, is_known: bool, is_guarded: bool
) -> Flags:
    """One value for all identifiers of which the same was seen: there are 32."""
    return Flags(
        is_user=is_user,
        is_device=is_device,
        is_named=is_named,
        is_known=is_known,
        is_guarded=is_guarded,
    )


def _dump(line: Timeline) -> list[Any]:
    """A timeline as the row keeps it: [spans, mover, has mover, device user, shared], then since
    when its device is left (null: it is not) and whose clock was ahead, where there is either. A
    key that is nobody's: null alone."""
    if line is _UNCLAIMED or line == _UNCLAIMED:
        return []
    if line.is_nobodys:
        return [None]
    kept: list[Any] = [
        [_dump_span(span) for span in line.spans],
        line.mover,
        line.has_mover,
        line.device_user,
        line.is_shared,
    ]
    if line.left_at is None and not line.leads:
        return kept
    left = None if line.left_at is None else to_micros(line.left_at)
    return [*kept, left, *([sorted(line.leads.items())] if line.leads else [])]


def _load(stored: list[Any]) -> Timeline:
    if not stored:
        return _UNCLAIMED
    if stored[0] is None:
        return NOBODYS
    spans, mover, has_mover, device_user, is_shared, *rest = stored
    left, leads = [*rest, None, None][:2]
    return Timeline(
        spans=tuple(_load_span(*kept) for kept in spans),
        mover=mover,
        has_mover=has_mover,
        device_user=device_user,
        is_shared=is_shared,
        left_at=None if left is None else from_micros(left),
        leads=dict(leads or ()),
    )


def _dump_span(span: Span) -> list[Any]:
    kept = [to_micros(span.at), span.user_id]
    return kept if span.clock_at is None else [*kept, to_micros(span.clock_at)]


def _load_span(at: int, user_id: str | None, clock_at: int | None = None) -> Span:
    own = None if clock_at is None else from_micros(clock_at)
    return Span(at=from_micros(at), user_id=user_id, clock_at=own)
