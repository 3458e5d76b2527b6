"""Rows of registrations: the device that holds them, where each installation lives, what apps
deleted."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.clock import from_micros, to_micros
from clarion.customers.devices.device import (
    TOKEN_MOVED,
    Deletion,
    DeviceState,
    Held,
    KeptDevice,
    Platform,
    Removed,
    Stamp,
    TokenKind,
)
from clarion.customers.devices.device_plan import Holder
from clarion.storage.bulk import insert_new, update_known, upsert
from clarion.storage.dialect import Id, among, prepared, several
from clarion.storage.schema import device_deletions, devices, tokens

_NOBODY: Mapping[str, KeptDevice] = {}
_CHANGED = tuple(
    column.name for column in devices.c if column.name not in ("id", "workspace_id", "device_id")
)

_device_id, _installation_hash = attrgetter("device_id"), attrgetter("installation_hash")
_reached_by = attrgetter("customer_id", "registrations")

# By their values: to look one up in an enum's class takes several times as long.
_PLATFORMS = {platform.value: platform for platform in Platform}
_TOKEN_KINDS = {kind.value: kind for kind in TokenKind}
_STATES = {state.value: state for state in DeviceState}


class DeviceRow(Protocol):
    """A row of `devices`, whatever is selected beside it."""

    id: UUID
    device_id: str
    customer_id: UUID
    source_id: UUID
    platform: str
    token: str | None
    token_kind: str
    token_hash: str
    installation_hash: str | None
    token_rank: int
    token_message_id: str
    registered_at: datetime
    order_at: datetime | None
    state: str
    reason: str | None
    removed_token_hash: str
    removed_at: datetime | None
    removed_reason: str
    spares: list[dict[str, Any]] | None
    facts: dict[str, str] | None
    last_seen_at: datetime


async def lock_devices(
    connection: AsyncConnection, workspace_id: UUID, device_ids: Iterable[str]
) -> tuple[dict[str, KeptDevice], dict[str, list[Deletion]]]:
    """Those of `device_ids` that exist, ours until this transaction ends, and what apps have said
    of them being gone."""
    wanted = sorted(set(device_ids))
    deletions: dict[str, list[Deletion]] = defaultdict(list)
    if not wanted:
        return {}, deletions
    values = {"workspace": workspace_id, "ids": wanted}
    rows = await connection.execute(_lock_devices(connection), values)
    devices_by_id: dict[str, KeptDevice] = {}
    for row in rows.all():
        if row.device_id not in devices_by_id:
            devices_by_id[row.device_id] = kept_device(row)
        if row.deleted_at is not None:
            deletions[row.device_id].append(_deletion(row))
    return devices_by_id, deletions


@prepared
def _lock_devices(connection: AsyncConnection) -> Select[Any]:
    return (
        select(devices, *_DELETION)
        .outerjoin(
            device_deletions,
            (device_deletions.c.workspace_id == devices.c.workspace_id)
            & (device_deletions.c.device_id == devices.c.device_id),
        )
        .where(*_of_devices(connection, devices))
        # Locked by id, as whoever removes registrations does: two orders would meet head-on.
        .order_by(devices.c.id, device_deletions.c.at, device_deletions.c.message_id)
        .with_for_update(of=devices)
    )


def _of_devices(connection: AsyncConnection, table: Table) -> tuple[ColumnElement[bool], ...]:
    """Rows of the devices `ids`, which come as a parameter, as the `workspace` does."""
    ids = several(connection, "ids", table.c.device_id)
    workspace = bindparam("workspace", type_=Id)
    return table.c.workspace_id == workspace, among(connection, table.c.device_id, ids)


async def keep_devices(
    connection: AsyncConnection,
    workspace_id: UUID,
    kept: Sequence[KeptDevice],
    before: Mapping[str, KeptDevice] = _NOBODY,
) -> None:
    """Write `kept`, whether they were there or not. `before`: those that were, as far as they are
    known; what no event has changed of them is not written again."""
    changed, told_of, seen = (list[dict[str, Any]]() for _ in range(3))
    for device in sorted(kept, key=_device_id):
        was = before.get(device.device_id)
        if was is None or _reached_by(was) != _reached_by(device):
            changed.append(device_row(workspace_id, device))
        elif was.facts != device.facts:
            told_of.append({"id": device.id, **_told(device)})
        else:
            seen.append({"id": device.id, "last_seen_at": device.last_seen_at})
    await upsert(connection, devices, changed, key=("id",), changes=_CHANGED)
    await update_known(connection, devices, told_of, key="id")
    await update_known(connection, devices, seen, key="id")


def _told(device: KeptDevice) -> dict[str, Any]:
    """The columns of a device that events change which only tell something of it."""
    return {
        "facts": dict(device.facts) or None,
        "app_version": device.facts.get("app_version"),
        "last_seen_at": device.last_seen_at,
    }


async def lock_holders(
    connection: AsyncConnection, workspace_id: UUID, hashes: Iterable[str]
) -> dict[str, Holder]:
    """Where each installation lives, for those that live anywhere."""
    wanted = sorted(set(hashes))
    if not wanted:
        return {}
    values = {"workspace": workspace_id, "hashes": wanted}
    rows = await connection.execute(_lock_holders(connection), values)
    return {
        row.installation_hash: Holder(
            installation_hash=row.installation_hash,
            device_id=row.device_id,
            stamp=Stamp(row.at, row.rank, row.message_id),
        )
        for row in rows.all()
    }


@prepared
def _lock_holders(connection: AsyncConnection) -> Select[Any]:
    hashes = several(connection, "hashes", tokens.c.installation_hash)
    return (
        select(tokens)
        .where(
            tokens.c.workspace_id == bindparam("workspace", type_=Id),
            among(connection, tokens.c.installation_hash, hashes),
        )
        .order_by(tokens.c.installation_hash)
        .with_for_update()
    )


async def keep_holders(
    connection: AsyncConnection,
    workspace_id: UUID,
    holders: Iterable[Holder],
    before: Mapping[str, Holder],
) -> None:
    """Write where these live. `before`: where they lived."""
    stayed: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    for holder in sorted(holders, key=_installation_hash):
        was = before.get(holder.installation_hash)
        is_same = was is not None and was.device_id == holder.device_id
        (stayed if is_same else moved).append(
            {
                "workspace_id": workspace_id,
                "installation_hash": holder.installation_hash,
                "device_id": holder.device_id,
                "at": holder.stamp.at,
                "rank": holder.stamp.rank,
                "message_id": holder.stamp.message_id,
            }
        )
    key = ("workspace_id", "installation_hash")
    await upsert(connection, tokens, moved, key=key)
    await upsert(connection, tokens, stayed, key=key, changes=("at", "rank", "message_id"))


async def add_deletions(
    connection: AsyncConnection, workspace_id: UUID, deletions: Sequence[Deletion]
) -> None:
    await insert_new(
        connection,
        device_deletions,
        [
            {
                "workspace_id": workspace_id,
                "device_id": deletion.device_id,
                "at": deletion.at,
                "message_id": deletion.message_id,
                "user_id": deletion.user_id,
                "token_hash": deletion.token_hash,
            }
            for deletion in deletions
        ],
    )


async def forget_old_deletions(
    connection: AsyncConnection, workspace_id: UUID, outdated: Mapping[str, datetime]
) -> None:
    """Of each of these devices, those before that time."""
    for device_id, before in sorted(outdated.items()):
        await connection.execute(
            delete(device_deletions).where(
                device_deletions.c.workspace_id == workspace_id,
                device_deletions.c.device_id == device_id,
                device_deletions.c.at < before,
            )
        )


async def devices_deleted_by(
    connection: AsyncConnection, workspace_id: UUID, user_ids: Iterable[str]
) -> set[str]:
    """The devices that any of `user_ids` has ever said to be gone."""
    wanted = list(user_ids)
    if not wanted:
        return set()
    rows = await connection.execute(
        select(device_deletions.c.device_id)
        .where(
            device_deletions.c.workspace_id == workspace_id,
            among(connection, device_deletions.c.user_id, wanted),
        )
        .distinct()
    )
    return set(rows.scalars())


async def deletions_of(
    connection: AsyncConnection, workspace_id: UUID, device_ids: Iterable[str]
) -> dict[str, list[Deletion]]:
    """What apps have said about devices being gone, oldest first."""
    deletions_by_device: dict[str, list[Deletion]] = defaultdict(list)
    wanted = list(device_ids)
    if not wanted:
        return deletions_by_device
    values = {"workspace": workspace_id, "ids": wanted}
    for row in await connection.execute(_deletions_of(connection), values):
        deletions_by_device[row.device_id].append(_deletion(row))
    return deletions_by_device


@prepared
def _deletions_of(connection: AsyncConnection) -> Select[Any]:
    return (
        select(device_deletions.c.device_id, *_DELETION)
        .where(*_of_devices(connection, device_deletions))
        .order_by(device_deletions.c.at, device_deletions.c.message_id)
    )


def kept_device(row: DeviceRow) -> KeptDevice:
    """A row of devices, its registrations put together: the current one's columns and the spare."""
    removed = None
    if row.removed_at is not None:
        removed = Removed(
            token_hash=row.removed_token_hash, until=row.removed_at, reason=row.removed_reason
        )
    current = Held(
        source_id=row.source_id,
        platform=_PLATFORMS[row.platform],
        token=row.token,
        token_kind=_TOKEN_KINDS[row.token_kind],
        token_hash=row.token_hash,
        installation_hash=row.installation_hash or row.token_hash,
        holds=Stamp(row.order_at or row.registered_at, row.token_rank, row.token_message_id),
        registered_at=row.registered_at,
        removed=removed,
        state=_STATES[row.state],
        reason=row.reason,
    )
    return KeptDevice(
        id=row.id,
        device_id=row.device_id,
        customer_id=row.customer_id,
        registrations=(current, *(load_spare(spare) for spare in row.spares or ())),
        facts=row.facts or {},
        last_seen_at=row.last_seen_at,
    )


