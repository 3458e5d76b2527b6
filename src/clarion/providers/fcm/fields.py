"""The fields of FCM's `Message` that a campaign may set in FCM's own words. Pure.

Source: the discovery document of fcm v1; a test holds this table against it. What Clarion sets
itself (whom a push goes to, what makes a repeat replace, what attributes a receipt) can not be set
here. Names are taken in snake_case and camelCase.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from clarion.deliveries.provider import is_reserved
from clarion.faults import Fault

ROOT = "content.fcm"
ANALYTICS_LABEL = re.compile(r"[a-zA-Z0-9\-_.~%]{1,50}")
"""Of FCM's documentation, understand-delivery."""

_DURATION = re.compile(r"\d{1,9}(\.\d{1,9})?s")
_DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_UPPER = re.compile(r"(?<!^)(?=[A-Z])")
_INT32_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value must be. `wanted` says it for people."""

    wanted: str
    fits: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Ours:
    """A field that Clarion sets; `instead`: what to use."""

    instead: str


Fields = Mapping[str, "Kind | Ours | Fields"]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _matches(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _list_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(fits, value))


def _is_text_map(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(member, str) for member in value.values())


def _is_data(value: Any) -> bool:
    return _is_text_map(value) and not any(map(is_reserved, value))


def _one_of(*names: str) -> Kind:
    return Kind(f"one of {', '.join(names)}", lambda value: value in names)


_TEXT = Kind("a text", _is_text)
_TEXTS = Kind("a list of texts", _list_of(_is_text))
_BOOL = Kind("true or false", lambda value: isinstance(value, bool))
_COUNT = Kind(
    "a whole number", lambda value: type(value) is int and -_INT32_MAX <= value <= _INT32_MAX
)
_SHARE = Kind("a number from 0 to 1", lambda value: type(value) in (int, float) and 0 <= value <= 1)
_SECONDS = Kind('seconds such as "3.5s"', _matches(_DURATION))
_SECONDS_LIST = Kind('a list of seconds such as "0.5s"', _list_of(_matches(_DURATION)))
_TIME = Kind("a time such as 2026-03-01T09:00:00Z", _matches(_DATETIME))
_OBJECT = Kind("an object", lambda value: isinstance(value, Mapping))
_TEXT_MAP = Kind("an object of texts", _is_text_map)
_DATA = Kind("an object of texts without reserved names (from, google.…)", _is_data)
_LABEL = Kind("1 to 50 of letters, digits and -_.~%", _matches(ANALYTICS_LABEL))

_OPTIONS: Fields = {"analytics_label": _LABEL}
_LIGHT: Fields = {
    "color": {"red": _SHARE, "green": _SHARE, "blue": _SHARE, "alpha": _SHARE},
    "light_on_duration": _SECONDS,
    "light_off_duration": _SECONDS,
}
_TAG = Ours("collapse_key, or each push has a tag of its own")
_SHOWN_ON_ANDROID: Fields = {
    "title": Ours("content.title, or platforms.Android.title"),
    "body": Ours("content.body, or platforms.Android.body"),
    "image": Ours("content.image, or platforms.Android.image"),
    "tag": _TAG,
    "icon": _TEXT,
    "color": Kind("a colour such as #1a73e8", _matches(_COLOR)),
    "sound": _TEXT,
    "click_action": _TEXT,
    "body_loc_key": _TEXT,
    "body_loc_args": _TEXTS,
    "title_loc_key": _TEXT,
    "title_loc_args": _TEXTS,
    "channel_id": _TEXT,
    "ticker": _TEXT,
    "sticky": _BOOL,
    "event_time": _TIME,
    "local_only": _BOOL,
    "notification_priority": _one_of(
        "PRIORITY_UNSPECIFIED",
        "PRIORITY_MIN",
        "PRIORITY_LOW",
        "PRIORITY_DEFAULT",
        "PRIORITY_HIGH",
        "PRIORITY_MAX",
    ),
    "default_sound": _BOOL,
    "default_vibrate_timings": _BOOL,
    "default_light_settings": _BOOL,
    "vibrate_timings": _SECONDS_LIST,
    "visibility": _one_of("VISIBILITY_UNSPECIFIED", "PRIVATE", "PUBLIC", "SECRET"),
    "notification_count": _COUNT,
    "light_settings": _LIGHT,
}
_SENT_TO_ANDROID: Fields = {
    "collapse_key": Ours("content.collapse_key"),
    "ttl": Ours("content.ttl_seconds"),
    "restricted_package_name": _TEXT,
    "data": _DATA,
    "fcm_options": _OPTIONS,
    "direct_boot_ok": _BOOL,
    "bandwidth_constrained_ok": _BOOL,
    "restricted_satellite_ok": _BOOL,
}
MESSAGE: Fields = {
    "name": Ours("nothing: FCM gives it"),
    "token": Ours("the audience"),
    "fid": Ours("the audience"),
    "topic": Ours("the audience"),
    "condition": Ours("the audience"),
    "data": Ours("content.data"),
    "notification": Ours("content.title, body and image"),
    "fcm_options": _OPTIONS,
    "android": {
        **_SENT_TO_ANDROID,
        "priority": Ours("content.priority"),
        "notification": {
            **_SHOWN_ON_ANDROID,
            "bypass_proxy_notification": _BOOL,
            "proxy": _one_of("PROXY_UNSPECIFIED", "ALLOW", "DENY", "IF_PRIORITY_LOWERED"),
        },
    },
    "android_v2": {
        **_SENT_TO_ANDROID,
        "background_sync": {},
        "remote_notification": {
            "mutable_content": _BOOL,
            "use_as_v1_data_message": _BOOL,
            "notification": {**_SHOWN_ON_ANDROID, "id": _COUNT},
        },
    },
    "apns": {
        "headers": _TEXT_MAP,
        "payload": _OBJECT,
        "live_activity_token": Ours("content.live_activity: each device has its own"),
        "fcm_options": {"analytics_label": _LABEL, "image": Ours("content.image")},
    },
    "webpush": {
        "headers": _TEXT_MAP,
        "data": _DATA,
        "notification": _OBJECT,
        "fcm_options": {"analytics_label": _LABEL, "link": Ours("content.link")},
    },
}
OUR_HEADERS = {
    "apns": ("apns-collapse-id", "apns-expiration", "apns-priority"),
    "webpush": ("topic", "ttl", "urgency"),
}
"""Of a platform's free headers, those that Clarion sets."""


