"""Which ids name somebody: rule R0. Pure.

An id that is a number may come as its sender's language prints numbers: `42.0` where another
platform sends 42, `1.2345678E7`, `٤٢`. Where the print tells the number to its last digit, it is
that number. Where digits are gone (`1e+16`) or added for people (`1,234`), it is **inexact** and
names nobody: two persons' ids may have become one, or one person's two.
"""

import re
from typing import Any

import msgspec

ID_CHARACTERS_MAX = 255

EXACT_BELOW = 2**53
"""Doubles below this tell every whole number apart; from here on several are printed alike."""

_BLOCKED = frozenset(
    {
        "anonymous", "guest", "null", "none", "nil", "undefined", "nan", "true", "false",
        "unknown", "id", "userid", "anonymousid", "deviceid", "[object object]", "-1",
        # What languages print for nothing, and for numbers that are none.
        "(null)", "(nil)", "<nil>", "-nan", "+nan", "nan(ind)", "-nan(ind)", "inf", "-inf", "+inf",
        "infinity", "-infinity", "+infinity", "∞", "-∞", "+∞", "1.#inf", "-1.#inf", "1.#qnan",
        "-1.#qnan", "1.#ind", "-1.#ind", "1.#snan",
    }
)  # fmt: skip
_BLOCKED_CHARACTERS_MAX = max(map(len, _BLOCKED))
_BLOCKED_SHAPE = re.compile(r"[0-]*|<[^<>]*>|\{\{.*\}\}|\$\{.*\}")
_BLOCKED_BEGINNINGS = frozenset("0-<{$")
DAMAGED = "\ufffd"
"""Stands where bytes or halves of characters were lost: two ids may have become one."""

_WHOLE = re.compile(r"(-?)(0|[1-9][0-9]*)\.0*")
_SCIENTIFIC = re.compile(r"(-?)([0-9])(?:[.,]([0-9]*))?[eE]([+-]?)([0-9]{1,4})")
"""One digit, a fraction, an exponent. As a text it needs a fraction or a sign: `1e5` may as well be
hexadecimal."""
_SEPARATORS = dict(zip("-.,'’\u00a0\u2009\u202f\u066b\u066c", "-.,'''''.,", strict=True))
"""What stands between digits, and what it counts as."""
_FORMATTED = re.compile(rf"(?=.*\d)[\d{re.escape(''.join(_SEPARATORS))}]+")
"""A number as a program shows it to a person, in the digits of whatever script."""
_GROUPED = re.compile(r"-?[0-9]{1,3}(?:[,'][0-9]{2,3})*[,'][0-9]{3}(?:[.,][0-9]*)?")
"""Not with plain spaces or dots: `943 476 591` and `1.234.567` are ids of their own as well."""


def usable_id(value: Any) -> str | None:
    """An id after R0, or None: trimmed, whole numbers as text; blank, shared, long, damaged and
    inexact ones are none."""
    if value is None:
        return None
    text: str | None = value.strip() if type(value) is str else _text_of(value)
    if not text or len(text) > ID_CHARACTERS_MAX:
        return None
    if text[0] <= "9" or not text.isascii():
        text = _number_read(text)
        if text is None:
            return None
    if len(text) <= _BLOCKED_CHARACTERS_MAX and text.lower() in _BLOCKED:
        return None
    if text[0] in _BLOCKED_BEGINNINGS and _BLOCKED_SHAPE.fullmatch(text):
        return None
    return text if text.isascii() or DAMAGED not in text else None


def is_inexact(value: Any) -> bool:
    """Whether it is a number whose print has lost digits, or was dressed for people to read. A
    fraction is none in a text (any text may be an id), but in a number that JSON tells as one."""
    if type(value) is float:
        return True
    text = _text_of(value)
    return bool(text) and len(text) <= ID_CHARACTERS_MAX and _number_read(text) is None


def has_number(*values: Any) -> bool:
    """Whether one of the ids was told as a number that may be no whole one: then what was printed
    has to be looked at (`printed`)."""
    return float in map(type, values)


def printed(text: str) -> str:
    """For `float_hook`: a number of JSON as the text that an id in it is read from. One that is no
    whole number becomes inexact."""
    whole, scientific = _WHOLE.fullmatch(text), _SCIENTIFIC.fullmatch(text)
    if whole is not None:
        return text
    read = _scientific_read(*scientific.groups()) if scientific is not None else None
    return _INEXACT if read is None else read


_INEXACT = "1e+999"


def _text_of(value: Any) -> str:
    if type(value) is str:
        return value.strip()
    return str(value) if type(value) is int else ""


def _number_read(text: str) -> str | None:
    """The whole number that `text` prints, as its digits; None where it is inexact. What prints
    none is left as it is."""
    if not text.isascii():
        if not _FORMATTED.fullmatch(text):
            return text
        text = "".join(_SEPARATORS.get(character) or str(int(character)) for character in text)
    if not ("0" <= text[0] <= "9" or text[0] == "-"):
        return text
    whole = _WHOLE.fullmatch(text)
    if whole is not None:
        sign, digits = whole.groups()
        return _signed(sign, int(digits)) if len(digits) < 17 else None
    scientific = _SCIENTIFIC.fullmatch(text)
    if scientific is not None and (scientific[3] is not None or scientific[4]):
        return _scientific_read(*scientific.groups())
    return None if _GROUPED.fullmatch(text) else text


def _scientific_read(
    sign: str, first: str, fraction: str | None, exponent_sign: str, exponent: str
) -> str | None:
    """An exponent with a sign is printed by languages and programs that may round to some digits
    (C's `%g`, PHP, Excel): exact is what shows every digit of the whole number. Without a sign it
    is Java's kind, which prints as many digits as tell a double from any other."""
    shift = int(exponent)
    fraction = (fraction or "").rstrip("0")
    if exponent_sign == "-" or len(fraction) > shift:
        return None if int(first + fraction) else "0"
    if shift > 15 or (exponent_sign and len(fraction) < shift and int(first + fraction)):
        return None
    return _signed(sign, int((first + fraction).ljust(shift + 1, "0")))


def _signed(sign: str, number: int) -> str | None:
    if number >= EXACT_BELOW:
        return None
    return f"{sign}{number}" if number else "0"


class PrintedIds(msgspec.Struct):
    """Where `printed_ids` looks: as much of an event as may name somebody."""

    userId: Any = None
    anonymousId: Any = None
    previousId: Any = None
    properties: Any = None
    context: Any = None
    traits: Any = None


_ids = msgspec.json.Decoder(PrintedIds, float_hook=printed)


def printed_ids(raw: bytes) -> PrintedIds:
    """An event's ids once more, each number that is told as a fraction or with an exponent as what
    was printed. To be asked only where `has_number`; raises what decoding raises."""
    return _ids.decode(raw)
