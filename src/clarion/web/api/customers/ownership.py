"""/devices/{id}/owner and /customers/{id}/devices: whose a device is and was, and why."""

from typing import Annotated

import msgspec
from litestar import Controller, get

from clarion.clock import Moment
from clarion.customers.devices.queries import Owner, Ownership, explain_device
from clarion.customers.queries import list_holdings
from clarion.web.api.customers.customers import UserId
from clarion.web.api.customers.devices import DeviceId
from clarion.web.api.gate import GivenCaller, GivenParts
from clarion.web.api.pages import Page, whole
from clarion.web.api.shown import shown


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A time during which a device was the customer's. `until` null: it still is. `began_by` and
    `ended_by`: the messageIds of the events that gave and took it, if an event did."""

    device_id: str
    since: Moment
    until: Moment | None
    began_by: str | None
    ended_by: str | None
    next_customer: Annotated[Owner | None, msgspec.Meta(description="Whose it was then.")]


class DeviceOwners(Controller):
    path = "/devices"
    tags = ("devices",)

    @get("/{device_id:str}/owner", summary="Explain whose a device is")
    async def why(self, parts: GivenParts, caller: GivenCaller, device_id: DeviceId) -> Ownership:
        """Why the device is linked to this customer: the rule, and the event behind it."""
        return await parts.ask(explain_device, caller, device_id)


class HeldDevices(Controller):
    path = "/customers"
    tags = ("devices",)

    @get("/{user_id:str}/devices", summary="List a customer's devices, past and present")
    async def held(self, parts: GivenParts, caller: GivenCaller, user_id: UserId) -> Page[Held]:
        """Each time a device was the customer's, those it still is first, then the newest."""
        held = await parts.ask(list_holdings, caller, user_id)
        return whole([shown(period, Held, next_customer=owner) for period, owner in held])
