"""What the next page says of an act: one notice, in a cookie that it takes away."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

from clarion.web.console.browser import Scope, cookie_in, preference_cookie

COOKIE = "clarion_flash"
SECONDS = 60
BYTES_MAX = 2_000
"""Of UTF-8: browsers forget a cookie of more than 4,096 bytes, with its name and in base64."""


def read_flash(scope: Scope) -> tuple[str, str] | None:
    """Which kind of notice, and what it says; None: there is none."""
    value = cookie_in(scope, COOKIE)
    if not value:
        return None
    try:
        kind, say = json.loads(urlsafe_b64decode(value + "=" * (-len(value) % 4)))
        return str(kind), str(say)
    except ValueError:
        return None


def flash_cookie(scope: Scope, kind: str, say: str) -> str:
    """The header that has the next page say it."""
    said = json.dumps([kind, _short(say)], ensure_ascii=False)
    value = urlsafe_b64encode(said.encode()).decode().rstrip("=")
    return preference_cookie(scope, COOKIE, value, SECONDS)


def clear_flash(scope: Scope) -> str:
    return preference_cookie(scope, COOKIE, "", 0)


def _short(text: str) -> str:
    """As much of it as a cookie holds."""
    if len(text.encode()) <= BYTES_MAX:
        return text
    return text.encode()[:BYTES_MAX].decode(errors="ignore") + " …"
