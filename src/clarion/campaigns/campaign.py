"""A campaign: what to say to whom and when, and the states it goes through. Pure.

    draft ──schedule──▶ scheduled ──launch──▶ ended        its launches, each with a state of its
      │                   │  ▲                             own, go on: `launches/launch.py`
      │                   ▼  │ resume                    (unschedule: back to a draft)
      │                  paused
      └────cancel─────────┴─────────────▶ cancelled

A campaign is the definition, a launch is an occurrence of it. `scheduled` means that its trigger
will launch it, again perhaps, `ended` that it launches no more. Whoever looks at a campaign that
launches once sees both as one (`Campaign.state`): of what has launched, the launch's state. To
pause, resume or cancel it acts on its launches where there are any.

A scheduled campaign whose time passed long ago is not launched but paused: it is late, and waits
for a person, who resumes it (it launches now) or schedules it anew.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, assert_never
from uuid import UUID

from clarion.audiences.rule import Rule
from clarion.campaigns.content.spec import ContentSpec
from clarion.campaigns.content.templates.launch_values import LaunchValues, campaign_values
from clarion.campaigns.conversion import Conversion
from clarion.campaigns.launches import launch as launches
from clarion.campaigns.launches.launch import BY_A_PERSON, FINAL, Launch, LaunchState
from clarion.campaigns.limits.limits import NO_LIMITS, Limits
from clarion.campaigns.timing import trigger as triggers
from clarion.campaigns.timing.trigger import Once, Trigger, WhenLate
from clarion.faults import Rejected

NAME_CHARACTERS_MAX = 200
LaunchStep = Callable[[Launch], Launch | Rejected]
"""A pure function of `campaigns/launches/launch.py`, with its time."""
SPREAD_MINUTES_MAX = 1_440
LATE_MINUTES_MAX = 10_080
LATE_REASON = (
    "late: its time passed while nothing ran to launch it; resume it to launch now, or schedule it "
    "for another time"
)
"""Why a campaign waits that should have been launched long ago: after an outage, or in a copy of
the database, nobody may want it any more, or not at this hour."""

UNAPPROVED = "approval: "
"""Begins the reason why a campaign waits that nobody has approved as it is."""


RESTORED_REASON = (
    "restored: it was about to send when this copy of the database was made; resume it to go on, "
    "or cancel it"
)
"""Why a campaign or a launch waits in a restored database: what was sent since is not in it."""


class DefinitionState(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    PAUSED = "paused"
    ENDED = "ended"
    CANCELLED = "cancelled"


class CampaignState(StrEnum):
    """What people see: of the definition, and of its launch once there is one."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    LAUNCHING = "launching"
    SENDING = "sending"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A definition, with the newest of its launches. `definition_reason` says who or what paused
    the definition."""

    id: UUID
    workspace_id: UUID
    name: str
    definition: DefinitionState = DefinitionState.DRAFT
    definition_reason: str | None = None
    content: ContentSpec
    audience: Rule
    trigger: Trigger | None = None
    spread_minutes: int = 0
    """Each launch is spread evenly over so long; 0: it goes as fast as it may."""
    conversion: Conversion | None = None
    """What it is to lead to."""
    category: str | None = None
    """Customers can leave it."""
    is_transactional: bool = False
    """Exempt from caps and quiet hours; exclusions, opt-outs and suppressions hold all the same."""
    limits: Limits = NO_LIMITS
    """Those of its workspace, where they are read with it: for sending."""
    late_after_minutes: int | None = None
    """What should have been launched longer ago waits for a person; None: as the installation has
    it."""
    archived_at: datetime | None = None
    """Since when it is not listed."""
    launch: Launch | None = None
    created_at: datetime
    changed_at: datetime
    """When the definition was."""
    code: str | None = None
    """What pushes to one customer name it by, beside its id."""
    timing: Mapping[str, Any] | None = None
    """When it is meant to launch, as `schedule.py` reads it; it schedules nothing."""

    @property
    def launched(self) -> Launch | None:
        """The launch whose state is the campaign's, since it will have no other; None before."""
        return self.launch if self.definition is _D.ENDED else None

    @property
    def state(self) -> CampaignState:
        launched = self.launched
        return _OF_DEFINITION[self.definition] if launched is None else seen_state(launched.state)

    @property
    def paused_from(self) -> CampaignState | None:
        """The state to go back to on resume."""
        launched = self.launched
        if launched is not None:
            before = launched.paused_from
            return None if before is None else seen_state(before)
        return CampaignState.SCHEDULED if self.definition is _D.PAUSED else None

    @property
    def paused_reason(self) -> str | None:
        """Who or what paused it, or why it has failed."""
        return self.definition_reason if self.launched is None else self.launched.reason

    @property
    def scheduled_at(self) -> datetime | None:
        """When it launches, or has."""
        return None if self.trigger is None else triggers.next_at(self.trigger)

    @property
    def updated_at(self) -> datetime:
        launched = self.launched
        return self.changed_at if launched is None else max(self.changed_at, launched.updated_at)


