"""Campaigns on the wire. What is taken in is checked by `campaigns/draft.py`, which knows all that
can be wrong with it; the types of bodies here describe it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

import msgspec

from clarion.audiences import rule
from clarion.campaigns import campaign as campaigns
from clarion.campaigns import preview as previews
from clarion.campaigns.campaign import CampaignState
from clarion.campaigns.content import spec as contents
from clarion.campaigns.content.spec import Priority, dump_content
from clarion.customers.devices.device import Platform
from clarion.reports import funnel, waiting
from clarion.reports.waiting import WaitsFor
from clarion.web.api.devices import Owner
from clarion.web.api.moment import Moment

Scalar = str | int | float | bool | None
Ttl = Annotated[
    int,
    msgspec.Meta(extra_json_schema={"minimum": 0, "maximum": contents.TTL_SECONDS_MAX}),
]


FcmFields = Annotated[
    dict[str, Any],
    msgspec.Meta(
        description="Further fields of FCM's Message, as FCM names them, such as "
        '`{"android": {"notification": {"channel_id": "news"}}}`. They hold no Liquid.'
    ),
]


LiveActivityFields = Annotated[
    dict[str, Any],
    msgspec.Meta(
        description="It starts, updates or ends a Live Activity on the iPhones that have told a "
        'token for it, and is nothing else: `{"event": "update", "activity_id": "order-42", '
        '"content_state": {"minutes": 5}}`. Title and body are its alert.'
    ),
]


Spread = Annotated[
    int,
    msgspec.Meta(extra_json_schema={"minimum": 0, "maximum": campaigns.SPREAD_MINUTES_MAX}),
]


class ContentFields(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a push says. Texts, `link`, `image` and the values of `data` may hold Liquid over
    `customer`: `Hi {{ customer.first_name | default: "there" }}`."""

    title: str | msgspec.UnsetType | None = msgspec.UNSET
    body: str | msgspec.UnsetType | None = msgspec.UNSET
    image: str | msgspec.UnsetType | None = msgspec.UNSET
    link: str | msgspec.UnsetType | None = msgspec.UNSET
    data: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    ttl_seconds: Ttl | msgspec.UnsetType = msgspec.UNSET
    priority: Priority | msgspec.UnsetType = msgspec.UNSET
    collapse_key: str | msgspec.UnsetType | None = msgspec.UNSET


class Content(ContentFields, kw_only=True, omit_defaults=True):
    """What a push says, with single fields said differently on a platform (iOS, Android, Web)."""

    platforms: dict[str, ContentFields] | msgspec.UnsetType = msgspec.UNSET
    fcm: FcmFields | msgspec.UnsetType = msgspec.UNSET
    live_activity: LiveActivityFields | msgspec.UnsetType = msgspec.UNSET


