"""The fields of a content: what each may be, and what is wrong with it. Pure."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from clarion.campaigns.content.appearance import (
    BUTTON_TITLE_CHARACTERS_MAX,
    BUTTONS_MAX,
    NAME_CHARACTERS_MAX,
    Button,
    Wrong,
    read_color,
    read_count,
    read_interruption_level,
    read_resource,
    read_silent,
    wrong_place,
)
from clarion.campaigns.content.live_activity import parse_live_activity
from clarion.customers.devices.device import Platform
from clarion.faults import Fault
from clarion.text import is_storable

TITLE_CHARACTERS_MAX = 500
BODY_CHARACTERS_MAX = 4_000
URL_CHARACTERS_MAX = 2_000
DATA_KEYS_MAX = 50
COLLAPSE_KEY_CHARACTERS_MAX = 64
FCM_NESTING_MAX = 10
TTL_SECONDS_MAX = 2_419_200
"""FCM keeps a message for four weeks at most."""
TTL_SECONDS_DEFAULT = 259_200
_RESERVED_DATA = frozenset(
    {
        "clarion_push",
        "from",
        "message_type",
        "collapse_key",
        "notification",
    }
)
RESERVED_SINCE = frozenset({"clarion_buttons"})
"""Of `data`, what versions before this one let pass: it is in contents that are saved."""
_RESERVED_DATA_STARTS = ("google", "gcm")
_RUN = frozenset({"javascript", "vbscript", "data"})
"""Schemes of a link that a browser would run instead of going there."""


class Priority(StrEnum):
    NORMAL = "normal"
    HIGH = "high"


def is_dynamic(text: str) -> bool:
    """Whether Liquid has anything to do in it."""
    return "{{" in text or "{%" in text


def wrong_image(address: str) -> str | None:
    """Why no picture can be had from there; None: perhaps one can."""
    scheme, host = _split(address)
    if scheme not in ("http", "https") or not host:
        return "must be an http or https address"
    return None


def wrong_link(address: str) -> str | None:
    """Why a tap can not lead there; None: it can, if an app knows the scheme."""
    scheme, host = _split(address)
    if not scheme or (scheme in ("http", "https") and not host):
        return "must be an address with a scheme, such as https://… or myapp://…"
    if scheme in _RUN:
        return f"may not be {scheme}: it would be run, not opened"
    return None


def read_fields(
    wire: Mapping[str, Any],
    path: str,
    faults: list[Fault],
    *,
    platform: Platform | None = None,
    beside: Sequence[str] = (),
) -> dict[str, Any]:
    """The known fields, each checked; what is wrong is added to `faults`. `platform`: whose they
    are alone; `beside`: what else may stand where they stand."""
    values: dict[str, Any] = {}
    for name, value in wire.items():
        where = f"{path}.{name}"
        check = _WEB_CHECKS.get(name) if platform is Platform.WEB else None
        check = check or _CHECKS.get(name)
        if check is None:
            names = ", ".join((*_CHECKS, *beside))
            faults.append(Fault(field=where, message=f"is unknown; use one of: {names}"))
            continue
        if value is None:
            continue
        wrong = wrong_place(name, platform)
        if wrong is not None:
            faults.append(Fault(field=where, message=wrong))
            continue
        checked = check(value)
        if isinstance(checked, Fault):
            faults.append(Fault(field=f"{where}{checked.field}", message=checked.message))
        elif isinstance(checked, Wrong):
            faults.append(Fault(field=where, message=checked.message))
        else:
            values[name] = checked
    return values


_UNSTORABLE = "holds a character that can not be kept: a NUL, or half of a pair"


def _text(limit: int) -> Any:
    def check(value: Any) -> Any:
        if not isinstance(value, str):
            return Wrong("must be a text")
        if len(value) > limit:
            return Wrong(f"has {len(value)} characters; the limit is {limit}")
        return value if is_storable(value) else Wrong(_UNSTORABLE)

    return check


def _image(value: Any) -> Any:
    text = _text(URL_CHARACTERS_MAX)(value)
    if isinstance(text, str) and not is_dynamic(text) and (wrong := wrong_image(text)):
        return Wrong(wrong)
    return text


def _link(value: Any) -> Any:
    text = _text(URL_CHARACTERS_MAX)(value)
    if isinstance(text, str) and not is_dynamic(text) and (wrong := wrong_link(text)):
        return Wrong(wrong)
    return text


def _split(address: str) -> tuple[str, str]:
    """Scheme and host; both empty where it is no address at all."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "", ""
    return parts.scheme.lower(), parts.netloc


