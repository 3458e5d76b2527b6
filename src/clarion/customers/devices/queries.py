"""What is shown of devices: whose each is and why, what happened to it, and how long ago apps
registered them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor
from clarion.accounts.workspace_store import get_workspace
from clarion.clock import Moment
from clarion.customers.devices import store
from clarion.customers.devices.device import Platform
from clarion.customers.devices.freshness import token_age_store
from clarion.customers.devices.freshness.token_age import DUE_AFTER_DAYS, Cohort, CohortBy, edges
from clarion.customers.devices.freshness.token_age_store import StaleDevice, Swept, SweptDay
from clarion.customers.devices.store import Change, Device
from clarion.customers.identity.claims.claim import ClaimKind
from clarion.customers.identity.explanation import MEANINGS, Because
from clarion.customers.identity.explanation_store import explain_owner
from clarion.customers.profile.redaction import shown_body
from clarion.customers.profile.redaction_store import known_in_events
from clarion.customers.profile.store import user_ids_of
from clarion.faults import Rejected, not_found


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose it is. `user_id` null: somebody who has not signed in."""

    id: UUID
    user_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The event that decided, with tokens replaced by fingerprints. `event`: a track's name."""

    message_id: str
    type: str
    event: str | None
    at: Moment
    received_at: Moment
    source_id: UUID
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A user id that was seen with the device. `kind`: a registration and a mover may move it; an
    alias and a plain event may not; a deletion says that its owner has left, and takes nothing."""

    at: Moment
    user_id: str
    kind: ClaimKind
    message_id: str
    decided: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAges:
    """How long ago registrations were refreshed. The largest cohorts come first."""

    by: CohortBy
    due_after_days: int
    stale_after_days: int
    cohorts: list[Cohort]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPreview:
    """What a sweep would remove: registrations last refreshed before `registered_before`."""

    stale_after_days: int
    registered_before: Moment
    devices: int
    platforms: dict[Platform, int]


async def owners_of(
    connection: AsyncConnection, actor: Actor, customer_ids: Iterable[UUID | None]
) -> dict[UUID | None, Owner]:
    ids = {customer_id for customer_id in customer_ids if customer_id is not None}
    user_ids = await user_ids_of(connection, actor.workspace_id, ids)
    return {
        customer_id: Owner(id=customer_id, user_id=user_ids.get(customer_id)) for customer_id in ids
    }


async def list_devices(
    connection: AsyncConnection, actor: Actor, *, after: UUID | None, limit: int
) -> list[tuple[Device, Owner]]:
    """Devices by id, active and removed, and whose each is."""
    devices = await store.list_devices(connection, actor.workspace_id, after=after, limit=limit)
    owners = await owners_of(connection, actor, [device.customer_id for device in devices])
    return [(device, owners[device.customer_id]) for device in devices]


async def get_device(
    connection: AsyncConnection, actor: Actor, device_id: str
) -> tuple[Device, Owner] | Rejected:
    device = await store.get_device(connection, actor.workspace_id, device_id)
    if device is None:
        return not_found("device")
    owners = await owners_of(connection, actor, [device.customer_id])
    return device, owners[device.customer_id]


async def device_history(
    connection: AsyncConnection,
    actor: Actor,
    device_id: str,
    *,
    after_seq: int | None = None,
    limit: int | None = None,
) -> list[Change] | Rejected:
    """Every registration, move, token change and removal, oldest first."""
    if await store.get_device(connection, actor.workspace_id, device_id) is None:
        return not_found("device")
    return await store.device_history(
        connection, actor.workspace_id, device_id, after_seq=after_seq, limit=limit
    )


async def explain_device(
    connection: AsyncConnection, actor: Actor, device_id: str
) -> Ownership | Rejected:
    """Why a device is linked to its customer: the rule, the event behind it, and the newest user
    ids that were seen with it, newest first."""
    device = await get_device(connection, actor, device_id)
    if isinstance(device, Rejected):
        return device
    explained = await explain_owner(connection, actor.workspace_id, device_id)
    explanation, event = explained.explanation, explained.event
    cause = None
    if event is not None:
        known = await known_in_events(connection, actor.workspace_id, [event])
        cause = Cause(
            message_id=event.message_id,
            type=event.type,
            event=event.name,
            at=event.at,
            received_at=event.received_at,
            source_id=event.source_id,
            body=shown_body(event.body, known),
        )
    return Ownership(
        device_id=device_id,
        customer=device[1],
        because=explanation.because,
        meaning=MEANINGS[explanation.because],
        left_at=explanation.left_at,
        cause=cause,
        weighed=[
            Weighed(
                at=claim.at,
                user_id=claim.user_id,
                kind=claim.kind,
                message_id=claim.message_id,
                decided=claim == explanation.claim,
            )
            for claim in explained.claims
        ],
    )


async def token_ages(
    connection: AsyncConnection, actor: Actor, by: CohortBy, now: datetime
) -> TokenAges | Rejected:
    """Cohorts of devices, so that an app that does not refresh is seen before its base is gone."""
    days = await _stale_after_days(connection, actor)
    if isinstance(days, Rejected):
        return days
    return TokenAges(
        by=by,
        due_after_days=min(DUE_AFTER_DAYS, days),
        stale_after_days=days,
        cohorts=await token_age_store.cohorts(connection, actor.workspace_id, by, edges(now, days)),
    )


async def preview_sweep(
    connection: AsyncConnection,
    actor: Actor,
    now: datetime,
    *,
    stale_after_days: int | None = None,
    in_days: int = 0,
) -> SweepPreview | Rejected:
    """What a sweep in so many days would remove, if no app refreshes anything until then.
    `stale_after_days`: as if this were the workspace's."""
    days = stale_after_days or await _stale_after_days(connection, actor)
    if isinstance(days, Rejected):
        return days
    before = _registered_before(now, days, in_days)
    platforms = await token_age_store.count_stale(
        connection, actor.workspace_id, registered_before=before
    )
    return SweepPreview(
        stale_after_days=days,
        registered_before=before,
        devices=sum(platforms.values()),
        platforms=platforms,
    )


