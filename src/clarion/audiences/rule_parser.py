"""Reads a rule from its saved form, or says all that is wrong with it and what would do. Pure.

The form is JSON: one object for each rule, which is told by the name that it holds.

    {"all": [{"trait": "plan", "test": "equals", "value": "gold"},
             {"event": "Order Completed", "test": "at_least", "count": 2, "last_days": 30}]}
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from clarion.audiences.comparison import is_amount
from clarion.audiences.comparison_parser import (
    Faults,
    is_text,
    read_comparison,
    read_path,
    read_zone,
    wrong_date,
    wrong_scalar,
)
from clarion.audiences.device_parser import read_device
from clarion.audiences.impossible import impossible
from clarion.audiences.rule import (
    All,
    AnyOf,
    DidEvent,
    Everyone,
    GotCampaign,
    InAudience,
    InList,
    NoneOf,
    Percent,
    PropertyIs,
    PushFate,
    Rule,
    Times,
    TraitIs,
    TraitsEqual,
    UserIds,
    Window,
    walk,
)
from clarion.events.messages.identifiers import usable_id
from clarion.faults import Fault
from clarion.text import is_storable

USER_IDS_MAX = 10_000
TRAITS_MAX = 20
DEPTH_MAX = 6
"""Groups within groups."""
CONDITIONS_MAX = 50
"""Of one rule, groups included."""
WHERE_MAX = 5
NAME_CHARACTERS_MAX = 200
COUNT_MAX = 1_000
DAYS_MAX = 3_650

_WINDOW = ("last_days", "since", "until", "zone")


def parse(wire: Any, field: str = "audience") -> Rule | list[Fault]:
    """The rule in its saved form. `field`: how faults name it."""
    faults: Faults = []
    rule = _read(wire, field, faults, depth=0)
    if rule is None or faults:
        return faults
    count = sum(1 for _ in walk(rule))
    if count > CONDITIONS_MAX:
        message = f"has {count} conditions; the limit is {CONDITIONS_MAX}: put some of them into "
        return [Fault(field=field, message=message + "an audience of their own")]
    return rule


def parse_new(wire: Any, field: str = "audience") -> Rule | list[Fault]:
    """The rule that somebody writes: one that can not work is refused, too. What was saved before
    is read by `parse`."""
    rule = parse(wire, field)
    return rule if isinstance(rule, list) else impossible(rule, field) or rule


def parse_resolved(wire: Any) -> Rule:
    """A rule that was saved after its audiences were resolved: it may name static lists, and be
    larger than what people may write."""
    kind = next(iter(wire))
    if kind in _GROUPS:
        return _GROUPS[kind](rules=tuple(map(parse_resolved, wire[kind])))
    if kind == "list":
        return InList(audience_id=UUID(wire["list"]))
    rule = parse(wire)
    assert not isinstance(rule, list), "only checked rules are saved"
    return rule


def _read(wire: Any, field: str, faults: Faults, *, depth: int) -> Rule | None:
    kinds = ", ".join(_READERS)
    if not isinstance(wire, Mapping):
        faults.append(Fault(field=field, message="must be an object with one of: " + kinds))
        return None
    kind = next((name for name in _READERS if name in wire), None)
    extra = [name for name in wire if name != kind and name not in _BESIDE.get(kind or "", ())]
    unknown = [str(name) for name in extra if name not in _READERS]
    if unknown:
        allowed = _BESIDE.get(kind or "")
        ways = f"{kind} is told by: {', '.join(allowed)}" if allowed else f"use one of: {kinds}"
        faults += [
            Fault(field=f"{field}.{name}", message=f"is unknown; {ways}") for name in unknown
        ]
        return None
    if kind is None or extra:
        faults.append(Fault(field=field, message="must have exactly one of: " + kinds))
        return None
    if kind in _GROUPS:
        return _group(kind, wire[kind], f"{field}.{kind}", faults, depth)
    return _READERS[kind](wire, field, faults)


def _group(kind: str, parts: Any, field: str, faults: Faults, depth: int) -> Rule | None:
    if depth == DEPTH_MAX:
        message = (
            f"is nested too deep; the limit is {DEPTH_MAX}: put it into an audience of its own"
        )
        faults.append(Fault(field=field, message=message))
        return None
    if not isinstance(parts, list) or not parts:
        faults.append(Fault(field=field, message="must be a list of at least one rule"))
        return None
    if len(parts) > CONDITIONS_MAX:
        message = f"has {len(parts)} rules; the limit is {CONDITIONS_MAX}"
        faults.append(Fault(field=field, message=message))
        return None
    rules = [
        _read(part, f"{field}[{index}]", faults, depth=depth + 1)
        for index, part in enumerate(parts)
    ]
    return _GROUPS[kind](rules=tuple(rule for rule in rules if rule is not None))


def _everyone(wire: Mapping[str, Any], field: str, faults: Faults) -> Rule | None:
    if wire["everyone"] is not True:
        faults.append(Fault(field=f"{field}.everyone", message="must be true"))
    return Everyone()


def _user_ids(wire: Mapping[str, Any], field: str, faults: Faults) -> Rule | None:
    listed, field = wire["user_ids"], f"{field}.user_ids"
    if not isinstance(listed, list) or not listed:
        faults.append(Fault(field=field, message="must be a list of at least one user id"))
        return None
    if len(listed) > USER_IDS_MAX:
        message = (
            f"has {len(listed)} ids; the limit is {USER_IDS_MAX}: upload them as a list, or set a "
            "trait and use audience.traits"
        )
        faults.append(Fault(field=field, message=message))
        return None
    ids: dict[str, None] = {}
    for index, value in enumerate(listed):
        user_id = usable_id(value)
        if user_id is None or not is_storable(user_id):
            message = "can not be a user id: no event with it names anybody"
            faults.append(Fault(field=f"{field}[{index}]", message=message))
        else:
            ids[user_id] = None
    return UserIds(user_ids=tuple(ids))


def _traits(wire: Mapping[str, Any], field: str, faults: Faults) -> Rule | None:
    traits, field = wire["traits"], f"{field}.traits"
    if not isinstance(traits, Mapping) or not traits:
        faults.append(Fault(field=field, message="must be an object of trait names and values"))
        return None
    if len(traits) > TRAITS_MAX:
        faults.append(Fault(field=field, message=f"may name {TRAITS_MAX} traits at most"))
        return None
    for name, value in traits.items():
        wrong = wrong_scalar(name) or wrong_scalar(value)
        if wrong is not None:
            faults.append(Fault(field=f"{field}.{name}", message=wrong))
    return TraitsEqual(traits=tuple(traits.items()))


def _trait(wire: Mapping[str, Any], field: str, faults: Faults) -> Rule | None:
    path = read_path(wire["trait"], f"{field}.trait", faults)
    comparison = read_comparison(wire, field, faults)
    if path is None or comparison is None:
        return None
    return TraitIs(path=path, comparison=comparison)


def _event(wire: Mapping[str, Any], field: str, faults: Faults) -> Rule | None:
    name = wire["event"]
    if not is_text(name, NAME_CHARACTERS_MAX):
        message = f"must be an event's name, a text of 1 to {NAME_CHARACTERS_MAX} characters"
        faults.append(Fault(field=f"{field}.event", message=message))
    times = _choice(wire.get("test", Times.DID.value), Times, f"{field}.test", faults)
    counted = times in (Times.AT_LEAST, Times.AT_MOST)
    count = wire.get("count")
    if counted and not (type(count) is int and 0 < count <= COUNT_MAX):
        message = f"must be a whole number from 1 to {COUNT_MAX}: how often"
        message += ". For never, use the test did_not" if count == 0 else ""
        faults.append(Fault(field=f"{field}.count", message=message))
    if count is not None and not counted:
        message = "goes with the tests at_least and at_most alone"
        faults.append(Fault(field=f"{field}.count", message=message))
    window = _window(wire, field, faults)
    if times in (Times.FIRST, Times.LAST) and not any(name in wire for name in _WINDOW[:3]):
        message = "first and last need a window: last_days, since or until"
        faults.append(Fault(field=f"{field}.test", message=message))
    where = _where(wire.get("where", []), f"{field}.where", faults)
    if times is None or window is None:
        return None
    often = count if counted and type(count) is int else 1
    return DidEvent(name=name, times=times, count=often, window=window, where=where)


def _window(wire: Mapping[str, Any], field: str, faults: Faults) -> Window | None:
    before = len(faults)
    days, since, until = (wire.get(name) for name in _WINDOW[:3])
    if days is not None and (since is not None or until is not None):
        message = "goes without since and until: give one window"
        faults.append(Fault(field=f"{field}.last_days", message=message))
    if days is not None and not (type(days) is int and 0 < days <= DAYS_MAX):
        message = f"must be whole days from 1 to {DAYS_MAX}"
        faults.append(Fault(field=f"{field}.last_days", message=message))
    for name, bound in (("since", since), ("until", until)):
        wrong = None if bound is None else wrong_date(bound)
        if wrong is not None:
            faults.append(Fault(field=f"{field}.{name}", message=wrong))
    zone = read_zone(wire, field, faults)
    if len(faults) > before:
        return None
    return Window(last_days=days, since=since, until=until, zone=zone)


def _where(wire: Any, field: str, faults: Faults) -> tuple[PropertyIs, ...]:
    if not isinstance(wire, list) or len(wire) > WHERE_MAX:
        message = f"must be a list of at most {WHERE_MAX} conditions on properties"
        faults.append(Fault(field=field, message=message))
        return ()
    conditions = []
    for index, part in enumerate(wire):
        place = f"{field}[{index}]"
        if not isinstance(part, Mapping) or "property" not in part:
            faults.append(Fault(field=place, message="must be an object with property and test"))
            continue
        path = read_path(part["property"], f"{place}.property", faults)
        comparison = read_comparison(part, place, faults, beside=("property",))
        if path is not None and comparison is not None:
            conditions.append(PropertyIs(path=path, comparison=comparison))
    return tuple(conditions)


def _campaign(wire: Mapping[str, Any], field: str, faults: Faults) -> Rule | None:
    try:
        campaign_id = UUID(wire["campaign"])
    except (ValueError, TypeError, AttributeError):
        faults.append(Fault(field=f"{field}.campaign", message="must be a campaign's id"))
        campaign_id = None
    fate = _choice(wire.get("test"), PushFate, f"{field}.test", faults)
    if campaign_id is None or fate is None:
        return None
    return GotCampaign(campaign_id=campaign_id, fate=fate)


def _audience(wire: Mapping[str, Any], field: str, faults: Faults) -> Rule | None:
    code = wire["audience"]
    if not is_text(code, NAME_CHARACTERS_MAX):
        faults.append(Fault(field=f"{field}.audience", message="must be a saved audience's code"))
        return None
    return InAudience(code=code)


def _percent(wire: Mapping[str, Any], field: str, faults: Faults) -> Rule | None:
    percent, salt = wire["percent"], wire.get("salt", "")
    if not is_amount(percent, 100) or percent <= 0 or round(percent, 2) != percent:
        message = "must be a number from 0.01 to 100, with two decimals at most"
        faults.append(Fault(field=f"{field}.percent", message=message))
        return None
    if salt != "" and not is_text(salt, NAME_CHARACTERS_MAX):
        message = f"must be a text of at most {NAME_CHARACTERS_MAX} characters"
        faults.append(Fault(field=f"{field}.salt", message=message))
        return None
    return Percent(percent=percent, salt=salt)


def _device(wire: Mapping[str, Any], field: str, faults: Faults) -> Rule | None:
    return read_device(wire["device"], f"{field}.device", faults)


def _choice(value: Any, choices: Any, field: str, faults: Faults) -> Any:
    known = [choice.value for choice in choices]
    if value not in known:
        faults.append(Fault(field=field, message="must be one of: " + ", ".join(known)))
        return None
    return choices(value)


_Reader = Callable[[Mapping[str, Any], str, Faults], Rule | None]
_GROUPS: Mapping[str, Callable[..., Rule]] = {"all": All, "any": AnyOf, "none": NoneOf}
_READERS: Mapping[str, _Reader] = {
    "everyone": _everyone,
    "user_ids": _user_ids,
    "traits": _traits,
    **dict.fromkeys(_GROUPS, _everyone),  # which `_group` reads
    "trait": _trait,
    "device": _device,
    "event": _event,
    "campaign": _campaign,
    "audience": _audience,
    "percent": _percent,
}
_BESIDE: Mapping[str, tuple[str, ...]] = {
    "trait": ("test", "value", "zone"),
    "event": ("test", "count", *_WINDOW, "where"),
    "campaign": ("test",),
    "percent": ("salt",),
}
"""What further names go with each."""
