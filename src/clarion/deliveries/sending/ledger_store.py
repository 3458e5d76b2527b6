"""What a claimed chunk holds, and what is written of it when it is settled.

A delivery that is settled by its first try is inserted then, and never touched again but by what
its app reports. One that must be tried again gets its row now, under the chunk it waits in. What
no push left for goes on as a member of another chunk, without a row.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import product
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    literal,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.audiences.query import takes_no_push
from clarion.customers.devices.store import shows_nothing
from clarion.deliveries.counts_store import Tally
from clarion.deliveries.delivery import DeliveryState, Settled
from clarion.deliveries.engagement.latency import Report
from clarion.deliveries.planning.chunk import (
    LEASED,
    SETTLED,
    Chunk,
    Member,
    NewChunk,
    OpenDelivery,
    chunk_row,
    member_columns,
    unpack,
)
from clarion.storage.bulk import insert_columns, insert_new
from clarion.storage.dialect import Id, Instant, among, prepared, several
from clarion.storage.schema import chunks, customers, deliveries, devices

_PENDING = DeliveryState.PENDING.value
_IS_PENDING = deliveries.c.state == literal_column("'pending'")
"""A literal, not a parameter: only then do databases use the index of the pending ones."""


async def open_deliveries(
    connection: AsyncConnection, chunk: Chunk, *, with_traits: bool, with_facts: bool = False
) -> list[OpenDelivery]:
    """The chunk's pending deliveries with device and customer as they are now."""
    wanted = (with_traits, with_facts)
    rows = await connection.execute(
        _rows_as_they_are(bool(chunk.lost), *wanted), {"chunk": chunk.id}
    )
    pending = [OpenDelivery(*row) for row in rows]
    with_row = {delivery.device_id for delivery in pending}
    members = [member for member in unpack(chunk.members) if member.device_id not in with_row]
    if not members:
        return pending
    read = await connection.execute(
        _DEVICES[wanted](connection),
        {"devices": [member.device_id for member in members]},
    )
    there = {row[0]: row for row in read.all()}
    for member in members:
        delivery = OpenDelivery(member.device_id, member.platform)
        if (row := there.get(member.device_id)) is not None:
            delivery = OpenDelivery(
                member.device_id, member.platform, row[1] == member.customer_id, *row[2:]
            )
        delivery.customer_id = member.customer_id
        pending.append(delivery)
    return pending


# Statements are made once: once for each chunk would be felt.


@cache
def _rows_as_they_are(has_lost: bool, with_traits: bool, with_facts: bool) -> Select[Any]:
    """In the order of OpenDelivery's fields."""
    reported: ColumnElement[bool] = deliveries.c.received_at.is_not(None)
    if not has_lost:
        reported = and_(reported, deliveries.c.unanswered > 0)
    return (
        select(
            deliveries.c.device_id,
            deliveries.c.platform,
            (devices.c.customer_id == deliveries.c.customer_id).label("is_still_theirs"),
            *_now(with_traits, with_facts),
            deliveries.c.attempts,
            deliveries.c.first_tried_at,
            deliveries.c.reason,
            reported.label("has_arrived"),
            deliveries.c.customer_id,
        )
        .outerjoin_from(deliveries, devices, devices.c.id == deliveries.c.device_id)
        .outerjoin(customers, customers.c.id == devices.c.customer_id)
        .where(deliveries.c.chunk_id == bindparam("chunk", type_=Id), _IS_PENDING)
    )


def _of_devices(with_traits: bool, with_facts: bool) -> Callable[[AsyncConnection], Select[Any]]:
    @prepared
    def statement(connection: AsyncConnection) -> Select[Any]:
        listed = several(connection, "devices", devices.c.id)
        return (
            select(devices.c.id, devices.c.customer_id, *_now(with_traits, with_facts))
            .outerjoin_from(devices, customers, customers.c.id == devices.c.customer_id)
            .where(among(connection, devices.c.id, listed))
        )

    return statement


def _now(with_traits: bool, with_facts: bool) -> list[Any]:
    """Device and customer columns that sending checks again, in the order of OpenDelivery's
    fields."""
    return [
        devices.c.state.label("device_state"),
        devices.c.token,
        devices.c.token_kind,
        devices.c.token_hash,
        takes_no_push().label("push_opted_out"),
        shows_nothing().label("notifications_off"),
        customers.c.user_id if with_traits else _nothing("user_id"),
        customers.c.traits if with_traits else _nothing("traits"),
        devices.c.facts if with_facts else _nothing("facts"),
    ]


def _nothing(name: str) -> Any:
    """NULL in the place of a column that this campaign does not need."""
    return null().label(name)


_DEVICES = {wanted: _of_devices(*wanted) for wanted in product((False, True), repeat=2)}


