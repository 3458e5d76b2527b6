"""Rows of registrations: the device that holds one, where each token lives, what apps deleted."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.device import (
    Deletion,
    DeviceState,
    Platform,
    Removed,
    Stamp,
    TokenKind,
)
from clarion.customers.registration import Holder, KeptDevice
from clarion.storage.bulk import insert_new, upsert
from clarion.storage.schema import device_deletions, devices, tokens


async def lock_devices(
    connection: AsyncConnection, workspace_id: UUID, device_ids: Iterable[str]
) -> dict[str, KeptDevice]:
    """Those of `device_ids` that exist, ours until this transaction ends."""
    wanted = sorted(set(device_ids))
    if not wanted:
        return {}
    rows = await connection.execute(
        select(devices)
        .where(devices.c.workspace_id == workspace_id, devices.c.device_id.in_(wanted))
        .order_by(devices.c.device_id)
        .with_for_update()
    )
    return {row.device_id: _kept(row) for row in rows}


async def keep_devices(
    connection: AsyncConnection, workspace_id: UUID, kept: Sequence[KeptDevice]
) -> None:
    """Write `kept`, whether they were there or not."""
    await upsert(
        connection,
        devices,
        [
            {
                "id": device.id,
                "workspace_id": workspace_id,
                "device_id": device.device_id,
                "customer_id": device.customer_id,
                "source_id": device.source_id,
                "platform": device.platform.value,
                "token": device.token,
                "token_kind": device.token_kind.value,
                "token_hash": device.token_hash,
                "token_rank": device.holds.rank,
                "token_message_id": device.holds.message_id,
                "registered_at": device.holds.at,
                "state": device.state.value,
                "reason": device.reason,
                "removed_token_hash": device.removed and device.removed.token_hash,
                "removed_at": device.removed and device.removed.until,
                "removed_reason": device.removed and device.removed.reason,
                "last_seen_at": device.last_seen_at,
            }
            for device in sorted(kept, key=lambda one: one.device_id)
        ],
        key=("id",),
    )


async def lock_holders(
    connection: AsyncConnection, workspace_id: UUID, hashes: Iterable[str]
) -> dict[str, Holder]:
    """Where each token lives, for those that live anywhere."""
    wanted = sorted(set(hashes))
    if not wanted:
        return {}
    rows = await connection.execute(
        select(tokens)
        .where(tokens.c.workspace_id == workspace_id, tokens.c.token_hash.in_(wanted))
        .order_by(tokens.c.token_hash)
        .with_for_update()
    )
    return {
        row.token_hash: Holder(
            token_hash=row.token_hash,
            device_id=row.device_id,
            stamp=Stamp(row.at, row.rank, row.message_id),
        )
        for row in rows
    }


async def keep_holders(
    connection: AsyncConnection, workspace_id: UUID, holders: Iterable[Holder]
) -> None:
    await upsert(
        connection,
        tokens,
        [
            {
                "workspace_id": workspace_id,
                "token_hash": holder.token_hash,
                "device_id": holder.device_id,
                "at": holder.stamp.at,
                "rank": holder.stamp.rank,
                "message_id": holder.stamp.message_id,
            }
            for holder in sorted(holders, key=lambda one: one.token_hash)
        ],
        key=("workspace_id", "token_hash"),
    )


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
            device_deletions.c.user_id.in_(wanted),
        )
        .distinct()
    )
    return set(rows.scalars())


async def deletions_of(
    connection: AsyncConnection, workspace_id: UUID, device_ids: Iterable[str]
) -> dict[str, list[Deletion]]:
    """What apps have said about devices being gone, oldest first."""
    found: dict[str, list[Deletion]] = defaultdict(list)
    wanted = list(device_ids)
    if not wanted:
        return found
    rows = await connection.execute(
        select(device_deletions)
        .where(
            device_deletions.c.workspace_id == workspace_id,
            device_deletions.c.device_id.in_(wanted),
        )
        .order_by(device_deletions.c.at, device_deletions.c.message_id)
    )
    for row in rows:
        found[row.device_id].append(
            Deletion(
                device_id=row.device_id,
                at=row.at,
                message_id=row.message_id,
                user_id=row.user_id,
                token_hash=row.token_hash,
            )
        )
    return found


def _kept(row: Any) -> KeptDevice:
    removed = None
    if row.removed_at is not None:
        removed = Removed(
            token_hash=row.removed_token_hash, until=row.removed_at, reason=row.removed_reason
        )
    return KeptDevice(
        id=row.id,
        device_id=row.device_id,
        customer_id=row.customer_id,
        source_id=row.source_id,
        platform=Platform(row.platform),
        token=row.token,
        token_kind=TokenKind(row.token_kind),
        token_hash=row.token_hash,
        holds=Stamp(row.registered_at, row.token_rank, row.token_message_id),
        state=DeviceState(row.state),
        reason=row.reason,
        removed=removed,
        last_seen_at=row.last_seen_at,
    )
