"""A content rendered for a sample of the audience: whose rendering fails, or says nothing in a
place. Nothing is written, and what is read is bounded."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor
from clarion.audiences.saved.references import wrong_references
from clarion.audiences.saved.store import resolve_rule
from clarion.campaigns import store
from clarion.campaigns.campaign import Campaign, launch_values
from clarion.campaigns.content.spec import ContentSpec
from clarion.campaigns.content.templates.launch_values import LaunchValues
from clarion.campaigns.content.templates.rendering import Blank
from clarion.campaigns.content.templates.template import Template, written_at
from clarion.campaigns.content.templates.zone_store import zones_for
from clarion.campaigns.content_check.device_store import SampledDevice, sample_devices
from clarion.campaigns.content_check.request import CheckRequest, read_check_request
from clarion.campaigns.draft import ContentCheck
from clarion.customers.devices.device import Platform
from clarion.faults import Fault, Rejected, invalid, not_found

TURN_STEPS = 10_000
"""Rendered in one go, in steps of `content/templates/liquid.py`: about ten milliseconds."""


class FindingKind(StrEnum):
    NOT_RENDERED = "not_rendered"
    """Their pushes would be skipped."""
    REFUSED = "refused"
    """FCM would take no such push."""
    PRINTS_NOTHING = "prints_nothing"
    """They would get a push with a gap."""


class _Cause(NamedTuple):
    kind: FindingKind
    field: str
    line: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One customer for whom it is so."""

    id: UUID
    user_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong for some: in which field and line, why, for how many customers of the sample,
    and one of them."""

    kind: FindingKind
    field: str
    line: int
    message: str
    customers: int
    example: Example


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleCheck:
    """`customers` and `devices`: how many were looked at, `customers_fine`: for how many of them
    nothing was found."""

    customers: int
    customers_fine: int
    devices: int
    findings: list[Finding]


async def check_content(
    connection: AsyncConnection,
    actor: Actor,
    wire: Mapping[str, Any],
    check: ContentCheck,
    *,
    now: datetime,
    chance: float,
) -> SampleCheck | Rejected:
    """A content that is not saved, rendered for a sample of `limit` devices of the audience."""
    asked = read_check_request(wire, "limit")
    if isinstance(asked, Rejected):
        return asked
    wrong = await wrong_references(connection, actor.workspace_id, asked.audience, "audience")
    if wrong:
        return invalid(*wrong, code="invalid_campaign")
    return await _check(connection, actor, asked, check, None, now=now, chance=chance)


async def check_campaign(
    connection: AsyncConnection,
    actor: Actor,
    campaign_id: UUID,
    wire: Mapping[str, Any],
    check: ContentCheck,
    *,
    now: datetime,
    chance: float,
) -> SampleCheck | Rejected:
    """The same of a campaign that is saved. `wire`: its `limit`, if any."""
    campaign = await store.get_campaign(connection, actor.workspace_id, campaign_id)
    if campaign is None:
        return not_found("campaign")
    # Its content was checked when it was saved, perhaps by a version that reserved fewer names.
    asked = read_check_request({**wire, "content": {"title": "-"}}, "limit")
    if isinstance(asked, Rejected):
        return asked
    asked = CheckRequest(
        content=campaign.content, audience=campaign.audience, has_audience=True, limit=asked.limit
    )
    return await _check(connection, actor, asked, check, campaign, now=now, chance=chance)


async def _check(
    connection: AsyncConnection,
    actor: Actor,
    asked: CheckRequest,
    check: ContentCheck,
    campaign: Campaign | None,
    *,
    now: datetime,
    chance: float,
) -> SampleCheck:
    rule = await resolve_rule(connection, actor.workspace_id, asked.audience)
    devices = await sample_devices(
        connection, actor.workspace_id, rule, now=now, chance=chance, limit=asked.limit
    )
    template = Template(asked.content)
    ids = {device.customer_id for device in devices}
    zone, zones = await zones_for(connection, actor.workspace_id, template, ids)
    values = LaunchValues(zone=zone)
    if campaign is not None:
        values = launch_values(campaign, now, zone)
    concerned: dict[_Cause, dict[UUID, SampledDevice]] = defaultdict(dict)
    steps = template.steps
    for device in devices:
        own_zone = zones.get(device.customer_id)
        for cause in _causes(asked.content, template, device, check, now, values, own_zone):
            concerned[cause].setdefault(device.customer_id, device)
        if template.steps - steps > TURN_STEPS:
            await asyncio.sleep(0)  # whoever else lives on this loop must not wait for all of them
            steps = template.steps
    return _counted(devices, concerned)


def _causes(
    spec: ContentSpec,
    template: Template,
    device: SampledDevice,
    check: ContentCheck,
    now: datetime,
    values: LaunchValues,
    zone: str | None,
) -> set[_Cause]:
    """What is wrong for one device."""
    platform = Platform(device.platform)
    variant = template.variant_for(device.traits, device.locale)
    blanks: list[tuple[str, Blank]] = []
    content = template.render(
        platform,
        user_id=device.user_id,
        traits=device.traits,
        now=now,
        variant=variant,
        blanks=blanks,
        launch=values,
        zone=zone,
    )

    def place(name: str) -> str:
        return written_at(spec, platform, variant, name.removeprefix("content."))

    causes = {
        _Cause(
            FindingKind.PRINTS_NOTHING,
            place(name),
            blank.line,
            f"prints nothing for {{{{ {blank.expression} }}}}: give it a default",
        )
        for name, blank in blanks
    }
    if isinstance(content, Fault):
        kind = FindingKind.NOT_RENDERED
        causes.add(_Cause(kind, place(content.field), content.line, content.message))
        return causes
    return causes | {
        _Cause(FindingKind.REFUSED, place(fault.field), 1, fault.message)
        for fault in check(content, platform=platform)
    }


def _counted(
    devices: Sequence[SampledDevice], concerned: Mapping[_Cause, Mapping[UUID, SampledDevice]]
) -> SampleCheck:
    """The worst first, then what concerns most."""
    customers = {device.customer_id for device in devices}
    not_fine = {customer_id for theirs in concerned.values() for customer_id in theirs}
    kinds = list(FindingKind)
    findings = [
        Finding(
            **cause._asdict(),
            customers=len(theirs),
            example=_example(next(iter(theirs.values()))),
        )
        for cause, theirs in concerned.items()
    ]
    findings.sort(
        key=lambda finding: (kinds.index(finding.kind), -finding.customers, finding.field)
    )
    return SampleCheck(
        customers=len(customers),
        customers_fine=len(customers) - len(not_fine),
        devices=len(devices),
        findings=findings,
    )


def _example(device: SampledDevice) -> Example:
    return Example(id=device.customer_id, user_id=device.user_id)
