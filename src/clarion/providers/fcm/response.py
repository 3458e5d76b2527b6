"""An answer of FCM as an Outcome: the one place that knows what FCM means. Pure.

The rules, in this order:

- An answer is read by its details, found by `@type` and never by position; `errorCode` of FcmError
  counts before `status`, which counts before the HTTP code. Any of them may be missing, and the
  body may be HTML, or begin with a byte order mark, or stand in an array.
- What APNs says about keys, certificates and topics is the app's configuration at Apple, whatever
  FCM wraps it in; so is 401 THIRD_PARTY_AUTH_ERROR (APNs key, VAPID key): neither our access
  token's fault, though the message may say so, nor the registration's.
- **A bad token and a bad payload share status and errorCode** (400 INVALID_ARGUMENT). It is the
  token's fault only if a sentence says so (`wording`), or FCM's own violation names `message.token`
  or `message.fid`, or APNs says that its token is dead. A violation that speaks of a JSON type is
  our defect, whatever field it names. Everything else is the push's fault: a template that is wrong
  must not remove a single registration.
- 401, 403 and 404 without an FcmError *may* speak of the whole app. Whether they do is not decided
  here, where one answer is seen alone: see `deliveries/sending/belief.py`.
- Quota and outages are nobody's fault: try again. So is every answer that says nothing of the push:
  a page of HTML, an empty body, a code of a proxy's or of Google's front end.
- A code that nobody told us about is read by its HTTP code, and never ends a registration.
"""

import re
from codecs import BOM_UTF8
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
from clarion.providers.fcm.error_text import (
    apns_configuration,
    is_type_fault,
    limits_one_device,
    limits_project,
    reason_of_end,
)

QUOTA_SECONDS = 60.0
"""FCM's default wait after 429 where it names none."""
DETAIL_CHARACTERS = 300
WORD_CHARACTERS = 60

_ACCEPTED = Accepted()
_UNREADABLE = Unavailable(reason="unreadable_answer", maybe_accepted=True)
_TOKEN_FIELDS = frozenset({"message.token", "message.fid"})
_APNS_DEAD = {
    "Unregistered": "apns_unregistered",
    "ExpiredToken": "apns_unregistered",
    "BadDeviceToken": "apns_bad_token",
    "DeviceTokenNotForTopic": "apns_bad_token",
}
_APNS_TROUBLE = frozenset({"IdleTimeout", "InternalServerError", "ServiceUnavailable", "Shutdown"})
_FCM_CODES = frozenset(
    {
        "APNS_AUTH_ERROR",
        "INTERNAL",
        "INVALID_ARGUMENT",
        "QUOTA_EXCEEDED",
        "SENDER_ID_MISMATCH",
        "THIRD_PARTY_AUTH_ERROR",
        "UNAVAILABLE",
        "UNREGISTERED",
    }
)
_BY_STATUS = {
    "ABORTED": "ABORTED",  # of Google's front end under load, with 409
    "ALREADY_EXISTS": "ABORTED",
    "CANCELLED": "CANCELLED",
    "DEADLINE_EXCEEDED": "DEADLINE_EXCEEDED",
    "FAILED_PRECONDITION": "FAILED_PRECONDITION",
    "INVALID_ARGUMENT": "INVALID_ARGUMENT",
    "NOT_FOUND": "NOT_FOUND",
    "OUT_OF_RANGE": "INVALID_ARGUMENT",
    "PERMISSION_DENIED": "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED": "QUOTA_EXCEEDED",
    "UNAUTHENTICATED": "UNAUTHENTICATED",
    "UNAVAILABLE": "UNAVAILABLE",
}
"""The error's meaning where FcmError is missing or unheard of, and Google names a status. Not all
of its statuses: 5xx is read by the HTTP code."""
_BY_HTTP_STATUS = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",  # a wrong path or project: never the registration's end
    408: "UNAVAILABLE",
    409: "ABORTED",
    413: "TOO_LARGE",
    429: "QUOTA_EXCEEDED",
    499: "CANCELLED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
