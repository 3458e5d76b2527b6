"""Whatever ends a call, as one of the errors of `errors.py`."""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, get_args

import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.typing import FieldDefinition

from clarion.broker import BrokerUnavailable
from clarion.faults import Fault
from clarion.storage.database import StorageUnavailable, is_conflict
from clarion.web.api.bodies import BODY_BYTES_MAX, wrong_field
from clarion.web.api.errors import (
    PROBLEM,
    ApiError,
    ErrorCode,
    invalid,
    not_found,
    retry_after,
)
from clarion.web.request_id import REQUEST_ID

log = structlog.get_logger(__name__)

_PARAMETER = re.compile(r"Missing required (?:query )?parameter '(\w+)'")


def _from_api(request: Request[Any, Any, Any], error: ApiError) -> Response[Any]:
    if request.accept.best_match([MediaType.JSON, PROBLEM]) == PROBLEM:
        return Response(
            error.problem(), status_code=error.status, headers=error.headers, media_type=PROBLEM
        )
    return Response(error.body(), status_code=error.status, headers=error.headers)


def _from_outage(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    log.warning("api_unavailable", reason=str(error))
    what = "broker" if isinstance(error, BrokerUnavailable) else "database"
    return _from_api(
        request,
        ApiError(
            ErrorCode.UNAVAILABLE,
            f"The {what} can not do it now: send the same again later.",
            headers=retry_after(),
        ),
    )


def _from_parameters(request: Request[Any, Any, Any], error: ValidationException) -> Response[Any]:
    """What is wrong with parameters of the query; bodies are checked in `bodies.py`."""
    fields = request.route_handler.parsed_fn_signature.parameters
    faults = []
    for problem in error.extra or ():
        if isinstance(problem, Mapping):
            key = str(problem.get("key", ""))
            definition = fields[key].kwarg_definition if key in fields else None
            name = getattr(definition, "name", None) or key
            faults.append(_among(fields.get(key), wrong_field(str(problem["message"]), name)))
    missing = _PARAMETER.search(error.detail)
    if missing:
        faults = [Fault(field=missing[1], message="is missing: name it in the query")]
    return _from_api(request, invalid(faults or [Fault(field="query", message="can not be read")]))


def _among(field: FieldDefinition | None, fault: Fault) -> Fault:
    """The fault, with what there is where only some words are known."""
    kinds = () if field is None else (field.annotation, *get_args(field.annotation))
    words = [str(member) for kind in kinds if isinstance(kind, type(Enum)) for member in kind]
    if not words or not fault.message.startswith("is unknown"):
        return fault
    return Fault(field=fault.field, message=f"must be one of {', '.join(words)}")


def _from_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    match error.status_code:
        case 404:
            answer = not_found("path")
        case 405:
            answer = ApiError(
                ErrorCode.METHOD_NOT_ALLOWED,
                f"The path is there, but not for {request.method}.",
                headers=error.headers,
            )
        case 413:
            answer = ApiError(
                ErrorCode.BODY_TOO_LARGE, f"The body is larger than {BODY_BYTES_MAX} bytes."
            )
        case status if status < 500:
            answer = ApiError(ErrorCode.MALFORMED, f"The call can not be read: {error.detail}.")
        case _:
            return _from_defect(request, error)
    return _from_api(request, answer)


def _from_defect(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    if is_conflict(error):
        return _from_outage(request, error)
    defect_id = str(request.scope.get(REQUEST_ID))
    log.error(
        "api_failed",
        id=defect_id,
        method=request.method,
        route=request.scope.get("path_template"),
        exc_info=error,
    )
    return _from_api(
        request,
        ApiError(
            ErrorCode.INTERNAL,
            f"Clarion failed where it should not; its log tells of it under the id {defect_id}.",
        ),
    )


def _raised(_request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    raise error


_REFUSALS: dict[int | type[Exception], Any] = {
    ApiError: _from_api,
    ValidationException: _from_parameters,
    HTTPException: _from_http,
}
EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    **_REFUSALS,
    StorageUnavailable: _from_outage,
    BrokerUnavailable: _from_outage,
    Exception: _from_defect,
}
IN_PROCESS_HANDLERS: dict[int | type[Exception], Any] = {**_REFUSALS, Exception: _raised}
"""For a caller in the same process, who is to know what has failed, and why."""
