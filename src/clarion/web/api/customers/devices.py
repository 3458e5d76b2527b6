"""/devices: where customers can be reached. A token is only ever told as a fingerprint."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import PathParameter, QueryParameter

from clarion.clock import Moment
from clarion.customers.devices.device import DeviceState, Platform, TokenKind
from clarion.customers.devices.facts import PushPermission
from clarion.customers.devices.queries import Owner as Owner
from clarion.customers.devices.queries import device_history, get_device, list_devices
from clarion.web.api.gate import GivenCaller, GivenParts
from clarion.web.api.pages import LIMIT_DEFAULT, Cursor, Limit, Page, after_id, after_seq, page
from clarion.web.api.shown import shown

After = Annotated[
    UUID | None,
    QueryParameter(description="The `id` of the last one seen: what follows is listed."),
]
DeviceId = Annotated[
    str, PathParameter(description="The `deviceId` that the app registered with, percent-encoded.")
]


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
        after: After = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Page[Device]:
        """Devices by id, active and removed."""
        last_seen = after if cursor is None else after_id(cursor)
        devices = await parts.ask(list_devices, caller, after=last_seen, limit=limit + 1)
        return page(
            devices,
            limit,
            lambda listed: shown(listed[0], Device, customer=listed[1]),
            lambda listed: listed[0].id.bytes,
        )

    @get("/{device_id:str}", summary="Show a device")
    async def show(self, parts: GivenParts, caller: GivenCaller, device_id: DeviceId) -> Device:
        """A device and whose it is."""
        device, owner = await parts.ask(get_device, caller, device_id)
        return shown(device, Device, customer=owner)

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
        changes = await parts.ask(
            device_history, caller, device_id, after_seq=after_seq(cursor), limit=limit + 1
        )
        return page(changes, limit, lambda change: shown(change, Change), lambda change: change.seq)
