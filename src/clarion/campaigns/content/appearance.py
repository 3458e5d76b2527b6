"""How a push looks and sounds on each platform, and the buttons it has. Pure.

What a field is called here, and what the provider makes of it (`providers/fcm/message.py`):

    field               iOS (aps)            Android (notification)   Web (notification)
    icon                                     icon: a resource         icon: an address
    sound               sound                sound
    badge               badge: a number      notification_count       badge: an address
    channel                                  channel_id
    color                                    color
    category            category
    interruption_level  interruption-level   notification_priority
    buttons             by category          in data                  actions

Sources: FCM's AndroidNotification and WebpushConfig; Apple's "Generating a remote notification";
the Notifications API of browsers. Buttons also travel in the push's data: FCM has none for apps.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from clarion.customers.devices.device import Platform

BUTTONS_MAX = 3
"""What phones show; browsers on a desk show two (`Notification.maxActions`)."""
BUTTON_TITLE_CHARACTERS_MAX = 100
NAME_CHARACTERS_MAX = 200
BADGE_MAX = 99_999
NO_SOUND = "none"

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_RESOURCE = re.compile(r"[a-z][a-z0-9_]*")
_IOS, _ANDROID, _WEB = Platform.IOS, Platform.ANDROID, Platform.WEB
_ONLY_ON: Mapping[str, frozenset[Platform]] = {
    "icon": frozenset({_ANDROID, _WEB}),
    "sound": frozenset({_IOS, _ANDROID}),
    "channel": frozenset({_ANDROID}),
    "color": frozenset({_ANDROID}),
    "category": frozenset({_IOS}),
    "interruption_level": frozenset({_IOS, _ANDROID}),
}
"""Fields that some platforms do not have."""


class InterruptionLevel(StrEnum):
    """How far a push may disturb, by Apple's names."""

    PASSIVE = "passive"
    """Into the list, without light or sound."""
    ACTIVE = "active"
    TIME_SENSITIVE = "time-sensitive"
    """It breaks through a Focus, where the app may."""
    CRITICAL = "critical"
    """It sounds though the phone is muted; the app needs an entitlement of Apple's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """One action; `link` None: it opens the app."""

    title: str
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a value can not be taken."""

    message: str


def wrong_place(name: str, platform: Platform | None) -> str | None:
    """Why a field can not stand among the overrides of that platform (None: among those of all).
    None: it can."""
    if name == "icon" and platform is None:
        return "differs by platform: use platforms.Android.icon, platforms.Web.icon"
    only_on = _ONLY_ON.get(name)
    if platform is None or only_on is None or platform in only_on:
        return None
    others = " and ".join(each.value for each in Platform if each in only_on)
    return f"is nothing on {platform.value}: only {others} has it"


def read_color(value: Any) -> str | Wrong:
    if isinstance(value, str) and _COLOR.fullmatch(value):
        return value
    return Wrong("must be a colour such as #1a73e8")


def read_interruption_level(value: Any) -> InterruptionLevel | Wrong:
    try:
        return InterruptionLevel(value)
    except ValueError:
        return Wrong("must be passive, active, time-sensitive or critical")


def read_silent(value: Any) -> bool | Wrong:
    return value if isinstance(value, bool) else Wrong("must be true or false")


def read_resource(value: Any) -> str | Wrong:
    """The name of a picture in an Android app."""
    fits = (
        isinstance(value, str) and len(value) <= NAME_CHARACTERS_MAX and _RESOURCE.fullmatch(value)
    )
    if not fits:
        return Wrong("must be a drawable's name in the app, such as ic_offer: a-z, 0-9 and _")
    return str(value)


def read_count(value: Any) -> int | Wrong:
    if type(value) is not int or not 0 <= value <= BADGE_MAX:
        return Wrong(f"must be a whole number from 0 (no badge) to {BADGE_MAX}")
    return value


def dump_buttons(buttons: Sequence[Button]) -> list[dict[str, str]]:
    """The saved form."""
    return [
        {"title": button.title} | ({} if button.link is None else {"link": button.link})
        for button in buttons
    ]
