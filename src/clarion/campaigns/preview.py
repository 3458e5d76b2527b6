"""What a campaign would do, before it does: what one customer would see, how many it reaches, and
what its author should be told though nothing is refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.audiences.query import Reach, devices_of, reach, traits_held
from clarion.audiences.rule import Rule
from clarion.audiences.saved.store import resolve_rule
from clarion.campaigns.campaign import Campaign, launch_values
from clarion.campaigns.content.spec import Content, ContentSpec
from clarion.campaigns.content.templates.launch_values import LaunchValues
from clarion.campaigns.content.templates.template import Template
from clarion.campaigns.content.templates.variables import traits_named
from clarion.campaigns.content.templates.zone_store import zones_for
from clarion.campaigns.content_check.device_store import locale_on, locales_of
from clarion.campaigns.draft import ContentCheck
from clarion.campaigns.timing.calendar import upcoming_times
from clarion.customers.devices.device import Platform
from clarion.customers.profile.store import Customer, find_customer, get_customer_by_id
from clarion.faults import Fault, Rejected

SOON_SECONDS = 60
"""What launches within so long launches now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignWarning:
    """What is not refused, but may not be meant. `code`: trait_unknown (nobody in the audience has
    a trait that a text names), audience_empty, audience_unreachable or time_skipped (clocks there
    skip the local time); of a content that is tried
    out also those of `content/advice.py`."""

    code: str
    field: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """How many a campaign reaches now, and what its author should be told."""

    campaign: Campaign
    reach: Reach
    warnings: list[CampaignWarning]
    launches_at: datetime | None = None
    """None: it would not launch by the step that was asked for."""

    def launches_now(self, now: datetime) -> bool:
        """Whether it launches so soon that nobody could stop it."""
        soon = now + timedelta(seconds=SOON_SECONDS)
        return self.launches_at is not None and self.launches_at <= soon

    @property
    def devices(self) -> int:
        """Those that would be sent a push now."""
        return _reachable(self.campaign, self.reach)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewFault:
    """What can not be rendered for this customer, or what FCM would refuse of it."""

    platform: Platform
    field: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """What a campaign says to `customer`, without how many it reaches; the fields are those of
    `Preview`."""

    customer: Customer | None
    platforms: dict[str, Content]
    faults: list[PreviewFault]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview(Forecast):
    """A campaign rendered for `customer`; None: nobody is in the audience, so it is rendered
    without traits. `platforms` lacks those that can not be rendered, `faults` says why."""

    customer: Customer | None
    platforms: dict[str, Content]
    faults: list[PreviewFault]


async def preview(
    connection: AsyncConnection,
    campaign: Campaign,
    check: ContentCheck,
    *,
    name: str | None,
    now: datetime,
) -> Preview | None:
    """A campaign rendered for the customer of that name, or else for somebody in its audience, as
    at `now`. None: no customer has that name."""
    shown = await rendering(connection, campaign, check, name=name, now=now)
    if shown is None:
        return None
    expected = await forecast(connection, campaign, now=now)
    return Preview(
        campaign=campaign,
        reach=expected.reach,
        warnings=expected.warnings,
        customer=shown.customer,
        platforms=shown.platforms,
        faults=shown.faults,
    )


async def rendering(
    connection: AsyncConnection,
    campaign: Campaign,
    check: ContentCheck,
    *,
    name: str | None,
    now: datetime,
) -> Rendering | None:
    """The same without counting, which takes long where many are reached."""
    customer = await _customer(connection, campaign, name, now)
    if name is not None and customer is None:
        return None
    locales: dict[str, str | None] = {}
    if customer is not None and campaign.content.variants:
        locales = await locales_of(connection, campaign.workspace_id, customer.id)
    template = Template(campaign.content)
    ids = [] if customer is None else [customer.id]
    zone, zones = await zones_for(connection, campaign.workspace_id, template, ids)
    contents, faults = _render(
        template,
        check,
        customer,
        locales,
        now,
        values=launch_values(campaign, now, zone),
        zone=None if customer is None else zones.get(customer.id),
    )
    return Rendering(customer=customer, platforms=contents, faults=faults)


async def forecast(connection: AsyncConnection, campaign: Campaign, *, now: datetime) -> Forecast:
    """How many a campaign reaches at `now`, and what its author should be told."""
    audience = await resolve_rule(connection, campaign.workspace_id, campaign.audience)
    reached = await reach(connection, campaign.workspace_id, audience, now=now)
    warnings = _about_reach(campaign, reached)
    # Where the audience reaches nobody yet, it is all customers who are asked.
    rule = audience if reached.devices else None
    warnings += await warnings_of_traits(
        connection, campaign.workspace_id, campaign.content, rule, now=now
    )
    return Forecast(
        campaign=campaign, reach=reached, warnings=warnings, launches_at=campaign.scheduled_at
    )


