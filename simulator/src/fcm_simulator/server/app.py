"""The simulator as an ASGI app: FCM's side, and how a reply is given.

POST /token, /oauth2/v4/token            OAuth: a signed assertion in, an access token out
POST /v1/projects/{p}/messages:send      FCM
…    /v1/projects/{p}/registrations/{token or FID}/topicSubscriptions    FCM (`topics`)
POST /iid/v1:batchAdd, …:batchRemove    the older API of topics (`instance_id`)
…    /simulator/…                        the control side (`control`)
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import ExitStack, suppress
from email.utils import formatdate
from pathlib import Path
from time import time
from typing import Any

import msgspec

from fcm_simulator import oauth
from fcm_simulator.fcm import answers, instance_id
from fcm_simulator.fcm.answers import Manner, Reply
from fcm_simulator.fcm.topics import read_path
from fcm_simulator.oauth import TOKEN_SECONDS, Access, Denied, Granted
from fcm_simulator.server import control
from fcm_simulator.server.control import State

BODY_BYTES_MAX = 1_000_000
SEND = "/messages:send"
PROJECTS = "/v1/projects/"
HTTP2 = "fcm_simulator.http2"
"""The extension of a scope whose stream can be refused."""

_HAS_BODY = ("POST", "PATCH")
_TOPIC_VERBS = {"POST": "create", "PATCH": "update", "DELETE": "delete"}

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class SimulatorApp:
    """The ASGI app."""

    def __init__(self, state: State, url: str, port: int) -> None:
        self._state = state
        self._url = url
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await _body(receive) if scope["method"] in _HAS_BODY else b""
        reply = self._route(scope, body)
        if reply.delay:
            await asyncio.sleep(reply.delay)
        match reply.manner:
            case Manner.ANSWER:
                await self._give(reply, send)
                return
            case Manner.CUT:
                _cut_connections(self._port)
            case Manner.REFUSE | Manner.GO_AWAY:
                stream = scope.get("extensions", {}).get(HTTP2)
                if stream is None:
                    await self._give(control.NO_HTTP2_FAULTS, send)
                elif reply.manner is Manner.REFUSE:
                    stream.refuse()
                else:
                    stream.go_away()
                return
        await _gone(receive)

    async def _give(self, reply: Reply, send: Send) -> None:
        kind = b"text/html" if reply.is_html else b"application/json"
        headers = [(b"content-type", kind + b"; charset=UTF-8"), *reply.headers]
        if reply.retry_after is not None:
            headers.append((b"retry-after", self._retry_after(reply.retry_after)))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    def _route(self, scope: Scope, body: bytes) -> Reply:
        method, path = scope["method"], scope["path"]
        state = self._state
        if path.startswith(PROJECTS):
            if method == "POST" and path.endswith(SEND):
                state.connections.add(scope["client"])
                project = path[len(PROJECTS) : -len(SEND)]
                refused = self._may(project, scope)
                if refused is not None:
                    return state.fcm.refuse(refused)
                return state.fcm.send(project, body, _header(scope, b"traceparent").decode("latin"))
            at = read_path(path)
            if at is None:
                return answers.not_found()
            refused = self._may(at.project, scope, _TOPIC_VERBS.get(method, "get"))
            if refused is not None:
                return state.fcm.refuse(refused)
            return state.fcm.call_topics(method, at, scope["query_string"])
        if method == "POST" and path.startswith(instance_id.ROOT):
            return self._instance_id(path.removeprefix(instance_id.ROOT), scope, body)
        if method == "POST" and path in oauth.PATHS:
            return self._token(body)
        if path.startswith(control.ROOT):
            return control.answer(state, method, path, scope["query_string"], body)
        return answers.not_found()

    def _instance_id(self, verb: str, scope: Scope, body: bytes) -> Reply:
        access = self._access(scope)
        if isinstance(access, Reply):
            return self._state.fcm.refuse(access)
        method = instance_id.METHODS.get(verb)
        if method is None:
            return answers.not_found()
        return self._state.fcm.call_instance_id(access.project_id, method, body)

    def _access(self, scope: Scope) -> Access | Reply:
        """What the caller's access token is good for, or the refusal of one that is not."""
        header = _header(scope, b"authorization")
        if not header:
            return answers.credentials_missing()
        token = header.removeprefix(b"Bearer ").decode(errors="replace")
        access = self._state.tokens.granted.get(token)
        if access is None:
            return answers.credentials_invalid()
        if access.until < time():
            return answers.access_token_expired()
        return access

    def _may(self, project: str, scope: Scope, verb: str = "") -> Reply | None:
        """The refusal of whoever may not. `verb`: of the API of topics; empty: a send."""
        access = self._access(scope)
        if isinstance(access, Reply):
            return access
        if access.project_id != project:
            what = f"topicSubscriptions.{verb}" if verb else "messages.create"
            return answers.permission_denied(project, f"cloudmessaging.{what}")
        return None

    def _token(self, body: bytes) -> Reply:
        tokens = self._state.tokens
        tokens.requests += 1
        if time() < self._state.fcm.faults.oauth_outage_until:
            return Reply(503, b'{"error":"internal_failure","error_description":"Backend Error"}')
        match tokens.grant(body, f"{self._url}/token"):
            case Granted(access_token=token):
                wire = {
                    "access_token": token,
                    "expires_in": min(tokens.token_seconds, TOKEN_SECONDS),
                    "token_type": "Bearer",
                }
                return Reply(200, msgspec.json.encode(wire))
            case Denied(error=error, description=description):
                return Reply(
                    400,
                    msgspec.json.encode({"error": error, "error_description": description}),
                )

    def _retry_after(self, seconds: int) -> bytes:
        if self._state.fcm.faults.retry_after_date:
            return formatdate(time() + seconds, usegmt=True).encode()
        return str(seconds).encode()


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b""
        part = message.get("body", b"")
        size += len(part)
        if size <= BODY_BYTES_MAX:
            parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


async def _gone(receive: Receive) -> None:
    """Return when whoever waits for an answer has given up."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _header(scope: Scope, wanted: bytes) -> bytes:
    """The last one of that name; empty: there is none."""
    return next((value for name, value in reversed(scope["headers"]) if name == wanted), b"")


def _cut_connections(port: int) -> None:
    """Cut every connection to our port. The server keeps them to itself, so they are found by
    looking through this process's descriptors, and only then cut: who comes later is let in."""
    with ExitStack() as stack:
        for connection in [_connection(entry.name) for entry in list(Path("/dev/fd").iterdir())]:
            if connection is None:
                continue
            stack.enter_context(connection)
            with suppress(OSError):
                if connection.getsockname()[1] == port:
                    connection.getpeername()  # raises for the one that listens
                    connection.shutdown(socket.SHUT_RDWR)


def _connection(descriptor: str) -> socket.socket | None:
    """A copy of this descriptor, which the caller closes; None: it is no connection over IP."""
    try:
        copied = os.dup(int(descriptor))
    except OSError:
        return None  # closed meanwhile
    try:
        connection = socket.socket(fileno=copied)
    except OSError:
        os.close(copied)
        return None
    if connection.family in (socket.AF_INET, socket.AF_INET6):
        return connection
    connection.close()
    return None
