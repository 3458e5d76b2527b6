"""FCM's answers, with the bodies that were seen from it. Pure."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import msgspec

_FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_APNS_ERROR = "type.googleapis.com/google.firebase.fcm.v1.ApnsError"
_BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
_QUOTA_FAILURE = "type.googleapis.com/google.rpc.QuotaFailure"
_ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"


class Manner(StrEnum):
    """How a reply is given."""

    ANSWER = "answer"
    NEVER = "never"
    CUT = "cut"
    """Every connection is cut instead."""
    REFUSE = "refuse"
    """RST_STREAM REFUSED_STREAM instead."""
    GO_AWAY = "go_away"
    """GOAWAY instead: the request was not looked at."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    retry_after: int | None = None
    name: str = ""
    """What it is counted as."""
    manner: Manner = Manner.ANSWER
    delay: float = 0.0
    """Seconds to wait before it is given."""
    is_html: bool = False
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """Beyond the usual ones."""


def accepted(message_name: str) -> Reply:
    return Reply(200, b'{"name":"%b"}' % message_name.encode(), name="accepted")


def malformed_token(*, has_field: bool = False) -> Reply:
    message = "The registration token is not a valid FCM registration token"
    violated = [_bad_request(("message.token", message))] if has_field else []
    return _error(
        "malformed_token",
        400,
        "INVALID_ARGUMENT",
        message,
        [*violated, _fcm("INVALID_ARGUMENT")],
    )


def invalid_token() -> Reply:
    """The words of a log of 2026, without any violation."""
    return _error(
        "malformed_token",
        400,
        "INVALID_ARGUMENT",
        "Invalid registration token",
        [_fcm("INVALID_ARGUMENT")],
    )


def apns_token_disabled(*, has_reason: bool = True) -> Reply:
    reason = [_apns(410, "Unregistered")] if has_reason else []
    return _error(
        "apns_dead", 400, "INVALID_ARGUMENT", APNS_DISABLED, [_fcm("INVALID_ARGUMENT"), *reason]
    )


def unregistered(apns_reason: str = "", message: str = "NotRegistered") -> Reply:
    """In the words that were seen since August 2026, if no others are given."""
    apns = [_apns(410, apns_reason)] if apns_reason else []
    return _error("unregistered", 404, "NOT_FOUND", message, [_fcm("UNREGISTERED"), *apns])


def sender_mismatch() -> Reply:
    return _error(
        "sender_mismatch",
        403,
        "PERMISSION_DENIED",
        "SenderId mismatch",
        [_fcm("SENDER_ID_MISMATCH")],
    )


def too_big(message: str = "Android message is too big") -> Reply:
    return _error(
        "too_big",
        400,
        "INVALID_ARGUMENT",
        message,
        [{"@type": _BAD_REQUEST}, _fcm("INVALID_ARGUMENT")],
    )


def too_big_unexplained() -> Reply:
    """What was seen as well: no details, and words that fit anything."""
    return _error("too_big", 400, "INVALID_ARGUMENT", INVALID, [])


def no_target() -> Reply:
    return invalid_argument("message", "Recipient of the message is not set.")


def invalid_argument(where: str, description: str, message: str = "") -> Reply:
    return _error(
        "invalid",
        400,
        "INVALID_ARGUMENT",
        message or description,
        [_bad_request((where, description)), _fcm("INVALID_ARGUMENT")],
    )


def apns_bad_token_unexplained() -> Reply:
    """The reason as the message, and nothing else."""
    details = [_fcm("INVALID_ARGUMENT")]
    return _error("apns_bad_token", 400, "INVALID_ARGUMENT", "BadDeviceToken", details)


def apns_bad_token(reason: str = "BadDeviceToken") -> Reply:
    return _error(
        "apns_bad_token",
        400,
        "INVALID_ARGUMENT",
        INVALID,
        [_apns(400, reason), _fcm("INVALID_ARGUMENT")],
    )


