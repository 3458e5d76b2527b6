"""A test push: a content sent to a few devices before it is launched, or only checked by the
provider.

It goes the way of every push (rendered by the same template, skipped for the same reasons, through
the same provider), and leaves no trace but its audit entry: no launch, no delivery, no count. What
an app reports of it is of no delivery, and is passed over. Nor is its answer believed beyond
itself: no registration ends by it, and no app is paused.

Test people are those in the saved audience whose code is `TEST_PEOPLE`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor, Permission
from clarion.accounts.audit import Thing
from clarion.accounts.command import Run, Services, command, forbidden
from clarion.audiences import rule_parser
from clarion.audiences.saved.store import get_audience, resolve_rule
from clarion.campaigns.campaign import Campaign, launch_values
from clarion.campaigns.content.spec import ContentSpec, parse_content
from clarion.campaigns.content.templates.launch_values import LaunchValues
from clarion.campaigns.content.templates.template import Template, faults_of
from clarion.campaigns.draft import provider_faults
from clarion.campaigns.store import get_campaign
from clarion.deliveries.apps.store import AppPaused, open_app
from clarion.deliveries.planning.chunk import OpenDelivery
from clarion.deliveries.provider import (
    Accepted,
    Misconfigured,
    Outcome,
    Platform,
    ProviderApp,
    Push,
    Throttled,
    TryingProvider,
    Unavailable,
    Unregistered,
)
from clarion.deliveries.provider import Rejected as RejectedPush
from clarion.deliveries.sending.chunk_result import NOT_RENDERED, ChunkResult
from clarion.deliveries.testing.store import TestDevice, devices_to_test
from clarion.deliveries.zones import tell_zones
from clarion.faults import Fault, Rejected, invalid, not_found

TEST_PEOPLE = "test-people"
TEST_DEVICES_MAX = 50
USER_IDS_MAX = 20
SKIPPED = "skipped"
_FIELDS = ("content", "user_ids", "dry_run")


@dataclass(frozen=True, slots=True, kw_only=True)
class TestPush:
    """What became of the test on one device. `outcome`: accepted, unregistered, rejected,
    throttled, unavailable, misconfigured or skipped; `reason` and `detail` say why."""

    device_id: str
    user_id: str | None
    platform: str
    language: str | None
    outcome: str
    reason: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSend:
    """What became of a test. `dry_run`: the provider only checked it."""

    dry_run: bool
    pushes: list[TestPush]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    content: ContentSpec
    campaign: Campaign | None
    user_ids: Sequence[str]
    is_dry: bool


async def send_test(
    services: Services,
    actor: Actor,
    wire: Mapping[str, Any],
    provider: TryingProvider,
    *,
    campaign_id: UUID | None = None,
) -> TestSend | Rejected:
    """Send a campaign's content, or else the `content` of `wire`, to the devices of its `user_ids`,
    or of the test people where it names none; with `dry_run` the provider only checks it, and no
    device hears of it. At most TEST_DEVICES_MAX devices.

    The audit entry is written before anything leaves. Nothing is tried again."""
    needs = Permission.WRITE if wire.get("dry_run") is True else Permission.PUBLISH
    if not actor.may(needs):
        return forbidden(needs)
    now = services.clock.now()
    async with services.database.read() as connection:
        asked = await _read(connection, actor, wire, provider, campaign_id)
        if isinstance(asked, Rejected):
            return asked
        devices = await _devices(connection, actor, asked, now)
        if isinstance(devices, Rejected):
            return devices
        apps = {
            app_id: await open_app(
                connection, services.vault, app_id, now=now, though_paused=asked.is_dry
            )
            for app_id in {device.firebase_app_id for device in devices}
            if app_id is not None
        }
        template = Template(asked.content)
        values = await _read_values(connection, actor.workspace_id, asked, template, devices, now)
    test_id = services.clock.new_id()
    noted = await _note_test(
        services,
        actor,
        test_id,
        campaign_id=None if asked.campaign is None else asked.campaign.id,
        devices=len(devices),
        is_dry=asked.is_dry,
    )
    if isinstance(noted, Rejected):
        return noted
    settled: dict[UUID, TestPush] = {}
    ready: dict[UUID, list[tuple[TestDevice, Push]]] = defaultdict(list)
    for device in devices:
        app = None if device.firebase_app_id is None else apps[device.firebase_app_id]
        push = _prepared(test_id, template, device, app, now, values)
        if isinstance(push, TestPush):
            settled[device.delivery.device_id] = push
        else:
            assert device.firebase_app_id is not None
            ready[device.firebase_app_id].append((device, push))
    for app_id, several in ready.items():
        app = apps[app_id]
        assert isinstance(app, ProviderApp), "others are skipped"
        pushes = [push for _, push in several]
        send = provider.validate if asked.is_dry else provider.send
        for (device, _), outcome in zip(several, await send(app, pushes), strict=True):
            settled[device.delivery.device_id] = _told(template, device, *words_of(outcome))
    return TestSend(
        dry_run=asked.is_dry, pushes=[settled[device.delivery.device_id] for device in devices]
    )


@command("push.test", needs=Permission.WRITE)
async def _note_test(
    run: Run,
    actor: Actor,
    test_id: UUID,
    *,
    campaign_id: UUID | None,
    devices: int,
    is_dry: bool,
) -> UUID | Rejected:
    """Notes in the audit log that a test is sent."""
    changes = {"campaign_id": campaign_id, "devices": devices, "dry_run": is_dry}
    run.audit(Thing("push", test_id), changes)
    return test_id


async def _read(
    connection: AsyncConnection,
    actor: Actor,
    wire: Mapping[str, Any],
    provider: TryingProvider,
    campaign_id: UUID | None,
) -> _Asked | Rejected:
    known = _FIELDS[1:] if campaign_id is not None else _FIELDS
    faults = [
        Fault(str(name), f"is unknown; use {', '.join(known)}")
        for name in wire
        if name not in known
    ]
    content: ContentSpec | list[Fault]
    campaign: Campaign | None = None
    if campaign_id is None:
        content = parse_content(wire.get("content"))
    else:
        campaign = await get_campaign(connection, actor.workspace_id, campaign_id)
        if campaign is None:
            return not_found("campaign")
        content = campaign.content
    if isinstance(content, list):
        faults += content
    else:
        faults += faults_of(content) or provider_faults(content, provider.check)
    user_ids = wire.get("user_ids") or []
    if not isinstance(user_ids, list) or not all(
        isinstance(user_id, str) and user_id for user_id in user_ids
    ):
        faults.append(Fault("user_ids", "must be a list of user ids"))
    elif len(user_ids) > USER_IDS_MAX:
        faults.append(Fault("user_ids", f"may name {USER_IDS_MAX} customers at most"))
    is_dry = wire.get("dry_run") or False
    if not isinstance(is_dry, bool):
        faults.append(Fault("dry_run", "must be true or false"))
    if faults or isinstance(content, list):
        return invalid(*faults, code="invalid_campaign")
    return _Asked(content=content, campaign=campaign, user_ids=user_ids, is_dry=is_dry)


async def _read_values(
    connection: AsyncConnection,
    workspace_id: UUID,
    asked: _Asked,
    template: Template,
    devices: Sequence[TestDevice],
    now: datetime,
) -> LaunchValues:
    """What the texts read beside traits: as if it launched now."""
    deliveries = [device.delivery for device in devices]
    zone = await tell_zones(connection, workspace_id, template, deliveries)
    if asked.campaign is None:
        return LaunchValues(zone=zone)
    return launch_values(asked.campaign, now, zone)


async def _devices(
    connection: AsyncConnection, actor: Actor, asked: _Asked, now: datetime
) -> Sequence[TestDevice] | Rejected:
    """The devices that the test is for: at least one."""
    workspace_id = actor.workspace_id
    if not asked.user_ids and await get_audience(connection, workspace_id, TEST_PEOPLE) is None:
        message = (
            f"is missing: name customers, or save the audience {TEST_PEOPLE} of those who test"
        )
        return invalid(Fault("user_ids", message), code="invalid_campaign")
    wire = {"user_ids": list(asked.user_ids)} if asked.user_ids else {"audience": TEST_PEOPLE}
    rule = rule_parser.parse(wire)
    if isinstance(rule, list):
        return invalid(*rule, code="invalid_campaign")
    rule = await resolve_rule(connection, workspace_id, rule)
    devices = await devices_to_test(
        connection, workspace_id, rule, now=now, limit=TEST_DEVICES_MAX + 1
    )
    if not devices:
        message = "reach no device now: nobody of them has a registered one"
        return invalid(Fault("user_ids", message), code="invalid_campaign")
    if len(devices) > TEST_DEVICES_MAX:
        message = f"reach more than {TEST_DEVICES_MAX} devices: a test is for a few"
        return invalid(Fault("user_ids", message), code="invalid_campaign")
    return devices


def _prepared(
    test_id: UUID,
    template: Template,
    device: TestDevice,
    app: ProviderApp | AppPaused | None,
    now: datetime,
    values: LaunchValues,
) -> Push | TestPush:
    """The push, or why there is none: for what skips every push, and for want of an app."""
    if app is None:
        return _told(template, device, SKIPPED, "no_firebase_app")
    if isinstance(app, AppPaused):
        return _told(template, device, SKIPPED, "firebase_app_paused", app.reason)
    result = ChunkResult(values=values)
    push = result.prepare(test_id, {}, template, device.delivery, now)
    if push is not None:
        return push
    settled = result.settled[device.delivery.device_id]
    detail = None
    if settled == NOT_RENDERED:
        detail = _why_not_rendered(template, device.delivery, now, values)
    return _told(template, device, SKIPPED, settled.reason, detail)


def _why_not_rendered(
    template: Template, delivery: OpenDelivery, now: datetime, values: LaunchValues
) -> str | None:
    traits = delivery.traits or {}
    fault = template.render(
        Platform(delivery.platform),
        user_id=delivery.user_id,
        traits=traits,
        now=now,
        variant=template.variant_for(traits, delivery.locale),
        launch=values,
        zone=delivery.zone,
    )
    return f"{fault.field} {fault.message}" if isinstance(fault, Fault) else None


def _told(
    template: Template,
    device: TestDevice,
    outcome: str,
    reason: str | None = None,
    detail: str | None = None,
) -> TestPush:
    delivery = device.delivery
    return TestPush(
        device_id=device.name,
        user_id=delivery.user_id,
        platform=delivery.platform,
        language=template.variant_for(delivery.traits or {}, delivery.locale),
        outcome=outcome,
        reason=reason,
        detail=detail or None,
    )


def words_of(outcome: Outcome) -> tuple[str, str | None, str | None]:
    """An outcome, its reason, and what the provider says of it."""
    match outcome:
        case Accepted():
            return "accepted", None, None
        case Unregistered(reason=reason):
            return "unregistered", reason, None
        case RejectedPush(reason=reason, detail=detail):
            return "rejected", reason, detail
        case Throttled(scope=scope):
            return "throttled", scope.value, None
        case Unavailable(reason=reason):
            return "unavailable", reason, None
        case Misconfigured(reason=reason, detail=detail):
            return "misconfigured", reason, detail
        case _:
            assert_never(outcome)