"""And where no status is named either."""
_MAYBE_ACCEPTED = frozenset({499, 502, 503, 504})
"""A gateway gave up on what stands behind it, which may have taken the push: FCM has been seen to
show pushes that it had answered 503."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleAccessToken:
    """Not an outcome yet: get a new access token and send this push once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Error:
    code: str
    """errorCode, else ""."""
    status: str
    message: str
    violations: tuple[tuple[str, str], ...]
    """(field, description)."""
    apns_reason: str
    info_reason: str
    quota: tuple[tuple[str, str], ...]
    """(subject, description)."""
    is_googles: bool
    """Whether the body is an error as Google's services write one, and not a page or nothing."""


def read_live(
    http_status: int, body: bytes, *, platform: Platform, retry_after_seconds: float | None
) -> Outcome | StaleAccessToken:
    """What an answer means for a push to a Live Activity: APNs speaks of the activity's token then,
    which ends with it, and not of the device's."""
    outcome = read(http_status, body, platform=platform, retry_after_seconds=retry_after_seconds)
    is_apns = isinstance(outcome, Unregistered) and (
        outcome.reason in _APNS_DEAD.values() or _parse(body).apns_reason in _APNS_DEAD
    )
    return Rejected(reason="live_activity_ended") if is_apns else outcome


def read(
    http_status: int, body: bytes, *, platform: Platform, retry_after_seconds: float | None
) -> Outcome | StaleAccessToken:
    """What an answer means for the push it answers. Never raises, whatever `body` is."""
    if http_status == 200:
        # Somebody else's 200, a proxy's page, is not FCM's word.
        return _ACCEPTED if b'"name"' in body else _UNREADABLE
    error = _parse(body)
    apns_setup = _apns_setup(error)
    if apns_setup:
        return _third_party(apns_setup, platform)
    match error.code:
        case "UNREGISTERED":
            return Unregistered(reason="unregistered")
        case "SENDER_ID_MISMATCH":
            return Unregistered(reason="sender_mismatch")
        case "THIRD_PARTY_AUTH_ERROR" | "APNS_AUTH_ERROR":
            return _third_party(error.apns_reason or error.message, platform)
    from_apns = _from_apns(error, retry_after_seconds)
    if from_apns is not None:
        return from_apns
    end = _end(http_status, error)
    if end is not None:
        return Unregistered(reason=end)
    return _by_meaning(http_status, error, platform, retry_after_seconds)


def _by_meaning(
    http_status: int, error: _Error, platform: Platform, retry_after_seconds: float | None
) -> Outcome | StaleAccessToken:
    meaning = _meaning(http_status, error)
    match meaning:
        case "INVALID_ARGUMENT":
            is_big = "too big" in error.message.lower()
            reason = "payload_too_big" if is_big else "invalid_argument"
            return Rejected(reason=reason, detail=error.message)
        case "TOO_LARGE":
            return Rejected(reason="payload_too_big", detail=error.message)
        case "QUOTA_EXCEEDED":
            return _throttled(error, platform, retry_after_seconds)
        case "UNAUTHENTICATED":
            return StaleAccessToken()
        case "PERMISSION_DENIED":
            return _misconfigured(_word(error.info_reason) or "permission_denied", error)
        case "NOT_FOUND":
            return _misconfigured("not_found", error)
    if not meaning and error.code and 400 <= http_status < 500:
        # FCM's own new word for what is wrong with a push.
        return Rejected(reason=_word(error.code) or f"http_{http_status}", detail=error.message)
    return Unavailable(
        reason=meaning.lower() or f"http_{http_status}",
        retry_after_seconds=retry_after_seconds,
        maybe_accepted=http_status in _MAYBE_ACCEPTED or http_status < 300,
    )


def _meaning(http_status: int, error: _Error) -> str:
    """The error's meaning in one word; "": nobody has told us."""
    if error.code in _FCM_CODES:
        return error.code
    by_http = _BY_HTTP_STATUS.get(http_status, "")
    if http_status >= 500 or not error.is_googles:
        return by_http
    return _BY_STATUS.get(error.status) or by_http or ("INVALID_ARGUMENT" * (http_status == 400))


def _apns_setup(error: _Error) -> str:
    """What APNs says about the app's keys and topics, in Apple's word; "": nothing."""
    for text in (error.apns_reason, error.message, *(said for _, said in error.violations)):
        reason = apns_configuration(text)
        if reason:
            return reason
    return ""


