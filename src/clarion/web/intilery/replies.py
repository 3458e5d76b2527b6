"""What Intilery's server API answers: success, and its two shapes of error.

Who sends hears `{"success": false, "message": …}`, with Clarion's code beside it; who reads hears
`{"error": {"code": …, "message": …}}`.
"""

from enum import StrEnum
from typing import Any

import msgspec

from clarion.web.sdk.replies import JSON, Headers, send_body
from clarion.web.server import Send

NO_STORE = (b"cache-control", b"no-store")


class ReadFault(StrEnum):
    """Why a reading call is refused."""

    AUTHENTICATION = "authentication_error"
    INVALID_REQUEST = "invalid_request_error"
    VALIDATION = "validation_error"
    NOT_FOUND = "not_found"
    RATE_LIMIT = "rate_limit_error"
    SERVER = "internal_server_error"


STATUSES = {
    ReadFault.AUTHENTICATION: 401,
    ReadFault.INVALID_REQUEST: 400,
    ReadFault.VALIDATION: 400,
    ReadFault.NOT_FOUND: 404,
    ReadFault.RATE_LIMIT: 429,
    ReadFault.SERVER: 503,
}


class ReadRefused(Exception):
    """Ends a reading call with an error."""

    def __init__(
        self, fault: ReadFault, message: str, *, retry_after_seconds: int | None = None
    ) -> None:
        super().__init__(message)
        self.fault = fault
        self.message = message
        self.retry_after_seconds = retry_after_seconds


async def send_json(send: Send, status: int, value: Any, more: Headers | None = None) -> None:
    await send_body(send, status, msgspec.json.encode(value), [JSON, NO_STORE, *(more or [])])


async def send_refusal(
    send: Send, status: int, code: str, message: str, more: Headers | None = None
) -> None:
    """To who sends events."""
    await send_json(send, status, {"success": False, "code": code, "message": message}, more)


async def send_read_refused(send: Send, refused: ReadRefused) -> None:
    """To who reads."""
    error = {"code": refused.fault.value, "message": refused.message}
    seconds = refused.retry_after_seconds
    again = None if seconds is None else [(b"retry-after", str(seconds).encode())]
    await send_json(send, STATUSES[refused.fault], {"error": error}, again)
