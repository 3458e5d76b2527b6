"""What a call says of the browser behind it: where it is, and which page made it.

A proxy may stand between, which ends TLS. Its headers are believed where the connection comes from
an address that is not of the public internet; whoever calls from there directly decides nothing by
them.
"""

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from clarion.accounts.people.session import BROWSER_CHARACTERS_MAX, LIFE, Place

COOKIE = "clarion"
SECURE_COOKIE = f"__Secure-{COOKIE}"
PATH = "/console"
STATIC = f"{PATH}/static/"
_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

Scope = Mapping[str, Any]


def asks_for_page(scope: Scope) -> bool:
    """Whether a person's browser calls, and not a program: by what it accepts, or a form that it
    sends. What pages are made of is for browsers."""
    if scope["path"].startswith(STATIC):
        return True
    kind = _header(scope, b"content-type").partition(";")[0].strip().lower()
    return kind in _FORMS or "text/html" in _header(scope, b"accept")


def is_https(scope: Scope) -> bool:
    """Whether the browser speaks TLS."""
    if scope["scheme"] == "https":
        return True
    protocol = _header(scope, b"x-forwarded-proto").partition(",")[0]
    return _is_behind_proxy(scope) and protocol.strip().lower() == "https"


def place_of(scope: Scope) -> Place:
    """The browser's address, which is the last that a proxy has noted (a caller may write others
    before it), and what it calls itself."""
    client = scope.get("client")
    address = client[0] if client else ""
    noted = _header(scope, b"x-forwarded-for").rpartition(",")[2].strip()
    if noted and _is_behind_proxy(scope):
        address = noted
    browser = _header(scope, b"user-agent").replace("\x00", "")[:BROWSER_CHARACTERS_MAX]
    return Place(address=_as_address(address), browser=browser or None)


def is_from_us(scope: Scope) -> bool:
    """Whether a page of ours makes this call: by its Origin, which every browser sends with a POST;
    without one, by Sec-Fetch-Site."""
    origin = _header(scope, b"origin")
    if not origin:
        return _header(scope, b"sec-fetch-site") == "same-origin"
    parts = urlsplit(origin)
    host = _header(scope, b"host").lower()
    scheme = "https" if is_https(scope) else "http"
    return bool(host) and (parts.scheme, parts.netloc.lower()) == (scheme, host)


def token_in(scope: Scope) -> str | None:
    """The session's token that the cookie of this kind of connection holds."""
    return cookie_in(scope, _cookie_name(scope)) or None


def set_cookie(scope: Scope, token: str) -> str:
    """The header that keeps the session: for no script, no other site's form, no other path."""
    return _cookie(scope, token, int(LIFE.total_seconds()))


def clear_cookie(scope: Scope) -> str:
    return _cookie(scope, "", 0)


def cookie_in(scope: Scope, name: str) -> str | None:
    """The value of a cookie that is no secret; None: there is none."""
    cookies = SimpleCookie()
    try:
        cookies.load(_header(scope, b"cookie"))
    except CookieError:
        return None
    return cookies[name].value if name in cookies else None


def preference_cookie(scope: Scope, name: str, value: str, seconds: int) -> str:
    """The header that keeps what a browser is to remember, which scripts may read: no secret."""
    secure = "; Secure" if is_https(scope) else ""
    return f"{name}={value}; Path={PATH}; Max-Age={seconds}; SameSite=Lax{secure}"


def _cookie(scope: Scope, value: str, seconds: int) -> str:
    secure = "; Secure" if is_https(scope) else ""
    return (
        f"{_cookie_name(scope)}={value}; Path={PATH}; Max-Age={seconds}; HttpOnly; "
        f"SameSite=Lax{secure}"
    )


def _cookie_name(scope: Scope) -> str:
    return SECURE_COOKIE if is_https(scope) else COOKIE


def _is_behind_proxy(scope: Scope) -> bool:
    client = scope.get("client")
    if not client:  # a socket of the machine itself
        return True
    try:
        return not ip_address(client[0]).is_global
    except ValueError:
        return False


def _as_address(text: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None


def _header(scope: Scope, wanted: bytes) -> str:
    return ",".join(
        value.decode("latin-1") for name, value in scope["headers"] if name.lower() == wanted
    )
