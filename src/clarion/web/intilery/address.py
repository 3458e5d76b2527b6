"""`/track/{client}/{account}/{brand}/v1/…`, taken apart. Pure.

Parts are cut where the caller wrote slashes and unescaped one by one, so that an id may hold one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The path of a call: client, account, brand, and what is called."""

    client: str
    account: str
    brand: str
    call: str
    """`identify`, `events`, `profiles` …"""
    rest: tuple[str, ...]


def address_in(scope: Mapping[str, Any]) -> Address | None:
    """None where the path is not one of these. A slash too many changes nothing."""
    raw: bytes | None = scope.get("raw_path")
    path = quote(scope["path"]) if raw is None else raw.partition(b"?")[0].decode("latin-1")
    parts = [unquote(part) for part in path.split("/") if part]
    if len(parts) < 6 or parts[0] != "track" or parts[4] != "v1" or "\x00" in "".join(parts):
        return None
    return Address(
        client=parts[1],
        account=parts[2],
        brand=parts[3],
        call=parts[5],
        rest=tuple(parts[6:]),
    )
