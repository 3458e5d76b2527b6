"""What of a rule can not work: conditions that nobody can ever meet, or that ask nothing. Pure.

It is asked of what somebody writes, and not of what was saved before. A rule that is true of nobody
today is none of it: whether anybody meets it does not hang on who is known. Two conditions are
compared at a time, so that a contradiction of three may be passed over; none is told that is not
one.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

from msgspec import Struct, json, structs

from clarion.audiences.comparison import (
    ORDERED,
    Comparison,
    Operator,
    bounds_of,
    holds,
    version_holds,
)
from clarion.audiences.matching import values_of
from clarion.audiences.rule import (
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
from clarion.audiences.value import Path, version_key
from clarion.customers.devices.facts import FACT_CHARACTERS_MAX
from clarion.faults import Fault
from clarion.impossible_date import why_impossible

ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""What is asked here does not hang on when it is asked."""
_CHOSEN = (Operator.EQUALS, Operator.ONE_OF)
_RELATIVE = (Operator.IN_LAST_DAYS, Operator.IN_NEXT_DAYS, Operator.ANNIVERSARY)
_FIXED_DATES = (Operator.BEFORE, Operator.AFTER)
_OF_LOCALE = (DeviceField.LANGUAGE, DeviceField.COUNTRY)
_TEXT_FIELDS = (
    DeviceField.OS,
    DeviceField.MANUFACTURER,
    DeviceField.MODEL,
    DeviceField.TIME_ZONE,
)
_UNNAMED = 'has an empty name in it: write a name, or a path such as "address.city"'
_EITHER = "nobody passes both. Where either may hold, use one_of, or put them into any"
_EITHER_DEVICE = "no device passes both. Where two devices may do, write two conditions on devices"
_EITHER_EVENT = "no event passes both. Where two events may do, write two conditions on events"


class _Asked(Struct, frozen=True, kw_only=True):
    """One comparison of one value, and where it stands. `device_field`: of a device's."""

    about: Any
    comparison: Comparison
    place: str
    device_field: DeviceField | None = None


def impossible(rule: Rule, field: str) -> list[Fault]:
    """What is wrong with a rule that could be read; `field`: how faults name it."""
    faults: list[Fault] = []
    for part, place, is_whole in _walk(rule, field):
        faults += _wrong_alone(part, place)
        if isinstance(part, All) and is_whole:
            faults += _contradictions(list(_members(part, place)))
    return faults


def _walk(rule: Rule, place: str, *, is_whole: bool = True) -> Iterator[tuple[Rule, str, bool]]:
    """Each part and its place; last, whether it is no `all` within an `all`."""
    yield rule, place, is_whole
    if isinstance(rule, All | AnyOf | NoneOf):
        for part, inner in _parts(rule, place):
            yield from _walk(part, inner, is_whole=not isinstance(rule, All))


def _parts(group: All | AnyOf | NoneOf, place: str) -> Iterator[tuple[Rule, str]]:
    name = {All: "all", AnyOf: "any", NoneOf: "none"}[type(group)]
    for index, part in enumerate(group.rules):
        yield part, f"{place}.{name}[{index}]"


def _members(group: All, place: str) -> Iterator[tuple[Rule, str]]:
    """What has to hold at once: those of an `all` within it, too."""
    for part, inner in _parts(group, place):
        if isinstance(part, All):
            yield from _members(part, inner)
        else:
            yield part, inner


def _wrong_alone(rule: Rule, place: str) -> list[Fault]:
    match rule:
        case TraitIs(path=path, comparison=comparison):
            return [*_wrong_path(path, f"{place}.trait"), *_wrong_value(comparison, place)]
        case TraitsEqual(traits=traits):
            unnamed = any(not name for name, _ in traits)
            return [Fault(f"{place}.traits", _UNNAMED)] if unnamed else []
        case HasDevice(where=where):
            return _wrong_device(where, f"{place}.device")
        case DidEvent():
            return _wrong_event(rule, place)
        case NoneOf(rules=rules):
            return [
                Fault(f"{place}.none[{index}]", "is everyone: nobody is left. Leave it out")
                for index, part in enumerate(rules)
                if isinstance(part, Everyone) or (isinstance(part, Percent) and part.percent == 100)
            ]
        case _:
            return []


