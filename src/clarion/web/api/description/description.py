"""What the API says of itself: OpenAPI 3.1, made from the handlers, and a page to browse it.

Litestar knows paths and parameters, and renders the page; msgspec knows what goes over the wire;
`errors.py` knows what can go wrong. Nothing is written down twice.
"""

import inspect
from collections.abc import Iterable, Iterator
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.constants import OPENAPI_JSON_HANDLER_NAME
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import RapidocRenderPlugin
from litestar.params import PathParameter
from litestar.routes import HTTPRoute

from clarion import __version__
from clarion.web.api.description.examples import EXAMPLES
from clarion.web.api.errors import ERRORS, PROBLEM, RETRY_AFTER_SECONDS, ErrorCode
from clarion.web.api.gate import (
    ALSO,
    BODY,
    MAY_BE_GONE,
    MAY_CONFLICT,
    MEDIA,
    PUBLIC,
    STREAM,
    Parts,
    caller_of,
    needed_scope,
)
from clarion.web.api.health import livez, readyz
from clarion.web.api.routes import api_router

OPENAPI = "3.1.0"
_SECURITY = "apiKey"
_SCHEMAS = "#/components/schemas/"
_RAPIDOC = Path(__file__).with_name("vendor") / "rapidoc-9.3.8.min.js.gz"
"""The file of that name in the npm package `rapidoc`, as it is there."""
_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SCRIPT_KEPT_SECONDS = 86_400
_TAGS = {
    "firebase-apps": "The Firebase projects we hold a service-account key for.",
    "sources": "The apps that send events, each with its write key.",
    "keys": "API keys: what scripts and people call with.",
    "customers": "Whom we know, and what they did.",
    "devices": "Where customers can be reached.",
    "freshness": "How long ago devices were registered, and what is removed for it.",
    "events": "What apps sent.",
    "imports": "Past events, and with them customers and devices, that come in.",
    "exports": "The same, as records, that go out.",
    "audiences": "Named sets of customers, whom campaigns are for.",
    "campaigns": "What to say to whom, when, and what became of it.",
    "pushes": "One push to one customer, at once.",
    "deliveries": "What became of each push.",
    "workspace": "The isolated set of all of this that an API key belongs to.",
    "people": "Who works in this workspace, in which role, and who is invited.",
    "audit": "Who did what to which thing, and when.",
    "health": "What an orchestrator asks.",
}
_ABOUT = """Everything that people and scripts do with Clarion.

Send `Authorization: Bearer clk_…`. Each scope of a key includes those before it: `read` looks,
`write` changes campaigns and makes sources, `admin` lets in and shuts out: keys, revoked sources,
who may send, Firebase apps, the workspace, erasing and merging. Lists come in pages: the `next` of
a page is the `cursor` of the one after. Times are ISO 8601 in UTC. A part of a path is
percent-encoded: the user id `a/b` is `a%2Fb`.

Every answer has an `X-Request-Id`: the one of the call, if that sent one of up to 128 letters,
digits, `.`, `_` and `-`. The audit log keeps it.

An error is always `{"success": false, "code", "message"}`, with `faults` where single fields are to
blame. Who accepts `application/problem+json` gets it in the form of RFC 9457, with `code` and
`faults` beside its members."""


@get(
    "/openapi.json",
    name=OPENAPI_JSON_HANDLER_NAME,
    include_in_schema=False,
    opt={PUBLIC: True},
    media_type="application/vnd.oai.openapi+json",
)
async def openapi() -> bytes:
    """The description."""
    return _encoded()


