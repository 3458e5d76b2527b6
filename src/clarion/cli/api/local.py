"""The management API in this process, on this machine's own data, as the operator."""

from collections.abc import AsyncIterator, Mapping, MutableMapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

from clarion.accounts.actor import Actor
from clarion.app import open_api
from clarion.cli.api.client import PREFIX, content_of, query_of, result_of
from clarion.cli.session import console_address, open_session
from clarion.web.api.gate import CALLER
from clarion.web.server import Asgi


@asynccontextmanager
async def open_local_api() -> AsyncIterator["LocalApi"]:
    """The API of the workspace that is asked for. Raises NoInstallation where there is none."""
    async with (
        open_session() as session,
        open_api(session.settings, session.database, session.clock) as app,
    ):
        yield LocalApi(app, session.actor, address=console_address(session.settings))


class LocalApi:
    """Implements `client.Api` without a server: the ASGI app is called as a server would."""

    def __init__(self, app: Asgi, actor: Actor, *, address: str) -> None:
        self._app = app
        self._actor = actor
        self._address = address

    @property
    def address(self) -> str:
        return self._address

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        name: object = "",
    ) -> Any:
        """See `Api.call`. Raises what keeps the API from answering, such as StorageUnavailable."""
        content = content_of(body)
        scope = self._scope(method, f"{PREFIX}{path}", query_of(query), content)
        status = 0
        answer = bytearray()
        is_asked = False

        async def receive() -> MutableMapping[str, Any]:
            nonlocal is_asked
            if is_asked:
                return {"type": "http.disconnect"}
            is_asked = True
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                answer.extend(message.get("body", b""))

        await self._app(scope, receive, send)
        return result_of(status, bytes(answer), name=name)

    def _scope(self, method: str, path: str, query: str, content: bytes) -> dict[str, Any]:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(content)).encode()),
            ],
            "client": None,
            "server": None,
            CALLER: self._actor,
        }
