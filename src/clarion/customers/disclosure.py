"""What people are shown of what apps sent: everything but registration tokens. Pure.

Apps put tokens where they like, in events and in traits. A member whose name ends in `token`, an
installation id (`fid`) and a write key are shown as fingerprints: enough to compare two of them and
to find the device, useless to send with.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from clarion.customers.device import FINGERPRINT_CHARACTERS, token_hash

_SECRET_ENDINGS = ("token", "fid", "writekey", "registrationid")


def shown_body(body: str) -> Any:
    """An event's JSON as people may see it."""
    return without_tokens(msgspec.json.decode(body))


def without_tokens(value: Any) -> Any:
    """`value` with every token in it replaced by `fingerprint:…`."""
    if isinstance(value, Mapping):
        return {
            name: _fingerprint(inner)
            if isinstance(inner, str) and _is_secret(name)
            else without_tokens(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [without_tokens(inner) for inner in value]
    return value


def _is_secret(name: str) -> bool:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "").endswith(_SECRET_ENDINGS)


def _fingerprint(token: str) -> str:
    return f"fingerprint:{token_hash(token.strip())[:FINGERPRINT_CHARACTERS]}"
