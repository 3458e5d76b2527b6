"""Rows of devices, of the tokens that live on them, and of their history."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.devices.device import (
    FINGERPRINT_CHARACTERS,
    DeviceState,
    KeptDevice,
    Platform,
    Removal,
    Removed,
    Spares,
    TokenKind,
)
from clarion.customers.devices.facts import PushPermission
from clarion.customers.devices.history import HistoryEntry, HistoryRecorder
from clarion.customers.devices.liveness import without
from clarion.customers.devices.registration_reader import APNS_CURE
from clarion.customers.devices.registration_store import keep_devices, kept_device
from clarion.storage.bulk import append
from clarion.storage.dialect import Id, among, prepared, several, unindexed
from clarion.storage.schema import device_history as device_history_of
from clarion.storage.schema import devices

NOTIFICATIONS_CURE = (
    "Its person has turned notifications off, so that only pushes that show nothing are sent to "
    "it: let the app ask them to turn notifications on, and send what they say."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """One of a device's registrations as people see it."""

    token_kind: TokenKind
    token_fingerprint: str
    state: DeviceState
    reason: str | None
    registered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device as people see it. Its token is only ever a fingerprint. `registrations`: the one
    that pushes go to first."""

    id: UUID
    device_id: str
    customer_id: UUID
    source_id: UUID
    platform: Platform
    state: DeviceState
    reason: str | None
    registered_at: datetime
    last_seen_at: datetime
    token_kind: TokenKind
    token_fingerprint: str
    registrations: tuple[Registered, ...]
    facts: Mapping[str, str]
    """What SDKs tell of it; the names are those of `facts.py`."""

    @property
    def cure(self) -> str | None:
        """What to mend so that pushes can be sent to it and seen, if anything."""
        if self.state is not DeviceState.ACTIVE:
            return None
        if self.token_kind is TokenKind.APNS:
            return APNS_CURE
        is_off = self.facts.get("push_permission") == PushPermission.DENIED.value
        return NOTIFICATIONS_CURE if is_off else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A line of a device's history."""

    seq: int
    device_id: str
    customer_id: UUID | None
    previous_customer_id: UUID | None
    change: str
    reason: str | None
    token_fingerprint: str | None
    message_id: str | None
    at: datetime


async def get_device(
    connection: AsyncConnection, workspace_id: UUID, device_id: str
) -> Device | None:
    rows = await connection.execute(
        select(devices).where(
            devices.c.workspace_id == workspace_id, devices.c.device_id == device_id
        )
    )
    row = rows.one_or_none()
    return None if row is None else _device(row)


async def list_devices(
    connection: AsyncConnection, workspace_id: UUID, *, after: UUID | None, limit: int
) -> list[Device]:
    """A page of devices by id, those greater than `after`."""
    statement = select(devices).where(devices.c.workspace_id == workspace_id)
    if after is not None:
        statement = statement.where(devices.c.id > after)
    rows = await connection.execute(statement.order_by(devices.c.id).limit(limit))
    return [_device(row) for row in rows]


async def list_devices_of(
    connection: AsyncConnection, workspace_id: UUID, customer_id: UUID
) -> list[Device]:
    """A customer's devices, active and removed."""
    rows = await connection.execute(
        select(devices)
        .where(devices.c.workspace_id == workspace_id, devices.c.customer_id == customer_id)
        .order_by(unindexed(devices.c.device_id))  # found by customer, then sorted
    )
    return [_device(row) for row in rows]


async def device_history(
    connection: AsyncConnection,
    workspace_id: UUID,
    device_id: str,
    *,
    after_seq: int | None = None,
    limit: int | None = None,
) -> list[Change]:
    """What happened to a device, oldest first: all of it, or a page of what came later."""
    of_device = device_history_of.c.device_id == device_id
    return await _history(connection, workspace_id, of_device, after_seq, limit)


