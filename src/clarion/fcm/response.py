"""An answer of FCM as an Outcome: the one place that knows what FCM means. Pure.

The rules, in this order:

- An answer is read by its details, found by `@type` and never by position; `errorCode` of FcmError
  counts before `status`, which counts before the HTTP code. Any of them may be missing, and the
  body may be HTML.
- **A bad token and a bad payload share status and errorCode** (400 INVALID_ARGUMENT). It is the
  token's fault only if the message is FCM's sentence for it, or a violation names `message.token`
  or `message.fid`, or APNs says that its token is dead. Everything else is the push's fault: a
  template that is wrong must not remove a single registration.
- 401 THIRD_PARTY_AUTH_ERROR is the app's APNs key or VAPID key: neither our access token's fault,
  though the message may say so, nor the registration's.
- Quota and outages are nobody's fault: try again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from clarion.deliveries.provider import (
    Accepted,
    Misconfigured,
    Outcome,
    Platform,
    Rejected,
    Throttled,
    ThrottleScope,
    Unavailable,
    Unregistered,
)

QUOTA_SECONDS = 60.0
"""FCM's default wait after 429 where it names none."""
DETAIL_CHARACTERS = 300

_ACCEPTED = Accepted()
_INVALID_TOKEN_MESSAGE = "The registration token is not a valid FCM registration token"  # noqa: S105
_TOKEN_FIELDS = frozenset({"message.token", "message.fid"})
_APNS_DEAD = {
    "Unregistered": "apns_unregistered",
    "BadDeviceToken": "apns_bad_token",
    "DeviceTokenNotForTopic": "apns_bad_token",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleAccessToken:
    """Not an outcome yet: get a new access token and send this push once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Error:
    code: str
    """errorCode, else ""."""
    status: str
    message: str
    violations: frozenset[str]
    apns_reason: str
    info_reason: str
    quota: str


def read(
    http_status: int, body: bytes, *, platform: Platform, retry_after_seconds: float | None
) -> Outcome | StaleAccessToken:
    """What an answer means for the push it answers."""
    if http_status == 200:
        return _ACCEPTED
    error = _parse(body)
    code = error.code or _by_status(http_status, error.status)
    match code:
        case "INVALID_ARGUMENT":
            return _invalid(error)
        case "UNREGISTERED" if error.code or http_status == 404:
            return Unregistered(reason="unregistered")
        case "SENDER_ID_MISMATCH":
            return Unregistered(reason="sender_mismatch")
        case "QUOTA_EXCEEDED":
            return _throttled(error, retry_after_seconds)
        case "THIRD_PARTY_AUTH_ERROR" | "APNS_AUTH_ERROR":
            return Misconfigured(
                reason="third_party_auth",
                detail=error.apns_reason or error.message[:DETAIL_CHARACTERS],
                platforms=frozenset({platform}),
            )
        case "UNAUTHENTICATED":
            return StaleAccessToken()
        case "PERMISSION_DENIED":
            return Misconfigured(
                reason=(error.info_reason or "permission_denied").lower(),
                detail=error.message[:DETAIL_CHARACTERS],
            )
        case "UNAVAILABLE" | "INTERNAL":
            return Unavailable(reason=code.lower(), retry_after_seconds=retry_after_seconds)
        case "NOT_FOUND":
            return Misconfigured(
                reason="not_found", detail=error.message[:DETAIL_CHARACTERS] or "404"
            )
    return _by_class(http_status, error, retry_after_seconds)


def _invalid(error: _Error) -> Outcome:
    dead = _APNS_DEAD.get(error.apns_reason)
    if dead is not None:
        return Unregistered(reason=dead)
    if error.message.strip().rstrip(".") == _INVALID_TOKEN_MESSAGE or (
        error.violations & _TOKEN_FIELDS
    ):
        return Unregistered(reason="malformed_token")
    reason = "payload_too_big" if "too big" in error.message.lower() else "invalid_argument"
    return Rejected(reason=reason, detail=error.message[:DETAIL_CHARACTERS])


def _throttled(error: _Error, retry_after_seconds: float | None) -> Outcome:
    quota = f"{error.quota} {error.message}".lower()
    scope = ThrottleScope.DEVICE if "device" in quota else ThrottleScope.APP
    wait = QUOTA_SECONDS if retry_after_seconds is None else retry_after_seconds
    return Throttled(scope=scope, retry_after_seconds=wait)


def _by_status(http_status: int, status: str) -> str:
    """The error's meaning where FcmError is missing."""
    match http_status, status:
        case 400, _:
            return "INVALID_ARGUMENT"
        case 401, _:
            return "UNAUTHENTICATED"
        case 403, _:
            return "PERMISSION_DENIED"
        case 404, _:
            return "NOT_FOUND"  # a wrong path or project: never the registration's end
        case 429, _:
            return "QUOTA_EXCEEDED"
    return ""


def _by_class(http_status: int, error: _Error, retry_after_seconds: float | None) -> Outcome:
    """A code that nobody has told us about."""
    if http_status >= 500 or http_status < 400:
        return Unavailable(reason=f"http_{http_status}", retry_after_seconds=retry_after_seconds)
    reason = re.sub(
        r"[^a-z0-9_]", "_", (error.code or error.status or f"http_{http_status}").lower()
    )
    return Rejected(reason=reason, detail=error.message[:DETAIL_CHARACTERS])


def _parse(body: bytes) -> _Error:
    try:
        wire: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        wire = None
    error = wire.get("error") if isinstance(wire, Mapping) else None
    if not isinstance(error, Mapping):
        error = {}
    details: dict[str, Mapping[str, Any]] = {}
    listed = error.get("details")
    for detail in listed if isinstance(listed, list) else []:
        if isinstance(detail, Mapping):
            details[str(detail.get("@type", "")).rpartition(".")[2]] = detail
    bad = details.get("BadRequest", {}).get("fieldViolations")
    quota = details.get("QuotaFailure", {}).get("violations")
    return _Error(
        code=_text(details.get("FcmError", {}).get("errorCode")),
        status=_text(error.get("status")),
        message=_text(error.get("message")),
        violations=frozenset(_text(one.get("field")) for one in _mappings(bad)),
        apns_reason=_text(details.get("ApnsError", {}).get("reason")),
        info_reason=_text(details.get("ErrorInfo", {}).get("reason")),
        quota=" ".join(_text(one.get("description")) for one in _mappings(quota)),
    )


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