def is_reserved(name: str) -> bool:
    """Whether FCM, an SDK or Clarion itself uses this name in a push's `data`."""
    return _was_reserved(name) or name in RESERVED_SINCE


def reserved(name: str) -> str:
    """What is wrong with a key of `data` that is reserved."""
    return f"may not use the key {name!r}: it is reserved; choose another name"


def _was_reserved(name: str) -> bool:
    return name in _RESERVED_DATA or name.startswith(_RESERVED_DATA_STARTS)


def _data(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return Wrong("must be an object of texts")
    if len(value) > DATA_KEYS_MAX:
        return Wrong(f"has {len(value)} keys; the limit is {DATA_KEYS_MAX}")
    for name, text in value.items():
        if not name or _was_reserved(name):
            return Wrong(reserved(name))
        if not isinstance(text, str):
            return Wrong(f'{name} must be a text: FCM carries texts only, so write 5 as "5"')
        if not is_storable(name) or not is_storable(text):
            return Wrong(_UNSTORABLE)
    return dict(value)


def _fcm(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return Wrong("must be an object of fields of FCM's Message, such as android and apns")
    if not _is_small(value, FCM_NESTING_MAX):
        return Wrong(f"may be nested {FCM_NESTING_MAX} deep at most, its texts as others")
    return dict(value)


def _is_small(value: Any, depth: int) -> bool:
    """Whether it can be kept, and walked through without care."""
    match value:
        case str():
            return len(value) <= BODY_CHARACTERS_MAX and is_storable(value)
        case Mapping():
            return depth > 0 and all(
                isinstance(name, str) and is_storable(name) and _is_small(inner, depth - 1)
                for name, inner in value.items()
            )
        case list():
            return depth > 0 and all(_is_small(inner, depth - 1) for inner in value)
        case _:
            return True


def _live_activity(value: Any) -> Any:
    if not _is_small(value, FCM_NESTING_MAX):
        return Wrong(f"may be nested {FCM_NESTING_MAX} deep at most, its texts as others")
    activity = parse_live_activity(value)
    return Wrong(activity) if isinstance(activity, str) else activity


def _ttl(value: Any) -> Any:
    if type(value) is not int or not 0 <= value <= TTL_SECONDS_MAX:
        return Wrong(f"must be whole seconds from 0 to {TTL_SECONDS_MAX} (four weeks)")
    return value


def _priority(value: Any) -> Any:
    try:
        return Priority(value)
    except ValueError:
        return Wrong("must be normal or high")


def _buttons(value: Any) -> Any:
    """Buttons, or what is wrong with one of them, by its place."""
    if not isinstance(value, list) or len(value) > BUTTONS_MAX:
        return Wrong(f"must be a list of {BUTTONS_MAX} buttons at most, each with title and link")
    buttons = []
    for index, wire in enumerate(value):
        where = f"[{index}]"
        if not isinstance(wire, Mapping) or not wire.get("title"):
            return Fault(f"{where}.title", "is missing: a button needs a title")
        unknown = [str(name) for name in wire if name not in ("title", "link")]
        if unknown:
            return Fault(f"{where}.{unknown[0]}", "is unknown; use title, link")
        title = _text(BUTTON_TITLE_CHARACTERS_MAX)(wire["title"])
        link = None if wire.get("link") is None else _link(wire["link"])
        for name, checked in (("title", title), ("link", link)):
            if isinstance(checked, Wrong):
                return Fault(f"{where}.{name}", checked.message)
        buttons.append(Button(title=title, link=link))
    return tuple(buttons)


def _name(value: Any) -> Any:
    return _text(NAME_CHARACTERS_MAX)(value) if value != "" else Wrong("may not be empty")


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "title": _text(TITLE_CHARACTERS_MAX),
    "body": _text(BODY_CHARACTERS_MAX),
    "image": _image,
    "link": _link,
    "data": _data,
    "ttl_seconds": _ttl,
    "priority": _priority,
    "collapse_key": _text(COLLAPSE_KEY_CHARACTERS_MAX),
    "icon": read_resource,
    "sound": _name,
    "badge": read_count,
    "channel": _name,
    "color": read_color,
    "category": _name,
    "interruption_level": read_interruption_level,
    "buttons": _buttons,
    "silent": read_silent,
    "fcm": _fcm,
    "live_activity": _live_activity,
}
_WEB_CHECKS: Mapping[str, Callable[[Any], Any]] = {"icon": _image, "badge": _image}
"""What is something else in a browser."""