def _from_apns(error: _Error, retry_after_seconds: float | None) -> Outcome | None:
    """What APNs' own reason means, where FCM passes one on that decides."""
    reason = error.apns_reason
    if reason in _APNS_DEAD:
        return Unregistered(reason=_APNS_DEAD[reason])
    if reason == "TooManyRequests":
        wait = QUOTA_SECONDS if retry_after_seconds is None else retry_after_seconds
        return Throttled(scope=ThrottleScope.DEVICE, retry_after_seconds=wait)
    if reason in _APNS_TROUBLE:
        return Unavailable(reason="apns_unavailable", retry_after_seconds=retry_after_seconds)
    if reason == "PayloadTooLarge":
        return Rejected(reason="payload_too_big", detail=error.message)
    return None


def _end(http_status: int, error: _Error) -> str | None:
    """Why the registration is dead, where FCM says that it is; None: it does not."""
    if http_status not in (400, 403, 404, 410) or is_type_fault(error.message):
        return None
    reason = reason_of_end(error.message)
    if reason is not None:
        return reason
    for field, description in error.violations:
        if field in _TOKEN_FIELDS and not is_type_fault(description):
            reason = reason_of_end(description)
            if reason is not None or error.code == "INVALID_ARGUMENT":
                return reason or "malformed_token"
    return None


def _throttled(error: _Error, platform: Platform, retry_after_seconds: float | None) -> Outcome:
    is_devices = limits_one_device(error.message) or any(
        subject.startswith("device:") or limits_one_device(description)
        for subject, description in error.quota
    )
    sentences = [
        error.message,
        *(f"{subject} {description}" for subject, description in error.quota),
    ]
    scope = ThrottleScope.DEVICE if is_devices else ThrottleScope.APP
    if platform is Platform.WEB and not is_devices and not any(map(limits_project, sentences)):
        # The push services of browsers limit whom they find disruptive, and FCM passes that on.
        scope = ThrottleScope.PLATFORM
    wait = QUOTA_SECONDS if retry_after_seconds is None else retry_after_seconds
    return Throttled(scope=scope, retry_after_seconds=wait)


def _third_party(detail: str, platform: Platform) -> Outcome:
    return Misconfigured(reason="third_party_auth", detail=detail, platforms=frozenset({platform}))


def _misconfigured(reason: str, error: _Error) -> Outcome:
    return Misconfigured(reason=reason, detail=error.message)


def _word(text: str) -> str:
    """Their code as one of our short words."""
    return re.sub(r"[^a-z0-9_]", "_", text.lower())[:WORD_CHARACTERS]


def _parse(body: bytes) -> _Error:
    try:
        wire: Any = msgspec.json.decode(body.removeprefix(BOM_UTF8))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        wire = None
    if isinstance(wire, list):
        wire = next(iter(_mappings(wire)), None)
    error = wire.get("error") if isinstance(wire, Mapping) else None
    if not isinstance(error, Mapping):
        error = {}
    details: dict[str, Mapping[str, Any]] = {}
    for detail in _mappings(error.get("details")):
        details.setdefault(_text(detail.get("@type")).rpartition(".")[2], detail)
    bad = details.get("BadRequest", {}).get("fieldViolations")
    quota = details.get("QuotaFailure", {}).get("violations")
    status = _text(error.get("status"))
    code = _text(details.get("FcmError", {}).get("errorCode"))
    message = _text(error.get("message"))[:DETAIL_CHARACTERS]
    return _Error(
        code=code or (status if status in _FCM_CODES - _BY_STATUS.keys() else ""),
        status=status,
        message=message,
        violations=tuple(
            (_text(entry.get("field")), _text(entry.get("description"))[:DETAIL_CHARACTERS])
            for entry in _mappings(bad)
        ),
        apns_reason=_text(details.get("ApnsError", {}).get("reason"))[:DETAIL_CHARACTERS],
        info_reason=_text(details.get("ErrorInfo", {}).get("reason")),
        quota=tuple(
            (_text(entry.get("subject")), _text(entry.get("description"))[:DETAIL_CHARACTERS])
            for entry in _mappings(quota)
        ),
        is_googles=bool(status or message or details),
    )


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