def apns_refuses(reason: str, status: int = 400) -> Reply:
    """What is wrong with the message itself, in APNs' word for it."""
    name = "too_big" if reason == "PayloadTooLarge" else "invalid"
    details = [_apns(status, reason), _fcm("INVALID_ARGUMENT")]
    return _error(name, 400, "INVALID_ARGUMENT", INVALID, details)


def invalid_json(*violations: tuple[str, str]) -> Reply:
    """(field, description) of each. Google's front door says this: there is no FcmError."""
    return _error(
        "invalid",
        400,
        "INVALID_ARGUMENT",
        "\n".join(description for _, description in violations),
        [_bad_request(*violations)],
    )


def quota_exceeded(
    subject: str, retry_after: int | None, description: str = "Message rate exceeded"
) -> Reply:
    return _error(
        "throttled",
        429,
        "RESOURCE_EXHAUSTED",
        description,
        [
            _fcm("QUOTA_EXCEEDED"),
            {
                "@type": _QUOTA_FAILURE,
                "violations": [{"subject": subject, "description": description}],
            },
        ],
        retry_after,
    )


def unavailable(retry_after: int | None = None) -> Reply:
    return _error(
        "unavailable",
        503,
        "UNAVAILABLE",
        "The service is currently unavailable.",
        [_fcm("UNAVAILABLE")],
        retry_after,
    )


def internal() -> Reply:
    return _error("internal", 500, "INTERNAL", "Internal error encountered.", [_fcm("INTERNAL")])


def bad_gateway() -> Reply:
    return Reply(502, _page("Error 502 (Server Error)!!1", _TRY_AGAIN), name="html", is_html=True)


def bodyless(status: int) -> Reply:
    """A status and nothing else, as single pushes were answered."""
    return Reply(status, b"", name="bodyless")


def forbidden() -> Reply:
    """A page that says no, of whatever stands before FCM."""
    page = _page("Error 403 (Forbidden)!!1", "Your client does not have permission to do that.")
    return Reply(403, page, name="forbidden", is_html=True)


def cancelled() -> Reply:
    """Of Google's shared front end under load: the push may have been taken."""
    return _error("cancelled", 499, "CANCELLED", "The operation was cancelled.", [])


def aborted() -> Reply:
    return _error("aborted", 409, "ABORTED", "The operation was aborted.", [])


def marked(reply: Reply) -> Reply:
    """The same after a byte order mark."""
    return replace(reply, body="\ufeff".encode() + reply.body)


def wrapped(reply: Reply) -> Reply:
    """The same as the only item of an array."""
    return replace(reply, body=b"[" + reply.body + b"]")


def not_found() -> Reply:
    """Google's answer to a path that it does not know."""
    page = _page("Error 404 (Not Found)!!1", "The requested URL was not found on this server.")
    return Reply(404, page, name="not_found", is_html=True)


def third_party_auth(
    apns_reason: str | None = "InvalidProviderToken",
    message: str = "Auth error from APNS or Web Push Service",
) -> Reply:
    """`apns_reason` None: it was Web Push that said no."""
    apns = [_apns(403, apns_reason)] if apns_reason else []
    return _error(
        "third_party_auth",
        401,
        "UNAUTHENTICATED",
        message,
        [_fcm("THIRD_PARTY_AUTH_ERROR"), *apns],
    )


def credentials_missing() -> Reply:
    return _error(
        "unauthenticated",
        401,
        "UNAUTHENTICATED",
        MISSING_CREDENTIALS,
        [_info("CREDENTIALS_MISSING")],
    )


def credentials_invalid() -> Reply:
    return _error("unauthenticated", 401, "UNAUTHENTICATED", _INVALID_CREDENTIALS, [])