async def customer_history(
    connection: AsyncConnection,
    workspace_id: UUID,
    customer_id: UUID,
    *,
    after_seq: int | None = None,
    limit: int | None = None,
) -> list[Change]:
    """What happened to devices while they came to, were with, or left a customer; oldest first."""
    changes: dict[int, Change] = {}
    for column in (device_history_of.c.customer_id, device_history_of.c.previous_customer_id):
        # One after the other: with both in one condition SQLite reads the history of everybody.
        page = await _history(connection, workspace_id, column == customer_id, after_seq, limit)
        changes |= {change.seq: change for change in page}
    return [changes[seq] for seq in sorted(changes)[:limit]]


async def spares_of(
    connection: AsyncConnection, device_row_ids: Iterable[UUID]
) -> dict[UUID, Spares]:
    """Of those devices that have any."""
    rows = await connection.execute(
        select(devices.c.id, devices.c.source_id, devices.c.spares).where(
            among(connection, devices.c.id, sorted(device_row_ids)), devices.c.spares.is_not(None)
        )
    )
    return {row.id: Spares(row.source_id, row.spares or ()) for row in rows}


async def count_devices(
    connection: AsyncConnection, workspace_id: UUID, customer_ids: Iterable[UUID]
) -> Counter[UUID]:
    """How many devices each of these customers can be reached on."""
    values = {"workspace": workspace_id, "ids": sorted(set(customer_ids))}
    rows = await connection.execute(_count_devices(connection), values)
    return Counter({customer_id: int(count) for customer_id, count in rows.all()})


@prepared
def _count_devices(connection: AsyncConnection) -> Select[Any]:
    ids = several(connection, "ids", devices.c.customer_id)
    return (
        select(devices.c.customer_id, func.count())
        .where(
            devices.c.workspace_id == bindparam("workspace", type_=Id),
            among(connection, devices.c.customer_id, ids),
            devices.c.state == DeviceState.ACTIVE.value,
        )
        .group_by(devices.c.customer_id)
    )


async def add_history(
    connection: AsyncConnection, workspace_id: UUID, changes: Sequence[HistoryEntry]
) -> None:
    await append(
        connection,
        device_history_of,
        [
            {
                "workspace_id": workspace_id,
                "device_id": change.device_id,
                "customer_id": change.customer_id,
                "previous_customer_id": change.previous_customer_id,
                "change": change.change,
                "reason": change.reason,
                "token_fingerprint": change.token_hash
                and change.token_hash[:FINGERPRINT_CHARACTERS],
                "message_id": change.message_id,
                "at": change.at,
            }
            for change in changes
        ],
    )


async def remove_registrations(
    connection: AsyncConnection, removals: Sequence[Removal], now: datetime
) -> int:
    """Remove each registration that its device still holds, sent to or spare; returns how many.

    A token refreshed since is left alone, and so is the FID beside a token: they are registrations
    of their own. Removing twice is once.
    """
    by_id = {removal.device_row_id: removal for removal in removals}
    if not by_id:
        return 0
    rows = await connection.execute(
        select(devices)
        .where(devices.c.id.in_(sorted(by_id)), devices.c.state == DeviceState.ACTIVE.value)
        .order_by(devices.c.id)
        .with_for_update()
    )
    doomed = []
    for row in rows:
        removal = by_id[row.id]
        removed = Removed(token_hash=removal.token_hash, until=now, reason=removal.reason)
        doomed.append((row.workspace_id, kept_device(row), [removed]))
    return await _remove(connection, doomed, now)


