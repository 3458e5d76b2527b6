"""Whom a campaign is for: the condition, as a value that can be saved. Pure.

A rule is a tree: `all`, `any` and `none` of further rules, and conditions on what is known of one
customer. `rule_parser.py` reads it and says what is wrong with it, `matching.py` says what it
means, and `condition_query.py` says the same in SQL; a contract test holds the two equal on both
databases.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Union, assert_never
from uuid import UUID

from msgspec import Struct

from clarion.audiences.comparison import Comparison, instant_of
from clarion.audiences.value import Path, Scalar


class Everyone(Struct, frozen=True, kw_only=True):
    """Every customer. By itself, those devices as well that nobody has signed in on yet."""


class UserIds(Struct, frozen=True, kw_only=True):
    """The customers who sign in as one of these."""

    user_ids: tuple[str, ...]


class TraitsEqual(Struct, frozen=True, kw_only=True):
    """Customers all of whose named traits equal these values; None: the trait is not there. The
    names are no paths: a dot in one is a part of it."""

    traits: tuple[tuple[str, Scalar], ...]


class TraitIs(Struct, frozen=True, kw_only=True):
    """A trait, or what is nested in one, passes a comparison."""

    path: Path
    comparison: Comparison


class DeviceField(StrEnum):
    """What is asked of a device."""

    PLATFORM = "platform"
    APP_VERSION = "app_version"
    OS = "os"
    OS_VERSION = "os_version"
    MANUFACTURER = "manufacturer"
    MODEL = "model"
    LANGUAGE = "language"
    COUNTRY = "country"
    TIME_ZONE = "time_zone"
    PERMISSION = "permission"
    LAST_SEEN = "last_seen"
    REGISTERED = "registered"


VERSIONS = (DeviceField.APP_VERSION, DeviceField.OS_VERSION)
TIMES = (DeviceField.LAST_SEEN, DeviceField.REGISTERED)
FACTS = {
    DeviceField.APP_VERSION: "app_version",
    DeviceField.OS: "os_name",
    DeviceField.OS_VERSION: "os_version",
    DeviceField.MANUFACTURER: "manufacturer",
    DeviceField.MODEL: "model",
    DeviceField.LANGUAGE: "locale",
    DeviceField.COUNTRY: "locale",
    DeviceField.TIME_ZONE: "timezone",
    DeviceField.PERMISSION: "push_permission",
}
"""The fact (`customers/devices/facts.py`) that answers."""


class DeviceIs(Struct, frozen=True, kw_only=True):
    """One field of one device."""

    field: DeviceField
    comparison: Comparison


class HasDevice(Struct, frozen=True, kw_only=True):
    """The customer has an active device of which all of these hold."""

    where: tuple[DeviceIs, ...]


class Times(StrEnum):
    """How often, or which of the times an event happened, is asked for."""

    DID = "did"
    DID_NOT = "did_not"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    FIRST = "first"
    """The first such event ever lies in the window."""
    LAST = "last"
    """The last such event lies in the window: it has not happened since."""


class Window(Struct, frozen=True, kw_only=True):
    """When: the last so many days, or from `since` up to but not including `until`. The texts are
    dates as they were written, without an offset in `zone`."""

    last_days: int | None = None
    since: str | None = None
    until: str | None = None
    zone: str = "UTC"


class PropertyIs(Struct, frozen=True, kw_only=True):
    """A property of an event, or what is nested in one, passes a comparison."""

    path: Path
    comparison: Comparison


class DidEvent(Struct, frozen=True, kw_only=True):
    """How often a `track` event of this name happened. `count`: of at_least and at_most."""

    name: str
    times: Times = Times.DID
    count: int = 1
    window: Window = Window()
    where: tuple[PropertyIs, ...] = ()


class PushFate(StrEnum):
    """What became of a campaign's pushes to a customer."""

    SENT = "sent"
    """FCM accepted one."""
    RECEIVED = "received"
    OPENED = "opened"
    NOT_OPENED = "not_opened"
    """Sent, and none of them opened."""


