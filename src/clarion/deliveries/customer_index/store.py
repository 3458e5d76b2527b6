"""Which deliveries a customer had: an index of them, written launch by launch in customer order.

Each launch passes devices in the order of their ids, so that an index by customer that the database
keeps would be touched all over by every chunk: `docs/decisions/0017` has the figures. This one is
written once a launch has ended. Until then `launches.indexed_at` is NULL, and whoever looks for a
customer's deliveries looks through these launches too.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from sqlalchemy import delete, exists, literal_column, not_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.campaigns.launches.launch import FINAL
from clarion.deliveries.limits.recent_store import forget_recent
from clarion.storage.bulk import in_parts, insert_new, remove_each
from clarion.storage.schema import chunks, customer_deliveries, deliveries, launches

NOBODY = UUID(int=0)
"""Stands in the deliveries of a customer who was erased."""
SORTED_MAX = 100_000
"""Deliveries that are sorted at once; a larger launch is read once for each so many."""
PAGE = 5_000
Pair = tuple[UUID, UUID]
"""A customer's id, and a device's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedLaunch:
    """A launch that has ended, as it was when it was read. `rewritten`: how often an erasure has
    changed whose its deliveries are."""

    id: UUID
    planned: int
    rewritten: int


async def next_to_index(connection: AsyncConnection) -> EndedLaunch | None:
    """The launch that ended first of those that are not in the index yet."""
    is_open = exists().where(
        chunks.c.launch_id == launches.c.id, chunks.c.state != literal_column("'settled'")
    )
    rows = await connection.execute(
        select(launches.c.id, launches.c.planned, launches.c.rewritten)
        .where(
            launches.c.indexed_at.is_(None),
            launches.c.deliveries_removed_at.is_(None),
            launches.c.state.in_([state.value for state in FINAL]),
            not_(is_open),
        )
        .order_by(launches.c.done_at)
        .limit(1)
    )
    row = rows.one_or_none()
    return None if row is None else EndedLaunch(**row._mapping)


async def pairs_after(
    connection: AsyncConnection,
    launch_id: UUID,
    after: UUID | None,
    *,
    between: tuple[UUID, UUID] | None,
    limit: int,
) -> tuple[list[Pair], UUID | None]:
    """The pairs of a launch's next `limit` deliveries by device, and the last device of them; None:
    there are no more. `between`: only those of customers from the one up to the other."""
    statement = select(deliveries.c.customer_id, deliveries.c.device_id).where(
        deliveries.c.launch_id == launch_id, deliveries.c.customer_id != NOBODY
    )
    if between is not None:
        statement = statement.where(deliveries.c.customer_id.between(*between))
    if after is not None:
        statement = statement.where(deliveries.c.device_id > after)
    rows = await connection.execute(statement.order_by(deliveries.c.device_id).limit(limit))
    pairs: list[Pair] = [(customer, device) for customer, device in rows]
    return pairs, pairs[-1][1] if len(pairs) == limit else None


async def pairs_of(
    connection: AsyncConnection, launch_id: UUID, between: tuple[UUID, UUID] | None
) -> list[Pair]:
    """All of a launch, or of a range of customers, read page by page."""
    all_pairs, after = await pairs_after(connection, launch_id, None, between=between, limit=PAGE)
    while after is not None:
        pairs, after = await pairs_after(connection, launch_id, after, between=between, limit=PAGE)
        all_pairs += pairs
    return all_pairs


def in_order(pair: Pair) -> bytes:
    """The order of the index, so that what is written at once lies together."""
    customer_id, device_id = pair
    return customer_id.bytes + device_id.bytes


def customer_ranges(count: int, size: int = SORTED_MAX) -> Iterator[tuple[UUID, UUID] | None]:
    """Ranges of customers, of about `size` deliveries each: their ids are spread evenly. None: all
    of them at once."""
    number = -(-count // size)
    if number <= 1:
        yield None
        return
    edges = [(place << 128) // number for place in range(number + 1)]
    for lower, upper in pairwise(edges):
        yield UUID(int=lower), UUID(int=upper - 1)


async def add_pairs(
    connection: AsyncConnection, launch: EndedLaunch, pairs: Sequence[Pair]
) -> bool:
    """Write them. False: an erasure has changed the launch since it was read, and nothing is
    written."""
    rows = await connection.execute(
        select(launches.c.rewritten).where(launches.c.id == launch.id).with_for_update(read=True)
    )
    if rows.scalar_one_or_none() != launch.rewritten:
        return False
    await insert_new(
        connection,
        customer_deliveries,
        [{"customer_id": customer, "device_id": device} for customer, device in pairs],
        {"launch_id": launch.id},
    )
    return True


async def mark_indexed(connection: AsyncConnection, launch: EndedLaunch, now: datetime) -> bool:
    """All its deliveries are in the index. False: it has changed since it was read."""
    rows = await connection.execute(
        update(launches)
        .where(
            launches.c.id == launch.id,
            launches.c.rewritten == launch.rewritten,
            launches.c.planned == launch.planned,
        )
        .values(indexed_at=now)
        .returning(launches.c.id)
    )
    return rows.one_or_none() is not None


async def launches_to_look_at(
    connection: AsyncConnection, workspace_id: UUID, customer_ids: Iterable[UUID]
) -> list[UUID]:
    """The launches in which these customers may have deliveries: those that the index names, and
    those that are not in it yet."""
    rows = await connection.execute(
        select(launches.c.id).where(
            launches.c.workspace_id == workspace_id, launches.c.indexed_at.is_(None)
        )
    )
    launch_ids = set(rows.scalars())
    for part in in_parts(customer_ids):
        rows = await connection.execute(
            select(customer_deliveries.c.launch_id)
            .where(customer_deliveries.c.customer_id.in_(part))
            .distinct()
        )
        launch_ids |= set(rows.scalars())
    return sorted(launch_ids)


async def take_out_of_index(
    connection: AsyncConnection, keys: Collection[tuple[UUID, UUID, UUID]]
) -> None:
    """These (customer, launch, device) are nobody's any more. Deliveries are changed first: then
    whoever indexes a launch meanwhile has either written these rows by now, or begins anew."""
    for part in in_parts({launch_id for _, launch_id, _ in keys}):
        await connection.execute(
            update(launches)
            .where(launches.c.id.in_(part))
            .values(rewritten=launches.c.rewritten + 1)
        )
    await remove_from_index(connection, keys)


async def forget_customers(connection: AsyncConnection, customer_ids: Iterable[UUID]) -> None:
    """No line of theirs is left, not even of a delivery that is gone, nor what caps count."""
    customer_ids = list(customer_ids)
    await forget_recent(connection, customer_ids)
    for part in in_parts(customer_ids):
        await connection.execute(
            delete(customer_deliveries).where(customer_deliveries.c.customer_id.in_(part))
        )


async def remove_from_index(
    connection: AsyncConnection, keys: Collection[tuple[UUID, UUID, UUID]]
) -> None:
    names = ("customer_id", "launch_id", "device_id")
    await remove_each(
        connection,
        customer_deliveries,
        [dict(zip(names, key, strict=True)) for key in sorted(keys)],
    )
