"""A yes or a no in the spellings that apps send it in. Pure."""

from typing import Any

_NO = frozenset(
    {
        "0",
        "f",
        "false",
        "n",
        "no",
        "none",
        "off",
        "never",
        "blocked",
        "denied",
        "declined",
        "disabled",
        "inactive",
        "rejected",
        "revoked",
        "optout",
        "optedout",
        "unsubscribe",
        "unsubscribed",
        "notsubscribed",
        "didnotsubscribe",
    }
)
_YES = frozenset(
    {
        "1",
        "t",
        "true",
        "y",
        "yes",
        "on",
        "allowed",
        "granted",
        "enabled",
        "active",
        "optin",
        "optedin",
        "subscribe",
        "subscribed",
    }
)


def yes_or_no(value: Any) -> bool | None:
    """What `value` says: a boolean, 1 or 0, or a word for one of them in any case; None: it can not
    be read."""
    if type(value) is bool:
        return value
    if type(value) in (int, float):
        return bool(value) if value in (0, 1) else None
    if type(value) is str:
        word = "".join(character for character in value.casefold() if character not in " _-.\t\n")
        return True if word in _YES else False if word in _NO else None
    return None


def says_no(value: Any) -> bool:
    """Whether `value` is a no, in any spelling."""
    return yes_or_no(value) is False
