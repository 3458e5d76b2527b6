"""A launch: one occurrence of a campaign, which becomes deliveries. Pure.

    planning ──planned──▶ sending ──finish──▶ done, or failed
      │  ▲                  │  ▲
      ▼  │ resume           ▼  │ resume
     paused ──planned───▶ paused ──finish──▶ done
      (it remembers where from)

      ├──cancel──▶ cancelled     (from every state that is not final)
      └──fail────▶ failed

`planning`: its deliveries are being planned; `sending`: all are planned, some are open. done,
cancelled and failed are final. What a cancelled or failed launch has waiting is settled as
cancelled; what left is accounted for.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from clarion.campaigns.timing.own_time import OwnTime
from clarion.faults import Rejected

BY_A_PERSON = "by a person"
PUSH = "push"
"""The occurrence of a launch that is one push to one customer (`deliveries/pushes`)."""


class LaunchState(StrEnum):
    PLANNING = "planning"
    SENDING = "sending"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


_S = LaunchState
STOPPED = frozenset({_S.CANCELLED, _S.FAILED})
"""Nothing more of it is sent, for good."""
FINAL = STOPPED | {_S.DONE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """`occurrence` names it among its campaign's launches. `due_at`: when it was to happen;
    `started_at`: when it did. `cursor` is the last device planned, `planned` how many were.
    `paused_from` is the state to go back to; `reason` says why it is paused, or has failed."""

    id: UUID
    workspace_id: UUID
    campaign_id: UUID
    occurrence: str
    state: LaunchState
    paused_from: LaunchState | None = None
    reason: str | None = None
    cursor: UUID | None = None
    planned: int = 0
    due_at: datetime
    started_at: datetime
    planned_at: datetime | None = None
    done_at: datetime | None = None
    updated_at: datetime
    deliveries_removed_at: datetime | None = None
    """Since when its deliveries are gone, for their age; its account stays."""
    own_time: OwnTime | None = None
    """The local time at which each customer gets it; None: all at one instant."""
    traceparent: str | None = None
    """Of the call that asked for it (`tracing.py`); None: it begins a trace of its own."""

    @property
    def stage(self) -> LaunchState:
        """Its state; of a paused launch the state it was paused in."""
        return self.paused_from or self.state

    @property
    def is_push(self) -> bool:
        """Whether it is one push to one customer, which no campaign's state concerns."""
        return self.occurrence == PUSH


def launch_id(campaign_id: UUID, occurrence: str) -> UUID:
    """Derived, so that each occurrence of a campaign happens once whatever happens."""
    return uuid5(campaign_id, f"launch:{occurrence}")


def begin(
    campaign_id: UUID,
    workspace_id: UUID,
    occurrence: str,
    due_at: datetime,
    now: datetime,
    own_time: OwnTime | None = None,
) -> Launch:
    """A new launch, which is to be planned."""
    return Launch(
        id=launch_id(campaign_id, occurrence),
        workspace_id=workspace_id,
        campaign_id=campaign_id,
        occurrence=occurrence,
        state=_S.PLANNING,
        due_at=due_at,
        own_time=own_time,
        started_at=now,
        updated_at=now,
    )


def planned(launch: Launch, now: datetime) -> Launch | Rejected:
    """Moves on to sending when all deliveries are planned. A launch that was paused meanwhile
    resumes to sending."""
    if launch.state is _S.PLANNING:
        return replace(launch, state=_S.SENDING, planned_at=now, updated_at=now)
    if launch.state is _S.PAUSED and launch.paused_from is _S.PLANNING:
        return replace(launch, paused_from=_S.SENDING, planned_at=now, updated_at=now)
    return _refused(launch, "sent")


def finish(launch: Launch, now: datetime, failure: str | None = None) -> Launch | Rejected:
    """Marks as done when no delivery is open any more; or as failed, where `failure` says why
    nobody got it."""
    if launch.stage is _S.SENDING:
        return _ended(launch, _S.DONE if failure is None else _S.FAILED, failure, now)
    return _refused(launch, "finished")


def pause(launch: Launch, now: datetime, reason: str = BY_A_PERSON) -> Launch | Rejected:
    """Stops sending until the launch is resumed."""
    if launch.state not in (_S.PLANNING, _S.SENDING):
        return _refused(launch, "paused")
    return replace(launch, state=_S.PAUSED, paused_from=launch.state, reason=reason, updated_at=now)


def resume(launch: Launch, now: datetime) -> Launch | Rejected:
    """Resumes in the state it was paused in."""
    if launch.state is not _S.PAUSED or launch.paused_from is None:
        return _refused(launch, "resumed")
    return replace(launch, state=launch.paused_from, paused_from=None, reason=None, updated_at=now)


def cancel(launch: Launch, now: datetime) -> Launch | Rejected:
    """Cancels for good. Cancelling twice is cancelling once."""
    if launch.state is _S.CANCELLED:
        return launch
    if launch.state in FINAL:
        return _refused(launch, "cancelled")
    return _ended(launch, _S.CANCELLED, None, now)


def fail(launch: Launch, now: datetime, reason: str) -> Launch | Rejected:
    """Marks as failed before its end: it can not be planned; `reason` says why."""
    if launch.state in FINAL:
        return _refused(launch, "failed")
    return _ended(launch, _S.FAILED, reason, now)


def _ended(launch: Launch, state: LaunchState, reason: str | None, now: datetime) -> Launch:
    return replace(
        launch, state=state, paused_from=None, reason=reason, done_at=now, updated_at=now
    )


def _refused(launch: Launch, wanted: str) -> Rejected:
    return Rejected(
        "campaign_state", f"The launch is {launch.state.value}: it can not be {wanted}."
    )