def device_row(workspace_id: UUID, device: KeptDevice) -> dict[str, Any]:
    """The row that `kept_device` reads."""
    current = device.current
    removed = current.removed
    moved = {
        registration.token_kind: registration.installation_hash
        for registration in device.registrations
        if registration.reason == TOKEN_MOVED
    }
    return {
        "id": device.id,
        "workspace_id": workspace_id,
        "device_id": device.device_id,
        "customer_id": device.customer_id,
        "source_id": current.source_id,
        "platform": current.platform.value,
        "token": current.token,
        "token_kind": current.token_kind.value,
        "token_hash": current.token_hash,
        "installation_hash": current.installation_hash,
        "token_rank": current.holds.rank,
        "token_message_id": current.holds.message_id,
        "registered_at": current.registered_at,
        "order_at": None if current.holds.at == current.registered_at else current.holds.at,
        "state": current.state.value,
        "reason": current.reason,
        "removed_token_hash": removed and removed.token_hash,
        "removed_at": removed and removed.until,
        "removed_reason": removed and removed.reason,
        "spares": [_dump_spare(registration) for registration in device.registrations[1:]] or None,
        **_told(device),
        "moved_fcm": moved.get(TokenKind.FCM),
        "moved_fid": moved.get(TokenKind.FID),
        "moved_apns": moved.get(TokenKind.APNS),
    }


