"""/devices: where customers can be reached. A token is only ever told as a fingerprint."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import PathParameter

from clarion.customers.devices import store as device_store
from clarion.customers.devices.device import DeviceState, Platform, TokenKind
from clarion.customers.devices.facts import PushPermission
from clarion.customers.devices.store import device_history, get_device, list_devices
from clarion.customers.profile.store import user_ids_of
from clarion.web.api.errors import not_found
from clarion.web.api.gate import GivenCaller, GivenParts
from clarion.web.api.moment import Moment
from clarion.web.api.pages import LIMIT_DEFAULT, Cursor, Limit, Page, after_id, after_seq, page

DeviceId = Annotated[
    str, PathParameter(description="The `deviceId` that the app registered with, percent-encoded.")
]


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Whose it is. `user_id` null: somebody who has not signed in."""

    id: UUID
    user_id: str | None


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """One of a device's registrations: by FCM token, by Firebase installation id, by APNs token."""

    token_kind: TokenKind
    token_fingerprint: str
    state: DeviceState
    reason: str | None
    registered_at: Moment


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What SDKs tell of a device, the latest word on each; null: nothing was said."""

    app_name: str | None = None
    app_version: str | None = None
    app_build: str | None = None
    os_name: str | None = None
    os_version: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    locale: str | None = None
    timezone: str | None = None
    push_permission: PushPermission | None = None


class OwnedDevice(msgspec.Struct, frozen=True, kw_only=True):
    """An installation. `reason` says why a removed one was removed; `id` is the row's own. Pushes
    go to the first of `registrations`; `cure` says what to mend where they can not."""

    id: UUID
    device_id: str
    platform: Platform
    state: DeviceState
    reason: str | None
    token_kind: TokenKind
    token_fingerprint: str
    registrations: list[Registered]
    cure: str | None
    facts: Facts
    source_id: UUID
    registered_at: Moment
    last_seen_at: Moment


class Device(OwnedDevice, frozen=True, kw_only=True):
    """An installation and whose it is."""

    customer: Owner


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a device's history. `change`: registered, moved, token, removed or revived;
    `message_id`: the event that caused it, if one did."""

    at: Moment
    device_id: str
    change: str
    reason: str | None
    customer_id: UUID | None
    previous_customer_id: UUID | None
    token_fingerprint: str | None
    message_id: str | None


class Devices(Controller):
    path = "/devices"
    tags = ("devices",)

    @get("", summary="List devices")
    async def list_all(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Page[Device]:
        """Devices by id, active and removed."""
        async with parts.database.read() as connection:
            found = await list_devices(
                connection, caller.workspace_id, after=after_id(cursor), limit=limit + 1
            )
            ids = {device.customer_id for device in found}
            owners = await user_ids_of(connection, caller.workspace_id, ids)
        return page(found, limit, lambda one: _shown(one, owners), lambda one: one.id.bytes)

    @get("/{device_id:str}", summary="Show a device")
    async def show(self, parts: GivenParts, caller: GivenCaller, device_id: DeviceId) -> Device:
        """A device and whose it is."""
        async with parts.database.read() as connection:
            device = await get_device(connection, caller.workspace_id, device_id)
            if device is None:
                raise not_found("device")
            owners = await user_ids_of(connection, caller.workspace_id, [device.customer_id])
        return _shown(device, owners)

    @get("/{device_id:str}/history", summary="Show a device's history")
    async def history(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        device_id: DeviceId,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Page[Change]:
        """Every registration, move, token change and removal, oldest first."""
        async with parts.database.read() as connection:
            if await get_device(connection, caller.workspace_id, device_id) is None:
                raise not_found("device")
            found = await device_history(
                connection,
                caller.workspace_id,
                device_id,
                after_seq=after_seq(cursor),
                limit=limit + 1,
            )
        return page(found, limit, shown_change, lambda one: one.seq)


def shown_owned(device: device_store.Device) -> OwnedDevice:
    """A device told within its customer."""
    return OwnedDevice(**_fields(device))


def shown_change(change: device_store.Change) -> Change:
    """A line of history as the API tells it."""
    return Change(
        at=change.at,
        device_id=change.device_id,
        change=change.change,
        reason=change.reason,
        customer_id=change.customer_id,
        previous_customer_id=change.previous_customer_id,
        token_fingerprint=change.token_fingerprint,
        message_id=change.message_id,
    )


def _shown(device: device_store.Device, owners: Mapping[UUID, str | None]) -> Device:
    owner = Owner(id=device.customer_id, user_id=owners.get(device.customer_id))
    return Device(**_fields(device), customer=owner)


def _fields(device: device_store.Device) -> dict[str, Any]:
    return {
        "id": device.id,
        "device_id": device.device_id,
        "platform": device.platform,
        "state": device.state,
        "reason": device.reason,
        "token_kind": device.token_kind,
        "token_fingerprint": device.token_fingerprint,
        "registrations": [
            Registered(
                token_kind=one.token_kind,
                token_fingerprint=one.token_fingerprint,
                state=one.state,
                reason=one.reason,
                registered_at=one.registered_at,
            )
            for one in device.registrations
        ],
        "cure": device.cure,
        "facts": msgspec.convert(device.facts, Facts),
        "source_id": device.source_id,
        "registered_at": device.registered_at,
        "last_seen_at": device.last_seen_at,
    }