async def list_stale(
    connection: AsyncConnection,
    actor: Actor,
    now: datetime,
    *,
    stale_after_days: int | None = None,
    in_days: int = 0,
    after: tuple[datetime, UUID] | None = None,
    limit: int,
) -> list[tuple[StaleDevice, Owner]] | Rejected:
    """The registrations of a preview, those refreshed longest ago first, and whose each is."""
    days = stale_after_days or await _stale_after_days(connection, actor)
    if isinstance(days, Rejected):
        return days
    devices = await token_age_store.list_stale(
        connection,
        actor.workspace_id,
        registered_before=_registered_before(now, days, in_days),
        after=after,
        limit=limit,
    )
    owners = await owners_of(connection, actor, [device.customer_id for device in devices])
    return [(device, owners[device.customer_id]) for device in devices]


async def list_swept(
    connection: AsyncConnection, actor: Actor, *, before_seq: int | None = None, limit: int
) -> list[tuple[Swept, Owner | None]]:
    """Registrations that sweeps removed, the last ones first, and whose each was."""
    swept = await token_age_store.list_swept(
        connection, actor.workspace_id, before_seq=before_seq, limit=limit
    )
    owners = await owners_of(connection, actor, [device.customer_id for device in swept])
    return [(device, owners.get(device.customer_id)) for device in swept]


async def swept_days(
    connection: AsyncConnection, actor: Actor, *, days: int, now: datetime
) -> list[SweptDay]:
    """One number for each of the last `days` on which anything was removed, the newest first."""
    since = now - timedelta(days=days)
    return await token_age_store.swept_days(connection, actor.workspace_id, since=since)


def _registered_before(now: datetime, stale_after_days: int, in_days: int) -> datetime:
    """What was last refreshed before that is stale, in so many days from now."""
    return now + timedelta(days=in_days - stale_after_days)


async def _stale_after_days(connection: AsyncConnection, actor: Actor) -> int | Rejected:
    workspace = await get_workspace(connection, actor.workspace_id)
    return not_found("workspace") if workspace is None else workspace.stale_after_days