_D = DefinitionState
_OF_DEFINITION = {
    _D.DRAFT: CampaignState.DRAFT,
    _D.SCHEDULED: CampaignState.SCHEDULED,
    _D.PAUSED: CampaignState.PAUSED,
    _D.ENDED: CampaignState.DONE,
    _D.CANCELLED: CampaignState.CANCELLED,
}
LAUNCH_GOES_ON = Rejected(
    "campaign_state",
    "A launch of the campaign goes on: wait for its end, or cancel the campaign.",
)


def seen_state(state: LaunchState) -> CampaignState:
    """A launch's state as that of the campaign that launches once."""
    match state:
        case LaunchState.PLANNING:
            return CampaignState.LAUNCHING
        case LaunchState.SENDING:
            return CampaignState.SENDING
        case LaunchState.PAUSED:
            return CampaignState.PAUSED
        case LaunchState.DONE:
            return CampaignState.DONE
        case LaunchState.CANCELLED:
            return CampaignState.CANCELLED
        case LaunchState.FAILED:
            return CampaignState.FAILED
        case _:
            assert_never(state)


def launch_values(
    campaign: Campaign,
    launched_at: datetime,
    zone: str | None,
    event: Mapping[str, Any] | None = None,
) -> LaunchValues:
    """What its texts read of it, in a launch of that time or as if it launched then."""
    named = campaign_values(
        campaign.id, campaign.name, campaign.code, campaign.category, launched_at
    )
    return LaunchValues(campaign=named, event=event or {}, zone=zone)


def schedule(campaign: Campaign, at: datetime | Trigger, now: datetime) -> Campaign | Rejected:
    """Schedules the launch for `at`, or as the trigger says. A campaign that is scheduled, late or
    waits for an approval may be given another time; one that a person has paused stays paused until
    it is resumed."""
    if campaign.definition not in (_D.DRAFT, _D.SCHEDULED) and not (
        is_late(campaign) or is_unapproved(campaign)
    ):
        return refused(campaign, "scheduled")
    if campaign.archived_at is not None:
        return Rejected("campaign_state", "The campaign is archived: restore it first.")
    return replace(
        campaign,
        definition=_D.SCHEDULED,
        definition_reason=None,
        trigger=Once(at) if isinstance(at, datetime) else at,
        changed_at=now,
    )


def unschedule(campaign: Campaign, now: datetime) -> Campaign | Rejected:
    """Makes a campaign that is to launch a draft again, which can be edited."""
    if campaign.definition not in (_D.SCHEDULED, _D.PAUSED):
        return refused(campaign, "unscheduled")
    if campaign.launch is not None and campaign.launch.state not in FINAL:
        return LAUNCH_GOES_ON
    return replace(
        campaign,
        definition=_D.DRAFT,
        definition_reason=None,
        trigger=None,
        changed_at=now,
    )


def is_late(campaign: Campaign) -> bool:
    """Whether it waits for a person because its time has passed, or it was restored."""
    reasons = (LATE_REASON, RESTORED_REASON)
    return campaign.definition is _D.PAUSED and campaign.definition_reason in reasons


def is_unapproved(campaign: Campaign) -> bool:
    """Whether it waits because it was to launch and nobody had approved it as it is."""
    reason = campaign.definition_reason or ""
    return campaign.definition is _D.PAUSED and reason.startswith(UNAPPROVED)


def launches_on_resume(campaign: Campaign, now: datetime) -> bool:
    """Whether resuming it sends: it was paused before its launch, and its time has passed."""
    at = campaign.scheduled_at
    return campaign.definition is _D.PAUSED and at is not None and at <= now


def edit(
    campaign: Campaign,
    *,
    name: str,
    content: ContentSpec,
    audience: Rule,
    spread_minutes: int,
    conversion: Conversion | None,
    category: str | None,
    is_transactional: bool,
    late_after_minutes: int | None = None,
    code: str | None = None,
    timing: Mapping[str, Any] | None = None,
    now: datetime,
) -> Campaign | Rejected:
    """Changes content or audience of a draft. A scheduled campaign can not be edited: it stays as
    it was approved, until it is unscheduled."""
    if campaign.definition is not _D.DRAFT:
        cure = "" if campaign.launch is not None else ": unschedule it first"
        is_waiting = campaign.definition in (_D.SCHEDULED, _D.PAUSED)
        return refused(campaign, "edited", cure if is_waiting else "")
    return replace(
        campaign,
        name=name,
        content=content,
        audience=audience,
        spread_minutes=spread_minutes,
        conversion=conversion,
        category=category,
        is_transactional=is_transactional,
        late_after_minutes=late_after_minutes,
        code=code,
        timing=timing,
        changed_at=now,
    )


