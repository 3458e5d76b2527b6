"""A campaign: what to say to whom and when, and the states it goes through. Pure.

    draft ──schedule──▶ scheduled ──launch──▶ launching ──planned──▶ sending ──finish──▶ done
      │                   │  ▲                  │   ▲                  │  ▲
      │                   │  │ resume           │   │ resume           │  │ resume
      │                   ▼  │                  ▼   │                  ▼  │
      │                  paused ◀───pause────  paused ◀────pause───── paused
      │                                 (paused remembers where from)
      └───────────────────────cancel (from every state but done)──────────────▶ cancelled

A scheduled campaign whose time passed long ago is not launched but paused: it is late, and waits
for a person, who resumes it (it launches now) or schedules it anew.

`launching` means that its deliveries are being planned, `sending` that all are planned and some are
open. done and cancelled are final. Cancelling stops what has not left; what left is accounted for.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from clarion.audiences.rule import Rule
from clarion.campaigns.content.spec import ContentSpec
from clarion.faults import Rejected

NAME_CHARACTERS_MAX = 200
SPREAD_MINUTES_MAX = 1_440
LATE_REASON = (
    "late: its time passed while nothing ran to launch it; resume it to launch now, or schedule it "
    "for another time"
)
"""Why a campaign waits that should have been launched long ago: after an outage, or in a copy of
the database, nobody may want it any more, or not at this hour."""


class CampaignState(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    LAUNCHING = "launching"
    SENDING = "sending"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """`paused_from` is the state to go back to; `paused_reason` says who or what paused it."""

    id: UUID
    workspace_id: UUID
    name: str
    state: CampaignState
    content: ContentSpec
    audience: Rule
    scheduled_at: datetime | None
    spread_minutes: int = 0
    """Its launch is spread evenly over so long; 0: it goes as fast as it may."""
    paused_from: CampaignState | None = None
    paused_reason: str | None = None
    created_at: datetime
    updated_at: datetime


_S = CampaignState
_PAUSABLE = frozenset({_S.SCHEDULED, _S.LAUNCHING, _S.SENDING})


def schedule(campaign: Campaign, at: datetime, now: datetime) -> Campaign | Rejected:
    """Let it launch at `at`. A scheduled campaign may be given another time, and so may one that is
    late; what a person has paused stays so until it is resumed."""
    if campaign.state not in (_S.DRAFT, _S.SCHEDULED) and not is_late(campaign):
        return _refused(campaign, "scheduled")
    return replace(
        campaign,
        state=_S.SCHEDULED,
        scheduled_at=at,
        paused_from=None,
        paused_reason=None,
        updated_at=now,
    )


def is_late(campaign: Campaign) -> bool:
    """Whether it waits for a person because its time has passed."""
    return campaign.state is _S.PAUSED and campaign.paused_reason == LATE_REASON


def launches_on_resume(campaign: Campaign, now: datetime) -> bool:
    """Whether resuming it sends: it was paused before its launch, and its time has passed."""
    return (
        campaign.state is _S.PAUSED
        and campaign.paused_from is _S.SCHEDULED
        and campaign.scheduled_at is not None
        and campaign.scheduled_at <= now
    )


def edit(
    campaign: Campaign,
    *,
    name: str,
    content: ContentSpec,
    audience: Rule,
    spread_minutes: int,
    now: datetime,
) -> Campaign | Rejected:
    """Say something else, or to others. What is scheduled stays as it was agreed to."""
    if campaign.state is not _S.DRAFT:
        return _refused(campaign, "edited")
    return replace(
        campaign,
        name=name,
        content=content,
        audience=audience,
        spread_minutes=spread_minutes,
        updated_at=now,
    )


def launch(
    campaign: Campaign, now: datetime, late_after: timedelta | None = None
) -> Campaign | Rejected:
    """Its time has come: deliveries are being planned. Where its time passed more than `late_after`
    ago, it is paused instead, and waits for a person. Rejected where it was given a later time."""
    at = campaign.scheduled_at
    if campaign.state is not _S.SCHEDULED or (at is not None and at > now):
        return _refused(campaign, "launched")
    if late_after is not None and at is not None and now - at > late_after:
        return pause(campaign, now, LATE_REASON)
    return replace(campaign, state=_S.LAUNCHING, updated_at=now)


def planned(campaign: Campaign, now: datetime) -> Campaign | Rejected:
    """All its deliveries are planned. A campaign paused while launching resumes to sending."""
    if campaign.state is _S.LAUNCHING:
        return replace(campaign, state=_S.SENDING, updated_at=now)
    if campaign.state is _S.PAUSED and campaign.paused_from is _S.LAUNCHING:
        return replace(campaign, paused_from=_S.SENDING, updated_at=now)
    return _refused(campaign, "sent")


def finish(campaign: Campaign, now: datetime) -> Campaign | Rejected:
    """No delivery is open any more."""
    if campaign.state is _S.SENDING or (
        campaign.state is _S.PAUSED and campaign.paused_from is _S.SENDING
    ):
        return replace(
            campaign, state=_S.DONE, paused_from=None, paused_reason=None, updated_at=now
        )
    return _refused(campaign, "finished")


def pause(campaign: Campaign, now: datetime, reason: str = "by a person") -> Campaign | Rejected:
    """Send nothing more until resumed."""
    if campaign.state not in _PAUSABLE:
        return _refused(campaign, "paused")
    return replace(
        campaign,
        state=_S.PAUSED,
        paused_from=campaign.state,
        paused_reason=reason,
        updated_at=now,
    )


def resume(campaign: Campaign, now: datetime) -> Campaign | Rejected:
    """Go on from where it was paused. A campaign whose time has passed meanwhile launches now: a
    person has said so, and so it is not late."""
    if campaign.state is not _S.PAUSED or campaign.paused_from is None:
        return _refused(campaign, "resumed")
    return replace(
        campaign,
        state=campaign.paused_from,
        scheduled_at=now if launches_on_resume(campaign, now) else campaign.scheduled_at,
        paused_from=None,
        paused_reason=None,
        updated_at=now,
    )


def cancel(campaign: Campaign, now: datetime) -> Campaign | Rejected:
    """Send nothing more, for good. Cancelling twice is once."""
    if campaign.state is _S.CANCELLED:
        return campaign
    if campaign.state is _S.DONE:
        return _refused(campaign, "cancelled")
    return replace(
        campaign, state=_S.CANCELLED, paused_from=None, paused_reason=None, updated_at=now
    )


def _refused(campaign: Campaign, wanted: str) -> Rejected:
    return Rejected(
        "campaign_state", f"The campaign is {campaign.state.value}: it can not be {wanted}."
    )
