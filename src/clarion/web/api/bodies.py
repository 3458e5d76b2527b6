"""Bodies of calls: one JSON object, checked, and what is wrong with it in our words."""

import re
from typing import Any, TypeVar

import msgspec
from litestar import Request

from clarion.faults import Fault
from clarion.web.api.errors import ApiError, ErrorCode, invalid

BODY_BYTES_MAX = 524_288
"""512 KiB."""

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_AT = re.compile(r" - at `(?:key in )?\$\.?(.*)`$")
_MISSING = re.compile(r"Object missing required field `(.+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(.+)`")
_KIND = re.compile(r"Expected `(.+)`, got `(.+)`")
_ENUM = re.compile(r"Invalid enum value (.+)")
_BOUND = re.compile(r"Expected `(?:int|float)` (>=|<=) (\S+)")
_LENGTH = re.compile(r"Expected `.+` of length (.+)")
_KINDS = {
    "str": "a text",
    "int": "a whole number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "uuid": "an id",
    "null": "null",
}

T = TypeVar("T", bound=msgspec.Struct)


async def read(request: Request[Any, Any, Any], kind: type[T], *, may_be_empty: bool = False) -> T:
    """The body as a `kind`; an empty one, where it may be, as `{}`. Ends the call with what is
    wrong with it."""
    body = await request.body()
    if may_be_empty and not body.strip():
        body = b"{}"
    _check(body)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise _refused(str(error)) from None
    except (ValueError, RecursionError):
        raise _malformed("The body is not valid JSON in UTF-8.") from None


async def read_object(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """The body as an object whose members are checked elsewhere."""
    body = await request.body()
    _check(body)
    try:
        wire = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        raise _malformed("The body is not valid JSON in UTF-8.") from None
    if not isinstance(wire, dict):
        raise _malformed("The body must be a JSON object.")
    return wire


def wrong_field(text: str, where: str = "") -> Fault:
    """msgspec's complaint as a fault; `where`: the field, if the complaint does not name it."""
    at = _AT.search(text)
    where = at[1] if at else where
    complaint = text[: at.start()] if at else text
    if missing := _MISSING.fullmatch(complaint) or _UNKNOWN.fullmatch(complaint):
        field = f"{where}.{missing[1]}".lstrip(".")
        return Fault(field=field, message="is missing" if "missing" in complaint else "is unknown")
    if kind := _KIND.fullmatch(complaint):
        wanted = [_KINDS.get(expected, expected) for expected in kind[1].split(" | ")]
        return Fault(field=where, message="must be " + " or ".join(wanted))
    if _ENUM.fullmatch(complaint):
        return Fault(field=where, message="is unknown: the API's description lists what there is")
    if bound := _BOUND.fullmatch(complaint):
        least = "least" if bound[1] == ">=" else "most"
        return Fault(field=where, message=f"must be at {least} {bound[2]}")
    if length := _LENGTH.fullmatch(complaint):
        return Fault(field=where, message=f"must have a length {length[1]}")
    return Fault(field=where, message=f"can not be ({complaint})" if complaint else "can not be")


def _check(body: bytes) -> None:
    if not body.strip():
        raise _malformed("The body is empty: send a JSON object.")
    if _NUL.search(body):
        raise _malformed("The body holds the character \\u0000, which can not be stored.")


def _refused(text: str) -> ApiError:
    if text.startswith("Expected `object`") and " - at " not in text:
        return _malformed("The body must be a JSON object.")
    return invalid([wrong_field(text)])


def _malformed(message: str) -> ApiError:
    return ApiError(ErrorCode.MALFORMED, message)
