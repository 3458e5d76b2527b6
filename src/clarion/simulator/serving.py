"""The simulator's server: TLS with HTTP/2 and HTTP/1.1 (ALPN), on granian.

POST /token                              OAuth
POST /v1/projects/{p}/messages:send      FCM
GET  /simulator/stats                    counts
GET  /simulator/messages?after=&limit=   what was accepted, oldest first
POST /simulator/faults                   trouble to order
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from itertools import islice
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import parse_qs

import msgspec
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from clarion.simulator import answers
from clarion.simulator.answers import Reply
from clarion.simulator.authority import (
    CERT_FILE,
    CERT_KEY_FILE,
    ensure_certificates,
    make_key,
)
from clarion.simulator.fcm import Fcm
from clarion.simulator.oauth import TOKEN_SECONDS, Denied, Granted, TokenEndpoint

__all__ = ["make_key", "serve"]

BODY_BYTES_MAX = 1_000_000
MESSAGES_PAGE_MAX = 10_000

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


async def serve(host: str, port: int, data_dir: Path) -> None:
    """Serve until cancelled. Certificates and accounts are in `data_dir`."""
    ensure_certificates(data_dir, host)
    app = SimulatorApp(data_dir, f"https://{host}:{port}")
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

    def __init__(self, data_dir: Path, url: str) -> None:
        self.fcm = Fcm()
        self.tokens = TokenEndpoint(data_dir)
        self._url = url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await _body(receive) if scope["method"] == "POST" else b""
        reply = await self._route(scope, body)
        headers = [(b"content-type", b"application/json; charset=UTF-8")]
        if reply.retry_after is not None:
            headers.append((b"retry-after", str(reply.retry_after).encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    async def _route(self, scope: Scope, body: bytes) -> Reply:
        method, path = scope["method"], scope["path"]
        if path.startswith("/v1/projects/") and path.endswith("/messages:send"):
            if method != "POST":
                return _not_found()
            return await self._send(path.split("/")[3], scope, body)
        match method, path:
            case "POST", "/token":
                return self._token(body)
            case "GET", "/simulator/stats":
                return Reply(200, msgspec.json.encode(self.fcm.stats()))
            case "GET", "/simulator/messages":
                return self._messages(scope["query_string"])
            case "POST", "/simulator/faults":
                try:
                    self.fcm.plan_faults(msgspec.json.decode(body, type=dict[str, float]))
                except (msgspec.DecodeError, ValueError):
                    return answers.invalid_json("Faults are numbers.", "faults")
                return Reply(200, b'{"success":true}')
        return _not_found()

    async def _send(self, project: str, scope: Scope, body: bytes) -> Reply:
        refused = self._may(project, scope)
        if refused is not None:
            self.fcm.replies[refused.name] += 1
            return refused
        if self.fcm.faults.latency_seconds:
            await asyncio.sleep(self.fcm.faults.latency_seconds)
        return self.fcm.send(project, body)

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
            return answers.invalid_json("after and limit are numbers.", "after")
        later = (one for one in self.fcm.messages if one["number"] > after)
        return Reply(200, msgspec.json.encode({"messages": list(islice(later, limit))}))


def _not_found() -> Reply:
    return Reply(
        404,
        b'{"error":{"code":404,"message":"The requested URL was not found.","status":"NOT_FOUND"}}',
    )


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
