"""/devices/{id}/owner and /customers/{id}/devices: whose a device is and was, and why."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, get

from clarion.customers.devices.ownership_periods import holdings
from clarion.customers.devices.store import customer_history, get_device
from clarion.customers.identity.claim import Claim, ClaimKind
from clarion.customers.identity.explanation import MEANINGS, Because
from clarion.customers.identity.explanation_store import explain_owner
from clarion.customers.profile.redaction import shown_body
from clarion.customers.profile.redaction_store import known_in_events
from clarion.customers.profile.store import find_customer, user_ids_of
from clarion.web.api.customers import UserId
from clarion.web.api.devices import DeviceId, Owner
from clarion.web.api.errors import not_found
from clarion.web.api.gate import GivenCaller, GivenParts
from clarion.web.api.moment import Moment
from clarion.web.api.pages import Page, whole

HISTORY_LINES_MAX = 10_000


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """The event that decided, with tokens replaced by fingerprints. `event`: a track's name."""

    message_id: str
    type: str
    event: str | None
    at: Moment
    received_at: Moment
    source_id: UUID
    body: dict[str, Any]


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """A user id that was seen with the device. `kind`: a registration and a mover may move it; an
    alias and a plain event may not; a deletion says that its owner has left, and takes nothing."""

    at: Moment
    user_id: str
    kind: ClaimKind
    message_id: str
    decided: bool


class Ownership(msgspec.Struct, frozen=True, kw_only=True):
    """Whose a device is, and why. `because` is the rule that decided, `meaning` the same in words;
    `left_at`: since when its owner has said that it is gone (`Device Deleted`), and was not seen
    with it again; `weighed`: the newest user ids seen with the device, newest first."""

    device_id: str
    customer: Owner
    because: Because
    meaning: str
    left_at: Moment | None
    cause: Cause | None
    weighed: list[Weighed]


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A time during which a device was the customer's. `until` null: it still is. `began_by` and
    `ended_by`: the messageIds of the events that gave and took it, if an event did."""

    device_id: str
    since: Moment
    until: Moment | None
    began_by: str | None
    ended_by: str | None
    next_customer: Annotated[Owner | None, msgspec.Meta(description="Whose it was then.")]


class Ownerships(Controller):
    tags = ("devices",)

    @get("/devices/{device_id:str}/owner", summary="Explain whose a device is")
    async def why(self, parts: GivenParts, caller: GivenCaller, device_id: DeviceId) -> Ownership:
        """Why the device is linked to this customer: the rule, and the event behind it."""
        async with parts.database.read() as connection:
            device = await get_device(connection, caller.workspace_id, device_id)
            if device is None:
                raise not_found("device")
            explained = await explain_owner(connection, caller.workspace_id, device_id)
            owners = await user_ids_of(connection, caller.workspace_id, [device.customer_id])
            event = explained.event
            events = [] if event is None else [event]
            known = await known_in_events(connection, caller.workspace_id, events)
        because = explained.explanation.because
        return Ownership(
            device_id=device_id,
            customer=Owner(id=device.customer_id, user_id=owners.get(device.customer_id)),
            because=because,
            meaning=MEANINGS[because],
            left_at=explained.explanation.left_at,
            cause=None
            if event is None
            else Cause(
                message_id=event.message_id,
                type=event.type,
                event=event.name,
                at=event.at,
                received_at=event.received_at,
                source_id=event.source_id,
                body=shown_body(event.body, known),
            ),
            weighed=[_weighed(claim, explained.explanation.claim) for claim in explained.claims],
        )

    @get("/customers/{user_id:str}/devices", summary="List a customer's devices, past and present")
    async def held(self, parts: GivenParts, caller: GivenCaller, user_id: UserId) -> Page[Held]:
        """Each time a device was the customer's, those it still is first, then the newest."""
        async with parts.database.read() as connection:
            customer = await find_customer(connection, caller.workspace_id, user_id)
            if customer is None:
                raise not_found("customer")
            lines = await customer_history(
                connection, caller.workspace_id, customer.id, limit=HISTORY_LINES_MAX
            )
            found = holdings(lines, customer.id)
            ids = {one.next_customer_id for one in found if one.next_customer_id is not None}
            owners = await user_ids_of(connection, caller.workspace_id, ids)
        return whole(
            [
                Held(
                    device_id=one.device_id,
                    since=one.since,
                    until=one.until,
                    began_by=one.began_by,
                    ended_by=one.ended_by,
                    next_customer=None
                    if one.next_customer_id is None
                    else Owner(id=one.next_customer_id, user_id=owners.get(one.next_customer_id)),
                )
                for one in found
            ]
        )


def _weighed(claim: Claim, decided: Claim | None) -> Weighed:
    return Weighed(
        at=claim.at,
        user_id=claim.user_id,
        kind=claim.kind,
        message_id=claim.message_id,
        decided=claim == decided,
    )
