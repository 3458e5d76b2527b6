"""Numbers as a person reads them. Pure."""

from babel import Locale
from babel.numbers import format_decimal, format_percent

DIGITS_MAX = 18
"""Of a whole number that somebody types: what is longer is none of ours, nor of a database."""
PERCENT_FROM = 100
"""Of fewer than so many a percentage says nothing."""


def whole(text: str) -> int | None:
    """The whole number that was typed; None: it is none, or longer than any that is asked for."""
    text = text.strip()
    return int(text) if text.isdecimal() and len(text) <= DIGITS_MAX else None


def amount(count: int | None, locale: Locale) -> str:
    """Exact and grouped; "–" where it is not known."""
    return "–" if count is None else str(format_decimal(count, locale=locale))


def percent(part: int, whole: int, locale: Locale) -> str | None:
    """`part` of `whole` with one digit; None where `whole` is too small to say so."""
    if whole < PERCENT_FROM:
        return None
    return str(format_percent(part / whole, format="0.0 %", locale=locale))


def counted(count: int, noun: str, locale: Locale, plural: str | None = None) -> str:
    """A number and what is counted: "1 device", "2 devices"."""
    return f"{amount(count, locale)} {noun if count == 1 else plural or noun + 's'}"
