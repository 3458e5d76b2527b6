"""How a trait is printed in a push: a text as it is, everything else as JSON prints it. Pure.

`10.0` is 10, since JSON knows one kind of number; true is `true`; null is nothing, as Liquid prints
nil. Numbers are written as JavaScript writes them, so a push says what the app's own code would.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from liquid.exceptions import ResourceLimitError
from liquid.undefined import Undefined

TEXT_CHARACTERS_MAX = 16_384
_PLAIN_BELOW = 1e21
"""Where JavaScript begins to write a number with an exponent."""
_SMALLEST_PLAIN_EXPONENT = -6


def text_of(value: Any) -> str:
    """What is printed for a value of a trait, or of what a filter made of it."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, Undefined):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, (list, tuple, dict)):
        return json_text(value)
    if isinstance(value, range):
        return f"{value.start}..{value.stop - 1}"
    return str(value)


def number_text(number: float) -> str:
    """The shortest decimal that means this number; nothing for what is no number."""
    if number != number or number in (float("inf"), float("-inf")):
        return ""
    if number == int(number) and abs(number) < _PLAIN_BELOW:
        return str(int(number))
    shortest = repr(number)
    mantissa, e, exponent = shortest.partition("e")
    if not e:
        return shortest
    if _SMALLEST_PLAIN_EXPONENT <= int(exponent) < 0:
        return format(Decimal(shortest), "f")
    return f"{mantissa}e{int(exponent):+d}"


def json_text(value: Any) -> str:
    """A value as JSON without spaces. Raises ResourceLimitError where that is too long."""
    parts: list[str] = []
    _write(value, parts, TEXT_CHARACTERS_MAX)
    return "".join(parts)


def _write(value: Any, parts: list[str], left: int) -> int:
    """Adds the parts of a value; returns how many characters may still be written."""
    if isinstance(value, Mapping) and not isinstance(value, Undefined):
        before = "{"
        for name, inner in value.items():
            left = _put(f"{before}{_quoted(str(name))}:", parts, left)
            left = _write(inner, parts, left)
            before = ","
        return _put("}" if before == "," else "{}", parts, left)
    if isinstance(value, (list, tuple, range)):
        before = "["
        for inner in value:
            left = _write(inner, parts, _put(before, parts, left))
            before = ","
        return _put("]" if before == "," else "[]", parts, left)
    if isinstance(value, str):
        return _put(_quoted(value), parts, left)
    return _put(text_of(value) or "null", parts, left)


def _put(part: str, parts: list[str], left: int) -> int:
    parts.append(part)
    left -= len(part)
    if left < 0:
        message = f"a list or an object is longer than {TEXT_CHARACTERS_MAX} characters"
        raise ResourceLimitError(message, token=None)
    return left


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
