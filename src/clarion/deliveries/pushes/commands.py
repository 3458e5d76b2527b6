"""A push to one customer is asked for: by the API, or by an event of the server API."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from clarion import tracing
from clarion.accounts.actor import Actor, Permission
from clarion.accounts.audit import Thing
from clarion.accounts.command import Run, Services, command, forbidden
from clarion.campaigns.approval.store import why_not_pushed
from clarion.campaigns.campaign import Campaign, DefinitionState
from clarion.campaigns.content.spec import ContentSpec
from clarion.campaigns.store import campaign_named
from clarion.customers.profile.store import find_customer
from clarion.deliveries.delivery import DeliveryState, Skip
from clarion.deliveries.planning.chunk import job_of
from clarion.deliveries.planning.planner import loud_platforms, skip_of, skipped_row
from clarion.deliveries.pushes.push import (
    PlannedDevice,
    Push,
    PushRequest,
    Target,
    hash_of_key,
    launch_of,
    skipped_as_a_whole,
    wrong_key,
)
from clarion.deliveries.pushes.store import (
    DeviceOfCustomer,
    add_push,
    devices_of_customer,
    is_suppressed,
    plan_push,
    push_of_key,
)
from clarion.faults import Fault, Rejected, invalid

Chosen = tuple[DeviceOfCustomer, Skip | None]
"""A device that the push is planned for, and why it is not sent there."""
_REPEATED = Rejected("conflict", "Another push was asked for with this Idempotency-Key meanwhile.")
"""Never shown: the push is looked up."""


async def send_push(
    services: Services, actor: Actor, request: PushRequest, key: str | None = None
) -> Push | Rejected:
    """Plans a push and has it sent at once. With a `key`, once: who asks for the same again hears
    of the same push, for 30 days."""
    if not actor.may(Permission.PUBLISH):
        return forbidden(Permission.PUBLISH)
    if key is None:
        return await plan(services, actor, request)
    wrong = wrong_key(key)
    if wrong is not None:
        return invalid(wrong)
    key_hash = hash_of_key(key)
    before = await _same_key(services, actor, request, key_hash)
    if before is not None:
        return before
    planned = await plan(services, actor, request, key_hash)
    if planned is _REPEATED:
        return await _same_key(services, actor, request, key_hash) or _REPEATED
    return planned


@command("push.send", needs=Permission.PUBLISH, goes_first=True)
async def plan(
    run: Run, actor: Actor, request: PushRequest, key_hash: str | None = None
) -> Push | Rejected:
    """Plans a push, which is sent once that is committed."""
    customer = await find_customer(run.connection, actor.workspace_id, request.user_id)
    if customer is None:
        cure = "send an identify, or an event, with this userId first"
        return invalid(Fault("user_id", f"names no customer of this workspace: {cure}"))
    if await is_suppressed(run.connection, customer.id):
        message = "names a customer who is suppressed: nothing is sent to them until that is lifted"
        return invalid(Fault("user_id", message))
    campaign = await _campaign(run, actor, request)
    if isinstance(campaign, Rejected):
        return campaign
    content = request.content if campaign is None else campaign.content
    assert content is not None, "without a campaign a request has content"
    registered = await devices_of_customer(run.connection, actor.workspace_id, customer.id)
    chosen = _chosen(registered, content, request.target)
    planned = [_planned(device, skip) for device, skip in chosen]
    push = Push(
        id=run.new_id(),
        workspace_id=actor.workspace_id,
        campaign_id=None if campaign is None else campaign.id,
        customer_id=customer.id,
        user_id=customer.user_id,
        planned=planned,
        skipped=skipped_as_a_whole(planned),
        request_hash=request.hash,
        created_at=run.now,
    )
    if not await add_push(
        run.connection, push, campaign, content=content, event=request.event, key_hash=key_hash
    ):
        return _REPEATED
    await _plan(run, push, campaign, chosen)
    run.audit(
        Thing("push", push.id),
        {
            "campaign_id": None if campaign is None else str(campaign.id),
            "devices": len(chosen),
            "skipped": push.skipped,
        },
    )
    return push


async def _same_key(
    services: Services, actor: Actor, request: PushRequest, key_hash: str
) -> Push | Rejected | None:
    """The push that was asked for with this key; None: none was."""
    async with services.database.read() as connection:
        push = await push_of_key(connection, actor.workspace_id, key_hash, services.clock.now())
    if push is None or push.request_hash == request.hash:
        return push
    fault = Fault("Idempotency-Key", "is that of another push: take a new key for each push")
    return Rejected("conflict", f"{fault.field} {fault.message}.", (fault,))


async def _campaign(run: Run, actor: Actor, request: PushRequest) -> Campaign | Rejected | None:
    if request.campaign is None:
        return None
    campaign = await campaign_named(run.connection, actor.workspace_id, request.campaign)
    if campaign is None:
        message = "names no campaign of this workspace: send the code or the id of one"
        return invalid(Fault("campaign", message))
    if campaign.definition is DefinitionState.CANCELLED:
        return invalid(Fault("campaign", "names one that is cancelled: name another"))
    return await why_not_pushed(run.connection, campaign) or campaign


def _chosen(
    registered: list[DeviceOfCustomer], content: ContentSpec, target: Target
) -> list[Chosen]:
    """The devices it is planned for, and why some of them are skipped."""
    loud = loud_platforms(content)
    judged = [(device, skip_of(device.reached, loud)) for device in registered]
    if target is Target.ALL or not judged:
        return judged
    sendable = [chosen for chosen in judged if chosen[1] is None]
    return (sendable or judged)[:1]


def _planned(device: DeviceOfCustomer, skip: Skip | None) -> PlannedDevice:
    return PlannedDevice(
        device_id=device.device_id,
        platform=device.reached.platform,
        skipped=None if skip is None else skip.value,
    )


async def _plan(run: Run, push: Push, campaign: Campaign | None, chosen: list[Chosen]) -> None:
    """Writes the launch that the push is, and has it sent after the commit."""
    chunk_of_app: dict[UUID, UUID] = defaultdict(run.new_id)
    rows: list[dict[str, Any]] = []
    for device, skip in chosen:
        reached = device.reached
        if skip is not None:
            rows.append({**skipped_row(push.id, reached, skip, run.now), "chunk_id": None})
            continue
        assert reached.firebase_app_id is not None, "it would be skipped"
        rows.append(
            {
                "launch_id": push.id,
                "device_id": reached.id,
                "customer_id": reached.customer_id,
                "platform": reached.platform,
                "state": DeliveryState.PENDING.value,
                "reason": None,
                "attempts": 0,
                "unanswered": 0,
                "settled_at": None,
                "chunk_id": chunk_of_app[reached.firebase_app_id],
            }
        )
    launch = launch_of(push, campaign, planned=len(rows), traceparent=tracing.current())
    await plan_push(run.connection, launch, rows, chunk_of_app, run.now)
    run.after_commit(
        *(job_of(chunk_id, is_transactional=True) for chunk_id in chunk_of_app.values())
    )