@get(["", "/docs"], include_in_schema=False, opt={PUBLIC: True}, media_type="text/html")
async def docs(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The description as a page. It loads its script and the description from here, and nothing
    from anywhere else."""
    page = _page.render(request, describe())
    return Response(page, headers={"Content-Security-Policy": _POLICY})


@get("/docs/rapidoc.js", include_in_schema=False, opt={PUBLIC: True}, media_type="text/javascript")
async def docs_script() -> Response[bytes]:
    """The script of that page. It is kept compressed and sent so: every browser takes gzip."""
    caching = f"public, max-age={_SCRIPT_KEPT_SECONDS}"
    headers = {"Content-Encoding": "gzip", "Cache-Control": caching}
    return Response(_RAPIDOC.read_bytes(), headers=headers)


class _Page(RapidocRenderPlugin):
    """Litestar's page, with the script of this server and the fonts of the reader, for this
    description alone."""

    def __init__(self) -> None:
        super().__init__(js_url="/api/v1/docs/rapidoc.js", favicon="")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        page = super().render(request, openapi_schema).strip()
        return page.replace(b"<rapi-doc ", b'<rapi-doc load-fonts="false" show-header="false" ')


_page = _Page()


@cache
def describe() -> dict[str, Any]:
    """The description as a JSON object."""
    described = list(_handlers())
    answers = {handler: _answer(handler) for _, _, handler, _ in described}
    bodies = {handler: handler.opt.get(BODY) for handler in answers}
    wanted = (*answers.values(), *bodies.values(), *_enums_of(answers))
    kinds = list(dict.fromkeys(kind for kind in wanted if kind))
    references, schemas = msgspec.json.schema_components(kinds, ref_template=_SCHEMAS + "{name}")
    reference_of = dict(zip(kinds, references, strict=True))
    paths: dict[str, Any] = {}
    for path, method, handler, parameters in described:
        operation = _operation(method, handler, parameters)
        body, answer = bodies[handler], answers[handler]
        if body is not None:
            operation["requestBody"] = {
                "required": not _may_be_empty(body),
                "content": {"application/json": {"schema": reference_of[body]}},
            }
        success: dict[str, Any] = {"description": "Done."}
        if MEDIA in handler.opt:
            binary = {"type": "string", "format": "binary"}
            success["content"] = {handler.opt[MEDIA]: {"schema": binary}}
        elif answer is not None:
            kind = "text/event-stream" if STREAM in handler.opt else "application/json"
            success["content"] = {kind: {"schema": reference_of[answer]}}
        statuses = (handler.status_code, *handler.opt.get(ALSO, ()))
        operation["responses"] = {str(status): success for status in statuses} | {
            str(status): {"$ref": f"#/components/responses/{status}"}
            for status in _errors_of(path, handler, operation)
        }
        paths.setdefault(path, {})[method.lower()] = operation
    for schema in schemas.values():
        if "description" in schema:
            schema["description"] = inspect.cleandoc(schema["description"])
    for name, example in EXAMPLES.items():
        schemas[name]["examples"] = [example]
    return {
        "openapi": OPENAPI,
        "info": {"title": "Clarion", "version": __version__, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "security": [{_SECURITY: []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted((schemas | _error_schemas()).items())),
            "responses": {str(status): _error_response(status) for status in _statuses()},
            "securitySchemes": {
                _SECURITY: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key: `clarion keys create NAME`.",
                }
            },
        },
    }


@cache
def _encoded() -> bytes:
    return msgspec.json.encode(describe())


def _handlers() -> Iterator[tuple[str, str, HTTPRouteHandler, list[dict[str, Any]]]]:
    """(path, method, handler, parameters) of all that is described, in the order of the tags."""
    app = Litestar(
        [api_router(), livez, readyz],
        dependencies={
            "parts": Provide(lambda: None, sync_to_thread=False),
            "caller": Provide(caller_of, sync_to_thread=False),
        },
        signature_types=[Parts],
        openapi_config=OpenAPIConfig(title="Clarion", version=__version__),
        logging_config=None,
    )
    written = msgspec.to_builtins(app.openapi_schema.to_schema(), enc_hook=str)["paths"]
    described = []
    for route in app.routes:
        if not isinstance(route, HTTPRoute) or route.path_format not in written:
            continue
        for handler in route.route_handlers:
            for method in handler.http_methods:
                if method.lower() not in written[route.path_format]:
                    continue
                operation = written[route.path_format][method.lower()]
                described.append((route.path_format, str(method), handler, operation))
    order = list(_TAGS)
    described.sort(
        key=lambda entry: (order.index(entry[3]["tags"][0]), entry[0], entry[1] != "GET", entry[1])
    )
    for path, verb, handler, operation in described:
        yield path, verb, handler, operation.get("parameters", [])


def _enums_of(handlers: Iterable[HTTPRouteHandler]) -> Iterator[type[Enum]]:
    """Those that stand in paths."""
    for handler in handlers:
        for field in handler.parsed_fn_signature.parameters.values():
            is_in_path = isinstance(field.kwarg_definition, PathParameter)
            if is_in_path and issubclass(field.annotation, Enum):
                yield field.annotation


def _operation(
    method: str, handler: HTTPRouteHandler, parameters: list[dict[str, Any]]
) -> dict[str, Any]:
    tag = next(iter(handler.resolve_tags()))
    operation: dict[str, Any] = {
        "tags": [tag],
        "operationId": f"{tag}_{handler.fn.__name__}".replace("-", "_"),
        "summary": handler.summary,
        "description": inspect.cleandoc(handler.fn.__doc__ or ""),
    }
    if handler.opt.get(PUBLIC):
        operation["security"] = []
    else:
        scope = needed_scope(method, handler.opt)
        operation["description"] += f"\n\nNeeds the scope `{scope.value}`."
    if parameters:
        operation["parameters"] = [_parameter(parameter) for parameter in parameters]
    return operation


def _parameter(written: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = written["schema"]
    # What may be left out is not required; it is never sent as null.
    schema = next(iter(schema.get("oneOf", ())), schema)
    parameter = {
        "name": written["name"],
        "in": written["in"],
        "required": written["required"],
        "schema": {name: value for name, value in schema.items() if name != "description"},
    }
    if "description" in written:
        parameter["description"] = written["description"]
    return parameter


def _answer(handler: HTTPRouteHandler) -> Any:
    """The type of what a handler answers in JSON; None: nothing."""
    if MEDIA in handler.opt:
        return None
    annotation = handler.parsed_fn_signature.return_type.annotation
    if get_origin(annotation) is Response:
        (annotation,) = get_args(annotation)
    if STREAM in handler.opt:
        return handler.opt[STREAM]
    return None if annotation in (None, type(None)) else annotation


def _may_be_empty(body: type[msgspec.Struct]) -> bool:
    """Whether every field of a body has a default that is a value."""
    return all(
        field.default not in (msgspec.NODEFAULT, msgspec.UNSET)
        or field.default_factory is not msgspec.NODEFAULT
        for field in msgspec.structs.fields(body)
    )


def _errors_of(path: str, handler: HTTPRouteHandler, operation: dict[str, Any]) -> list[int]:
    statuses = {500, 503}
    if not handler.opt.get(PUBLIC):
        statuses |= {401, 403, 422}  # 422: a parameter that nobody knows
    if "{" in path or "campaign" in str(operation.get("parameters")):
        statuses.add(404)
    if "requestBody" in operation:
        statuses |= {400, 413}
    if handler.opt.get(MAY_CONFLICT):
        statuses.add(409)
    if handler.opt.get(MAY_BE_GONE):
        statuses.add(410)
    if STREAM in handler.opt:
        statuses.add(429)
    if path == "/livez":
        statuses = {500}
    return sorted(statuses)


def _statuses() -> list[int]:
    return sorted({meaning.status for meaning in ERRORS.values()})


def _error_schemas() -> dict[str, Any]:
    """Of an error, in both of its forms."""
    text = {"type": "string"}
    ours = {
        "code": {"enum": [code.value for code in ErrorCode]},
        "faults": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": text, "message": text},
            },
        },
    }
    return {
        "Error": {
            "title": "Error",
            "type": "object",
            "description": "The answer to every error. Scripts look at `code`.",
            "required": ["success", "code", "message"],
            "properties": {"success": {"const": False}, "message": text} | ours,
        },
        "Problem": {
            "title": "Problem",
            "type": "object",
            "description": "The same as RFC 9457 has it, for who accepts it.",
            "required": ["type", "title", "status", "detail", "code"],
            "properties": {
                "type": {"const": "about:blank"},
                "title": text,
                "status": {"type": "integer"},
                "detail": text,
            }
            | ours,
        },
    }


def _error_response(status: int) -> dict[str, Any]:
    ours = {code: error for code, error in ERRORS.items() if error.status == status}
    response: dict[str, Any] = {
        "description": "\n\n".join(
            f"`{code.value}`: {error.meaning} {error.cure}" for code, error in ours.items()
        ),
        "content": {
            "application/json": {
                "schema": {"$ref": f"{_SCHEMAS}Error"},
                "examples": {
                    code.value: {
                        "value": {"success": False, "code": code.value, "message": error.meaning}
                    }
                    for code, error in ours.items()
                },
            },
            PROBLEM: {"schema": {"$ref": f"{_SCHEMAS}Problem"}},
        },
    }
    text = {"schema": {"type": "string"}}
    match status:
        case 401:
            response["headers"] = {"WWW-Authenticate": text}
        case 405:
            response["headers"] = {"Allow": text}
        case 429 | 503:
            seconds = {"type": "integer", "examples": [RETRY_AFTER_SECONDS]}
            response["headers"] = {"Retry-After": {"schema": seconds}}
    return response
