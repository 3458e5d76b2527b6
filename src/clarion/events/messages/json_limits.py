"""How deep JSON may be nested. Pure."""

import re

NESTING_MAX = 64
"""Lists and objects within each other: what stores an event writes it with less stack than this
takes, and no app means more."""

_BRACKET_OR_TEXT = re.compile(rb'[{}\[\]]|"(?:[^"\\]++|\\.)*+"', re.DOTALL)


def is_nested_too_deeply(raw: bytes) -> bool:
    """Whether valid JSON has more than NESTING_MAX lists and objects within each other."""
    if raw.count(b"{") + raw.count(b"[") <= NESTING_MAX:
        return False
    depth = 0
    for match in _BRACKET_OR_TEXT.finditer(raw):
        bracket = match[0]
        if bracket in b"{[":
            depth += 1
            if depth > NESTING_MAX:
                return True
        elif bracket in b"}]":
            depth -= 1
    return False
