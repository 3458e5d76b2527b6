"""Reads conditions on devices from a rule's saved form. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from clarion.audiences.comparison import BARE, ORDERED, Comparison, Operator
from clarion.audiences.comparison_parser import Faults, read_comparison, wrong_scalar
from clarion.audiences.rule import TIMES, VERSIONS, DeviceField, DeviceIs, HasDevice
from clarion.audiences.value import version_key
from clarion.customers.devices.device import Platform
from clarion.customers.devices.facts import PushPermission
from clarion.faults import Fault

WHERE_MAX = 10

_CHOICES = (Operator.EQUALS, Operator.ONE_OF)
_GIVEN = (Operator.MISSING, Operator.PRESENT)
_TEXTS = (*_CHOICES, Operator.CONTAINS, Operator.BEGINS_WITH, *_GIVEN)
_FIXED: Mapping[DeviceField, Sequence[str]] = {
    DeviceField.PLATFORM: [platform.value for platform in Platform],
    DeviceField.PERMISSION: [permission.value for permission in PushPermission],
}
_SHAPES = {
    DeviceField.LANGUAGE: (re.compile("[A-Za-z]{2,3}"), 'a language of two or three letters: "de"'),
    DeviceField.COUNTRY: (re.compile("[A-Za-z]{2}"), 'a country of two letters, such as "AT"'),
}


def read_device(wire: Any, field: str, faults: Faults) -> HasDevice | None:
    """A list of conditions that hold of one device."""
    if not isinstance(wire, list) or not 0 < len(wire) <= WHERE_MAX:
        message = (
            f"must be a list of 1 to {WHERE_MAX} conditions that hold of one device, such as "
            '[{"field": "platform", "test": "equals", "value": "iOS"}]'
        )
        faults.append(Fault(field=field, message=message))
        return None
    conditions = [_read(part, f"{field}[{index}]", faults) for index, part in enumerate(wire)]
    return HasDevice(where=tuple(condition for condition in conditions if condition is not None))


def _read(wire: Any, field: str, faults: Faults) -> DeviceIs | None:
    names = [field.value for field in DeviceField]
    if not isinstance(wire, Mapping) or wire.get("field") not in names:
        place = f"{field}.field" if isinstance(wire, Mapping) else field
        faults.append(Fault(field=place, message="must be one of: " + ", ".join(names)))
        return None
    asked = DeviceField(wire["field"])
    if asked in VERSIONS:
        return _read_version(asked, wire, field, faults)
    comparison = read_comparison(
        wire, field, faults, operators=_operators(asked), beside=("field",)
    )
    if comparison is None:
        return None
    wrong = _wrong(asked, comparison)
    if wrong is not None:
        faults.append(Fault(field=f"{field}.value", message=wrong))
        return None
    return DeviceIs(field=asked, comparison=comparison)


def _operators(asked: DeviceField) -> Sequence[Operator]:
    if asked in TIMES:
        return (Operator.BEFORE, Operator.AFTER, Operator.IN_LAST_DAYS)
    if asked is DeviceField.PLATFORM or asked in _SHAPES:
        return _CHOICES
    return (*_CHOICES, *_GIVEN) if asked in _FIXED else _TEXTS


def _wrong(asked: DeviceField, comparison: Comparison) -> str | None:
    if asked in TIMES or comparison.operator in BARE:
        return None
    value = comparison.value
    values = value if isinstance(value, tuple) else (value,)
    if asked in _FIXED:
        is_right = all(item in _FIXED[asked] for item in values)
        return None if is_right else "must be of: " + ", ".join(_FIXED[asked])
    if not all(isinstance(item, str) for item in values):
        return "must be a text"
    if asked in _SHAPES:
        shape, what = _SHAPES[asked]
        return None if all(map(shape.fullmatch, values)) else f"must be {what}"
    return None


def _read_version(
    asked: DeviceField, wire: Mapping[str, Any], field: str, faults: Faults
) -> DeviceIs | None:
    """Versions are texts, and yet in an order: what else is compared so are numbers."""
    operators = (*_CHOICES, *ORDERED, *_GIVEN)
    before, value = len(faults), wire.get("value")
    names = [operator.value for operator in operators]
    if wire.get("test") not in names:
        faults.append(Fault(field=f"{field}.test", message="must be one of: " + ", ".join(names)))
        return None
    operator = Operator(wire["test"])
    if operator in _GIVEN:
        comparison = read_comparison(wire, field, faults, operators=_GIVEN, beside=("field",))
        return None if comparison is None else DeviceIs(field=asked, comparison=comparison)
    for name in wire:
        if name not in ("field", "test", "value"):
            message = "is unknown; use field, test, value"
            faults.append(Fault(field=f"{field}.{name}", message=message))
    is_list = operator in (Operator.ONE_OF, Operator.BETWEEN)
    values = value if is_list else [value]
    count = {Operator.BETWEEN: range(2, 3), Operator.ONE_OF: range(1, 101)}.get(operator)
    if not isinstance(values, list) or (count is not None and len(values) not in count):
        what = "two versions" if operator is Operator.BETWEEN else "1 to 100 versions"
        faults.append(Fault(field=f"{field}.value", message=f"must be a list of {what}"))
    elif any(
        version_key(version) is None or wrong_scalar(version) is not None for version in values
    ):
        message = 'must be a version that begins with numbers, as a text: "4.10.2"'
        faults.append(Fault(field=f"{field}.value", message=message))
    if len(faults) > before:
        return None
    assert isinstance(values, list)
    kept = tuple(values) if is_list else value
    return DeviceIs(field=asked, comparison=Comparison(operator=operator, value=kept))