def launch(
    campaign: Campaign, now: datetime, late_after: timedelta | None = None
) -> Campaign | Rejected:
    """Launches a campaign that is due. If its time passed more than `late_after` ago, it is paused
    instead and waits for a person; of one that repeats, the occurrence is skipped or made up, as
    its trigger says. Rejected if it has been given a later time."""
    trigger, at = campaign.trigger, campaign.scheduled_at
    if campaign.definition is not _D.SCHEDULED or trigger is None or at is None or at > now:
        return refused(campaign, "launched")
    trigger = triggers.latest_due(trigger, now)
    at = triggers.next_at(trigger) or at
    following = triggers.following(trigger)
    definition = _D.ENDED if following is None else _D.SCHEDULED
    moved_on = replace(
        campaign, definition=definition, trigger=following or trigger, changed_at=now
    )
    if late_after is not None and now - at > late_after:
        when_late = triggers.when_late(trigger)
        if when_late is WhenLate.WAIT:
            return pause(campaign, now, LATE_REASON)
        if when_late is WhenLate.SKIP:
            return moved_on
    if campaign.launch is not None and campaign.launch.occurrence == triggers.occurrence(trigger):
        return moved_on  # scheduled again for an occurrence that has launched
    return replace(
        moved_on,
        launch=launches.begin(
            campaign.id,
            campaign.workspace_id,
            triggers.occurrence(trigger),
            at,
            now,
            triggers.own_time(trigger, late_after),
        ),
    )


def pause(campaign: Campaign, now: datetime, reason: str = BY_A_PERSON) -> Campaign | Rejected:
    """Stops sending until the campaign is resumed: of one that repeats, also the launch that goes
    on."""
    if campaign.definition is _D.SCHEDULED:
        return replace(
            campaign,
            definition=_D.PAUSED,
            definition_reason=reason,
            launch=_where_it_can(campaign.launch, partial(launches.pause, now=now, reason=reason)),
            changed_at=now,
        )
    launched = campaign.launched
    if launched is None:
        return refused(campaign, "paused")
    return _with(campaign, launches.pause(launched, now, reason), "paused")


def resume(campaign: Campaign, now: datetime) -> Campaign | Rejected:
    """Resumes a campaign in the state it was paused in. One whose time has passed meanwhile
    launches now: a person has decided so, and it does not count as late."""
    if campaign.definition is _D.PAUSED:
        trigger = campaign.trigger
        if trigger is not None and launches_on_resume(campaign, now):
            trigger = triggers.made_due(trigger, now)
        return replace(
            campaign,
            definition=_D.SCHEDULED,
            definition_reason=None,
            trigger=trigger,
            launch=_where_it_can(campaign.launch, partial(launches.resume, now=now)),
            changed_at=now,
        )
    if campaign.definition is _D.SCHEDULED and campaign.launch is not None:
        # Of one that repeats, a launch may be paused by itself: this one, or an older one.
        resumed = _where_it_can(campaign.launch, partial(launches.resume, now=now))
        return replace(campaign, launch=resumed)
    launched = campaign.launched
    if launched is None:
        return refused(campaign, "resumed")
    return _with(campaign, launches.resume(launched, now), "resumed")


def cancel(campaign: Campaign, now: datetime) -> Campaign | Rejected:
    """Cancels for good. Cancelling twice is cancelling once."""
    if campaign.definition is _D.CANCELLED:
        return campaign
    if campaign.definition is not _D.ENDED:
        return replace(
            campaign,
            definition=_D.CANCELLED,
            definition_reason=None,
            launch=_where_it_can(campaign.launch, partial(launches.cancel, now=now)),
            changed_at=now,
        )
    if campaign.launch is None:
        return refused(campaign, "cancelled")
    return _with(campaign, launches.cancel(campaign.launch, now), "cancelled")


def _where_it_can(launch: Launch | None, step: LaunchStep) -> Launch | None:
    """The launch after a step that it may have no need of."""
    after = None if launch is None else step(launch)
    return launch if isinstance(after, Rejected) else after


def _with(campaign: Campaign, launched: Launch | Rejected, wanted: str) -> Campaign | Rejected:
    if isinstance(launched, Rejected):
        return refused(campaign, wanted)
    return campaign if launched == campaign.launch else replace(campaign, launch=launched)


def refused(campaign: Campaign, wanted: str, cure: str = "") -> Rejected:
    return Rejected(
        "campaign_state", f"The campaign is {campaign.state.value}: it can not be {wanted}{cure}."
    )
