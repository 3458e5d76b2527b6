"""What a rule means: whether it holds of one customer, and why. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, assert_never
from uuid import UUID

from msgspec import Struct

from clarion.audiences.comparison import (
    Comparison,
    Operator,
    bounds_of,
    equal,
    holds,
    property_holds,
    version_holds,
)
from clarion.audiences.rule import (
    FACTS,
    TIMES,
    VERSIONS,
    All,
    AnyOf,
    DeviceField,
    DeviceIs,
    DidEvent,
    Everyone,
    GotCampaign,
    HasDevice,
    InAudience,
    InList,
    NoneOf,
    Percent,
    PushFate,
    Rule,
    Times,
    TraitIs,
    TraitsEqual,
    UserIds,
    dump,
    span,
)
from clarion.audiences.value import member

SHARE_DIGITS = 7
"""Hexadecimal digits of a customer's id, its last ones, that a share is drawn by."""
SHARE_PRIME = 2**31 - 1
SHARE_PARTS = 10_000
_LETTERS = str.maketrans({chr(code): chr(code + 32) for code in range(ord("A"), ord("Z") + 1)})


class KnownDevice(Struct, frozen=True, kw_only=True):
    """An active device; `facts` by the names of `customers/devices/facts.py`."""

    platform: str
    facts: Mapping[str, str] = {}
    last_seen_at: datetime
    registered_at: datetime


class KnownEvent(Struct, frozen=True, kw_only=True):
    name: str
    at: datetime
    properties: Mapping[str, Any] = {}


class KnownPush(Struct, frozen=True, kw_only=True):
    """A push that FCM accepted."""

    campaign_id: UUID
    was_received: bool = False
    was_opened: bool = False


class KnownCustomer(Struct, frozen=True, kw_only=True):
    """What a rule may ask of one customer; `lists`: the ids of the static lists they are on."""

    id: UUID
    user_id: str | None = None
    traits: Mapping[str, Any] = {}
    devices: Sequence[KnownDevice] = ()
    events: Sequence[KnownEvent] = ()
    pushes: Sequence[KnownPush] = ()
    lists: frozenset[UUID] = frozenset()


class Explanation(Struct, frozen=True, kw_only=True):
    """Whether one rule of a tree holds. `condition`: in its saved form, of a group its name alone.
    `known`: what the customer has there."""

    condition: Any
    holds: bool
    known: Any = None
    parts: list["Explanation"] = []


def matches(rule: Rule, customer: KnownCustomer, now: datetime) -> bool:
    """Whether the rule reaches the customer at `now`. It names no audience: those are resolved."""
    match rule:
        case Everyone():
            return True
        case UserIds(user_ids=user_ids):
            return customer.user_id in user_ids
        case TraitsEqual(traits=wanted):
            return all(equal(customer.traits.get(name), value) for name, value in wanted)
        case All(rules=rules):
            return all(matches(part, customer, now) for part in rules)
        case AnyOf(rules=rules):
            return any(matches(part, customer, now) for part in rules)
        case NoneOf(rules=rules):
            return not any(matches(part, customer, now) for part in rules)
        case TraitIs(path=path, comparison=comparison):
            return holds(comparison, member(customer.traits, path), now)
        case HasDevice(where=where):
            return any(
                all(_device_holds(condition, device, now) for condition in where)
                for device in customer.devices
            )
        case DidEvent():
            return _did(rule, customer.events, now)
        case GotCampaign(campaign_id=campaign_id, fate=fate):
            return _got(
                [
                    condition
                    for condition in customer.pushes
                    if condition.campaign_id == campaign_id
                ],
                fate,
            )
        case InList(audience_id=audience_id):
            return audience_id in customer.lists
        case Percent():
            return in_share(rule, customer.id)
        case InAudience(code=code):
            raise ValueError(f"the audience {code} is to be resolved first")
        case _:
            assert_never(rule)


def explain(
    rule: Rule, customer: KnownCustomer, now: datetime, *, shown: Mapping[str, Any]
) -> Explanation:
    """Why the rule reaches the customer or does not: each of its parts, in their order. `shown`:
    their traits as they may be shown."""
    match rule:
        case All(rules=rules) | AnyOf(rules=rules) | NoneOf(rules=rules):
            return Explanation(
                condition=next(iter(dump(rule))),
                holds=matches(rule, customer, now),
                parts=[explain(part, customer, now, shown=shown) for part in rules],
            )
        case _:
            return Explanation(
                condition=dump(rule),
                holds=matches(rule, customer, now),
                known=_known(rule, customer, now, shown),
            )


def in_share(share: Percent, customer_id: UUID) -> bool:
    """Whether the customer is in the share, by a hash of their id: (a x + b) mod p, where the salt
    says which a and b. SQL can calculate that too."""
    factor, shift = share_numbers(share.salt)
    place = int(customer_id.hex[-SHARE_DIGITS:], 16)
    return (factor * place + shift) % SHARE_PRIME % SHARE_PARTS < share_parts(share)


