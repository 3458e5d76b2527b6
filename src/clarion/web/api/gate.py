"""What every call passes: its path read aright, its caller known, its scope enough.

A part of a path may be any user id: with a slash, a percent sign, a space, in any script. Servers
unescape the whole path before an application sees it, and then a slash within a part can not be
told from one between parts. So parts are cut where the caller wrote slashes, kept escaped while the
router looks at them, and unescaped one by one for the handler.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import quote, unquote

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.params import QueryParameter
from litestar.types import ASGIApp
from litestar.types import Receive as LitestarReceive
from litestar.types import Scope as LitestarScope
from litestar.types import Send as LitestarSend
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts import actor
from clarion.accounts.actor import Actor, Permission
from clarion.accounts.authenticator import Authenticator
from clarion.accounts.command import Services, forbidden
from clarion.broker import Broker
from clarion.clock import Clock
from clarion.faults import Fault, Rejected
from clarion.outage_log import OutageLog
from clarion.storage.database import Database
from clarion.storage.vault import Vault
from clarion.web.api.errors import (
    ApiError,
    ErrorCode,
    accepted,
    error_of,
    invalid,
    not_found,
    retry_after,
)
from clarion.web.api.sources.streams import Streams
from clarion.web.request_id import REQUEST_ID, name_call
from clarion.web.server import Message, Receive, Scope, Send

P = ParamSpec("P")
T = TypeVar("T")

PUBLIC = "public"
"""A handler's `opt` that needs no key."""
NEEDS = "needs"
"""A handler's `opt` with the scope that its command or query needs, where the method does not say
it: for the API's description. Who checks it is the command or the query."""
BODY = "body"
"""A handler's `opt` with the type of the body it reads, for the API's description."""
ALSO = "also"
"""A handler's `opt` with further statuses of success, for the API's description."""
MEDIA = "media"
"""A handler's `opt` with the media type of its answer, where that is not JSON."""
MAY_CONFLICT = "may_conflict"
"""A handler's `opt` that its step may be refused with 409, for the API's description."""
MAY_BE_GONE = "may_be_gone"
"""A handler's `opt` that what it lists may have been removed for its age (410), for the API's
description."""


_NAME = re.compile(r"[\w.\-]{1,40}")
"""What is shown of a parameter that nobody knows: no token that stands in its place."""

STREAM = "stream"
"""A handler's `opt` with the type of each thing it streams, for the API's description."""

