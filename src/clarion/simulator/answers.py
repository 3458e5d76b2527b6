"""FCM's answers, with the bodies that were seen from it. Pure."""

from dataclasses import dataclass
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


def accepted(message_name: str) -> Reply:
    return Reply(200, b'{"name":"%b"}' % message_name.encode(), name="accepted")


def malformed_token() -> Reply:
    return _error(
        "malformed_token",
        400,
        "INVALID_ARGUMENT",
        "The registration token is not a valid FCM registration token",
        [_fcm("INVALID_ARGUMENT")],
    )


def apns_token_disabled() -> Reply:
    return _error(
        "apns_dead",
        400,
        "INVALID_ARGUMENT",
        "APNs device token is disabled.",
        [
            _fcm("INVALID_ARGUMENT"),
            {"@type": _APNS_ERROR, "statusCode": 410, "reason": "Unregistered"},
        ],
    )


def unregistered() -> Reply:
    return _error(
        "unregistered",
        404,
        "NOT_FOUND",
        "Requested entity was not found.",
        [_fcm("UNREGISTERED")],
    )


def sender_mismatch() -> Reply:
    return _error(
        "sender_mismatch",
        403,
        "PERMISSION_DENIED",
        "SenderId mismatch",
        [_fcm("SENDER_ID_MISMATCH")],
    )


def too_big() -> Reply:
    return _error(
        "too_big",
        400,
        "INVALID_ARGUMENT",
        "Android message is too big",
        [{"@type": _BAD_REQUEST}, _fcm("INVALID_ARGUMENT")],
    )


def no_target() -> Reply:
    return _error(
        "invalid",
        400,
        "INVALID_ARGUMENT",
        "Recipient of the message is not set.",
        [
            {
                "@type": _BAD_REQUEST,
                "fieldViolations": [
                    {"field": "message", "description": "Recipient of the message is not set."}
                ],
            },
            _fcm("INVALID_ARGUMENT"),
        ],
    )


def invalid_argument(where: str, description: str) -> Reply:
    return _error(
        "invalid",
        400,
        "INVALID_ARGUMENT",
        description,
        [
            {
                "@type": _BAD_REQUEST,
                "fieldViolations": [{"field": where, "description": description}],
            },
            _fcm("INVALID_ARGUMENT"),
        ],
    )


def apns_bad_token() -> Reply:
    return _error(
        "apns_bad_token",
        400,
        "INVALID_ARGUMENT",
        "Request contains an invalid argument.",
        [
            {"@type": _APNS_ERROR, "statusCode": 400, "reason": "BadDeviceToken"},
            _fcm("INVALID_ARGUMENT"),
        ],
    )


def invalid_json(*violations: tuple[str, str]) -> Reply:
    """(field, description) of each. Google's front door says this: there is no FcmError."""
    return _error(
        "invalid",
        400,
        "INVALID_ARGUMENT",
        "\n".join(description for _, description in violations),
        [
            {
                "@type": _BAD_REQUEST,
                "fieldViolations": [
                    {"field": field, "description": text} if field else {"description": text}
                    for field, text in violations
                ],
            }
        ],
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


def not_found() -> Reply:
    """Google's answer to a path that it does not know."""
    page = _page("Error 404 (Not Found)!!1", "The requested URL was not found on this server.")
    return Reply(404, page, name="not_found", is_html=True)


def third_party_auth() -> Reply:
    return _error(
        "third_party_auth",
        401,
        "UNAUTHENTICATED",
        "Auth error from APNS or Web Push Service",
        [
            _fcm("THIRD_PARTY_AUTH_ERROR"),
            {"@type": _APNS_ERROR, "statusCode": 403, "reason": "InvalidProviderToken"},
        ],
    )


def credentials_missing() -> Reply:
    return _error(
        "unauthenticated",
        401,
        "UNAUTHENTICATED",
        "Request is missing required authentication credential. Expected OAuth 2 access token, "
        "login cookie or other valid authentication credential. See "
        "https://developers.google.com/identity/sign-in/web/devconsole-project.",
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


def permission_denied(project: str) -> Reply:
    return _error(
        "permission_denied",
        403,
        "PERMISSION_DENIED",
        "Permission 'cloudmessaging.messages.create' denied on resource "
        f"'//cloudresourcemanager.googleapis.com/projects/{project}' (or it may not exist).",
        [_info("IAM_PERMISSION_DENIED")],
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