async def settle_chunk(
    connection: AsyncConnection,
    chunk: Chunk,
    *,
    settled: Mapping[UUID, Settled],
    sent: Iterable[UUID],
    unanswered: Iterable[UUID],
    again: Sequence[NewChunk],
    now: datetime,
    reasons: Mapping[UUID, str] | None = None,
    languages: Mapping[UUID, str] | None = None,
) -> Tally | None:
    """Writes what became of the chunk. Returns the change of the launch's counts, or None if
    another sender has claimed the chunk since.

    `settled` and `again` together name every open delivery of the chunk; `sent` are those of both
    for which a push left, `unanswered` those whose answer never came, `reasons` say why those
    of `again` are not settled, and `languages` those of their texts. Attempts of earlier claims
    that were lost are counted, too. A delivery that was taken out of the chunk meanwhile, because
    its customer was erased, is ignored.
    """
    fence = {"chunk_id": chunk.id, "our_attempt": chunk.attempt}
    row = (await connection.execute(_LOCK, fence)).one_or_none()
    if row is None:
        return None
    await connection.execute(_SETTLE, {"chunk_id": chunk.id})
    settlement = _Settlement(
        connection,
        chunk,
        members={member.device_id: member for member in unpack(row.members)},
        rows=await _pending_rows(connection, chunk),
        sent=set(sent),
        unanswered=set(unanswered),
        languages=languages or {},
        now=now,
    )
    await settlement.enter(settled)
    await settlement.move(again, reasons or {})
    return settlement.tally


class _Settlement:
    """The settling of one chunk. `members`: open deliveries without a row, by device; `rows`:
    pending rows, by device."""

    def __init__(
        self,
        connection: AsyncConnection,
        chunk: Chunk,
        *,
        members: dict[UUID, Member],
        rows: dict[UUID, Any],
        sent: Collection[UUID],
        unanswered: Collection[UUID],
        languages: Mapping[UUID, str],
        now: datetime,
    ) -> None:
        self._connection = connection
        self._chunk = chunk
        self._members = members
        self._rows = rows
        self._sent = sent
        self._unanswered = unanswered
        self._languages = languages
        self._now = now
        self.tally = Tally()

    async def enter(self, settled: Mapping[UUID, Settled]) -> None:
        """Writes the settled deliveries."""
        new: dict[tuple[Settled, int, int], list[Member]] = defaultdict(list)
        old: dict[tuple[Settled, int, int, str | None], list[UUID]] = defaultdict(list)
        for device_id, verdict in settled.items():
            key = (verdict, *self._tries(device_id))
            if device_id in self._rows:
                old[*key, self._language(device_id)].append(device_id)
            elif (member := self._members.get(device_id)) is not None:
                new[key].append(member)
        for (verdict, attempts, unanswered), members in new.items():
            state = verdict.state.value
            await self._insert(
                members, state, verdict.reason, attempts, unanswered, {"settled_at": self._now}
            )
        for (verdict, attempts, unanswered, language), device_ids in old.items():
            values = {
                "state": verdict.state.value,
                "reason": verdict.reason,
                "settled_at": self._now,
                "chunk_id": None,
                "language": language,
            }
            await self._change(device_ids, values, attempts, unanswered)

    async def move(self, again: Sequence[NewChunk], reasons: Mapping[UUID, str]) -> None:
        """Moves the deliveries that are not settled to their new chunks."""
        new_chunks: list[dict[str, Any]] = []
        for chunk in again:
            waiting: list[Member] = []
            new: dict[tuple[str | None, int, int], list[Member]] = defaultdict(list)
            old: dict[tuple[str | None, int, int, str | None], list[UUID]] = defaultdict(list)
            for device_id in chunk.device_ids:
                key = (reasons.get(device_id), *self._tries(device_id))
                member = self._members.get(device_id)
                if device_id in self._rows:
                    old[*key, self._language(device_id)].append(device_id)
                elif member is not None and (chunk.tried or any(key)):
                    new[key].append(member)
                elif member is not None:
                    waiting.append(member)
            new_chunks.append(chunk_row(self._chunk, chunk, waiting))
            first = {"chunk_id": chunk.id, "first_tried_at": self._now if chunk.tried else None}
            for (reason, attempts, unanswered), members in new.items():
                await self._insert(members, _PENDING, reason, attempts, unanswered, first)
            for (reason, attempts, unanswered, language), device_ids in old.items():
                values = {"chunk_id": chunk.id, "language": language}
                values |= _first_try(chunk, self._now)
                if reason is not None:
                    values["reason"] = reason
                await self._change(device_ids, values, attempts, unanswered)
        await insert_new(self._connection, chunks, new_chunks)

    def _tries(self, device_id: UUID) -> tuple[int, int]:
        """(attempts, unanswered) that this claim adds, with those that were lost before it."""
        lost = self._chunk.lost
        return (device_id in self._sent) + lost, (device_id in self._unanswered) + lost

    def _language(self, device_id: UUID) -> str | None:
        """Of the text of a delivery with a row: that of this try, or of an earlier one."""
        before: str | None = self._rows[device_id].language
        return self._languages.get(device_id, before)

    async def _insert(
        self,
        members: Sequence[Member],
        state: str,
        reason: str | None,
        attempts: int,
        unanswered: int,
        more: Mapping[str, Any],
    ) -> None:
        """Inserts rows with the same values for members, and counts them."""
        platforms = [member.platform for member in members]
        languages = [self._languages.get(member.device_id) for member in members]
        each: dict[str, Sequence[Any]] = {
            "customer_id": [member.customer_id for member in members],
            "device_id": [member.device_id for member in members],
            "platform": platforms,
            "language": languages,
        }
        alike = {
            "launch_id": self._chunk.launch_id,
            "state": state,
            "reason": reason,
            "attempts": attempts,
            "unanswered": unanswered,
            **more,
        }
        await insert_columns(self._connection, deliveries, each, alike)
        for (platform, language), count in Counter(zip(platforms, languages, strict=True)).items():
            self.tally.add(platform, _PENDING, None, -count)
            tries = {"attempts": attempts * count, "unanswered": unanswered * count}
            self.tally.add(platform, state, reason, count, **tries, language=language)

    async def _change(
        self, device_ids: Sequence[UUID], values: dict[str, Any], attempts: int, unanswered: int
    ) -> None:
        """Updates pending rows with the same values, and counts the change."""
        changed = dict(values)
        for name, more in (("attempts", attempts), ("unanswered", unanswered)):
            if more:
                changed[name] = deliveries.c[name] + more
        await self._connection.execute(
            update(deliveries)
            .where(
                deliveries.c.launch_id == self._chunk.launch_id,
                deliveries.c.device_id.in_(device_ids),
                _IS_PENDING,
            )
            .values(changed)
        )
        for row in (self._rows[device_id] for device_id in device_ids):
            reported = (row.received_at is not None, row.opened_at is not None)
            was = (-1, *(-count for count in (*reported, row.attempts, row.unanswered)))
            self.tally.add(row.platform, _PENDING, row.reason, *was, language=row.language)
            self.tally.add(
                row.platform,
                values.get("state", _PENDING),
                values.get("reason", row.reason),
                1,
                *reported,
                row.attempts + attempts,
                row.unanswered + unanswered,
                language=values["language"],
            )
            if values.get("state") == DeliveryState.ACCEPTED:
                self._count_latencies(row)

    def _count_latencies(self, row: Any) -> None:
        """Of a push that is accepted now and that its app has reported before."""
        for kind, at in ((Report.RECEIVED, row.received_at), (Report.OPENED, row.opened_at)):
            if at is not None:
                self.tally.latency(kind, self._now, at)