CALLER = "clarion_caller"
"""Where a call's ASGI scope has its Actor, if the call is made in this process. Servers make the
scope of what comes over a network, and nothing that a caller sends becomes an entry of it."""
PARTS, AUTHENTICATOR = "clarion_parts", "clarion_authenticator"
"""Where the scope has what the call is answered with. The routes are one for all of a process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The dependencies of handlers."""

    database: Database
    broker: Broker
    clock: Clock
    provider: Any
    """Whoever carries pushes: a `deliveries.provider.TryingProvider`, whose module few commands
    need to load."""
    vault: Vault
    streams: Streams
    fcm_url: str | None
    """Where pushes go: a simulator there may be where access tokens come from, too."""
    shortage: Callable[[], Awaitable[Rejected | None]] | None = None
    """Why no events are taken."""
    outage: OutageLog = field(default_factory=lambda: OutageLog("not_ready"))
    """What the log was told of the database and the broker."""

    async def check_room(self) -> None:
        """Ends the call with an error if no events are accepted, as when the disk is nearly
        full."""
        shortage = None if self.shortage is None else await self.shortage()
        if shortage is not None:
            raise ApiError(ErrorCode.UNAVAILABLE, shortage.message, headers=retry_after())

    @property
    def check(self) -> Callable[..., Sequence[Fault]]:
        """What the provider would refuse in a content."""
        check: Callable[..., Sequence[Fault]] = self.provider.check
        return check

    @property
    def services(self) -> Services:
        """What commands work with."""
        return Services(
            database=self.database, clock=self.clock, broker=self.broker, vault=self.vault
        )

    async def ask(
        self,
        query: Callable[Concatenate[AsyncConnection, Actor, P], Awaitable[T | Rejected]],
        caller: Actor,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The result of a query for the caller. Ends the call with an error if it is Rejected."""
        async with self.database.read() as connection:
            return accepted(await query(connection, caller, *args, **kwargs))

    async def ask_while_there(
        self,
        request: "Call",
        query: Callable[Concatenate[AsyncConnection, Actor, P], Awaitable[T | Rejected]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """`ask`, for what may take long: where its caller hangs up, the database stops, too."""
        await request.body()
        asking = asyncio.ensure_future(self.ask(query, request.user, *args, **kwargs))
        leaving = asyncio.ensure_future(_has_left(request))
        try:
            await asyncio.wait({asking, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise ApiError(ErrorCode.UNAVAILABLE, "The caller has hung up.")
            return asking.result()
        finally:
            asking.cancel()
            leaving.cancel()
            await asyncio.wait({asking, leaving})

    async def do(
        self,
        command: Callable[Concatenate[Services, Actor, P], Awaitable[T | Rejected]],
        caller: Actor,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The result of a command of the caller. Ends the call with an error if it is Rejected."""
        return accepted(await command(self.services, caller, *args, **kwargs))


Call = Request[Actor, Any, Any]
"""A call whose caller is known."""
GivenParts = NamedDependency[Parts]
GivenCaller = NamedDependency[Actor]


class Gate:
    """The outermost app: names the call, says with which parts it is answered, escapes each part of
    the path, and answers HEAD as GET without a body."""

    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self._app = app
        self._parts = parts
        self._authenticator = Authenticator(parts.database, parts.clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: Any = self._app
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        scope, send = name_call(scope, send, self._parts.clock)
        path = _escaped(scope)
        if path is None:
            await _refuse(send, not_found("path"))
            return
        own = {PARTS: self._parts, AUTHENTICATOR: self._authenticator}
        scope = {**scope, **own, "path": path}
        if scope["method"] != "HEAD":
            await app(scope, receive, send)
            return

        ended = False

        async def without_body(message: Message) -> None:
            nonlocal ended
            if ended:
                return
            if message["type"] == "http.response.body":
                ended = True  # a stream would go on for ever
                message = {**message, "body": b"", "more_body": False}
            await send(message)

        await app({**scope, "method": "GET"}, receive, without_body)


class KnowsCaller(AbstractAuthenticationMiddleware):
    """Finds out who calls, once it is clear that there is something to call."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app, exclude_from_auth_key=PUBLIC, exclude_http_methods=())

    async def __call__(
        self, scope: LitestarScope, receive: LitestarReceive, send: LitestarSend
    ) -> None:
        escaped = scope["path_params"]
        # A new dict: the router remembers the one it has made.
        scope["path_params"] = {
            name: unquote(value) if isinstance(value, str) else value
            for name, value in escaped.items()
        }
        await super().__call__(scope, receive, send)

    async def authenticate_request(
        self, connection: ASGIConnection[Any, Any, Any, Any]
    ) -> AuthenticationResult:
        operator = connection.scope.get(CALLER)
        if isinstance(operator, Actor):
            return AuthenticationResult(user=operator, auth=None)
        authenticator = connection.scope.get(AUTHENTICATOR)
        assert isinstance(authenticator, Authenticator)
        caller = await authenticator.actor_of(
            connection.headers.get("authorization"),
            request_id=str(connection.scope.get(REQUEST_ID)),
        )
        if caller is None:
            raise ApiError(
                ErrorCode.UNAUTHORIZED,
                "The API key is missing, unknown or revoked: send `Authorization: Bearer clk_…`.",
                headers={"WWW-Authenticate": 'Bearer realm="clarion"'},
            )
        if not caller.may(Permission.READ):
            raise error_of(forbidden(Permission.READ))
        return AuthenticationResult(user=caller, auth=None)


def parts_of(request: Request[Any, Any, Any]) -> Parts:
    """The dependencies for handlers of this call."""
    parts = request.scope.get(PARTS)
    assert isinstance(parts, Parts)
    return parts


def caller_of(request: Request[Actor, Any, Any]) -> Actor:
    """The authenticated caller, for handlers."""
    return request.user


def knows_parameters(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """A guard: an unknown query parameter is rejected, not ignored."""
    unknown = sorted(set(connection.query_params) - parameters_of(handler))
    if unknown and not handler.opt.get(PUBLIC):
        parameters = ", ".join(sorted(parameters_of(handler))) or "none"
        message = f"is no parameter of this call; it knows {parameters}"
        raise invalid(
            Fault(field=name if _NAME.fullmatch(name) else "query", message=message)
            for name in unknown
        )


def parameters_of(handler: BaseRouteHandler) -> frozenset[str]:
    """The names that a call may have in its query."""
    fields = handler.parsed_fn_signature.parameters
    return frozenset(
        field.kwarg_definition.name or name
        for name, field in fields.items()
        if isinstance(field.kwarg_definition, QueryParameter)
    )


def needed_scope(method: str, opt: dict[str, Any]) -> actor.Scope:
    """The scope that a handler needs."""
    default = actor.Scope.READ if method == "GET" else actor.Scope.WRITE
    return actor.Scope(opt.get(NEEDS, default))


async def _has_left(request: Call) -> None:
    """Returns once the caller has hung up. The body has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _escaped(scope: Scope) -> str | None:
    """The path with each part escaped anew; None where a part is empty or can not be text."""
    raw: bytes | None = scope.get("raw_path")
    path = quote(scope["path"]) if raw is None else raw.partition(b"?")[0].decode("latin-1")
    parts = [unquote(part) for part in path.removesuffix("/").split("/")[1:]]
    if any(not part or "\x00" in part for part in parts):
        return None
    return "/" + "/".join(quote(part, safe="") for part in parts)


async def _refuse(send: Send, error: ApiError) -> None:
    body = msgspec.json.encode(error.body())
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
