"""What SDKs ask before they send: where to send, and that there is nothing else to load. Pure.

analytics.js and the mobile SDKs send to the `apiHost` told here, so a stock SDK whose settings are
fetched from Clarion needs nothing else. `integrations` holds one key and no more: with two,
analytics.js believes in destinations beside it and loads code for them from its CDN. Segment's
clients look for their own key and Customer.io's for theirs, in a call that is the same to the
letter; so who uses Customer.io's browser client says so in the address it is given.
"""

import re
from collections.abc import Mapping
from typing import Any

from clarion.sources.auth_result import AuthResult

SECONDS_FRESH = 3_600
"""How long browsers and proxies may keep an answer."""
VARY = b"Origin, User-Agent, X-Forwarded-Proto"
"""All that an answer depends on beside its address: else a shared cache that was asked once with a
forged header would send everybody's events elsewhere."""

SEGMENT = "Segment.io"
CUSTOMER_IO = "Customer.io Data Pipelines"

_HOST = re.compile(r"[A-Za-z0-9_.\-]{1,253}(?::\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::\d{1,5})?")
_CUSTOMER_IO_AGENT = re.compile(r"customer\.?io", re.IGNORECASE)

Headers = Mapping[bytes, bytes]


def settings(
    write_key: str,
    headers: Headers,
    scope: Mapping[str, Any],
    *,
    for_customer_io: bool,
    public_url: str | None = None,
) -> dict[str, Any]:
    """The settings of a source. Its mobile clients name Customer.io in their User-Agent.

    `public_url`: where apps reach us, as the operator says; without it, by the name that the caller
    has asked. `X-Forwarded-Host` decides nothing: whoever asks may write it, and a cache that does
    not tell such answers apart would send everybody's events to a stranger.
    """
    agent = headers.get(b"user-agent", b"").decode("latin-1")
    own = CUSTOMER_IO if for_customer_io or _CUSTOMER_IO_AGENT.search(agent) else SEGMENT
    protocol, host = _address(headers, scope) if public_url is None else _parts(public_url)
    return {
        "integrations": {
            own: {
                "apiKey": write_key,
                "apiHost": f"{host}/v1",
                "protocol": protocol,
                "retryQueue": True,
            }
        },
        "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}},
        "edgeFunction": {},
        "middlewareSettings": {},
        "metrics": {"sampleRate": 0},
        "analyticsNextEnabled": True,
    }


def source_config(write_key: str, admission: AuthResult) -> dict[str, Any]:
    """The same for RudderStack's browser SDK, which is told where to send by its page."""
    return {
        "source": {
            "id": str(admission.source_id),
            "name": "Clarion",
            "writeKey": write_key,
            "enabled": True,
            "workspaceId": str(admission.workspace_id),
            "config": {
                "statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}
            },
            "destinations": [],
        },
        "updatedAt": admission.source_created_at.isoformat(),
    }


def _parts(public_url: str) -> tuple[str, str]:
    protocol, _, host = public_url.partition("://")
    return protocol, host.rstrip("/")


def _address(headers: Headers, scope: Mapping[str, Any]) -> tuple[str, str]:
    """(Protocol, host) by which the caller has reached us. A proxy may say that it was asked by
    https; that it was not, it can say to nobody but who has asked so."""
    is_https = _first(headers.get(b"x-forwarded-proto", b"")).lower() == "https"
    protocol = "https" if is_https else scope.get("scheme", "http")
    host = headers.get(b"host", b"").decode("latin-1").strip()
    if _HOST.fullmatch(host):
        return protocol, host
    server, port = scope.get("server") or ("localhost", None)
    return protocol, server if port is None else f"{server}:{port}"


def _first(value: bytes) -> str:
    """Of a list: what the proxy nearest to the caller has written."""
    return value.decode("latin-1").partition(",")[0].strip()
