"""The simulator's server: TLS with HTTP/2 and HTTP/1.1 (ALPN), on granian.

FCM's side:

    POST /token                              OAuth: a signed assertion in, an access token out
    POST /v1/projects/{p}/messages:send      FCM

The control side, for whoever tests a sender:

    GET  /simulator/stats                    counts: requests, replies by name, accepted, distinct
                                             and repeated pushes (by `data.clarion_push`, else by
                                             token), connections, access tokens granted
    GET  /simulator/messages?after=&limit=   what was accepted, oldest first, numbered from 1
    POST /simulator/faults                   order trouble; what is not named stays as it is:
        outage_seconds      503 for so long            throttle_next   429 for the next n pushes
        retry_after         seconds, with 429; 0: no   retry_after_date   true: as an HTTP date
                            such header
        latency_ms          a number, or {"median":    slow_ms         for `slow`
                            50, "p99": 400}
        plan                ["internal", "ok", …]: what happens to the next pushes, in turn:
                            ok throttled internal unavailable html slow
                            hang: never answered       reset: every connection is cut
                            silence, lost: the same two, but after the push was accepted
        rates               {"internal": 0.01, …} by chance, `seed` makes it repeatable
        quota_per_minute    per project, full again    device_quota_per_minute   per registration
                            at the end of each minute
        oauth_outage_seconds   /token answers 503      expire_access_tokens   true: all so far
        token_seconds       how long those to come     are good for
    POST /simulator/reset                    forget counts, messages and orders
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from email.utils import formatdate
from itertools import islice
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import parse_qs, unquote

import msgspec
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from clarion.simulator import answers
from clarion.simulator.answers import Manner, Reply
from clarion.simulator.authority import (
    CERT_FILE,
    CERT_KEY_FILE,
    ensure_certificates,
    make_key,
)
from clarion.simulator.fcm import Fcm
from clarion.simulator.oauth import TOKEN_SECONDS, Denied, Granted, TokenEndpoint
from clarion.simulator.schema import BASIC, Schema, load
from clarion.simulator.trouble import Orders

__all__ = ["make_key", "serve"]

BODY_BYTES_MAX = 1_000_000
MESSAGES_PAGE_MAX = 10_000
SEND = "/messages:send"
PROJECTS = "/v1/projects/"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


async def serve(host: str, port: int, data_dir: Path, *, schema: bool | None = None) -> None:
    """Serve until cancelled. Certificates and accounts are in `data_dir`.

    `schema`: whether messages are checked against Google's description of the API. None: if
    google-api-python-client, which carries it, is installed.
    """
    ensure_certificates(data_dir, host)
    known = load() if schema is not False else None
    if schema and known is None:
        raise RuntimeError("checking the schema needs the package google-api-python-client")
    app = SimulatorApp(data_dir, f"https://{host}:{port}", port, known or BASIC)
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.auto,
        websockets=False,
        backlog=1_024,
        log_enabled=False,
        ssl_cert=data_dir / CERT_FILE,
        ssl_key=data_dir / CERT_KEY_FILE,
    )
    await server.serve()


class SimulatorApp:
    """The ASGI app."""

    def __init__(self, data_dir: Path, url: str, port: int, schema: Schema) -> None:
        self.fcm = Fcm(schema=schema)
        self.tokens = TokenEndpoint(data_dir)
        self._url = url
        self._port = port
        self._connections: set[Any] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await _body(receive) if scope["method"] == "POST" else b""
        reply = self._route(scope, body)
        if reply.delay:
            await asyncio.sleep(reply.delay)
        if reply.manner is Manner.CUT:
            _cut_connections(self._port)
        if reply.manner is not Manner.ANSWER:
            await _gone(receive)
            return
        kind = b"text/html" if reply.is_html else b"application/json"
        headers = [(b"content-type", kind + b"; charset=UTF-8")]
        if reply.retry_after is not None:
            headers.append((b"retry-after", self._retry_after(reply.retry_after)))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    def _route(self, scope: Scope, body: bytes) -> Reply:
        method, path = scope["method"], scope["path"]
        if path.startswith(PROJECTS) and path.endswith(SEND):
            if method != "POST":
                return answers.not_found()
            self._connections.add(scope["client"])
            project = unquote(path[len(PROJECTS) : -len(SEND)])
            refused = self._may(project, scope)
            return self.fcm.refuse(refused) if refused else self.fcm.send(project, body)
        match method, path:
            case "POST", "/token":
                return self._token(body)
            case "GET", "/simulator/stats":
                return Reply(200, msgspec.json.encode(self._stats()))
            case "GET", "/simulator/messages":
                return self._messages(scope["query_string"])
            case "POST", "/simulator/faults":
                return self._order(body)
            case "POST", "/simulator/reset":
                self.fcm = Fcm(schema=self.fcm.schema)
                self.tokens.forget_orders()
                self._connections.clear()
                return Reply(200, b'{"success":true}')
        return answers.not_found()

    def _stats(self) -> dict[str, Any]:
        return {
            **self.fcm.stats(),
            "connections": len(self._connections),
            "token_requests": self.tokens.requests,
            "grants": self.tokens.grants,
        }

    def _may(self, project: str, scope: Scope) -> Reply | None:
        header = b""
        for name, value in scope["headers"]:
            if name == b"authorization":
                header = value
        if not header:
            return answers.credentials_missing()
        token = header.removeprefix(b"Bearer ").decode(errors="replace")
        access = self.tokens.granted.get(token)
        if access is None:
            return answers.credentials_invalid()
        if access.until < time():
            return answers.access_token_expired()
        if access.project_id != project:
            return answers.permission_denied(project)
        return None

    def _token(self, body: bytes) -> Reply:
        self.tokens.requests += 1
        if time() < self.fcm.faults.oauth_outage_until:
            return Reply(503, b'{"error":"internal_failure","error_description":"Backend Error"}')
        match self.tokens.grant(body, f"{self._url}/token"):
            case Granted(access_token=token):
                wire = {
                    "access_token": token,
                    "expires_in": min(self.tokens.token_seconds, TOKEN_SECONDS),
                    "token_type": "Bearer",
                }
                return Reply(200, msgspec.json.encode(wire))
            case Denied(error=error, description=description):
                return Reply(
                    400,
                    msgspec.json.encode({"error": error, "error_description": description}),
                )

    def _messages(self, query_string: bytes) -> Reply:
        query = parse_qs(query_string.decode(errors="replace"))
        try:
            after = int(query.get("after", ["0"])[0])
            limit = min(int(query.get("limit", ["100"])[0]), MESSAGES_PAGE_MAX)
        except ValueError:
            return answers.invalid_json(("after", "after and limit are numbers."))
        later = (one for one in self.fcm.messages if one["number"] > after)
        return Reply(200, msgspec.json.encode({"messages": list(islice(later, limit))}))

    def _order(self, body: bytes) -> Reply:
        try:
            orders = msgspec.json.decode(body, type=Orders)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return answers.invalid_json(("faults", str(error)))
        self.fcm.faults.order(orders, time())
        if orders.token_seconds is not None:
            self.tokens.token_seconds = orders.token_seconds
        if orders.expire_access_tokens:
            self.tokens.expire()
        return Reply(200, b'{"success":true}')

    def _retry_after(self, seconds: int) -> bytes:
        if self.fcm.faults.retry_after_date:
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


def _cut_connections(port: int) -> None:
    """Cut every connection to our port. The server keeps them to itself, so they are found by
    looking through this process's descriptors, and only then cut: who comes later is let in."""
    found: list[socket.socket] = []
    for descriptor in list(Path("/dev/fd").iterdir()):
        with suppress(OSError):
            found.append(socket.socket(fileno=os.dup(int(descriptor.name))))
    for one in found:
        with one, suppress(OSError):
            if one.family in (socket.AF_INET, socket.AF_INET6) and one.getsockname()[1] == port:
                one.getpeername()  # raises for the one that listens
                one.shutdown(socket.SHUT_RDWR)
