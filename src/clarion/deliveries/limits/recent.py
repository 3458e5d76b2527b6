"""What frequency caps count: the recent pushes of one customer. Pure.

A push is entered before it leaves, under its launch: it is reserved. What becomes of its devices
decides whether it stays: of a launch that the provider took for none of them nothing is left. So a
repeat of the same launch, for another device or after a crash, is never counted twice.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from clarion.campaigns.limits.caps import Cap
from clarion.clock import to_micros


class RecentPush(Struct, frozen=True, array_like=True, gc=False):
    """A launch's push to the customer. `at`: µs since 1970 when it was last reserved or accepted;
    `devices`: those for which it was accepted, or may still be."""

    launch: bytes
    category: str | None
    at: int
    devices: tuple[bytes, ...]


Recent = tuple[RecentPush, ...]


def pack(recent: Recent) -> bytes:
    """As a row holds them."""
    return msgspec.msgpack.encode(recent)


def unpack(packed: bytes) -> Recent:
    """What `pack` has packed."""
    return msgspec.msgpack.decode(packed, type=Recent) if packed else ()


def reserve(
    recent: Recent,
    launch_id: UUID,
    device_ids: Collection[UUID],
    *,
    category: str | None,
    caps: Sequence[Cap],
    now: datetime,
) -> Recent | None:
    """With this launch's push to these devices entered; None: a cap stands against it.

    `caps`: those that hold for its campaign. A launch that is entered already was let pass by them,
    and is again while it counts. What no cap counts any more is left out.
    """
    launch = launch_id.bytes
    own = next((push for push in recent if push.launch == launch), None)
    others = [push for push in recent if push.launch != launch]
    for cap in caps:
        since = to_micros(now - cap.period)
        if own is not None and own.at > since:
            continue
        counted = [
            push for push in others if push.at > since and cap.category in (None, push.category)
        ]
        if len(counted) >= cap.pushes:
            return None
    devices = {device_id.bytes for device_id in device_ids}
    if own is not None:
        devices.update(own.devices)
    entered = RecentPush(
        launch=launch, category=category, at=to_micros(now), devices=tuple(sorted(devices))
    )
    return (*others, entered)


def settle(
    recent: Recent,
    launch_id: UUID,
    *,
    accepted: Collection[UUID],
    ended: Collection[UUID],
    now: datetime,
) -> Recent:
    """Once what became of devices is known: `accepted` of them count from now, `ended` were not
    sent to and are taken out."""
    launch = launch_id.bytes
    gone = {device_id.bytes for device_id in ended}
    settled = []
    for push in recent:
        if push.launch == launch:
            devices = tuple(device for device in push.devices if device not in gone)
            if not devices:
                continue
            at = to_micros(now) if accepted else push.at
            push = RecentPush(launch=launch, category=push.category, at=at, devices=devices)
        settled.append(push)
    return tuple(settled)


def without_old(recent: Recent, caps: Sequence[Cap], now: datetime) -> Recent:
    """Those that one of the caps may count."""
    if not caps:
        return recent
    since = to_micros(now - max(cap.period for cap in caps))
    return tuple(push for push in recent if push.at > since)
