"""Why a customer got a campaign, or did not, in one sentence. Pure."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, assert_never
from uuid import UUID

import msgspec

from clarion.audiences.matching import Explanation
from clarion.campaigns.campaign import Campaign, DefinitionState
from clarion.campaigns.launches.launch import Launch, LaunchState
from clarion.clock import Moment
from clarion.customers.devices.device import Platform
from clarion.deliveries.delivery import DeliveryState
from clarion.deliveries.reasons import MEANINGS

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


_CODES = {
    DeliveryState.ACCEPTED: WhyCode.ACCEPTED,
    DeliveryState.PENDING: WhyCode.IN_FLIGHT,
    DeliveryState.UNREGISTERED: WhyCode.FAILED,
    DeliveryState.REJECTED: WhyCode.FAILED,
    DeliveryState.EXPIRED: WhyCode.FAILED,
    DeliveryState.SKIPPED: WhyCode.SKIPPED,
    DeliveryState.CANCELLED: WhyCode.CANCELLED,
}


def not_launched(campaign: Campaign) -> str:
    """What keeps a campaign without a launch from going out."""
    at = campaign.scheduled_at
    match campaign.definition:
        case DefinitionState.DRAFT:
            return f"{campaign.name} has not been launched: it is a draft"
        case DefinitionState.SCHEDULED if at is not None:
            return f"{campaign.name} has not been launched: it is scheduled for {_time(at)}"
        case DefinitionState.PAUSED:
            return f"{campaign.name} has not been launched: it is paused ({_why_paused(campaign)})"
        case _:
            return f"{campaign.name} has not been launched: it is {campaign.state.value}"


def of_pushes(
    who: str, campaign: Campaign, launch: Launch, pushes: Sequence[PushTold]
) -> tuple[WhyCode, str]:
    """What became of the pushes that were planned for them, of which there is at least one."""
    codes = [_CODES[push.state] for push in pushes]
    code = min(codes, key=list(WhyCode).index)
    match code:
        case WhyCode.ACCEPTED:
            did = "was sent"
        case WhyCode.IN_FLIGHT:
            did = "is still to be sent"
        case _:
            did = "did not get"
    each = "; ".join(_push(push, is_only=len(pushes) == 1) for push in pushes)
    return code, f"{who} {did} {campaign.name} of {_time(launch.started_at)}: {each}"


def of_stopped(campaign: Campaign, launch: Launch) -> str:
    """Of a launch that has not come to them, and will not."""
    reason = f" ({launch.reason})" if launch.reason else ""
    return (
        f"the launch of {campaign.name} of {_time(launch.started_at)} was {launch.state.value} "
        f"before it came to them{reason}"
    )


def of_audience(who: str, campaign: Campaign, launch: Launch, why: Explanation) -> str:
    """Of somebody for whom nothing was planned although they have a device."""
    began = f"when {campaign.name} launched ({_time(launch.started_at)})"
    if why.holds:
        return (
            f"{who} was not in the audience {began}; by what is known now they would be: they have "
            "come into it since"
        )
    part = _deciding(why)
    known = "" if part.known is None else f", and of them is known: {_json(part.known)}"
    verb = "holds, and must not" if part.holds else "does not hold"
    return (
        f"{who} was not in the audience {began}: by what is known now the condition "
        f"{_json(part.condition)} {verb}{known}"
    )


def will_go_on(launch: Launch) -> bool:
    """Whether more may be planned for the launch."""
    return launch.stage is LaunchState.PLANNING


def _deciding(why: Explanation) -> Explanation:
    """The condition that decides that the rule does not hold: the first such."""
    match why.condition:
        case "all" | "any":
            wrong = next((part for part in why.parts if not part.holds), None)
            return why if wrong is None else _deciding(wrong)
        case "none":
            return next((part for part in why.parts if part.holds), why)
        case _:
            return why


def _push(push: PushTold, *, is_only: bool) -> str:
    device = (
        f"their only device in it, {push.device_id or push.platform.value},"
        if is_only
        else (f"{push.device_id or push.platform.value}")
    )
    match push.state:
        case DeliveryState.ACCEPTED:
            return f"FCM accepted it for {device.rstrip(',')}{_reported(push)}"
        case DeliveryState.PENDING:
            return f"{device.rstrip(',')} waits" + (f" ({push.reason})" if push.reason else "")
        case DeliveryState.SKIPPED:
            return f"{device} was skipped, since {_reason(push.reason)}"
        case DeliveryState.UNREGISTERED:
            return f"{device} is not registered with FCM any more ({push.reason})"
        case DeliveryState.REJECTED:
            return f"FCM rejected the push for {device.rstrip(',')} ({push.reason})"
        case DeliveryState.EXPIRED:
            return f"{device} could not be reached in time ({push.reason})"
        case DeliveryState.CANCELLED:
            return f"the campaign was cancelled before {device} had its turn"
        case _:
            assert_never(push.state)


def _reported(push: PushTold) -> str:
    if push.opened_at is not None:
        return f", which reports it opened at {_time(push.opened_at)}"
    if push.received_at is not None:
        return f", which reports it received at {_time(push.received_at)}"
    return ", which has reported nothing since"


def _reason(reason: str | None) -> str:
    known = MEANINGS.get(reason or "")
    return f"of {reason}" if known is None else known.phrase


def _why_paused(campaign: Campaign) -> str:
    return (campaign.definition_reason or "by a person").partition(":")[0]


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _json(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= CONDITION_CHARACTERS_MAX else text[:CONDITION_CHARACTERS_MAX] + "…"