def access_token_expired() -> Reply:
    return _error(
        "unauthenticated",
        401,
        "UNAUTHENTICATED",
        _INVALID_CREDENTIALS,
        [_info("ACCESS_TOKEN_EXPIRED")],
    )


def permission_denied(project: str, permission: str = "cloudmessaging.messages.create") -> Reply:
    return _error(
        "permission_denied",
        403,
        "PERMISSION_DENIED",
        f"Permission '{permission}' denied on resource "
        f"'//cloudresourcemanager.googleapis.com/projects/{project}' (or it may not exist).",
        [_info("IAM_PERMISSION_DENIED")],
    )


def service_disabled(project: str) -> Reply:
    message = (
        f"Firebase Cloud Messaging API has not been used in project {project} before or it is "
        "disabled. Enable it by visiting https://console.developers.google.com/apis/api/"
        f"fcm.googleapis.com/overview?project={project} then retry. If you enabled this API "
        "recently, wait a few minutes for the action to propagate to our systems and retry."
    )
    return _error(
        "service_disabled", 403, "PERMISSION_DENIED", message, [_info("SERVICE_DISABLED")]
    )


def unspecified() -> Reply:
    """A code that says nothing; the status gives its class."""
    return _error("unspecified", 500, "UNKNOWN", "Unknown error.", [_fcm("UNSPECIFIED_ERROR")])


def missing() -> Reply:
    """Nothing of that name, where no registration is concerned."""
    return _error("missing", 404, "NOT_FOUND", NO_SUCH_ENTITY, [])


def already_exists() -> Reply:
    return _error("already_exists", 409, "ALREADY_EXISTS", "Requested entity already exists", [])


def too_many_topics() -> Reply:
    return _error(
        "too_many_topics",
        429,
        "RESOURCE_EXHAUSTED",
        "The registration is subscribed to too many topics.",
        [],
    )


INVALID = "Request contains an invalid argument."
APNS_DISABLED = "APNs device token is disabled."
NO_SUCH_ENTITY = "Requested entity was not found."
MISSING_CREDENTIALS = (
    "Request is missing required authentication credential. Expected OAuth 2 access token, "
    "login cookie or other valid authentication credential. See "
    "https://developers.google.com/identity/sign-in/web/devconsole-project."
)
_TRY_AGAIN = (
    "The server encountered a temporary error and could not complete your request."
    "<p>Please try again in 30 seconds."
)
_INVALID_CREDENTIALS = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie "
    "or other valid authentication credential. See "
    "https://developers.google.com/identity/sign-in/web/devconsole-project."
)


def _page(title: str, text: str) -> bytes:
    return (
        f"<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n  <title>{title}</title>\n"
        f"  <p><b>{title[6:9]}.</b> <ins>That’s an error.</ins>\n  <p>{text}  "
        "<ins>That’s all we know.</ins>\n"
    ).encode()


def _fcm(code: str) -> dict[str, Any]:
    return {"@type": _FCM_ERROR, "errorCode": code}


def _apns(status: int, reason: str) -> dict[str, Any]:
    return {"@type": _APNS_ERROR, "statusCode": status, "reason": reason}


def _bad_request(*violations: tuple[str, str]) -> dict[str, Any]:
    return {
        "@type": _BAD_REQUEST,
        "fieldViolations": [
            {"field": field, "description": text} if field else {"description": text}
            for field, text in violations
        ],
    }


def _info(reason: str) -> dict[str, Any]:
    return {
        "@type": _ERROR_INFO,
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {
            "method": "google.firebase.fcm.v1.FcmService.SendMessage",
            "service": "fcm.googleapis.com",
        },
    }


def _error(
    name: str,
    code: int,
    status: str,
    message: str,
    details: list[dict[str, Any]],
    retry_after: int | None = None,
) -> Reply:
    error: dict[str, Any] = {"code": code, "message": message, "status": status}
    if details:
        error["details"] = details
    return Reply(code, msgspec.json.encode({"error": error}), retry_after, name)