def _wrong_path(path: Path, place: str) -> list[Fault]:
    return [] if all(path) else [Fault(place, _UNNAMED)]


def _wrong_value(comparison: Comparison, place: str) -> list[Fault]:
    if comparison.operator in _FIXED_DATES and (wrong := why_impossible(comparison.value)):
        return [Fault(f"{place}.value", wrong)]
    if comparison.operator is Operator.CONTAINS and comparison.value == "":
        return [
            Fault(f"{place}.value", "is empty, as every text contains it: use the test present")
        ]
    return []


def _wrong_device(where: Sequence[DeviceIs], place: str) -> list[Fault]:
    faults: list[Fault] = []
    asked = []
    for index, condition in enumerate(where):
        inner, comparison = f"{place}[{index}]", condition.comparison
        faults += _wrong_value(comparison, inner)
        if condition.field in VERSIONS and comparison.operator is Operator.BETWEEN:
            first, last = map(version_key, comparison.value)
            if first is not None and last is not None and first > last:
                faults.append(Fault(f"{inner}.value", "must have the smaller version first"))
        is_chosen = condition.field in _TEXT_FIELDS and comparison.operator in _CHOSEN
        if is_chosen and not all(map(_is_fact, values_of(comparison))):
            message = (
                "must be a text as devices tell it: not empty, without blanks around it, of at "
                f"most {FACT_CHARACTERS_MAX} characters"
            )
            faults.append(Fault(f"{inner}.value", message))
        asked.append(
            _Asked(
                about=condition.field,
                comparison=comparison,
                place=inner,
                device_field=condition.field,
            )
        )
    return faults or _compared(asked, _EITHER_DEVICE)


def _is_fact(text: str) -> bool:
    return 0 < len(text) <= FACT_CHARACTERS_MAX and text == text.strip()


def _wrong_event(rule: DidEvent, place: str) -> list[Fault]:
    faults = wrong_event_name(rule.name, f"{place}.event")
    window = rule.window
    for name, bound in (("since", window.since), ("until", window.until)):
        if wrong := why_impossible(bound):
            faults.append(Fault(f"{place}.{name}", wrong))
    since, until = span(window, ANY_TIME)
    if window.last_days is None and since is not None and until is not None and since >= until:
        message = (
            "must be later than since, and is not a part of the window itself: for the whole of a "
            "day, until is the day after it"
        )
        faults.append(Fault(f"{place}.until", message))
    asked = []
    for index, condition in enumerate(rule.where):
        inner = f"{place}.where[{index}]"
        faults += _wrong_path(condition.path, f"{inner}.property")
        faults += _wrong_value(condition.comparison, inner)
        asked.append(_Asked(about=condition.path, comparison=condition.comparison, place=inner))
    return faults or _compared(asked, _EITHER_EVENT)


def wrong_event_name(name: str, place: str) -> list[Fault]:
    """Events are kept without the blanks around their names."""
    if name == name.strip():
        return []
    wrong = "is blank" if not name.strip() else "begins or ends with a blank"
    return [Fault(place, f"{wrong}, as no event's name does: write it without")]


def _contradictions(members: Sequence[tuple[Rule, str]]) -> list[Fault]:
    """Of conditions that have to hold at once."""
    faults = _compared([asked for part, place in members for asked in _asked_of(part, place)])
    for (first, before), (second, place) in combinations(members, 2):
        if _differ(first, second):
            faults.append(_contradicts(place, before))
    for group, place in members:
        if isinstance(group, NoneOf):
            for part, inner in _parts(group, place):
                faults += [
                    _contradicts(inner, other) for rule, other in members if _same(rule, part)
                ]
    return faults


def _asked_of(rule: Rule, place: str) -> Iterator[_Asked]:
    match rule:
        case TraitIs(path=path, comparison=comparison):
            yield _Asked(about=path, comparison=comparison, place=place)
        case TraitsEqual(traits=traits):
            for name, value in traits:
                operator = Operator.MISSING if value is None else Operator.EQUALS
                comparison = Comparison(operator=operator, value=value)
                yield _Asked(about=(name,), comparison=comparison, place=f"{place}.traits.{name}")
        case _:
            pass


