"""Every error of the management API: its code, its status, what it means, and the cure.

An answer to an error is always `{"success": false, "code", "message"}`, with `faults` where single
fields are to blame; or, for who accepts `application/problem+json`, the same as a problem of RFC
9457. A message never holds a key, a token or what went on inside.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any, TypeVar

from clarion.faults import Fault, Rejected

RETRY_AFTER_SECONDS = 2
PROBLEM = "application/problem+json"

T = TypeVar("T")


class ErrorCode(StrEnum):
    """What scripts look at. The sentences beside it may change, the codes do not."""

    MALFORMED = "malformed"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    CONFLICT = "conflict"
    CAMPAIGN_STATE = "campaign_state"
    APPROVAL = "approval"
    DELIVERIES_REMOVED = "deliveries_removed"
    SOURCE_KEYS = "source_keys"
    BODY_TOO_LARGE = "body_too_large"
    INVALID = "invalid"
    INVALID_CAMPAIGN = "invalid_campaign"
    INVALID_CREDENTIALS = "invalid_credentials"
    SCHEDULE = "schedule"
    MERGE = "merge"
    CURSOR = "cursor"
    TOO_MANY_STREAMS = "too_many_streams"
    INTERNAL = "internal"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorMeaning:
    """What documentation says about a code."""

    status: int
    meaning: str
    cure: str


ERRORS: Mapping[ErrorCode, ErrorMeaning] = {
    ErrorCode.MALFORMED: ErrorMeaning(
        status=400,
        meaning="The body is not JSON, not an object, or holds a character that can not be stored.",
        cure="Send one JSON object in UTF-8, not compressed.",
    ),
    ErrorCode.UNAUTHORIZED: ErrorMeaning(
        status=401,
        meaning="There is no API key, or it is unknown or revoked.",
        cure="Send `Authorization: Bearer clk_…`; `clarion keys create NAME` makes a key. A "
        "source's write key is no API key.",
    ),
    ErrorCode.FORBIDDEN: ErrorMeaning(
        status=403,
        meaning="The API key lacks the scope that this call needs.",
        cure="Use a key with the scope that the message names.",
    ),
    ErrorCode.NOT_FOUND: ErrorMeaning(
        status=404,
        meaning="There is no such thing in this workspace, or no such path.",
        cure="Check the id; percent-encode it as one part of the path (a slash is %2F). An event "
        "that was accepted a moment ago is found once it is taken in.",
    ),
    ErrorCode.METHOD_NOT_ALLOWED: ErrorMeaning(
        status=405,
        meaning="The path is there, but does not know this method.",
        cure="Use a method that the answer's Allow header names.",
    ),
    ErrorCode.CONFLICT: ErrorMeaning(
        status=409,
        meaning="It has changed since it was looked at.",
        cure="Look again, then decide again.",
    ),
    ErrorCode.CAMPAIGN_STATE: ErrorMeaning(
        status=409,
        meaning="A campaign in this state can not take this step.",
        cure="Look at its `state`: only a draft is edited, only a paused campaign is resumed, and "
        "done and cancelled are final.",
    ),
    ErrorCode.APPROVAL: ErrorMeaning(
        status=409,
        meaning="Somebody else has to approve exactly what a campaign sends, and nobody has; or an "
        "approval can not be given.",
        cure="Propose the campaign as it is, and let somebody else approve it: nobody approves "
        "what they have proposed, and any change makes an approval stale.",
    ),
    ErrorCode.DELIVERIES_REMOVED: ErrorMeaning(
        status=410,
        meaning="The campaign's deliveries were removed, older than the workspace keeps them.",
        cure="Look at the campaign's report, which keeps the totals. To keep what is to come for "
        "longer: `clarion workspaces set-retention --deliveries DAYS`.",
    ),
    ErrorCode.SOURCE_KEYS: ErrorMeaning(
        status=409,
        meaning="The step would leave a source without a key that stands, or with too many.",
        cure="Make another key first, or retire one that nobody uses; to end all of them, revoke "
        "the source.",
    ),
    ErrorCode.BODY_TOO_LARGE: ErrorMeaning(
        status=413,
        meaning="The body is larger than 512 KiB.",
        cure="Send less; for an audience of more people set a trait and use it.",
    ),
    ErrorCode.INVALID: ErrorMeaning(
        status=422,
        meaning="Fields or parameters are wrong; `faults` names each with its cure.",
        cure="Put right what `faults` names.",
    ),
    ErrorCode.INVALID_CAMPAIGN: ErrorMeaning(
        status=422,
        meaning="The campaign's name, content or audience can not be; `faults` names all of it.",
        cure="Put right what `faults` names.",
    ),
    ErrorCode.INVALID_CREDENTIALS: ErrorMeaning(
        status=422,
        meaning="The body is no usable service-account key.",
        cure="Send the file from the Firebase console: Project settings, Service accounts, "
        "Generate new private key.",
    ),
    ErrorCode.SCHEDULE: ErrorMeaning(
        status=422,
        meaning="A campaign can not launch at this time.",
        cure='Send "now", or an ISO 8601 time with its offset that is not in the past.',
    ),
    ErrorCode.MERGE: ErrorMeaning(
        status=409,
        meaning="These two customers can not be merged as they are.",
        cure="The message says why: one is part of a merge already, or suppressed, or they are the "
        "same. Undo that, or merge others.",
    ),
    ErrorCode.CURSOR: ErrorMeaning(
        status=422,
        meaning="The cursor is none that this list has given.",
        cure="Use the `next` of the page before as it is, or none to begin.",
    ),
    ErrorCode.TOO_MANY_STREAMS: ErrorMeaning(
        status=429,
        meaning="This process serves as many streams as it can.",
        cure="End one, or come again after the seconds in Retry-After; a page of the newest is "
        "there without a stream.",
    ),
    ErrorCode.INTERNAL: ErrorMeaning(
        status=500,
        meaning="Clarion failed where it should not.",
        cure="Look for the id that the message names in Clarion's log, and report it.",
    ),
    ErrorCode.UNAVAILABLE: ErrorMeaning(
        status=503,
        meaning="The database or the broker can not do it now: lost server, full disk.",
        cure="Send the same again after the seconds in Retry-After. Nothing was changed.",
    ),
}


class ApiError(Exception):
    """Ends a call with an error of the list above."""

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        faults: Iterable[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.faults = list(faults)
        self.headers = dict(headers or {})

    @property
    def status(self) -> int:
        return ERRORS[self.code].status

    def body(self) -> dict[str, Any]:
        """The answer's JSON."""
        wire: dict[str, Any] = {"success": False, "code": self.code.value, "message": self.message}
        if self.faults:
            wire["faults"] = [
                {"field": fault.field, "message": fault.message} for fault in self.faults
            ]
        return wire

    def problem(self) -> dict[str, Any]:
        """The same as RFC 9457 has it: `code` and `faults` are members of ours beside its own."""
        wire = self.body()
        del wire["success"]
        status = HTTPStatus(self.status)
        own: dict[str, Any] = {"type": "about:blank", "title": status.phrase}
        return own | {"status": int(status), "detail": wire.pop("message")} | wire


def retry_after() -> dict[str, str]:
    """The header of an answer that may be another one soon."""
    return {"Retry-After": str(RETRY_AFTER_SECONDS)}


def not_found(what: str) -> ApiError:
    """What was asked for is not repeated: it may be a token, put in the wrong place."""
    return ApiError(ErrorCode.NOT_FOUND, f"There is no such {what} in this workspace.")


def invalid(faults: Iterable[Fault], code: ErrorCode = ErrorCode.INVALID) -> ApiError:
    """Faults of fields, all of them at once."""
    faults = list(faults)
    return ApiError(code, f"{faults[0].field} {faults[0].message}.", faults=faults)


def accepted(outcome: T | Rejected) -> T:
    """What a command or a query returned. Ends the call where that is Rejected."""
    if isinstance(outcome, Rejected):
        raise error_of(outcome)
    return outcome


def error_of(rejected: Rejected) -> ApiError:
    return ApiError(ErrorCode(rejected.code), rejected.message, faults=rejected.faults)
