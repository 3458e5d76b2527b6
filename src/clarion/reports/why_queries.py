"""Why a customer got a campaign, or did not."""

from datetime import datetime
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor
from clarion.audiences.matching import Explanation, explain
from clarion.audiences.saved.customer_store import read_known
from clarion.audiences.saved.store import resolve_rule
from clarion.campaigns.campaign import Campaign
from clarion.campaigns.launches.launch import STOPPED, Launch
from clarion.campaigns.launches.store import frozen_audience
from clarion.campaigns.launches.store import get_launch as read_launch
from clarion.campaigns.queries import get_campaign, get_launch
from clarion.customers.devices.device import DeviceState
from clarion.customers.devices.store import customer_history, list_devices_of
from clarion.customers.profile.redaction import shown_traits
from clarion.customers.profile.store import Customer
from clarion.customers.queries import find_customer
from clarion.deliveries.delivery import DeliveryState
from clarion.faults import Rejected, not_found
from clarion.reports import why
from clarion.reports.why import About, Why, WhyCode
from clarion.reports.why_store import newest_push, pushes_to, waits_of


async def why_campaign(
    connection: AsyncConnection,
    actor: Actor,
    name: str,
    campaign_id: UUID,
    *,
    launch_id: UUID | None = None,
    now: datetime,
) -> Why | Rejected:
    """Why the customer of that user id or id got the campaign, or did not; `launch_id`: one launch
    of it, rather than the newest."""
    customer = await find_customer(connection, actor, name)
    if isinstance(customer, Rejected):
        return customer
    campaign = await get_campaign(connection, actor, campaign_id)
    if isinstance(campaign, Rejected):
        return campaign
    if launch_id is None:
        launch = await _newest(connection, customer, campaign)
    else:
        chosen = await get_launch(connection, actor, launch_id)
        if isinstance(chosen, Rejected) or chosen.campaign_id != campaign_id:
            return not_found("launch")
        launch = chosen
    answer = Why(
        customer_id=customer.id,
        campaign_id=campaign_id,
        launch_id=None if launch is None else launch.id,
        code=WhyCode.NOT_LAUNCHED,
        sentence="",
        devices=[],
        explanation=None,
    )
    if launch is None:
        return _said(answer, WhyCode.NOT_LAUNCHED, why.not_launched(campaign))
    return await _of_launch(connection, answer, customer, campaign, launch, now)


async def _newest(
    connection: AsyncConnection, customer: Customer, campaign: Campaign
) -> Launch | None:
    """The newest launch, of those that are pushes to this customer alone, too."""
    push_id = await newest_push(connection, customer.id, campaign.id)
    push = None if push_id is None else await read_launch(connection, push_id)
    launch = campaign.launch
    if push is None or (launch is not None and launch.started_at > push.started_at):
        return launch
    return push


async def _of_launch(
    connection: AsyncConnection,
    answer: Why,
    customer: Customer,
    campaign: Campaign,
    launch: Launch,
    now: datetime,
) -> Why:
    whom = why.about(customer.user_id, customer.suppressed_at)
    gone_at = launch.deliveries_removed_at
    if gone_at is not None:
        sentence = f"single deliveries of this launch were removed for their age on {gone_at:%F}"
        return _said(answer, WhyCode.DELIVERIES_REMOVED, sentence)
    pushes = await pushes_to(connection, customer.workspace_id, customer.id, launch.id)
    if pushes:
        is_open = any(push.state is DeliveryState.PENDING for push in pushes)
        waits = None
        if is_open:
            waits = await waits_of(connection, customer.workspace_id, customer.id, launch.id, now)
        code, sentence = why.of_pushes(whom, campaign, launch, pushes, waits)
        return _said(replace(answer, devices=pushes), code, sentence)
    if launch.state in STOPPED and launch.planned_at is None:
        return _said(answer, WhyCode.LAUNCH_STOPPED, why.of_stopped(campaign, launch))
    if why.will_go_on(launch):
        return _said(answer, WhyCode.NOT_PLANNED_YET, why.of_planning(campaign, launch))
    without = await _without_device(connection, whom, customer, campaign, launch)
    if without is not None:
        return _said(answer, WhyCode.NO_DEVICE, without)
    explanation = await _explained(connection, customer, campaign, launch)
    code = WhyCode.IN_AUDIENCE_NOW if explanation.holds else WhyCode.NOT_IN_AUDIENCE
    sentence = why.of_audience(whom, campaign, launch, explanation)
    return _said(replace(answer, explanation=explanation), code, sentence)


async def _without_device(
    connection: AsyncConnection,
    whom: About,
    customer: Customer,
    campaign: Campaign,
    launch: Launch,
) -> str | None:
    """What is said of somebody who had no registered device when it launched; None: they had one,
    which may have gone since."""
    devices = await list_devices_of(connection, customer.workspace_id, customer.id)
    ended_at: dict[str, datetime] = {}
    if any(device.state is not DeviceState.ACTIVE for device in devices):
        for change in await customer_history(connection, customer.workspace_id, customer.id):
            if change.change == "removed":
                ended_at[change.device_id] = change.at
    before = [device for device in devices if device.registered_at <= launch.started_at]
    ended = None
    for device in before:
        if (
            device.state is DeviceState.ACTIVE
            or ended_at.get(device.device_id, device.registered_at) > launch.started_at
        ):
            return None
        ended = device.reason
    return why.of_no_device(whom, campaign, launch, ended, is_newer=len(devices) > len(before))


async def _explained(
    connection: AsyncConnection, customer: Customer, campaign: Campaign, launch: Launch
) -> Explanation:
    rule = await frozen_audience(connection, launch.id)
    if rule is None:
        rule = await resolve_rule(connection, campaign.workspace_id, campaign.audience)
    known = await read_known(connection, customer, rule, launch.started_at)
    return explain(rule, known, launch.started_at, shown=shown_traits(customer.traits))


def _said(answer: Why, code: WhyCode, sentence: str) -> Why:
    return replace(answer, code=code, sentence=f"{sentence[0].upper()}{sentence[1:]}.")