def share_numbers(salt: str) -> tuple[int, int]:
    """The factor and the shift of `in_share`."""
    digest = sha256(salt.encode()).digest()
    numbers = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:16], "big")
    return numbers[0] % (SHARE_PRIME - 1) + 1, numbers[1] % SHARE_PRIME


def share_parts(share: Percent) -> int:
    """The share in hundredths of a per cent."""
    return round(share.percent * SHARE_PARTS / 100)


def plain_locale(locale: str) -> str:
    """A locale in small letters, its parts divided by hyphens: de_AT.UTF-8 is de-at-utf-8."""
    for sign in "_.@":
        locale = locale.replace(sign, "-")
    return locale.translate(_LETTERS)


def has_language(locale: Any, language: str) -> bool:
    language = language.lower()
    return isinstance(locale, str) and f"{plain_locale(locale)}-".startswith(f"{language}-")


def has_country(locale: Any, country: str) -> bool:
    """Whether it is the locale's region, also behind a script: zh-Hans-CN."""
    pattern = f".{{2,3}}-(.{{4}}-)?{re.escape(country.lower())}(-.*)?"
    return (
        isinstance(locale, str)
        and re.fullmatch(pattern, plain_locale(locale), re.DOTALL) is not None
    )


def _device_holds(asked: DeviceIs, device: KnownDevice, now: datetime) -> bool:
    comparison = asked.comparison
    if asked.field in TIMES:
        is_seen = asked.field is DeviceField.LAST_SEEN
        at = device.last_seen_at if is_seen else device.registered_at
        least, end = bounds_of(comparison, now).instant
        seconds = at.timestamp()
        return (least is None or least <= seconds) and (end is None or seconds < end)
    if asked.field is DeviceField.PLATFORM:
        return holds(comparison, device.platform, now)
    fact = device.facts.get(FACTS[asked.field])
    if asked.field in VERSIONS:
        return version_holds(comparison, fact)
    if asked.field is DeviceField.LANGUAGE:
        return any(has_language(fact, value) for value in values_of(comparison))
    if asked.field is DeviceField.COUNTRY:
        return any(has_country(fact, value) for value in values_of(comparison))
    return holds(comparison, fact, now)


def values_of(comparison: Comparison) -> Sequence[Any]:
    """What equals or one_of compares with."""
    value = comparison.value
    return value if comparison.operator is Operator.ONE_OF else (value,)


def _did(rule: DidEvent, events: Iterable[KnownEvent], now: datetime) -> bool:
    times = _times(rule, events, now)
    since, until = span(rule.window, now)
    inside = sum(1 for at in times if _is_within(at, since, until))
    match rule.times:
        case Times.DID:
            return inside > 0
        case Times.DID_NOT:
            return inside == 0
        case Times.AT_LEAST:
            return inside >= rule.count
        case Times.AT_MOST:
            return inside <= rule.count
        case Times.FIRST:
            return bool(times) and _is_within(min(times), since, until)
        case Times.LAST:
            return bool(times) and _is_within(max(times), since, until)
        case _:
            assert_never(rule.times)


def _times(rule: DidEvent, events: Iterable[KnownEvent], now: datetime) -> list[datetime]:
    """When the events happened that the rule counts, whatever its window."""
    return [
        event.at
        for event in events
        if event.name == rule.name
        and all(
            property_holds(condition.comparison, event.properties, condition.path, now)
            for condition in rule.where
        )
    ]


def _is_within(at: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or since <= at) and (until is None or at < until)


def _got(pushes: Sequence[KnownPush], fate: PushFate) -> bool:
    match fate:
        case PushFate.SENT:
            return bool(pushes)
        case PushFate.RECEIVED:
            return any(push.was_received for push in pushes)
        case PushFate.OPENED:
            return any(push.was_opened for push in pushes)
        case PushFate.NOT_OPENED:
            return bool(pushes) and not any(push.was_opened for push in pushes)
        case _:
            assert_never(fate)


def _known(rule: Rule, customer: KnownCustomer, now: datetime, shown: Mapping[str, Any]) -> Any:
    """What an explanation shows of the customer beside a condition."""
    match rule:
        case TraitIs(path=path):
            return member(shown, path)
        case TraitsEqual(traits=wanted):
            return {name: shown.get(name) for name, _ in wanted}
        case UserIds():
            return customer.user_id
        case HasDevice(where=where):
            return [_shown_device(device, where) for device in customer.devices]
        case DidEvent():
            since, until = span(rule.window, now)
            times = _times(rule, customer.events, now)
            return {
                "count": sum(1 for at in times if _is_within(at, since, until)),
                "first_at": min(times, default=None),
                "last_at": max(times, default=None),
            }
        case _:
            return None


def _shown_device(device: KnownDevice, where: Iterable[DeviceIs]) -> dict[str, Any]:
    shown: dict[str, Any] = {"platform": device.platform}
    for condition in where:
        if condition.field is DeviceField.LAST_SEEN:
            shown["last_seen"] = device.last_seen_at
        elif condition.field is DeviceField.REGISTERED:
            shown["registered"] = device.registered_at
        elif condition.field in FACTS:
            shown[condition.field.value] = device.facts.get(FACTS[condition.field])
    return shown
