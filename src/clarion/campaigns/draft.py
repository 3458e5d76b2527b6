"""A campaign as people write it, in a file or over HTTP, checked whole before it is saved. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from msgspec import UNSET

from clarion.audiences import rule, rule_parser
from clarion.audiences.impossible import wrong_event_name
from clarion.audiences.rule import Rule
from clarion.audiences.saved.audience import CODE
from clarion.campaigns.campaign import (
    LATE_MINUTES_MAX,
    NAME_CHARACTERS_MAX,
    SPREAD_MINUTES_MAX,
    Campaign,
    edit,
    schedule,
)
from clarion.campaigns.content.spec import (
    Content,
    ContentSpec,
    dump_content,
    parse_content,
)
from clarion.campaigns.content.templates.template import faults_of, written_at
from clarion.campaigns.conversion import Conversion, dump_conversion, parse_conversion
from clarion.campaigns.timing.schedule import parse_when, wrong_meant
from clarion.customers.devices.device import Platform
from clarion.customers.profile.category import read_category
from clarion.faults import Fault, Rejected, invalid
from clarion.time_zone import DEFAULT

FIELDS = (
    "name",
    "content",
    "audience",
    "spread_minutes",
    "late_after_minutes",
    "conversion",
    "category",
    "transactional",
    "code",
    "timing",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What to say to whom, checked."""

    name: str
    content: ContentSpec
    audience: Rule
    spread_minutes: int = 0
    late_after_minutes: int | None = None
    conversion: Conversion | None = None
    category: str | None = None
    is_transactional: bool = False
    code: str | None = None
    timing: Mapping[str, Any] | None = None


class ContentCheck(Protocol):
    """What the provider would refuse in a content (`Provider.check`)."""

    def __call__(self, content: Content, *, platform: Platform) -> Sequence[Fault]: ...


def parse_draft(wire: Mapping[str, Any], check: ContentCheck) -> Draft | Rejected:
    """The campaign in `wire` (its `FIELDS`), or everything that is wrong with it."""
    faults = [
        Fault(str(field), f"is unknown; use {', '.join(FIELDS)}")
        for field in wire
        if field not in FIELDS
    ]
    name = wire.get("name")
    if not isinstance(name, str) or not name.strip() or len(name.strip()) > NAME_CHARACTERS_MAX:
        message = f"must be a text of 1 to {NAME_CHARACTERS_MAX} characters"
        faults.append(Fault("name", message))
    content = parse_content(wire.get("content"))
    wrong = content if isinstance(content, list) else faults_of(content)
    if isinstance(content, ContentSpec) and not wrong:
        wrong = provider_faults(content, check)
    faults += wrong
    audience = rule_parser.parse_new(wire.get("audience"))
    if isinstance(audience, list):
        faults += audience
    spread = wire.get("spread_minutes", 0)
    if type(spread) is not int or not 0 <= spread <= SPREAD_MINUTES_MAX:
        message = f"must be whole minutes from 0 to {SPREAD_MINUTES_MAX}"
        faults.append(Fault("spread_minutes", message))
    code = wire.get("code")
    if code is not None and not (isinstance(code, str) and CODE.fullmatch(code)):
        message = "must be 1 to 64 of a-z, 0-9, - and _, and begin with a letter or a digit"
        faults.append(Fault("code", message))
    late = wire.get("late_after_minutes")
    if late is not None and (type(late) is not int or not 1 <= late <= LATE_MINUTES_MAX):
        message = f"must be whole minutes from 1 to {LATE_MINUTES_MAX}, or null: as set for all"
        faults.append(Fault("late_after_minutes", message))
    conversion = parse_conversion(wire.get("conversion"))
    if isinstance(conversion, list):
        faults += conversion
    elif conversion is not None:
        faults += wrong_event_name(conversion.event, "conversion.event")
    named = wire.get("category")
    category = None if named is None else read_category(named)
    if isinstance(category, Fault):
        faults.append(category)
    timing = wire.get("timing")
    wrong_timing = None if timing is None else wrong_meant(timing)
    faults += [] if wrong_timing is None else [wrong_timing]
    is_transactional = wire.get("transactional", False)
    if type(is_transactional) is not bool:
        faults.append(Fault("transactional", "must be true or false"))
    if (
        faults
        or isinstance(content, list)
        or isinstance(audience, list)
        or isinstance(conversion, list)
        or isinstance(category, Fault)
    ):
        return invalid(*faults, code="invalid_campaign")
    return Draft(
        name=str(name).strip(),
        content=content,
        audience=audience,
        spread_minutes=spread,
        late_after_minutes=late,
        conversion=conversion,
        category=category,
        is_transactional=is_transactional,
        code=code,
        timing=timing,
    )


def new_campaign(
    wire: Mapping[str, Any],
    at: Any,
    check: ContentCheck,
    *,
    campaign_id: UUID,
    workspace_id: UUID,
    now: datetime,
    zone: str = DEFAULT,
) -> Campaign | Rejected:
    """The campaign in `wire`: a draft, or with `at` (`parse_when`) a scheduled one. `at` UNSET: no
    time is given. `zone`: the workspace's."""
    trigger = None if at is UNSET else parse_when(at, now, zone)
    if isinstance(trigger, Rejected):
        return trigger
    draft = parse_draft(wire, check)
    if isinstance(draft, Rejected):
        return draft
    campaign = Campaign(
        id=campaign_id,
        workspace_id=workspace_id,
        name=draft.name,
        content=draft.content,
        audience=draft.audience,
        spread_minutes=draft.spread_minutes,
        late_after_minutes=draft.late_after_minutes,
        conversion=draft.conversion,
        category=draft.category,
        is_transactional=draft.is_transactional,
        code=draft.code,
        timing=draft.timing,
        created_at=now,
        changed_at=now,
    )
    return campaign if trigger is None else schedule(campaign, trigger, now)


def dump_draft(campaign: Campaign) -> dict[str, Any]:
    """A campaign as it would be written to make it anew; `parse_draft` reads it back."""
    return {
        "name": campaign.name,
        "content": dump_content(campaign.content),
        "audience": rule.dump(campaign.audience),
        "spread_minutes": campaign.spread_minutes,
        "late_after_minutes": campaign.late_after_minutes,
        "conversion": dump_conversion(campaign.conversion),
        "category": campaign.category,
        "transactional": campaign.is_transactional,
        "code": campaign.code,
        "timing": campaign.timing,
    }


def rewrite(
    campaign: Campaign, change: Mapping[str, Any], check: ContentCheck, now: datetime
) -> Campaign | Rejected:
    """The campaign with some of its `FIELDS` written anew, each whole."""
    draft = parse_draft({**dump_draft(campaign), **change}, check)
    if isinstance(draft, Rejected):
        return draft
    return edit(
        campaign,
        name=draft.name,
        content=draft.content,
        audience=draft.audience,
        spread_minutes=draft.spread_minutes,
        late_after_minutes=draft.late_after_minutes,
        conversion=draft.conversion,
        category=draft.category,
        is_transactional=draft.is_transactional,
        code=draft.code,
        timing=draft.timing,
        now=now,
    )


def provider_faults(spec: ContentSpec, check: ContentCheck) -> list[Fault]:
    """What the provider would refuse, each said once although it concerns several platforms, and
    where it was written."""
    faults = [
        Fault(
            written_at(spec, platform, variant, fault.field.removeprefix("content.")), fault.message
        )
        for platform, variant, content in spec.all_contents()
        for fault in check(content, platform=platform)
    ]
    return list(dict.fromkeys(faults))
