"""Campaigns on the wire. What is taken in is checked by `campaigns/draft.py`, which knows all that
can be wrong with it; the types of bodies here describe it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from clarion.audiences import rule
from clarion.audiences.query import Reach
from clarion.audiences.saved.audience import CODE
from clarion.campaigns import campaign as campaigns
from clarion.campaigns import preview as previews
from clarion.campaigns.campaign import CampaignState
from clarion.campaigns.content import spec as contents
from clarion.campaigns.content.spec import Priority, dump_content
from clarion.campaigns.preview import CampaignWarning, PreviewFault
from clarion.clock import Moment
from clarion.web.api.audiences.wire import Rule
from clarion.web.api.customers.devices import Owner
from clarion.web.api.shown import shown

Ttl = Annotated[
    int, msgspec.Meta(extra_json_schema={"minimum": 0, "maximum": contents.TTL_SECONDS_MAX})
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
    int, msgspec.Meta(extra_json_schema={"minimum": 0, "maximum": campaigns.SPREAD_MINUTES_MAX})
]


Code = Annotated[
    str,
    msgspec.Meta(
        description="What pushes to one customer name the campaign by, beside its id.",
        extra_json_schema={"pattern": f"^{CODE.pattern}$"},
    ),
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


class NewCampaign(msgspec.Struct, kw_only=True):
    """A campaign to create: a draft, or with `at` a scheduled one. `spread_minutes`: how long its
    launch is spread over, evenly."""

    name: str
    content: Content
    audience: Rule
    spread_minutes: Spread | msgspec.UnsetType = msgspec.UNSET
    code: Code | msgspec.UnsetType | None = msgspec.UNSET
    at: str | msgspec.UnsetType = msgspec.UNSET


class CampaignChange(msgspec.Struct, kw_only=True):
    """Changes of a draft; `content` and `audience` are replaced as a whole. With `updated_at`, as
    last seen, the change is rejected if somebody has changed the draft since."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    content: Content | msgspec.UnsetType = msgspec.UNSET
    audience: Rule | msgspec.UnsetType = msgspec.UNSET
    spread_minutes: Spread | msgspec.UnsetType = msgspec.UNSET
    code: Code | msgspec.UnsetType | None = msgspec.UNSET
    updated_at: Moment | msgspec.UnsetType = msgspec.UNSET


class Schedule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """When to launch: "now", or an ISO 8601 time with its offset."""

    at: str


class PreviewFor(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Whom to render for: a user id, or a customer's id. Without one, for somebody in the
    audience."""

    user_id: str | None = None


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What a campaign would do. `launches_at` null: this would not launch it; `launches_now`: so
    soon that nobody could stop it. `devices`: how many would be sent a push now."""

    name: str
    launches_at: Moment | None
    launches_now: bool
    devices: int
    reach: Reach
    warnings: list[CampaignWarning]


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign. `state`: draft, scheduled, launching, sending, paused, done, cancelled
    or failed. `paused_reason`, of one that failed: why. It begins with `late` where its time passed
    while nothing ran: it waits to be resumed, scheduled anew or cancelled.
    `warnings` are told to who schedules it."""

    id: UUID
    name: str
    code: str | None
    state: CampaignState
    content: Content
    audience: Rule
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


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """`customer` null: nobody is in the audience yet, so it is rendered without traits."""

    customer: Owner | None
    platforms: dict[str, Rendered]
    faults: list[PreviewFault]
    warnings: list[CampaignWarning]
    reach: Reach


def shown_campaign(
    campaign: campaigns.Campaign, warnings: list[CampaignWarning] | None = None
) -> Campaign:
    """A campaign as the API tells it; `warnings`: to who schedules it."""
    return Campaign(
        warnings=msgspec.UNSET if warnings is None else warnings,
        id=campaign.id,
        name=campaign.name,
        code=campaign.code,
        state=campaign.state,
        content=msgspec.convert(dump_content(campaign.content), Content),
        audience=msgspec.convert(rule.dump(campaign.audience), Rule),
        scheduled_at=campaign.scheduled_at,
        spread_minutes=campaign.spread_minutes,
        paused_reason=campaign.paused_reason,
        created_at=campaign.created_at,
        updated_at=campaign.updated_at,
    )


def shown_forecast(expected: previews.Forecast, now: datetime) -> Forecast:
    """A forecast as the API tells it."""
    name, is_soon = expected.campaign.name, expected.launches_now(now)
    return shown(expected, Forecast, name=name, launches_now=is_soon)


def shown_preview(preview: previews.Preview) -> Preview:
    """A preview as the API tells it."""
    return msgspec.convert(preview, Preview, from_attributes=True)