class GotCampaign(Struct, frozen=True, kw_only=True):
    """By the deliveries that are kept: those that were removed for their age do not count."""

    campaign_id: UUID
    fate: PushFate


class InAudience(Struct, frozen=True, kw_only=True):
    """In another saved audience, by its code. It is resolved before the rule is evaluated."""

    code: str


class InList(Struct, frozen=True, kw_only=True):
    """On a static list, by its audience's id: what an `InAudience` is resolved to. Never saved."""

    audience_id: UUID


class Percent(Struct, frozen=True, kw_only=True):
    """A random share of all customers, the same ones each time. Shares with another `salt` are
    drawn independently; of two with the same one the smaller is a part of the larger."""

    percent: float
    salt: str = ""


class All(Struct, frozen=True, kw_only=True):
    rules: tuple["Rule", ...]


class AnyOf(Struct, frozen=True, kw_only=True):
    rules: tuple["Rule", ...]


class NoneOf(Struct, frozen=True, kw_only=True):
    rules: tuple["Rule", ...]


Rule = Union[  # noqa: UP007 - it names itself
    Everyone,
    UserIds,
    TraitsEqual,
    All,
    AnyOf,
    NoneOf,
    TraitIs,
    HasDevice,
    DidEvent,
    GotCampaign,
    InAudience,
    InList,
    Percent,
]
Group = All | AnyOf | NoneOf


def dump(rule: Rule) -> dict[str, Any]:
    """The saved form; `rule_parser.parse` reads it back."""
    match rule:
        case Everyone():
            return {"everyone": True}
        case UserIds(user_ids=user_ids):
            return {"user_ids": list(user_ids)}
        case TraitsEqual(traits=traits):
            return {"traits": dict(traits)}
        case All(rules=rules):
            return {"all": [dump(part) for part in rules]}
        case AnyOf(rules=rules):
            return {"any": [dump(part) for part in rules]}
        case NoneOf(rules=rules):
            return {"none": [dump(part) for part in rules]}
        case TraitIs(path=path, comparison=comparison):
            return {"trait": dump_path(path)} | comparison.dump()
        case HasDevice(where=where):
            return {
                "device": [
                    {"field": condition.field.value} | condition.comparison.dump()
                    for condition in where
                ]
            }
        case DidEvent():
            return _dump_event(rule)
        case GotCampaign(campaign_id=campaign_id, fate=fate):
            return {"campaign": str(campaign_id), "test": fate.value}
        case InAudience(code=code):
            return {"audience": code}
        case InList(audience_id=audience_id):
            return {"list": str(audience_id)}
        case Percent(percent=percent, salt=salt):
            return {"percent": percent} | ({"salt": salt} if salt else {})
        case _:
            assert_never(rule)


def walk(rule: Rule) -> Iterator[Rule]:
    """The rule, and all that it is made of."""
    yield rule
    if isinstance(rule, Group):
        for part in rule.rules:
            yield from walk(part)


def dump_path(path: Path) -> str | list[str]:
    """A dotted path, or its names where one of them holds a dot."""
    is_plain = all(name and "." not in name for name in path)
    return ".".join(path) if is_plain else list(path)


def span(window: Window, now: datetime) -> tuple[datetime | None, datetime | None]:
    """From when, up to but not including when, at `now`; None: open."""
    if window.last_days is not None:
        return now - timedelta(days=window.last_days), None
    return (
        None if window.since is None else instant_of(window.since, window.zone),
        None if window.until is None else instant_of(window.until, window.zone),
    )


def _dump_event(rule: DidEvent) -> dict[str, Any]:
    wire: dict[str, Any] = {"event": rule.name, "test": rule.times.value}
    if rule.times in (Times.AT_LEAST, Times.AT_MOST):
        wire["count"] = rule.count
    window = rule.window
    for name in ("last_days", "since", "until"):
        if (bound := getattr(window, name)) is not None:
            wire[name] = bound
    if window.zone != "UTC":
        wire["zone"] = window.zone
    if rule.where:
        wire["where"] = [
            {"property": dump_path(condition.path)} | condition.comparison.dump()
            for condition in rule.where
        ]
    return wire
