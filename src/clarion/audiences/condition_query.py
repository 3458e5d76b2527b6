"""A rule as a condition in SQL, on both databases: what `matching.py` says in Python.

Every condition stands on one row of `customers`. What asks other tables is EXISTS with that row's
id: a page of devices, which a launch is planned by, then asks for those customers alone. Who counts
many customers of a workspace has their events read `at_once` instead: a database that knows nothing
of what is in JSON takes them for few, and would ask for each of them.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, assert_never

from sqlalchemy import (
    ColumnElement,
    and_,
    exists,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    true,
)

from clarion.audiences.comparison import (
    BARE,
    Comparison,
    Operator,
    bounds_of,
    todays,
)
from clarion.audiences.matching import (
    SHARE_PARTS,
    SHARE_PRIME,
    share_numbers,
    share_parts,
    values_of,
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
    span,
)
from clarion.audiences.value import Path, version_key
from clarion.events.ownership_store import customers_with, owned_by_each
from clarion.storage.json_dialect import (
    json_equals,
    json_list_has,
    json_number,
    json_text,
    json_type,
    number,
)
from clarion.storage.schema import (
    audience_members,
    customer_deliveries,
    customers,
    deliveries,
    devices,
    events,
    launches,
)
from clarion.storage.text_dialect import (
    date_lies_in,
    has_text,
    last_digits_of,
    month_day_of,
    number_of_text,
    plain_locale_of,
    version_key_of,
)

Condition = ColumnElement[bool]

_OPEN = 10**15
"""Seconds beyond any date: a bound that is not there."""


def matches(rule: Rule, now: datetime, *, at_once: bool = False) -> Condition:
    """The rule as a condition on `customers`, which may be NULL where it does not hold. It names no
    audience: those are resolved. `at_once`: events that all must have are read for all customers at
    once; it means the same."""
    match rule:
        case Everyone():
            return true()
        case UserIds(user_ids=user_ids):
            return customers.c.user_id.in_(user_ids)
        case TraitsEqual(traits=traits):
            return and_(*(json_equals(customers.c.traits, [name], value) for name, value in traits))
        case All(rules=rules):
            return and_(*(matches(part, now, at_once=at_once) for part in rules))
        case AnyOf(rules=rules):
            return or_(*(matches(part, now) for part in rules))
        case NoneOf(rules=rules):
            # What is not known does not hold, so that its opposite does.
            return and_(*(not_(func.coalesce(matches(part, now), false())) for part in rules))
        case TraitIs(path=path, comparison=comparison):
            return _holds(comparison, customers.c.traits, path, now)
        case HasDevice(where=where):
            return _has_device(where, now)
        case DidEvent():
            return _did(rule, now, at_once=at_once)
        case GotCampaign():
            return _got(rule)
        case InList(audience_id=audience_id):
            return _exists(
                audience_members.c.audience_id == audience_id,
                audience_members.c.user_id == customers.c.user_id,
            )
        case Percent():
            return _in_share(rule)
        case InAudience(code=code):
            raise ValueError(f"the audience {code} is to be resolved first")
        case _:
            assert_never(rule)


def reads_events(rule: Rule) -> bool:
    """Whether there are events that `at_once` makes a difference for."""
    if isinstance(rule, All):
        return any(map(reads_events, rule.rules))
    return isinstance(rule, DidEvent) and rule.times is Times.DID


def without_events(rule: Rule) -> Rule:
    """The same without them: at least as many match."""
    if isinstance(rule, All):
        return All(rules=tuple(without_events(part) for part in rule.rules))
    return Everyone() if reads_events(rule) else rule


def _exists(*conditions: Condition) -> Condition:
    """Whether there is such a row, for the row of `customers` outside. Other tables that are there,
    too, stand for themselves."""
    return exists().where(*conditions).correlate(customers)


def _holds(
    comparison: Comparison, column: ColumnElement[Any], path: Path, now: datetime
) -> Condition:
    """`comparison.holds` of what stands at `path` in a column of JSON."""
    wanted = comparison.value
    match comparison.operator:
        case Operator.MISSING:
            return json_type(column, path).is_(None)
        case Operator.PRESENT:
            return json_type(column, path).is_not(None)
        case Operator.EQUALS:
            return json_equals(column, path, wanted)
        case Operator.ONE_OF:
            return _one_of(column, path, wanted)
        case Operator.CONTAINS:
            has_element = json_list_has(column, path, wanted)
            if not isinstance(wanted, str):
                return has_element
            return or_(has_text(json_text(column, path), wanted), has_element)
        case Operator.BEGINS_WITH:
            begins: Condition = func.substr(json_text(column, path), 1, len(wanted)) == wanted
            return begins
        case Operator.ANNIVERSARY:
            days = todays(now, comparison.zone)
            return month_day_of(json_text(column, path)).in_(days)
        case Operator.BEFORE | Operator.AFTER | Operator.IN_LAST_DAYS | Operator.IN_NEXT_DAYS:
            bounds = [bound for clock in bounds_of(comparison, now) for bound in clock]
            ends = [
                literal(bound if bound is not None else (_OPEN if index % 2 else -_OPEN))
                for index, bound in enumerate(bounds)
            ]
            text, given = json_text(column, path), json_number(column, path)
            return date_lies_in(text, given, *ends)
        case _:
            given = json_number(column, path)
            read = func.coalesce(given, number_of_text(json_text(column, path)))
            return _in_order(comparison.operator, read, wanted, number)


def _one_of(column: ColumnElement[Any], path: Path, values: Sequence[Any]) -> Condition:
    """By types, so that a hundred texts are one list."""
    texts = [value for value in values if isinstance(value, str)]
    truths = [value for value in values if isinstance(value, bool)]
    amounts = [value for value in values if not isinstance(value, str | bool)]
    ways: list[Condition] = [json_equals(column, path, value) for value in truths]
    if texts:
        ways.append(json_text(column, path).in_(texts))
    if amounts:
        ways.append(json_number(column, path).in_([number(value) for value in amounts]))
    return or_(*ways)


def _in_order(
    operator: Operator, known: ColumnElement[Any], wanted: Any, read: Callable[[Any], Any]
) -> Condition:
    """`comparison.in_order` of a column; `read` makes an expression of a value."""
    if operator is Operator.BETWEEN:
        return known.between(read(wanted[0]), read(wanted[1]))
    compared: Any = {
        Operator.LESS_THAN: known < read(wanted),
        Operator.AT_MOST: known <= read(wanted),
        Operator.MORE_THAN: known > read(wanted),
        Operator.AT_LEAST: known >= read(wanted),
    }[operator]
    return compared  # type: ignore[no-any-return]


def _has_device(where: Sequence[DeviceIs], now: datetime) -> Condition:
    return _exists(
        devices.c.workspace_id == customers.c.workspace_id,
        devices.c.customer_id == customers.c.id,
        devices.c.state == literal_column("'active'"),
        *(_device_holds(asked, now) for asked in where),
    )


def _device_holds(asked: DeviceIs, now: datetime) -> Condition:
    comparison = asked.comparison
    if asked.field in TIMES:
        is_seen = asked.field is DeviceField.LAST_SEEN
        column = devices.c.last_seen_at if is_seen else devices.c.registered_at
        least, end = bounds_of(comparison, now).instant
        return and_(
            true() if least is None else column >= datetime.fromtimestamp(least, UTC),
            true() if end is None else column < datetime.fromtimestamp(end, UTC),
        )
    if asked.field is DeviceField.PLATFORM:
        return devices.c.platform.in_(values_of(comparison))
    path = (FACTS[asked.field],)
    if asked.field in VERSIONS and comparison.operator not in BARE:
        return _version_holds(comparison, json_text(devices.c.facts, path))
    if asked.field is DeviceField.LANGUAGE:
        locale = plain_locale_of(json_text(devices.c.facts, path))
        begins = [f"{value.lower()}-" for value in values_of(comparison)]
        return or_(*(func.substr(locale + "-", 1, len(prefix)) == prefix for prefix in begins))
    if asked.field is DeviceField.COUNTRY:
        locale = plain_locale_of(json_text(devices.c.facts, path))
        patterns = [
            f"{language}-{script}{value.lower()}{rest}"
            for value in values_of(comparison)
            for language in ("__", "___")
            for script in ("", "____-")
            for rest in ("", "-%")
        ]
        return or_(*(locale.like(pattern) for pattern in patterns))
    return _holds(comparison, devices.c.facts, path, now)


def _version_holds(comparison: Comparison, text: ColumnElement[Any]) -> Condition:
    key = version_key_of(text)
    if comparison.operator in (Operator.EQUALS, Operator.ONE_OF):
        return key.in_([version_key(value) for value in values_of(comparison)])
    return _in_order(comparison.operator, key, comparison.value, version_key)


def _did(rule: DidEvent, now: datetime, *, at_once: bool) -> Condition:
    since, until = span(rule.window, now)
    such = (
        events.c.type == literal_column("'track'"),
        events.c.name == rule.name,
        *(
            _holds(condition.comparison, events.c.body, ("properties", *condition.path), now)
            for condition in rule.where
        ),
    )
    theirs = (*owned_by_each(customers.c.id), *such)
    within: list[Condition] = []
    if since is not None:
        within.append(events.c.at >= since)
    if until is not None:
        within.append(events.c.at < until)
    match rule.times:
        case Times.DID if at_once:
            return customers.c.id.in_(customers_with(*such, *within))
        case Times.DID:
            return _exists(*theirs, *within)
        case Times.DID_NOT:
            return not_(_exists(*theirs, *within))
        case Times.AT_LEAST | Times.AT_MOST:
            most = rule.count + (rule.times is Times.AT_MOST)
            some = (
                select(literal_column("1")).where(*theirs, *within).limit(most).correlate(customers)
            ).subquery()
            count = select(func.count()).select_from(some).scalar_subquery()
            return count <= rule.count if rule.times is Times.AT_MOST else count >= rule.count
        case Times.FIRST | Times.LAST:
            extreme = func.min if rule.times is Times.FIRST else func.max
            at = (
                select(extreme(events.c.at, type_=events.c.at.type))
                .where(*theirs)
                .correlate(customers)
                .scalar_subquery()
            )
            ends: list[Condition] = []
            if since is not None:
                ends.append(at >= since)
            if until is not None:
                ends.append(at < until)
            return and_(*ends)
        case _:
            assert_never(rule.times)


def _got(rule: GotCampaign) -> Condition:
    match rule.fate:
        case PushFate.SENT:
            return _pushed(rule, true())
        case PushFate.RECEIVED:
            return _pushed(rule, deliveries.c.received_at.is_not(None))
        case PushFate.OPENED:
            return _pushed(rule, deliveries.c.opened_at.is_not(None))
        case PushFate.NOT_OPENED:
            was_opened = _pushed(rule, deliveries.c.opened_at.is_not(None))
            return and_(_pushed(rule, true()), not_(was_opened))
        case _:
            assert_never(rule.fate)


def _pushed(rule: GotCampaign, fate: Condition) -> Condition:
    """They were sent a push of the campaign of which `fate` holds. Deliveries of a launch that has
    ended are found by customer; those of one that goes on are read whole, once a statement."""
    accepted = (
        deliveries.c.state == literal_column("'accepted'"),
        deliveries.c.customer_id == customers.c.id,
        launches.c.campaign_id == rule.campaign_id,
        fate,
    )
    ended = _exists(
        customer_deliveries.c.customer_id == customers.c.id,
        launches.c.id == customer_deliveries.c.launch_id,
        launches.c.indexed_at.is_not(None),
        deliveries.c.launch_id == customer_deliveries.c.launch_id,
        deliveries.c.device_id == customer_deliveries.c.device_id,
        *accepted,
    )
    under_way = customers.c.id.in_(
        select(deliveries.c.customer_id)
        .join(launches, launches.c.id == deliveries.c.launch_id)
        .where(
            launches.c.campaign_id == rule.campaign_id,
            launches.c.indexed_at.is_(None),
            deliveries.c.state == literal_column("'accepted'"),
            fate,
        )
    )
    return or_(ended, under_way)


def _in_share(share: Percent) -> Condition:
    factor, shift = share_numbers(share.salt)
    place = last_digits_of(customers.c.id)
    return (literal(factor) * place + shift) % SHARE_PRIME % SHARE_PARTS < share_parts(share)
