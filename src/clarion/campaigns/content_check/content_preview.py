"""What one customer would see of a content that is not saved, how large it is, and how it fits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor
from clarion.audiences.saved.references import wrong_references
from clarion.audiences.saved.store import resolve_rule
from clarion.campaigns.content.advice import advise
from clarion.campaigns.content.spec import Content
from clarion.campaigns.content.surfaces import SurfaceMeters, meters
from clarion.campaigns.content.templates.launch_values import LaunchValues
from clarion.campaigns.content.templates.template import Template, written_at
from clarion.campaigns.content.templates.zone_store import zones_for
from clarion.campaigns.content_check.device_store import locale_on, locales_of, sample_devices
from clarion.campaigns.content_check.request import CheckRequest, SeenBy, read_check_request
from clarion.campaigns.preview import CampaignWarning, warnings_of_traits
from clarion.customers.devices.device import Platform
from clarion.customers.profile.store import Customer, find_customer, get_customer_by_id
from clarion.faults import Fault, Rejected, invalid

TRAITS_LOOKED_AT = 2_000
"""Customers among whom the traits that a text names are looked for. A preview is wanted at every
pause in typing: who wants to know it of all is told by a forecast."""


class Size(Protocol):
    """How large a push is by the provider's count, of how much it takes."""

    @property
    def bytes(self) -> int: ...
    @property
    def bytes_max(self) -> int: ...


class ContentProvider(Protocol):
    """What the provider says of a content: `Provider.check`, `TryingProvider.measure`."""

    def check(self, content: Content, *, platform: Platform) -> Sequence[Fault]: ...
    def measure(self, content: Content, *, platform: Platform) -> Size: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformPreview:
    """What one platform would show. `language`: the variant, None: the default."""

    language: str | None
    content: Content
    bytes: int
    bytes_max: int
    surfaces: list[SurfaceMeters]


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedFault:
    """What can not be rendered for this customer, or what the provider would refuse; `line` of the
    text in which it was written."""

    platform: Platform
    field: str
    line: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentPreview:
    """A content as `customer` would see it; None: somebody of whom nothing is known. `platforms`
    lacks those that can not be rendered; `faults` says why."""

    customer: Customer | None
    platforms: dict[str, PlatformPreview]
    faults: list[TriedFault]
    warnings: list[CampaignWarning]


async def preview_content(
    connection: AsyncConnection,
    actor: Actor,
    wire: Mapping[str, Any],
    provider: ContentProvider,
    *,
    now: datetime,
    chance: float,
) -> ContentPreview | Rejected:
    """What a customer would see: whom `user_id` names, or else a random one of the audience (by
    `chance`, in [0, 1)), or nobody known. Rejected where the content could not be saved."""
    asked = read_check_request(wire, "user_id", "seen_by", "language")
    if isinstance(asked, Rejected):
        return asked
    wrong = await wrong_references(connection, actor.workspace_id, asked.audience, "audience")
    if wrong:
        return invalid(*wrong, code="invalid_campaign")
    customer = await _customer(connection, actor, asked, now=now, chance=chance)
    if asked.user_id is not None and customer is None:
        return invalid(Fault("user_id", "is nobody's here"), code="invalid_campaign")
    locales: dict[str, str | None] = {}
    if customer is not None:
        locales = await locales_of(connection, actor.workspace_id, customer.id)
    template = Template(asked.content)
    ids = [] if customer is None else [customer.id]
    zone, zones = await zones_for(connection, actor.workspace_id, template, ids)
    own_zone = None if customer is None else zones.get(customer.id)
    platforms, faults = _show(
        asked, template, provider, customer, locales, now, LaunchValues(zone=zone), own_zone
    )
    rule = await resolve_rule(connection, actor.workspace_id, asked.audience)
    warnings = await warnings_of_traits(
        connection,
        actor.workspace_id,
        asked.content,
        rule if asked.has_audience else None,
        now=now,
        looked_at=TRAITS_LOOKED_AT,
    )
    warnings += [
        CampaignWarning(code=advice.code, field=advice.field, message=advice.message)
        for advice in advise(asked.content)
    ]
    return ContentPreview(customer=customer, platforms=platforms, faults=faults, warnings=warnings)


async def _customer(
    connection: AsyncConnection, actor: Actor, asked: CheckRequest, *, now: datetime, chance: float
) -> Customer | None:
    workspace_id = actor.workspace_id
    if asked.user_id is not None:
        return await find_customer(connection, workspace_id, asked.user_id)
    if asked.seen_by is SeenBy.NOBODY:
        return None
    rule = await resolve_rule(connection, workspace_id, asked.audience)
    devices = await sample_devices(connection, workspace_id, rule, now=now, chance=chance, limit=1)
    if not devices:
        return None
    return await get_customer_by_id(connection, workspace_id, devices[0].customer_id)


def _show(
    asked: CheckRequest,
    template: Template,
    provider: ContentProvider,
    customer: Customer | None,
    locales: Mapping[str, str | None],
    now: datetime,
    values: LaunchValues,
    zone: str | None,
) -> tuple[dict[str, PlatformPreview], list[TriedFault]]:
    user_id = None if customer is None else customer.user_id
    traits: Mapping[str, Any] = {} if customer is None else customer.traits
    shown: dict[str, PlatformPreview] = {}
    faults: list[TriedFault] = []

    def tell(platform: Platform, language: str | None, fault: Fault) -> None:
        name = fault.field.removeprefix("content.")
        faults.append(
            TriedFault(
                platform=platform,
                field=written_at(asked.content, platform, language, name),
                line=getattr(fault, "line", 1),
                message=fault.message,
            )
        )

    for platform in Platform:
        if asked.language is not None:
            language = asked.content.variant_for(asked.language)
        else:
            language = template.variant_for(traits, locale_on(platform, locales))
        content = template.render(
            platform,
            user_id=user_id,
            traits=traits,
            now=now,
            variant=language,
            launch=values,
            zone=zone,
        )
        if isinstance(content, Fault):
            tell(platform, language, content)
            continue
        for fault in provider.check(content, platform=platform):
            tell(platform, language, fault)
        size = provider.measure(content, platform=platform)
        shown[platform.value] = PlatformPreview(
            language=language,
            content=content,
            bytes=size.bytes,
            bytes_max=size.bytes_max,
            surfaces=meters(content, platform),
        )
    return shown, faults
