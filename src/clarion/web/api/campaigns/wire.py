"""Campaigns on the wire. What is taken in is checked by `campaigns/draft.py`, which knows all that
can be wrong with it; the types of bodies here describe it."""

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
from clarion.campaigns.content.appearance import InterruptionLevel
from clarion.campaigns.content.spec import Priority, dump_content
from clarion.campaigns.conversion import dump_conversion
from clarion.campaigns.preview import CampaignWarning, PreviewFault
from clarion.campaigns.timing import trigger
from clarion.campaigns.timing.own_time import LateTurns, PastZones
from clarion.campaigns.timing.recurrence import Missed
from clarion.clock import Moment
from clarion.customers.profile.category import CATEGORY
from clarion.web.api.audiences.wire import Rule
from clarion.web.api.customers.devices import Owner

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


Category = Annotated[
    str,
    msgspec.Meta(
        description="A code that customers can leave, such as `news`.",
        extra_json_schema={"pattern": f"^{CATEGORY.pattern}$"},
    ),
]
Code = Annotated[
    str,
    msgspec.Meta(
        description="What pushes to one customer name the campaign by, beside its id.",
        extra_json_schema={"pattern": f"^{CODE.pattern}$"},
    ),
]


class Button(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An action below a push. Without `link` it opens the app."""

    title: str
    link: str | msgspec.UnsetType | None = msgspec.UNSET


class Conversion(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a campaign is to lead to: a track event of this name, letter by letter, that a customer
    does within so many hours, or days, of the push, 30 days at most. One of the two is given;
    answers tell hours."""

    event: str
    within_hours: int | msgspec.UnsetType = msgspec.UNSET
    within_days: int | msgspec.UnsetType = msgspec.UNSET


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
    icon: str | msgspec.UnsetType | None = msgspec.UNSET
    sound: str | msgspec.UnsetType | None = msgspec.UNSET
    badge: int | str | msgspec.UnsetType | None = msgspec.UNSET
    channel: str | msgspec.UnsetType | None = msgspec.UNSET
    color: str | msgspec.UnsetType | None = msgspec.UNSET
    category: str | msgspec.UnsetType | None = msgspec.UNSET
    interruption_level: InterruptionLevel | msgspec.UnsetType | None = msgspec.UNSET
    buttons: list[Button] | msgspec.UnsetType | None = msgspec.UNSET
    silent: bool | msgspec.UnsetType | None = msgspec.UNSET


class LanguageFields(ContentFields, kw_only=True, omit_defaults=True):
    """What a language says differently, and what it says differently again on a platform."""

    platforms: dict[str, ContentFields] | msgspec.UnsetType = msgspec.UNSET


class Content(ContentFields, kw_only=True, omit_defaults=True):
    """What a push says, with single fields said differently on a platform (iOS, Android, Web) or in
    a language, by its tag: who reads `de-AT` sees `de-AT`, or else `de`, or else the default."""

    platforms: dict[str, ContentFields] | msgspec.UnsetType = msgspec.UNSET
    languages: dict[str, LanguageFields] | msgspec.UnsetType = msgspec.UNSET
    fcm: FcmFields | msgspec.UnsetType = msgspec.UNSET
    live_activity: LiveActivityFields | msgspec.UnsetType = msgspec.UNSET


LateAfter = Annotated[
    int,
    msgspec.Meta(
        description="A launch that is so many minutes late waits for a person; null: as "
        "`CLARION_LATE_MINUTES` has it.",
        extra_json_schema={"minimum": 1, "maximum": campaigns.LATE_MINUTES_MAX},
    ),
]
ZoneName = Annotated[
    str,
    msgspec.Meta(description='The IANA name of the time zone of `at`, such as "Europe/Vienna".'),
]


class LocalTime(msgspec.Struct, frozen=True, kw_only=True):
    """The local time at which each customer gets it, in their own zone."""

    at: str
    fallback: str
    past: PastZones
    late: LateTurns


class OwnTime(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Each customer gets it when clocks in their own time zone show `at`. `fallback`: the zone of
    customers of whom none is known; the workspace's unless another is named. `past`: customers in
    whose zone that time is past get it at once, or at that time of their next day. `late`: those
    whose turn has passed longer ago than the campaign allows, since nothing ran, get it at that
    time of their next day, or are skipped; of one that repeats `missed` says that."""

    fallback: str | msgspec.UnsetType = msgspec.UNSET
    past: PastZones | msgspec.UnsetType = msgspec.UNSET
    late: LateTurns | msgspec.UnsetType = msgspec.UNSET


class Repeat(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """It launches again and again, from `at` on: a local time of `zone`, of the workspace's zone,
    or of each customer's own. `rule`: daily, weekly, monthly, or an RRULE with FREQ, INTERVAL,
    BYDAY, BYMONTHDAY, COUNT or UNTIL; `until`: its last local day; `except`: local days without it;
    `missed`: what becomes of an occurrence that could not be launched in time."""

    rule: str
    until: str | msgspec.UnsetType = msgspec.UNSET
    except_: list[str] | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="except")
    missed: Missed | msgspec.UnsetType = msgspec.UNSET


class Repetition(msgspec.Struct, frozen=True, kw_only=True):
    """How a campaign repeats: from `start` on, a local time of `zone`; null: of each customer's
    own. `next`: the local time that is next."""

    rule: str
    start: str
    next: str
    zone: str | None
    except_: list[str] = msgspec.field(name="except")
    missed: Missed


class Timing(msgspec.Struct, kw_only=True, omit_defaults=True):
    """When a draft is meant to launch, as in `Schedule`. It is kept with the draft and schedules
    nothing; whether anything can launch then is looked at when it is scheduled."""

    at: str
    zone: ZoneName | msgspec.UnsetType = msgspec.UNSET
    own_time: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    repeat: dict[str, str | list[str]] | msgspec.UnsetType = msgspec.UNSET


class CampaignCopy(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What the copy is called; without it, as the campaign is."""

    name: str | None = None


class NewCampaign(msgspec.Struct, kw_only=True):
    """A campaign to create: a draft, or with `at` a scheduled one, which with `zone`, `own_time` or
    `repeat` is a local time as in `Schedule`. `spread_minutes`: how long its launch is spread over,
    evenly. `transactional`: exempt from frequency caps and quiet hours. `allow_empty`: schedule it
    though it would reach nobody now."""

    name: str
    content: Content
    audience: Rule
    spread_minutes: Spread | msgspec.UnsetType = msgspec.UNSET
    late_after_minutes: LateAfter | msgspec.UnsetType | None = msgspec.UNSET
    conversion: Conversion | msgspec.UnsetType | None = msgspec.UNSET
    category: Category | msgspec.UnsetType | None = msgspec.UNSET
    transactional: bool | msgspec.UnsetType = msgspec.UNSET
    code: Code | msgspec.UnsetType | None = msgspec.UNSET
    timing: Timing | msgspec.UnsetType | None = msgspec.UNSET
    at: str | msgspec.UnsetType = msgspec.UNSET
    zone: ZoneName | msgspec.UnsetType = msgspec.UNSET
    own_time: OwnTime | msgspec.UnsetType = msgspec.UNSET
    repeat: Repeat | msgspec.UnsetType = msgspec.UNSET
    allow_empty: bool | msgspec.UnsetType = msgspec.UNSET


class CampaignChange(msgspec.Struct, kw_only=True):
    """Changes of a draft; `content` and `audience` are replaced as a whole. With `updated_at`, as
    last seen, the change is rejected if somebody has changed the draft since."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    content: Content | msgspec.UnsetType = msgspec.UNSET
    audience: Rule | msgspec.UnsetType = msgspec.UNSET
    spread_minutes: Spread | msgspec.UnsetType = msgspec.UNSET
    late_after_minutes: LateAfter | msgspec.UnsetType | None = msgspec.UNSET
    conversion: Conversion | msgspec.UnsetType | None = msgspec.UNSET
    category: Category | msgspec.UnsetType | None = msgspec.UNSET
    transactional: bool | msgspec.UnsetType = msgspec.UNSET
    code: Code | msgspec.UnsetType | None = msgspec.UNSET
    timing: Timing | msgspec.UnsetType | None = msgspec.UNSET
    updated_at: Moment | msgspec.UnsetType = msgspec.UNSET


class Schedule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """When to launch. `at`: "now", or an ISO 8601 time with its offset; with `zone`, `own_time`
    or `repeat` a local time without one. One that clocks skip means the first instant after the
    gap; one that they show twice, the first. `allow_empty`: though it would reach nobody now."""

    at: str
    zone: ZoneName | msgspec.UnsetType = msgspec.UNSET
    own_time: OwnTime | msgspec.UnsetType = msgspec.UNSET
    repeat: Repeat | msgspec.UnsetType = msgspec.UNSET
    allow_empty: bool = False


class PreviewFor(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Whom to render for: a user id, or a customer's id. Without one, for somebody in the
    audience."""

    user_id: str | None = None


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign. `scheduled_at`: when it launches next, or has; at each customer's own time it is
    planned then, and `own_time` says when each gets it. `state`: draft, scheduled, launching,
    sending, paused, done, cancelled or failed. `paused_reason`, of one that failed: why. It begins
    with `late` where its time passed while nothing ran: it waits to be resumed, scheduled anew or
    cancelled.
    `warnings` are told to who schedules it."""

    id: UUID
    name: str
    code: str | None
    state: CampaignState
    content: Content
    audience: Rule
    scheduled_at: Moment | None
    own_time: LocalTime | None
    repeat: Repetition | None
    spread_minutes: int
    late_after_minutes: int | None
    conversion: Conversion | None
    category: str | None
    transactional: bool
    timing: Timing | None
    paused_reason: str | None
    archived_at: Moment | None
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
    icon: str | None
    sound: str | None
    badge: int | str | None
    channel: str | None
    color: str | None
    category: str | None
    interruption_level: InterruptionLevel | None
    buttons: list[Button]
    silent: bool


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
        own_time=_local_time(campaign),
        repeat=_repetition(campaign),
        spread_minutes=campaign.spread_minutes,
        late_after_minutes=campaign.late_after_minutes,
        archived_at=campaign.archived_at,
        conversion=msgspec.convert(dump_conversion(campaign.conversion), Conversion | None),
        category=campaign.category,
        transactional=campaign.is_transactional,
        timing=msgspec.convert(campaign.timing, Timing | None),
        paused_reason=campaign.paused_reason,
        created_at=campaign.created_at,
        updated_at=campaign.updated_at,
    )


def _local_time(campaign: campaigns.Campaign) -> LocalTime | None:
    own = None if campaign.trigger is None else trigger.own_time(campaign.trigger)
    if own is None:
        return None
    return LocalTime(at=own.wall.isoformat(), fallback=own.fallback, past=own.past, late=own.late)


def _repetition(campaign: campaigns.Campaign) -> Repetition | None:
    recurring = campaign.trigger
    if not isinstance(recurring, trigger.Recurring):
        return None
    recurrence = recurring.recurrence
    return Repetition(
        rule=recurrence.rule,
        start=recurrence.start.isoformat(),
        next=recurring.next.isoformat(),
        zone=None if recurring.is_in_own_time else recurring.zone,
        except_=[day.isoformat() for day in recurrence.excepted],
        missed=recurring.missed,
    )


def shown_preview(preview: previews.Preview) -> Preview:
    """A preview as the API tells it."""
    return msgspec.convert(preview, Preview, from_attributes=True)
