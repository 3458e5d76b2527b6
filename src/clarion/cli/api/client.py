"""What commands ask of the management API, and what its answers mean to them."""

from collections.abc import AsyncGenerator, Mapping
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import msgspec

from clarion.cli.output import Ending, ExitCode, not_found

PREFIX = "/api/v1"
PAGE_MAX = 500
"""How many of a list the API tells in one answer at most."""

_HEADINGS = {"invalid_campaign": "The campaign can not be:", "schedule": "The time can not be:"}
"""What stands above faults that are told in full."""


class Api(Protocol):
    """The management API of one workspace."""

    @property
    def address(self) -> str:
        """Where people reach the console: scheme, host and port."""

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        name: object = "",
    ) -> Any:
        """The answer's JSON, decoded: times and ids are texts; None where the answer is empty.

        `path`: behind `/api/v1`, each part escaped. `query`: what is None is left out, and a list
        is a parameter given several times. `body`: what becomes JSON, or bytes that are it already.
        `headers`: further ones of the call. `name`: what was asked for, as it was typed. Ends the
        command where the API refuses.
        """

    def stream(
        self,
        path: str,
        *,
        media: str,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        name: object = "",
    ) -> AsyncGenerator[bytes]:
        """The bytes of a GET's answer, of the type `media`, as they come; to be closed by whoever
        has seen enough (`aclosing`). The rest is as in `call`."""


async def read_list(
    api: Api,
    path: str,
    *,
    query: Mapping[str, Any] | None = None,
    limit: int | None = None,
    name: object = "",
) -> list[dict[str, Any]]:
    """Everything in a list of the API, page by page; at most `limit`. None: the list has no limit,
    it is always one page. `name`: of what it is a list, as it was typed."""
    rows: list[dict[str, Any]] = []
    cursor = None
    while limit is None or len(rows) < limit:
        page: dict[str, Any] = {"cursor": cursor}
        if limit is not None:
            page["limit"] = min(limit - len(rows), PAGE_MAX)
        answer = await api.call("GET", path, query={**(query or {}), **page}, name=name)
        rows += answer["data"]
        cursor = answer["next"]
        if cursor is None:
            break
    return rows


def path_of(noun: str, name: str, what: str) -> str:
    """The path of the thing that is called `name`. Ends the command where nothing can be."""
    if not name:
        raise not_found(what, name)
    return f"/{noun}/{quote(name, safe='')}"


def content_of(body: Any) -> bytes:
    """The body of a call, as it is sent."""
    if body is None:
        return b""
    return body if isinstance(body, bytes) else msgspec.json.encode(body)


def query_of(query: Mapping[str, Any] | None) -> str:
    """The query of a call, as it stands behind the question mark."""
    asked = {name: value for name, value in (query or {}).items() if value is not None}
    return urlencode(asked, doseq=True)


def result_of(status: int, body: bytes, *, name: object = "", address: str = "") -> Any:
    """The JSON of an answer. Ends the command where it is an error, or no answer of Clarion's.
    `address`: who has answered, where that is another machine."""
    answer = _decoded(body)
    if 200 <= status < 300 and (answer is not None or not body):
        return answer
    if not isinstance(answer, dict) or not {"code", "message"} <= set(answer):
        raise Ending(
            ExitCode.UNAVAILABLE,
            f"What answers at {address} (CLARION_URL) is not Clarion's API, or a proxy before it "
            f"fails: status {status} {_phrase(status)}.",
            word="unavailable",
        )
    raise _ending_of(status, answer, name, address)


def _ending_of(status: int, answer: Mapping[str, Any], name: object, address: str) -> Ending:
    """What an error of the API means to a command: its exit code, and the cure."""
    word, message = str(answer["code"]), str(answer["message"])
    faults = [(fault["field"], fault["message"]) for fault in answer.get("faults", ())]
    match status:
        case HTTPStatus.UNAUTHORIZED:
            code = ExitCode.USAGE
            message = (
                f"CLARION_API_KEY is no API key that {address} knows, or it is revoked there: "
                "`clarion keys create NAME --scope admin` makes one, on the machine that runs "
                "Clarion."
            )
        case HTTPStatus.FORBIDDEN:
            code = ExitCode.REFUSED
            if address:
                message = f"{message} CLARION_API_KEY is of a key that may do less."
        case HTTPStatus.NOT_FOUND:
            code = ExitCode.NOT_FOUND
            message = f"{message.removesuffix('.')}: {name}." if name else message
        case HTTPStatus.SERVICE_UNAVAILABLE | HTTPStatus.TOO_MANY_REQUESTS:
            code = ExitCode.UNAVAILABLE
        case _ if status >= 500:
            code = ExitCode.FAILURE
        case _:
            code = ExitCode.REFUSED
            message = _HEADINGS.get(word, message)
    return Ending(code, message, word=word, faults=faults)


def workspace_of_another_key(workspace: Mapping[str, Any], wanted: str) -> Ending:
    """Ends a command that asks for another workspace than its API key opens."""
    return Ending(
        ExitCode.USAGE,
        f"CLARION_API_KEY opens the workspace {workspace['name']} ({workspace['id']}), not "
        f"{wanted}: use a key of that one.",
        word="usage",
    )


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except ValueError:
        return None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