async def _pending_rows(connection: AsyncConnection, chunk: Chunk) -> dict[UUID, Any]:
    rows = await connection.execute(_PENDING_ROWS, {"chunk": chunk.id})
    return {row.device_id: row for row in rows}


_LOCK = (
    select(chunks.c.members)
    .where(
        chunks.c.id == bindparam("chunk_id", type_=Id),
        chunks.c.attempt == bindparam("our_attempt", type_=Integer),
        chunks.c.state == LEASED,
    )
    .with_for_update()
)
_SETTLE = (
    update(chunks)
    .where(chunks.c.id == bindparam("chunk_id", type_=Id))
    .values(state=SETTLED, lease_until=None, **member_columns(()))
)
_PENDING_ROWS = (
    select(
        deliveries.c.device_id,
        deliveries.c.platform,
        deliveries.c.reason,
        deliveries.c.attempts,
        deliveries.c.unanswered,
        deliveries.c.received_at,
        deliveries.c.opened_at,
        deliveries.c.language,
    )
    .where(deliveries.c.chunk_id == bindparam("chunk", type_=Id), _IS_PENDING)
    .order_by(deliveries.c.device_id)
    .with_for_update()
)


def _first_try(new: NewChunk, now: datetime) -> dict[str, Any]:
    """How the time of the first try of a pending row changes when the row moves to this chunk."""
    first = deliveries.c.first_tried_at
    if new.tried:
        return {"first_tried_at": case((first.is_(None), literal(now, Instant)), else_=first)}
    # Waiting for a person is not trying: they have all their time once it goes on.
    return {"first_tried_at": None} if new.held else {}
