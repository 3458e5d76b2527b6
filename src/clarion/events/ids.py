"""Which ids name somebody: rule R0. Pure."""

import re
from typing import Any

ID_CHARACTERS_MAX = 255

_BLOCKED = frozenset(
    {
        "anonymous", "guest", "null", "none", "nil", "undefined", "nan", "true", "false",
        "unknown", "id", "userid", "anonymousid", "deviceid", "[object object]", "-1",
    }
)  # fmt: skip
_BLOCKED_SHAPE = re.compile(r"[0-]*|<[^<>]*>|\{\{.*\}\}|\$\{.*\}")
DAMAGED = "\ufffd"
"""Stands where bytes or halves of characters were lost: two ids may have become one."""


def usable_id(value: Any) -> str | None:
    """An id after R0, or None: trimmed, integers as text; blank, shared, long and damaged ones are
    none."""
    if type(value) is not str:
        if type(value) is not int:
            return None
        value = str(value)
    text: str = value.strip()
    if not text or len(text) > ID_CHARACTERS_MAX:
        return None
    if text.lower() in _BLOCKED or _BLOCKED_SHAPE.fullmatch(text) or DAMAGED in text:
        return None
    return text