def read_fields(wire: Any) -> dict[str, Any] | list[Fault]:
    """The fields in snake_case, or everything that is wrong with them."""
    faults: list[Fault] = []
    read = _read(wire, MESSAGE, ROOT, faults)
    if not faults:
        faults += _wrong_together(read)
    return faults or read


def _read(wire: Any, known: Fields, path: str, faults: list[Fault]) -> dict[str, Any]:
    if not isinstance(wire, Mapping):
        faults.append(Fault(field=path, message="must be an object"))
        return {}
    read: dict[str, Any] = {}
    for name, value in wire.items():
        snake = _UPPER.sub("_", str(name)).lower()
        where = f"{path}.{name}"
        kind = known.get(snake)
        if value is None:
            continue
        match kind:
            case None:
                near = difflib.get_close_matches(snake, known, n=1)
                hint = f": did you mean {near[0]}?" if near else f"; known: {', '.join(known)}"
                faults.append(Fault(field=where, message=f"is no field of FCM's{hint}"))
            case Ours(instead=instead):
                message = f"is set by Clarion: use {instead}"
                faults.append(Fault(field=where, message=message))
            case Kind(wanted=wanted, fits=fits):
                if fits(value):
                    read[snake] = value
                else:
                    faults.append(Fault(field=where, message=f"must be {wanted}"))
            case _:
                read[snake] = _read(value, kind, where, faults)
    return read


def _wrong_together(read: Mapping[str, Any]) -> list[Fault]:
    """What is right by itself and not with the rest."""
    faults = []
    if "android" in read and "android_v2" in read:
        message = "can not stand beside android: FCM refuses both together"
        faults.append(Fault(field=f"{ROOT}.android_v2", message=message))
    for block, ours in OUR_HEADERS.items():
        for name in read.get(block, {}).get("headers", {}):
            if name.lower() in ours:
                message = "is set by Clarion: use collapse_key, ttl_seconds or priority"
                faults.append(Fault(field=f"{ROOT}.{block}.headers.{name}", message=message))
    payload = read.get("apns", {}).get("payload", {})
    if not isinstance(payload.get("aps", {}), Mapping):
        faults.append(Fault(field=f"{ROOT}.apns.payload.aps", message="must be an object"))
    if "tag" in read.get("webpush", {}).get("notification", {}):
        message = f"is set by Clarion: use {_TAG.instead}"
        faults.append(Fault(field=f"{ROOT}.webpush.notification.tag", message=message))
    for block in ("android", "android_v2"):
        light = _shown(read.get(block, {})).get("light_settings")
        if light is not None and len(light) < len(_LIGHT):
            message = f"needs all of {', '.join(_LIGHT)}"
            where = f"{ROOT}.{block}.…light_settings"
            faults.append(Fault(field=where, message=message))
    return faults


def _shown(block: Mapping[str, Any]) -> Mapping[str, Any]:
    block = block.get("remote_notification", block)
    shown: Mapping[str, Any] = block.get("notification", {})
    return shown
