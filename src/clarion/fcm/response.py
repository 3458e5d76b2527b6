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
  though the message may say so, nor the registration's. So is what APNs says about certificates,
  provider tokens and topics, whatever FCM wraps it in.
- Quota and outages are nobody's fault: try again.
- A code that nobody told us about is read by its HTTP code, and never ends a registration.
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
WORD_CHARACTERS = 60

_ACCEPTED = Accepted()
_UNREADABLE = Unavailable(reason="unreadable_answer", maybe_accepted=True)
_INVALID_TOKEN_MESSAGE = "The registration token is not a valid FCM registration token"  # noqa: S105
_TOKEN_FIELDS = frozenset({"message.token", "message.fid"})
_APNS_DEAD = {
    "Unregistered": "apns_unregistered",
    "ExpiredToken": "apns_unregistered",
    "BadDeviceToken": "apns_bad_token",
    "DeviceTokenNotForTopic": "apns_bad_token",
}
_APNS_CONFIGURATION = frozenset(
    {
        "BadEnvironmentKeyInToken",
        "BadTopic",
        "ExpiredProviderToken",
        "Forbidden",
        "InvalidProviderToken",
        "MissingProviderToken",
        "MissingTopic",
        "TopicDisallowed",
    }
)
"""The app's APNs key, or the topic that belongs to it: an operator's to mend."""
_APNS_TROUBLE = frozenset({"InternalServerError", "ServiceUnavailable", "Shutdown"})
_KNOWN = frozenset({"INVALID_ARGUMENT", "QUOTA_EXCEEDED", "UNAVAILABLE", "INTERNAL"})
_BY_HTTP_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",  # a wrong path or project: never the registration's end
    408: "UNAVAILABLE",
    413: "TOO_LARGE",
    429: "QUOTA_EXCEEDED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
"""The error's meaning where FcmError is missing or unheard of."""


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
    """What an answer means for the push it answers. Never raises, whatever `body` is."""
    if http_status == 200:
        # Somebody else's 200, a proxy's page, is not FCM's word.
        return _ACCEPTED if b'"name"' in body else _UNREADABLE
    error = _parse(body)
    match error.code:
        case "UNREGISTERED":
            return Unregistered(reason="unregistered")
        case "SENDER_ID_MISMATCH":
            return Unregistered(reason="sender_mismatch")
        case "THIRD_PARTY_AUTH_ERROR" | "APNS_AUTH_ERROR":
            return _third_party(error, platform)
    from_apns = _from_apns(error, platform, retry_after_seconds)
    if from_apns is not None:
        return from_apns
    match error.code if error.code in _KNOWN else _BY_HTTP_STATUS.get(http_status, ""):
        case "INVALID_ARGUMENT":
            return _invalid(error)
        case "QUOTA_EXCEEDED":
            return _throttled(error, retry_after_seconds)
        case "UNAUTHENTICATED":
            return StaleAccessToken()
        case "PERMISSION_DENIED":
            return _misconfigured(_word(error.info_reason) or "permission_denied", error)
        case "NOT_FOUND":
            return _misconfigured("not_found", error)
        case "TOO_LARGE":
            return Rejected(reason="payload_too_big", detail=error.message)
        case "UNAVAILABLE" | "INTERNAL" as code:
            return Unavailable(reason=code.lower(), retry_after_seconds=retry_after_seconds)
    if http_status >= 500 or http_status < 400:
        return Unavailable(reason=f"http_{http_status}", retry_after_seconds=retry_after_seconds)
    reason = _word(error.code) or _word(error.status) or f"http_{http_status}"
    return Rejected(reason=reason, detail=error.message)


def _from_apns(
    error: _Error, platform: Platform, retry_after_seconds: float | None
) -> Outcome | None:
    """What APNs' own reason means, where FCM passes one on that decides."""
    reason = error.apns_reason
    if reason in _APNS_DEAD:
        return Unregistered(reason=_APNS_DEAD[reason])
    if reason in _APNS_CONFIGURATION or reason.startswith("BadCertificate"):
        return _third_party(error, platform)
    if reason == "TooManyRequests":
        wait = QUOTA_SECONDS if retry_after_seconds is None else retry_after_seconds
        return Throttled(scope=ThrottleScope.DEVICE, retry_after_seconds=wait)
    if reason in _APNS_TROUBLE:
        return Unavailable(reason="apns_unavailable", retry_after_seconds=retry_after_seconds)
    if reason == "PayloadTooLarge":
        return Rejected(reason="payload_too_big", detail=error.message)
    return None


def _invalid(error: _Error) -> Outcome:
    if error.message.strip().rstrip(".") == _INVALID_TOKEN_MESSAGE or (
        error.violations & _TOKEN_FIELDS
    ):
        return Unregistered(reason="malformed_token")
    reason = "payload_too_big" if "too big" in error.message.lower() else "invalid_argument"
    return Rejected(reason=reason, detail=error.message)


def _throttled(error: _Error, retry_after_seconds: float | None) -> Outcome:
    quota = f"{error.quota} {error.message}".lower()
    scope = ThrottleScope.DEVICE if "device" in quota else ThrottleScope.APP
    wait = QUOTA_SECONDS if retry_after_seconds is None else retry_after_seconds
    return Throttled(scope=scope, retry_after_seconds=wait)


def _third_party(error: _Error, platform: Platform) -> Outcome:
    return Misconfigured(
        reason="third_party_auth",
        detail=error.apns_reason or error.message,
        platforms=frozenset({platform}),
    )


def _misconfigured(reason: str, error: _Error) -> Outcome:
    return Misconfigured(reason=reason, detail=error.message)


def _word(text: str) -> str:
    """Their code as one of our short words."""
    return re.sub(r"[^a-z0-9_]", "_", text.lower())[:WORD_CHARACTERS]


def _parse(body: bytes) -> _Error:
    try:
        wire: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        wire = None
    error = wire.get("error") if isinstance(wire, Mapping) else None
    if not isinstance(error, Mapping):
        error = {}
    details: dict[str, Mapping[str, Any]] = {}
    for detail in _mappings(error.get("details")):
        details.setdefault(_text(detail.get("@type")).rpartition(".")[2], detail)
    bad = details.get("BadRequest", {}).get("fieldViolations")
    quota = details.get("QuotaFailure", {}).get("violations")
    return _Error(
        code=_text(details.get("FcmError", {}).get("errorCode")),
        status=_text(error.get("status")),
        message=_text(error.get("message"))[:DETAIL_CHARACTERS],
        violations=frozenset(_text(one.get("field")) for one in _mappings(bad)),
        apns_reason=_text(details.get("ApnsError", {}).get("reason"))[:DETAIL_CHARACTERS],
        info_reason=_text(details.get("ErrorInfo", {}).get("reason")),
        quota=" ".join(_text(one.get("description")) for one in _mappings(quota)),
    )


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