def _compared(asked: Sequence[_Asked], cure: str = _EITHER) -> list[Fault]:
    return [
        _contradicts(second.place, first.place, cure)
        for first, second in combinations(asked, 2)
        if first.about == second.about and _exclude(first, second)
    ]


def _contradicts(place: str, other: str, cure: str = _EITHER) -> Fault:
    return Fault(place, f"contradicts {other}: {cure}")


def _differ(first: Rule, second: Rule) -> bool:
    """Whether no customer meets both."""
    match first, second:
        case DidEvent(), DidEvent():
            if not _same(_ever(first), _ever(second)):
                return False
            (least, most), (other_least, other_most) = _how_often(first), _how_often(second)
            return max(least, other_least) > min(most, other_most)
        case GotCampaign(), GotCampaign():
            fates = {first.fate, second.fate}
            return first.campaign_id == second.campaign_id and fates == {
                PushFate.OPENED,
                PushFate.NOT_OPENED,
            }
        case UserIds(), UserIds():
            return set(first.user_ids).isdisjoint(second.user_ids)
        case _:
            return False


def _ever(rule: DidEvent) -> DidEvent:
    """Without how often."""
    return structs.replace(rule, times=Times.DID, count=1)


def _same(first: Rule, second: Rule) -> bool:
    """Equal as JSON is: true is not 1."""
    return json.encode(dump(first)) == json.encode(dump(second))


def _how_often(rule: DidEvent) -> tuple[float, float]:
    """At least, and at most."""
    match rule.times:
        case Times.DID_NOT:
            return 0, 0
        case Times.AT_LEAST:
            return rule.count, float("inf")
        case Times.AT_MOST:
            return 0, rule.count
        case _:
            return 1, float("inf")


def _exclude(first: _Asked, second: _Asked) -> bool:
    """Whether no value passes both."""
    operators = {first.comparison.operator, second.comparison.operator}
    if Operator.MISSING in operators:
        return operators != {Operator.MISSING}
    if not operators.isdisjoint(_RELATIVE):
        return False
    for chosen, other in ((first, second), (second, first)):
        if chosen.comparison.operator in _CHOSEN:
            return not any(_passes(other, value) for value in values_of(chosen.comparison))
    if operators <= set(ORDERED):
        key: Callable[[Any], Any] = version_key if first.about in VERSIONS else lambda value: value
        return _are_apart(_reach(first.comparison, key), _reach(second.comparison, key))
    if operators <= set(_FIXED_DATES):
        bounds = [bounds_of(asked.comparison, ANY_TIME) for asked in (first, second)]
        clocks = ("instant",) if first.device_field in TIMES else bounds[0]._fields
        return all(
            _are_apart(*[_ends(getattr(bound, clock)) for bound in bounds]) for clock in clocks
        )
    if operators == {Operator.BEGINS_WITH}:
        texts = (first.comparison.value, second.comparison.value)
        return not (texts[0].startswith(texts[1]) or texts[1].startswith(texts[0]))
    return False


def _passes(asked: _Asked, value: Any) -> bool:
    comparison = asked.comparison
    if asked.device_field in VERSIONS:
        return version_holds(comparison, value)
    if asked.device_field in _OF_LOCALE:
        return value.lower() in [wanted.lower() for wanted in values_of(comparison)]
    return holds(comparison, value, ANY_TIME)


_Ends = tuple[Any, Any, bool]
"""The least and the greatest value, None: open; and whether both are a part of it."""


def _reach(comparison: Comparison, key: Callable[[Any], Any]) -> _Ends:
    match comparison.operator:
        case Operator.BETWEEN:
            return key(comparison.value[0]), key(comparison.value[1]), True
        case Operator.LESS_THAN | Operator.AT_MOST:
            return None, key(comparison.value), comparison.operator is Operator.AT_MOST
        case _:
            return key(comparison.value), None, comparison.operator is Operator.AT_LEAST


def _ends(bounds: tuple[int | None, int | None]) -> _Ends:
    """Of whole seconds, up to but not including the second."""
    least, end = bounds
    return least, None if end is None else end - 1, True


def _are_apart(first: _Ends, second: _Ends) -> bool:
    return any(
        least is not None
        and most is not None
        and (least > most or (least == most and not (least_counts and most_counts)))
        for (least, _, least_counts), (_, most, most_counts) in ((first, second), (second, first))
    )
