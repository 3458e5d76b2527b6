"""What one customer would see of a campaign, before anybody does."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.audiences.query import devices_of, reach
from clarion.campaigns.campaign import Campaign
from clarion.campaigns.content import ContentFault
from clarion.campaigns.template import Template
from clarion.customers.device import Platform
from clarion.customers.store import Customer, find_customer, get_customer_by_id
from clarion.web.api.campaign_wire import Preview, PreviewFault, Reach, Rendered, shown_content
from clarion.web.api.devices import Owner
from clarion.web.api.errors import not_found
from clarion.web.api.gate import Parts


async def preview_of(
    connection: AsyncConnection, parts: Parts, campaign: Campaign, name: str | None
) -> Preview:
    """A campaign rendered for the customer of that name, or else for somebody in its audience."""
    customer = await _customer(connection, campaign, name)
    reached = await reach(connection, campaign.workspace_id, campaign.audience)
    platforms, faults = _render(parts, campaign, customer)
    owner = None if customer is None else Owner(id=customer.id, user_id=customer.user_id)
    return Preview(
        customer=owner,
        platforms=platforms,
        faults=faults,
        reach=Reach(
            customers=reached.customers,
            devices=reached.devices,
            opted_out=reached.opted_out,
            notifications_off=reached.notifications_off,
            platforms=reached.platforms,
        ),
    )


async def _customer(
    connection: AsyncConnection, campaign: Campaign, name: str | None
) -> Customer | None:
    """The one who is named; without a name somebody in the audience, if there is anybody."""
    if name is not None:
        named = await find_customer(connection, campaign.workspace_id, name)
        if named is None:
            raise not_found("customer")
        return named
    statement = devices_of(campaign.workspace_id, campaign.audience, after=None, limit=1)
    device = (await connection.execute(statement)).first()
    if device is None:
        return None
    return await get_customer_by_id(connection, campaign.workspace_id, device.customer_id)


def _render(
    parts: Parts, campaign: Campaign, customer: Customer | None
) -> tuple[dict[str, Rendered], list[PreviewFault]]:
    template = Template(campaign.content)
    user_id = None if customer is None else customer.user_id
    traits: Mapping[str, Any] = {} if customer is None else customer.traits
    platforms: dict[str, Rendered] = {}
    faults: list[PreviewFault] = []
    for platform in Platform:
        content = template.render(platform, user_id=user_id, traits=traits)
        if isinstance(content, ContentFault):
            wrong = [content]
        else:
            platforms[platform.value] = shown_content(content)
            wrong = list(parts.provider.check(content, platform=platform))
        faults += [
            PreviewFault(platform=platform, field=one.field, message=one.message) for one in wrong
        ]
    return platforms, faults
