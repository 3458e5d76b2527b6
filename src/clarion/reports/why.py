"""Why a customer got a campaign, or did not, in one sentence. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, assert_never
from uuid import UUID

import msgspec

from clarion.audiences.matching import Explanation
from clarion.campaigns.campaign import Campaign, DefinitionState
from clarion.campaigns.launches.launch import BY_A_PERSON, PUSH, Launch, LaunchState
from clarion.clock import Moment
from clarion.customers.devices.device import Platform
from clarion.deliveries.delivery import DeliveryState, Skip
from clarion.deliveries.reasons import Meaning, meaning

CONDITION_CHARACTERS_MAX = 300


class WhyCode(StrEnum):
    """What the sentence says, for programs. The first that holds of any device is told."""

    ACCEPTED = "accepted"
    IN_FLIGHT = "in_flight"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    NOT_LAUNCHED = "not_launched"
    LAUNCH_STOPPED = "launch_stopped"
    NOT_PLANNED_YET = "not_planned_yet"
    DELIVERIES_REMOVED = "deliveries_removed"
    NO_DEVICE = "no_device"
    NOT_IN_AUDIENCE = "not_in_audience"
    IN_AUDIENCE_NOW = "in_audience_now"


class PushTold(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the push to one of their devices. `device_id` null: it is no longer known."""

    device_id: str | None
    platform: Platform
    state: DeliveryState
    reason: str | None
    settled_at: Moment | None
    received_at: Moment | None
    opened_at: Moment | None
    converted_at: Moment | None


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """Why a customer got a campaign, or did not. `launch_id` null: it has not launched. `devices`:
    the pushes that were planned for them. `explanation`: of an audience they are not in, condition
    by condition, by what is known now."""

    customer_id: UUID
    campaign_id: UUID
    launch_id: UUID | None
    code: WhyCode
    sentence: str
    devices: list[PushTold]
    explanation: Explanation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Whom a sentence is about. `suppressed`: since when nothing is sent to them."""

    who: str
    suppressed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """What is still to be sent to them: when it is tried next. `app_paused`: why its Firebase app
    sends nothing."""

    until: datetime | None
    app_paused: str | None


_SUPPRESSED = Meaning(
    "they are suppressed: nothing is sent to them until that is lifted",
    "lift it if they want pushes again",
)
_OPTED_OUT = Meaning("they have opted out of push")
_CODES = {
    DeliveryState.ACCEPTED: WhyCode.ACCEPTED,
    DeliveryState.PENDING: WhyCode.IN_FLIGHT,
    DeliveryState.UNREGISTERED: WhyCode.FAILED,
    DeliveryState.REJECTED: WhyCode.FAILED,
    DeliveryState.EXPIRED: WhyCode.FAILED,
    DeliveryState.SKIPPED: WhyCode.SKIPPED,
    DeliveryState.CANCELLED: WhyCode.CANCELLED,
}


def about(user_id: str | None, suppressed_at: datetime | None) -> About:
    """Their user id as it is: it may be a word that begins with a small letter."""
    who = "this customer" if user_id is None else f"customer {user_id}"
    return About(who=who, suppressed_at=suppressed_at)


def not_launched(campaign: Campaign) -> str:
    """What keeps a campaign without a launch from going out."""
    at = campaign.scheduled_at
    match campaign.definition:
        case DefinitionState.DRAFT:
            state = "a draft, which nobody has scheduled"
        case DefinitionState.SCHEDULED if at is not None:
            state = f"scheduled for {_time(at)}"
        case DefinitionState.PAUSED:
            state = _paused(campaign.definition_reason)
        case DefinitionState.CANCELLED:
            state = "cancelled; a duplicate of it can be scheduled"
        case _:
            state = campaign.state.value
    return f"{campaign.name} has not been launched: it is {state}"


def of_pushes(
    whom: About,
    campaign: Campaign,
    launch: Launch,
    pushes: Sequence[PushTold],
    waits: Waits | None,
) -> tuple[WhyCode, str]:
    """What became of the pushes that were planned for them, of which there is at least one.
    `waits`: of what is still to be sent."""
    codes = [_CODES[push.state] for push in pushes]
    code = min(codes, key=list(WhyCode).index)
    match code:
        case WhyCode.ACCEPTED:
            did = "was sent"
        case WhyCode.IN_FLIGHT:
            did = "is still to be sent"
        case _:
            did = "did not get"
    is_only = len(pushes) == 1
    each = "; ".join(_push(push, whom, launch, waits, is_only=is_only) for push in pushes)
    return code, f"{whom.who} {did} {campaign.name} of {_time(launch.started_at)}: {each}"


def of_stopped(campaign: Campaign, launch: Launch) -> str:
    """Of a launch that has not come to them, and will not."""
    did = "failed" if launch.state is LaunchState.FAILED else f"was {launch.state.value}"
    reason = f": {launch.reason}" if launch.reason else ""
    return (
        f"the launch of {campaign.name} of {_time(launch.started_at)} {did} before it came to "
        f"them{reason}"
    )


def of_planning(campaign: Campaign, launch: Launch) -> str:
    """Of a launch that has not come to them yet."""
    if launch.state is LaunchState.PAUSED:
        return f"the launch of {campaign.name} has not come to them: it is {_paused(launch.reason)}"
    return f"the launch of {campaign.name} is still being planned, and has not come to them"


def of_no_device(
    whom: About, campaign: Campaign, launch: Launch, ended: str | None, *, is_newer: bool
) -> str:
    """Of somebody without a device when it launched. `ended`: why the registration of the last one
    did, of which there is one; `is_newer`: one was registered afterwards."""
    when = (
        "it was asked for"
        if launch.occurrence == PUSH
        else f"it launched ({_time(launch.started_at)})"
    )
    said = f"{whom.who} did not get {campaign.name}: they had no registered device when {when}"
    if ended is not None:
        said += f", since {_with_cure(meaning(ended))}"
    elif is_newer:
        said += ", and one was registered afterwards"
    return said


def of_audience(whom: About, campaign: Campaign, launch: Launch, why: Explanation) -> str:
    """Of somebody for whom nothing was planned although they have a device."""
    began = f"when {campaign.name} launched ({_time(launch.started_at)})"
    if why.holds:
        return (
            f"{whom.who} was not in the audience {began}; by what is known now they would be: what "
            "is known of them has changed since"
        )
    part = _deciding(why)
    known = "" if part.known is None else f", and of them is known: {_json(part.known)}"
    verb = "holds, and must not" if part.holds else "does not hold"
    if part.condition == "any":
        return (
            f"{whom.who} was not in the audience {began}: by what is known now none of "
            f"{len(part.parts)} conditions holds, of which one has to"
        )
    return (
        f"{whom.who} was not in the audience {began}: by what is known now the condition "
        f"{_json(part.condition)} {verb}{known}"
    )


def will_go_on(launch: Launch) -> bool:
    """Whether more may be planned for the launch."""
    return launch.stage is LaunchState.PLANNING


def _deciding(why: Explanation) -> Explanation:
    """The condition that decides that the rule does not hold: the first such."""
    match why.condition:
        case "all":
            wrong = next((part for part in why.parts if not part.holds), None)
            return why if wrong is None else _deciding(wrong)
        case "any" if len(why.parts) == 1:
            return _deciding(why.parts[0])
        case "none":
            return next((part for part in why.parts if part.holds), why)
        case _:
            return why


def _push(
    push: PushTold, whom: About, launch: Launch, waits: Waits | None, *, is_only: bool
) -> str:
    name = push.device_id or push.platform.value
    device = f"their only device in it, {name}," if is_only else name
    bare = device.rstrip(",")
    match push.state:
        case DeliveryState.ACCEPTED:
            return f"FCM accepted it for {bare}{_reported(push)}"
        case DeliveryState.PENDING:
            return f"the push to {device} {_waiting(push, launch, waits)}"
        case DeliveryState.SKIPPED:
            return f"{device} was skipped, since {_with_cure(_why_skipped(push, whom))}"
        case DeliveryState.UNREGISTERED:
            return f"FCM did not take it for {bare}, since {_reason(push)}"
        case DeliveryState.REJECTED:
            return f"FCM rejected it for {bare}, since {_reason(push)}"
        case DeliveryState.EXPIRED:
            return f"{device} could not be reached in time, since {_reason(push)}"
        case DeliveryState.CANCELLED:
            return f"the campaign was cancelled before {device} had its turn"
        case _:
            assert_never(push.state)


def _waiting(push: PushTold, launch: Launch, waits: Waits | None) -> str:
    if launch.state is LaunchState.PAUSED:
        return f"waits: the launch is {_paused(launch.reason)}"
    if waits is not None and waits.app_paused is not None:
        return f"waits: its Firebase app is {_paused(waits.app_paused)}"
    since = "" if push.reason is None else f", since {meaning(push.reason).phrase}"
    if waits is not None and waits.until is not None:
        return f"waits until {_time(waits.until)}{since}"
    return f"is about to be sent{since}"


def _why_skipped(push: PushTold, whom: About) -> Meaning:
    if push.reason != Skip.OPTED_OUT or push.settled_at is None:
        return meaning(push.reason or "")
    suppressed_at = whom.suppressed_at
    return _SUPPRESSED if suppressed_at and suppressed_at <= push.settled_at else _OPTED_OUT


def _reported(push: PushTold) -> str:
    if push.opened_at is not None:
        return f", which reports it opened at {_time(push.opened_at)}"
    if push.received_at is not None:
        return f", which reports it received at {_time(push.received_at)}"
    return ", which has reported nothing since"


def _reason(push: PushTold) -> str:
    return "it does not say why" if push.reason is None else _with_cure(meaning(push.reason))


def _with_cure(said: Meaning) -> str:
    return f"{said.phrase} ({said.remedy})" if said.remedy else said.phrase


def _paused(reason: str | None) -> str:
    """How something is paused. A reason is a code, and what it means with the cure; or a word."""
    if reason is None or reason == BY_A_PERSON:
        return "paused by a person, until it is resumed"
    _, _, said = reason.partition(": ")
    return f"paused ({said or reason})"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _json(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= CONDITION_CHARACTERS_MAX else text[:CONDITION_CHARACTERS_MAX] + "…"
