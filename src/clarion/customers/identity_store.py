"""Rows of identifiers and claims."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.clock import from_micros, to_micros
from clarion.customers.batch import Identifier
from clarion.customers.facts import Facts
from clarion.customers.identity import Claim, ClaimKind, Flags, Span, Timeline
from clarion.storage.bulk import in_parts, insert_new, insert_unseen, upsert
from clarion.storage.dialect import among
from clarion.storage.schema import claims as claims_table
from clarion.storage.schema import identifiers


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
    if connection.dialect.name == "postgresql":
        fresh = await _insert_empty(connection, workspace_id, wanted)
    rows = await connection.execute(
        select(*_KEPT)
        .where(
            identifiers.c.workspace_id == workspace_id, among(connection, identifiers.c.key, wanted)
        )
        .order_by(identifiers.c.key)
        .with_for_update()
    )
    return {key: _identifier(*kept) for key, *kept in rows if key not in fresh}


async def read_flags(
    connection: AsyncConnection, workspace_id: UUID, keys: Iterable[str]
) -> dict[str, Flags]:
    """The flags of `keys`, without locking them."""
    known = await read_identifiers(connection, workspace_id, keys)
    return {key: one.flags for key, one in known.items()}


async def read_identifiers(
    connection: AsyncConnection, workspace_id: UUID, keys: Iterable[str]
) -> dict[str, Identifier]:
    """What is stored of `keys`, without locking them."""
    found: dict[str, Identifier] = {}
    for part in in_parts(keys):
        rows = await connection.execute(
            select(*_KEPT).where(
                identifiers.c.workspace_id == workspace_id, identifiers.c.key.in_(part)
            )
        )
        found |= {key: _identifier(*kept) for key, *kept in rows}
    return found


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
                "is_user": changed[key].flags.is_user,
                "is_device": changed[key].flags.is_device,
                "is_guarded": changed[key].flags.is_guarded,
                "timeline": _dump(changed[key].timeline),
                "facts": _dump_facts(changed[key].facts),
            }
            for key in sorted(changed)
        ],
        key=("workspace_id", "key"),
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
            }
            for claim in claims
        ],
    )


async def claims_on(
    connection: AsyncConnection, workspace_id: UUID, keys: Iterable[str]
) -> dict[str, list[Claim]]:
    """Every stored claim on each of `keys`."""
    wanted = list(keys)
    found: dict[str, list[Claim]] = defaultdict(list)
    if not wanted:
        return found
    rows = await connection.execute(
        select(claims_table).where(
            claims_table.c.workspace_id == workspace_id,
            among(connection, claims_table.c.key, wanted),
        )
    )
    for row in rows:
        found[row.key].append(
            Claim(
                key=row.key,
                at=row.at,
                message_id=row.message_id,
                user_id=row.user_id,
                kind=ClaimKind(row.kind),
            )
        )
    return found


async def keys_claimed_by(
    connection: AsyncConnection, workspace_id: UUID, user_ids: Iterable[str]
) -> set[str]:
    """The keys that any of `user_ids` was ever seen with."""
    found: set[str] = set()
    for part in in_parts(user_ids):
        rows = await connection.execute(
            select(claims_table.c.key)
            .where(claims_table.c.workspace_id == workspace_id, claims_table.c.user_id.in_(part))
            .distinct()
        )
        found |= set(rows.scalars())
    return found


async def users_seen_with(
    connection: AsyncConnection, workspace_id: UUID, keys: Iterable[str]
) -> dict[str, set[str]]:
    """The user ids that were ever seen with each of `keys`."""
    found: dict[str, set[str]] = defaultdict(set)
    for part in in_parts(keys):
        rows = await connection.execute(
            select(claims_table.c.key, claims_table.c.user_id)
            .where(claims_table.c.workspace_id == workspace_id, claims_table.c.key.in_(part))
            .distinct()
        )
        for key, user_id in rows:
            found[key].add(user_id)
    return found


async def _insert_empty(
    connection: AsyncConnection, workspace_id: UUID, keys: Sequence[str]
) -> set[str]:
    rows = [
        {
            "workspace_id": workspace_id,
            "key": key,
            "is_user": False,
            "is_device": False,
            "is_guarded": False,
            "timeline": [],
        }
        for key in keys
    ]
    return set(await insert_unseen(connection, identifiers, rows, returning="key"))


_KEPT = (
    identifiers.c.key,
    identifiers.c.is_user,
    identifiers.c.is_device,
    identifiers.c.is_guarded,
    identifiers.c.timeline,
    identifiers.c.facts,
)
_UNCLAIMED = Timeline()
_facts = msgspec.json.Decoder(Facts)


def _dump_facts(facts: Facts | None) -> str | None:
    return None if facts is None else msgspec.json.encode(facts).decode()


def _identifier(
    is_user: bool, is_device: bool, is_guarded: bool, timeline: list[Any], facts: str | None
) -> Identifier:
    return Identifier(
        flags=Flags(is_user=is_user, is_device=is_device, is_guarded=is_guarded),
        timeline=_load(timeline),
        facts=None if facts is None else _facts.decode(facts),
    )


def _dump(line: Timeline) -> list[Any]:
    """A timeline as the row keeps it: [spans, mover, has mover, device user, shared], and since
    when its device is left, if it is."""
    if line == _UNCLAIMED:
        return []
    kept: list[Any] = [
        [[to_micros(span.at), span.user_id] for span in line.spans],
        line.mover,
        line.has_mover,
        line.device_user,
        line.is_shared,
    ]
    return kept if line.left_at is None else [*kept, to_micros(line.left_at)]


def _load(stored: list[Any]) -> Timeline:
    if not stored:
        return _UNCLAIMED
    spans, mover, has_mover, device_user, is_shared, *left = stored
    return Timeline(
        spans=tuple(Span(at=from_micros(at), user_id=user_id) for at, user_id in spans),
        mover=mover,
        has_mover=has_mover,
        device_user=device_user,
        is_shared=is_shared,
        left_at=from_micros(left[0]) if left else None,
    )