def load_spare(stored: dict[str, Any]) -> Held:
    """A registration that is not sent to, as `devices.spares` keeps it."""
    removed = stored["removed"]
    return Held(
        source_id=UUID(stored["source_id"]),
        platform=Platform(stored["platform"]),
        token=stored["token"],
        token_kind=TokenKind(stored["token_kind"]),
        token_hash=stored["token_hash"],
        installation_hash=stored["installation_hash"],
        holds=Stamp(from_micros(stored["at"]), stored["rank"], stored["message_id"]),
        registered_at=from_micros(stored.get("registered_at", stored["at"])),
        removed=removed
        and Removed(token_hash=removed[0], until=from_micros(removed[1]), reason=removed[2]),
        state=DeviceState(stored["state"]),
        reason=stored["reason"],
    )


def _dump_spare(registration: Held) -> dict[str, Any]:
    removed = registration.removed
    return {
        "source_id": str(registration.source_id),
        "platform": registration.platform.value,
        "token": registration.token,
        "token_kind": registration.token_kind.value,
        "token_hash": registration.token_hash,
        "installation_hash": registration.installation_hash,
        "at": to_micros(registration.holds.at),
        "registered_at": to_micros(registration.registered_at),
        "rank": registration.holds.rank,
        "message_id": registration.holds.message_id,
        "removed": removed and [removed.token_hash, to_micros(removed.until), removed.reason],
        "state": registration.state.value,
        "reason": registration.reason,
    }


_DELETION = (
    device_deletions.c.at.label("deleted_at"),
    device_deletions.c.message_id.label("deletion_message_id"),
    device_deletions.c.user_id.label("deleted_by"),
    device_deletions.c.token_hash.label("deleted_token_hash"),
)


def _deletion(row: Any) -> Deletion:
    return Deletion(
        device_id=row.device_id,
        at=row.deleted_at,
        message_id=row.deletion_message_id,
        user_id=row.deleted_by,
        token_hash=row.deleted_token_hash,
    )