async def warnings_of_traits(
    connection: AsyncConnection,
    workspace_id: UUID,
    content: ContentSpec,
    rule: Rule | None,
    *,
    now: datetime,
    looked_at: int | None = None,
) -> list[CampaignWarning]:
    """Traits that a content names and nobody has whom the rule reaches; None: no customer.
    `looked_at`: nobody among the first so many of them."""
    named = traits_named(content)
    if not named:
        return []
    held = await traits_held(
        connection, workspace_id, rule, list(named), now=now, looked_at=looked_at
    )
    where = "in the audience" if looked_at is None else f"of the first {looked_at:,} looked at"
    return [
        CampaignWarning(
            code="trait_unknown",
            field=field,
            message=f"names customer.{trait}, a trait that nobody {where} has: look at "
            "its spelling, or send it with identify",
        )
        for trait, field in named.items()
        if trait not in held
    ]


def warnings_of_time(
    timing: Mapping[str, Any], workspace_zone: str, now: datetime
) -> list[CampaignWarning]:
    """That clocks skip the local time of the first launch; `timing` is read by `parse_when`."""
    upcoming = upcoming_times(timing, workspace_zone, now, 1)
    if isinstance(upcoming, Rejected) or not upcoming.shifted or upcoming.zone is None:
        return []
    there = upcoming.times[0].astimezone(ZoneInfo(upcoming.zone))
    message = (
        f"is skipped by the clocks in {upcoming.zone} that day: it launches when they go on, at "
        f"{there:%H:%M}"
    )
    return [CampaignWarning(code="time_skipped", field="at", message=message)]


def _reachable(campaign: Campaign, reached: Reach) -> int:
    is_silent = not any(map(campaign.content.shows_on, Platform))
    shown_nowhere = reached.notifications_off if is_silent else 0
    return reached.devices - reached.skipped + shown_nowhere


def _about_reach(campaign: Campaign, reached: Reach) -> list[CampaignWarning]:
    if reached.devices == 0:
        return [
            CampaignWarning(
                code="audience_empty",
                field="audience",
                message="reaches no device now: nobody in it has a registered one",
            )
        ]
    if _reachable(campaign, reached) == 0:
        return [
            CampaignWarning(
                code="audience_unreachable",
                field="audience",
                message=f"reaches nobody now: of {reached.devices} devices {reached.opted_out} are "
                f"opted out, {reached.no_firebase_app} belong to a source without a Firebase app, "
                f"{reached.apns_token} registered Apple's token, and {reached.notifications_off} "
                "have notifications turned off",
            )
        ]
    return []


async def _customer(
    connection: AsyncConnection, campaign: Campaign, name: str | None, now: datetime
) -> Customer | None:
    if name is not None:
        return await find_customer(connection, campaign.workspace_id, name)
    audience = await resolve_rule(connection, campaign.workspace_id, campaign.audience)
    statement = devices_of(campaign.workspace_id, audience, now=now, after=None, limit=1)
    device = (await connection.execute(statement)).first()
    if device is None:
        return None
    return await get_customer_by_id(connection, campaign.workspace_id, device.customer_id)


def _render(
    template: Template,
    check: ContentCheck,
    customer: Customer | None,
    locales: Mapping[str, str | None],
    now: datetime,
    *,
    values: LaunchValues,
    zone: str | None,
) -> tuple[dict[str, Content], list[PreviewFault]]:
    user_id = None if customer is None else customer.user_id
    traits: Mapping[str, Any] = {} if customer is None else customer.traits
    contents: dict[str, Content] = {}
    faults: list[PreviewFault] = []
    for platform in Platform:
        variant = template.variant_for(traits, locale_on(platform, locales))
        content = template.render(
            platform,
            user_id=user_id,
            traits=traits,
            now=now,
            variant=variant,
            launch=values,
            zone=zone,
        )
        wrong: Sequence[Fault] = ()
        if isinstance(content, Fault):
            wrong = [content]
        else:
            contents[platform.value] = content
            wrong = check(content, platform=platform)
        faults += [
            PreviewFault(platform=platform, field=fault.field, message=fault.message)
            for fault in wrong
        ]
    return contents, faults
