"""Bodies that a browser sends, and how a call ends that did not go well."""

from typing import Any, TypeVar

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from clarion.broker import BrokerUnavailable
from clarion.faults import Fault, Rejected, invalid
from clarion.storage.database import StorageUnavailable, is_conflict

STATUSES = {
    "malformed": 400,
    "unauthorized": 401,
    "sign_in": 401,
    "forbidden": 403,
    "csrf": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "invalid": 422,
    "too_many_tries": 429,
    "internal": 500,
    "unavailable": 503,
}
RETRY_AFTER_SECONDS = {"too_many_tries": 900, "unavailable": 2}

T = TypeVar("T")
Body = TypeVar("Body", bound=msgspec.Struct)

log = structlog.get_logger(__name__)


class ConsoleError(Exception):
    """Ends a call."""

    def __init__(self, rejected: Rejected) -> None:
        super().__init__(rejected.message)
        self.rejected = rejected


def accepted(outcome: T | Rejected) -> T:
    """What a command or a query returned. Ends the call where that is Rejected."""
    if isinstance(outcome, Rejected):
        raise ConsoleError(outcome)
    return outcome


async def read(request: Request[Any, Any, Any], kind: type[Body]) -> Body:
    """The body, one JSON object of texts. Ends the call where it is none."""
    try:
        body = msgspec.json.decode(await request.body(), type=kind)
    except msgspec.ValidationError as error:
        raise ConsoleError(invalid(Fault("body", f"can not be ({error})"))) from None
    except (ValueError, RecursionError):
        raise ConsoleError(Rejected("malformed", "The body is not a JSON object.")) from None
    for name in body.__struct_fields__:
        value = getattr(body, name)
        if isinstance(value, str) and "\x00" in value:
            raise ConsoleError(invalid(Fault(name, "holds a character that can not be stored")))
    return body


def _end(_request: Request[Any, Any, Any], error: ConsoleError) -> Response[Any]:
    rejected = error.rejected
    body: dict[str, Any] = {"success": False, "code": rejected.code, "message": rejected.message}
    if rejected.faults:
        body["faults"] = [
            {"field": fault.field, "message": fault.message} for fault in rejected.faults
        ]
    seconds = RETRY_AFTER_SECONDS.get(rejected.code)
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return Response(body, status_code=STATUSES[rejected.code], headers=headers)


def _from_outage(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    log.warning("console_unavailable", reason=str(error))
    message = "The database can not do it now: send the same again later."
    return _end(request, ConsoleError(Rejected("unavailable", message)))


def _from_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    if error.status_code >= 500:
        return _from_defect(request, error)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "malformed")
    answer = _end(request, ConsoleError(Rejected(code, f"The call can not be: {error.detail}.")))
    answer.headers.update(error.headers or {})  # which methods there are
    return answer


def _from_defect(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    if is_conflict(error):
        return _from_outage(request, error)
    log.error("console_failed", route=request.scope.get("path_template"), exc_info=error)
    message = "Clarion failed where it should not; its log tells of it."
    return _end(request, ConsoleError(Rejected("internal", message)))


EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    ConsoleError: _end,
    StorageUnavailable: _from_outage,
    BrokerUnavailable: _from_outage,
    HTTPException: _from_http,
    Exception: _from_defect,
}