async def remove_stale(
    connection: AsyncConnection,
    workspace_id: UUID,
    *,
    registered_before: datetime,
    reason: str,
    limit: int,
    now: datetime,
) -> int:
    """Remove from up to `limit` devices what was not refreshed since `registered_before`: the
    registration they are sent to by, and older ones beside it; returns how many devices. Any later
    one revives, even one that has not arrived yet."""
    is_stale = (
        devices.c.workspace_id == workspace_id,
        devices.c.state == literal_column("'active'"),  # so that the partial index is used
        devices.c.registered_at < registered_before,
    )
    oldest = await connection.execute(
        select(devices.c.id).where(*is_stale).order_by(devices.c.registered_at).limit(limit)
    )
    # Locked in the order of their ids, as everybody locks devices, and looked at again by then.
    rows = await connection.execute(
        select(devices)
        .where(devices.c.id.in_(oldest.scalars().all()), *is_stale)
        .order_by(devices.c.id)
        .with_for_update()
    )
    doomed = []
    for row in rows:
        device = kept_device(row)
        removals = [
            Removed(
                token_hash=registration.token_hash, until=registration.registered_at, reason=reason
            )
            for registration in device.registrations
            if registration.is_active and registration.registered_at < registered_before
        ]
        doomed.append((workspace_id, device, removals))
    return await _remove(connection, doomed, now)


def shows_nothing() -> ColumnElement[bool]:
    """The device's person has turned its app's notifications off, by what the app said last; NULL
    where it never said anything."""
    said: ColumnElement[str] = devices.c.facts["push_permission"].as_string()
    return said == PushPermission.DENIED.value


async def _remove(
    connection: AsyncConnection,
    doomed: Sequence[tuple[UUID, KeptDevice, Sequence[Removed]]],
    now: datetime,
) -> int:
    changed: dict[UUID, list[KeptDevice]] = defaultdict(list)
    lines: dict[UUID, list[HistoryEntry]] = defaultdict(list)
    for workspace_id, before, removals in doomed:
        after = without(before, *removals)
        if after == before:
            continue
        changed[workspace_id].append(after)
        chronicle = HistoryRecorder(before=before, after=after, now=now)
        chronicle.write_standing()
        lines[workspace_id] += chronicle.lines
    for workspace_id, kept in changed.items():
        await keep_devices(connection, workspace_id, kept)
        await add_history(connection, workspace_id, lines[workspace_id])
    return sum(map(len, changed.values()))


async def _history(
    connection: AsyncConnection,
    workspace_id: UUID,
    of: ColumnElement[bool],
    after_seq: int | None,
    limit: int | None,
) -> list[Change]:
    statement = select(device_history_of).where(
        device_history_of.c.workspace_id == workspace_id, of
    )
    if after_seq is not None:
        statement = statement.where(device_history_of.c.seq > after_seq)
    return await changes_in(connection, statement.order_by(device_history_of.c.seq).limit(limit))


async def changes_in(connection: AsyncConnection, statement: Select[Any]) -> list[Change]:
    """The lines of `device_history` that `statement` selects."""
    rows = await connection.execute(statement)
    return [Change(**{name: getattr(row, name) for name in _CHANGE_FIELDS}) for row in rows]


_CHANGE_FIELDS = (
    "seq",
    "device_id",
    "customer_id",
    "previous_customer_id",
    "change",
    "reason",
    "token_fingerprint",
    "message_id",
    "at",
)


def _device(row: Any) -> Device:
    return Device(
        id=row.id,
        device_id=row.device_id,
        customer_id=row.customer_id,
        source_id=row.source_id,
        platform=Platform(row.platform),
        state=DeviceState(row.state),
        reason=row.reason,
        registered_at=row.registered_at,
        last_seen_at=row.last_seen_at,
        token_kind=TokenKind(row.token_kind),
        token_fingerprint=row.token_hash[:FINGERPRINT_CHARACTERS],
        facts=row.facts or {},
        registrations=tuple(
            Registered(
                token_kind=registration.token_kind,
                token_fingerprint=registration.token_hash[:FINGERPRINT_CHARACTERS],
                state=registration.state,
                reason=registration.reason,
                registered_at=registration.registered_at,
            )
            for registration in kept_device(row).registrations
        ),
    )