class Audience(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Exactly one of the three: everyone with a registered device, those who have not signed in
    included; the customers with these user ids; those all of whose traits here are equal (null: the
    trait is not there)."""

    everyone: bool | msgspec.UnsetType = msgspec.UNSET
    user_ids: list[str] | msgspec.UnsetType = msgspec.UNSET
    traits: dict[str, Scalar] | msgspec.UnsetType = msgspec.UNSET


class NewCampaign(msgspec.Struct, kw_only=True):
    """A campaign to make: a draft, or with `at` a scheduled one. `spread_minutes`: its launch is
    spread evenly over so long."""

    name: str
    content: Content
    audience: Audience
    spread_minutes: Spread | msgspec.UnsetType = msgspec.UNSET
    at: str | msgspec.UnsetType = msgspec.UNSET


class CampaignChange(msgspec.Struct, kw_only=True):
    """What of a draft is to be another; `content` and `audience` are replaced whole. With
    `updated_at`, as last seen, the change is refused where somebody else was faster."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    content: Content | msgspec.UnsetType = msgspec.UNSET
    audience: Audience | msgspec.UnsetType = msgspec.UNSET
    spread_minutes: Spread | msgspec.UnsetType = msgspec.UNSET
    updated_at: Moment | msgspec.UnsetType = msgspec.UNSET


class Schedule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """When to launch: "now", or an ISO 8601 time with its offset."""

    at: str


class PreviewFor(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """For whom to render: a user id, or a customer's id. Without one, for somebody in the
    audience."""

    user_id: str | None = None


class CampaignWarning(msgspec.Struct, frozen=True, kw_only=True):
    """What is not refused, but may not be meant. `code`: trait_unknown (nobody in the audience has
    a trait that a text names), audience_empty or audience_unreachable."""

    code: str
    field: str
    message: str


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign. `state`: draft, scheduled, launching, sending, paused, done or cancelled.
    `paused_reason` begins with `late` where its time passed while nothing ran: it waits to be
    resumed, scheduled anew or cancelled. `warnings` are told to who schedules it."""

    id: UUID
    name: str
    state: CampaignState
    content: Content
    audience: Audience
    scheduled_at: Moment | None
    spread_minutes: int
    paused_reason: str | None
    created_at: Moment
    updated_at: Moment
    warnings: list[CampaignWarning] | msgspec.UnsetType = msgspec.UNSET


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """A push as one customer would see it."""

    title: str | None
    body: str | None
    image: str | None
    link: str | None
    data: dict[str, str]
    ttl_seconds: int
    priority: Priority
    collapse_key: str | None


class PreviewFault(msgspec.Struct, frozen=True, kw_only=True):
    """What can not be rendered for this customer, or what FCM would refuse of it."""

    platform: Platform
    field: str
    message: str


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """How many the audience reaches now. `opted_out`, `notifications_off` and
    `no_firebase_app`: devices among them that are skipped, the second unless the push is silent."""

    customers: int
    devices: int
    opted_out: int
    notifications_off: int
    no_firebase_app: int
    platforms: dict[str, int]


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """`customer` null: nobody is in the audience yet, so it is rendered without traits."""

    customer: Owner | None
    platforms: dict[str, Rendered]
    faults: list[PreviewFault]
    warnings: list[CampaignWarning]
    reach: Reach


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """planned = accepted + unregistered + rejected + skipped + expired + cancelled + in_flight.
    `accepted`: FCM took it, no more; `received` and `opened`: the app said so."""

    planned: int
    accepted: int
    unregistered: int
    rejected: int
    skipped: int
    expired: int
    cancelled: int
    in_flight: int
    received: int
    opened: int


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """So many deliveries wait. `waits_for`: the campaign or its Firebase app is paused, FCM has
    asked for silence, or they are due later. `until`: when they go on, or are tried again, by
    themselves; null: a person must act."""

    waits_for: WaitsFor
    reason: str
    project_id: str | None
    deliveries: int
    until: Moment | None


class Report(Counts, frozen=True, kw_only=True):
    """A campaign's account at one instant. `reasons`: by state, then by reason; of what is in
    flight, FCM's last answer (`doubted_…`: one about the app that was not believed). `attempts`:
    pushes that left for FCM, repeats included; `unanswered`: those whose answer was never seen,
    which may have been shown twice. `waiting`: why what is in flight is not sent now."""

    campaign_id: UUID
    state: CampaignState
    reasons: dict[str, dict[str, int]]
    platforms: dict[str, Counts]
    attempts: int
    unanswered: int
    balances: bool
    waiting: list[Waiting]


def shown_campaign(
    campaign: campaigns.Campaign, warnings: Sequence[previews.CampaignWarning] | None = None
) -> Campaign:
    """A campaign as the API tells it; `warnings`: to who schedules it."""
    return Campaign(
        warnings=msgspec.UNSET if warnings is None else _shown_warnings(warnings),
        id=campaign.id,
        name=campaign.name,
        state=campaign.state,
        content=msgspec.convert(dump_content(campaign.content), Content),
        audience=msgspec.convert(rule.dump(campaign.audience), Audience),
        scheduled_at=campaign.scheduled_at,
        spread_minutes=campaign.spread_minutes,
        paused_reason=campaign.paused_reason,
        created_at=campaign.created_at,
        updated_at=campaign.updated_at,
    )


def shown_preview(preview: previews.Preview) -> Preview:
    """A preview as the API tells it."""
    customer = preview.customer
    return Preview(
        customer=None if customer is None else Owner(id=customer.id, user_id=customer.user_id),
        platforms={
            platform.value: shown_content(content) for platform, content in preview.contents.items()
        },
        faults=[
            PreviewFault(platform=platform, field=fault.field, message=fault.message)
            for platform, fault in preview.faults
        ],
        warnings=_shown_warnings(preview.warnings),
        reach=msgspec.convert(preview.reach, Reach, from_attributes=True),
    )


def _shown_warnings(warnings: Sequence[previews.CampaignWarning]) -> list[CampaignWarning]:
    return [msgspec.convert(one, CampaignWarning, from_attributes=True) for one in warnings]


def shown_report(
    campaign: campaigns.Campaign, report: funnel.Report, held_up: Sequence[waiting.Waiting]
) -> Report:
    """An account as the API tells it."""
    return Report(
        campaign_id=campaign.id,
        state=campaign.state,
        **_counts(report.total),
        reasons=report.reasons,
        platforms={name: Counts(**_counts(each)) for name, each in report.platforms.items()},
        attempts=report.attempts,
        unanswered=report.unanswered,
        balances=report.balances,
        waiting=[Waiting(**asdict(one)) for one in held_up],
    )


def shown_content(content: contents.Content) -> Rendered:
    """A rendered content as the API tells it."""
    return Rendered(
        title=content.title,
        body=content.body,
        image=content.image,
        link=content.link,
        data=dict(content.data),
        ttl_seconds=content.ttl_seconds,
        priority=content.priority,
        collapse_key=content.collapse_key,
    )


def _counts(counts: funnel.Counts) -> dict[str, Any]:
    return {name: getattr(counts, name) for name in Counts.__struct_fields__}
