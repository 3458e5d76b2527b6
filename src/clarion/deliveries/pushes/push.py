"""A push to one customer: who asks for what, and what is planned of it. Pure.

It is a launch of its own, so that it is sent, reported, kept, removed and erased like any other:

    request ──▶ push (a launch, its deliveries, a chunk for each Firebase app) ──▶ sending ──▶ done
        │                └ no device is left to send to: done at once, `skipped` says why
        └ same Idempotency-Key: the same push
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from clarion.campaigns.campaign import Campaign
from clarion.campaigns.content.spec import ContentSpec, parse_content
from clarion.campaigns.content.templates.template import faults_of
from clarion.campaigns.draft import ContentCheck, provider_faults
from clarion.campaigns.launches.launch import PUSH, Launch, LaunchState
from clarion.faults import Fault, Rejected, invalid
from clarion.text import is_storable

FIELDS = ("user_id", "campaign", "content", "event", "devices")
KEY_CHARACTERS_MAX = 255
KEY_KEPT = timedelta(days=30)
"""So long a repeat with the same Idempotency-Key is the same push."""
EVENT_BYTES_MAX = 16_384
"""Of `event` as JSON. What FCM takes of a push is a quarter of it."""
EVENT_NESTING_MAX = 10
USER_ID_CHARACTERS_MAX = 512


class Target(StrEnum):
    """Which of the customer's devices."""

    ALL = "all"
    LAST_ACTIVE = "last_active"
    """The one that was seen last, of those that can be sent to."""


NO_DEVICE = "no_device"
"""Why a push goes nowhere: the customer has no device that is registered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRequest:
    """What is asked for, checked. `campaign`: the code or the id of the campaign whose content it
    has; None: it has `content` of its own. `event`: what templates read by that name."""

    user_id: str
    campaign: str | None = None
    content: ContentSpec | None = None
    event: Mapping[str, Any]
    target: Target = Target.ALL
    hash: str
    """Equal for requests that ask for the same."""


class PlannedDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A device that the push was planned for; `skipped`: why it is not sent there."""

    device_id: str
    platform: str
    skipped: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A push that was asked for. `campaign_id` None: it has content of its own; `skipped`: why it
    goes to no device. `customer_id` is nobody's once its customer is erased."""

    id: UUID
    workspace_id: UUID
    campaign_id: UUID | None
    customer_id: UUID
    user_id: str | None
    planned: Sequence[PlannedDevice]
    skipped: str | None
    request_hash: str | None
    created_at: datetime


def parse_push(wire: Mapping[str, Any], check: ContentCheck) -> PushRequest | Rejected:
    """The push in `wire` (its `FIELDS`), or everything that is wrong with it."""
    faults = [
        Fault(str(name), f"is unknown; use {', '.join(FIELDS)}")
        for name in wire
        if name not in FIELDS
    ]
    user_id, campaign = wire.get("user_id"), wire.get("campaign")
    if not isinstance(user_id, str) or not 0 < len(user_id) <= USER_ID_CHARACTERS_MAX:
        message = f"must be a text of 1 to {USER_ID_CHARACTERS_MAX} characters: a customer's userId"
        faults.append(Fault("user_id", message))
    if campaign is not None and not (isinstance(campaign, str) and campaign.strip()):
        faults.append(Fault("campaign", "must be the code or the id of a campaign"))
    content: ContentSpec | None = None
    if (campaign is None) == (wire.get("content") is None):
        message = "is missing: name a campaign, or send a content"
        if campaign is not None:
            message = "can not come beside campaign, whose content it is: send one of them"
        faults.append(Fault("content" if campaign is not None else "campaign", message))
    elif campaign is None:
        parsed = _parse_content(wire["content"], check)
        if isinstance(parsed, list):
            faults += parsed
        else:
            content = parsed
    event = {} if wire.get("event") is None else wire["event"]
    wrong = wrong_event(event)
    if wrong is not None:
        faults.append(Fault("event", wrong))
    devices = Target.ALL if wire.get("devices") is None else wire["devices"]
    if devices not in tuple(Target):
        faults.append(Fault("devices", f"must be {' or '.join(Target)}"))
    if faults:
        return invalid(*faults)
    return PushRequest(
        user_id=str(user_id),
        campaign=None if campaign is None else str(campaign).strip(),
        content=content,
        event=event,
        target=Target(devices),
        hash=sha256(msgspec.json.encode(wire, order="sorted")).hexdigest(),
    )


def wrong_event(event: Any) -> str | None:
    """Why it can not be what a push is asked for with; None: it can."""
    if not isinstance(event, Mapping):
        return 'must be an object, such as {"order_id": 4711}'
    if not _is_keepable(event, EVENT_NESTING_MAX):
        return f"may be nested {EVENT_NESTING_MAX} deep at most, and hold no NUL character"
    size = len(msgspec.json.encode(event))
    if size > EVENT_BYTES_MAX:
        return f"has {size} bytes as JSON; the limit is {EVENT_BYTES_MAX}"
    return None


def wrong_key(key: str) -> Fault | None:
    """Why a text can not be an Idempotency-Key."""
    if 0 < len(key) <= KEY_CHARACTERS_MAX:
        return None
    return Fault("Idempotency-Key", f"must be a text of 1 to {KEY_CHARACTERS_MAX} characters")


def hash_of_key(key: str) -> str:
    """What is kept of an Idempotency-Key: it may name a person."""
    return sha256(key.encode()).hexdigest()


def launch_of(
    push: Push, campaign: Campaign | None, *, planned: int, traceparent: str | None = None
) -> Launch:
    """The launch that the push is: planned whole from the first, and done where nothing is to be
    sent. Without a campaign it is its own. `traceparent`: of the call that asked for it."""
    now = push.created_at
    return Launch(
        id=push.id,
        workspace_id=push.workspace_id,
        campaign_id=push.id if campaign is None else campaign.id,
        occurrence=PUSH,
        state=LaunchState.SENDING if push.skipped is None else LaunchState.DONE,
        planned=planned,
        due_at=now,
        started_at=now,
        planned_at=now,
        done_at=None if push.skipped is None else now,
        updated_at=now,
        traceparent=traceparent,
    )


def skipped_as_a_whole(planned: Sequence[PlannedDevice]) -> str | None:
    """Why the push goes to no device; None: it goes to one at least."""
    if not planned:
        return NO_DEVICE
    reasons = [device.skipped for device in planned]
    return None if None in reasons else reasons[0]


def _parse_content(wire: Any, check: ContentCheck) -> ContentSpec | list[Fault]:
    parsed = parse_content(wire)
    if isinstance(parsed, list):
        return parsed
    return faults_of(parsed) or provider_faults(parsed, check) or parsed


def _is_keepable(value: Any, depth: int) -> bool:
    match value:
        case str():
            return is_storable(value)
        case Mapping():
            return depth > 0 and all(
                isinstance(name, str) and is_storable(name) and _is_keepable(inner, depth - 1)
                for name, inner in value.items()
            )
        case list():
            return depth > 0 and all(_is_keepable(inner, depth - 1) for inner in value)
        case _:
            return True
