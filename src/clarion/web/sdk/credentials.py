"""What a call's headers and query say: who sends, from where, packed how. Pure.

A key in a header wins over one in the body: Jitsu's client masks that one. A bearer token may be
the key (Customer.io) or an OAuth token beside a key in the body (Segment): it comes last.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs

AUTHORIZATIONS_KEPT = 1_024
AUTHORIZATION_BYTES_KEPT = 512
"""What is remembered of headers of others takes half a megabyte at most."""

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w\-.:]{1,40})", re.IGNORECASE)


def read_headers(
    headers: list[tuple[bytes, bytes]],
) -> tuple[bytes | None, str | None, str | None, str, str]:
    """(Origin, write key, bearer token, content encoding, charset of the content type)."""
    origin: bytes | None = None
    basic: str | None = None
    bearer: str | None = None
    own: str | None = None
    encoding = charset = ""
    for name, value in headers:
        if name == b"authorization":
            short = len(value) <= AUTHORIZATION_BYTES_KEPT
            said = (_remembered if short else _read_authorization)(value)
            basic, bearer = said[0] or basic, said[1] or bearer
        elif name == b"x-write-key":
            # Jitsu's client insists on a key and a secret, of which ours is the key.
            own = value.decode("latin-1").partition(":")[0].strip() or None
        elif name == b"content-encoding":
            encoding = value.decode("latin-1").strip().lower()
        elif name == b"content-type" and b"charset" in value:
            match = _CHARSET.search(value.decode("latin-1"))
            charset = match[1] if match is not None else ""
        elif name == b"origin":
            origin = value
    return origin, basic or own, bearer, encoding, charset


def _read_authorization(value: bytes) -> tuple[str | None, str | None]:
    """(Write key of Basic authorization, bearer token)."""
    scheme, _, rest = value.partition(b" ")
    if scheme.lower() == b"basic":
        return _key_in_basic(rest), None
    if scheme.lower() == b"bearer":
        return None, rest.decode("latin-1").strip() or None
    return None, None


_remembered = lru_cache(AUTHORIZATIONS_KEPT)(_read_authorization)
"""An app says the same in every call."""


def caller_ip(scope: Mapping[str, Any]) -> str | None:
    """The address of the device that calls: the first that proxies have noted, else the peer's."""
    client = scope.get("client")
    noted = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    address = noted[0].decode("latin-1").partition(",")[0] if noted else client[0] if client else ""
    try:
        return str(ip_address(address.strip()))
    except ValueError:
        return None


def key_in_query(query_string: bytes) -> str | None:
    """`?writeKey=`, for beacons and pixels, which can set no header."""
    try:
        write_keys = parse_qs(query_string.decode("latin-1")).get("writeKey")
    except ValueError:
        return None
    return write_keys[0] if write_keys else None


def _key_in_basic(encoded: bytes) -> str | None:
    """The user; the colon behind it and the padding may be missing."""
    try:
        user = base64.b64decode(encoded.strip() + b"==").partition(b":")[0]
        return user.decode().strip() or None
    except (binascii.Error, UnicodeDecodeError):
        return None
