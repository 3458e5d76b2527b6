"""FCM's answers, with the bodies that were seen from it. Pure."""

from dataclasses import dataclass
from typing import Any

import msgspec

_FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_APNS_ERROR = "type.googleapis.com/google.firebase.fcm.v1.ApnsError"
_BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
_QUOTA_FAILURE = "type.googleapis.com/google.rpc.QuotaFailure"
_ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    retry_after: int | None = None
    name: str = ""
    """What it is counted as."""


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


def invalid_json(description: str, where: str = "message") -> Reply:
    return _error(
        "invalid",
        400,
        "INVALID_ARGUMENT",
        description,
        [
            {
                "@type": _BAD_REQUEST,
                "fieldViolations": [{"field": where, "description": description}],
            }
        ],
    )


def quota_exceeded(project: str, retry_after: int | None) -> Reply:
    return _error(
        "throttled",
        429,
        "RESOURCE_EXHAUSTED",
        "Message rate exceeded",
        [
            _fcm("QUOTA_EXCEEDED"),
            {
                "@type": _QUOTA_FAILURE,
                "violations": [
                    {"subject": f"project:{project}", "description": "Message rate exceeded"}
                ],
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


def third_party_auth() -> Reply:
    return _error(
        "third_party_auth",
        401,
        "UNAUTHENTICATED",
        "Auth error from APNS or Web Push Service",
        [_fcm("THIRD_PARTY_AUTH_ERROR")],
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


_INVALID_CREDENTIALS = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie "
    "or other valid authentication credential. See "
    "https://developers.google.com/identity/sign-in/web/devconsole-project."
)


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
