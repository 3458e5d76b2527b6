"""The management API in this process, on this machine's own data, as the operator."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, MutableMapping
from contextlib import aclosing, asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from clarion.cli.api.client import PREFIX, content_of, query_of, result_of
from clarion.cli.session import Session, console_address, open_session
from clarion.clock import Clock
from clarion.parts import open_provider, open_vault
from clarion.storage.vault import OnDemandVault
from clarion.web.api import create_local_api
from clarion.web.api.gate import CALLER, Parts
from clarion.web.api.sources.streams import Streams
from clarion.web.server import Asgi

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clarion.config import Settings
    from clarion.deliveries.provider import (
        Content,
        Outcome,
        Platform,
        ProviderApp,
        Push,
        PushSize,
        TryingProvider,
    )
    from clarion.faults import Fault

_MESSAGES_MAX = 16
"""How much of an answer waits for its reader at most."""


@asynccontextmanager
async def open_local_api() -> AsyncIterator["LocalApi"]:
    """The API of the workspace that is asked for. Raises NoInstallation where there is none."""
    async with open_session() as session:
        api = LocalApi(session)
        try:
            yield api
        finally:
            await api.close()


class LocalApi:
    """Implements `client.Api` without a server: the ASGI app is called as a server would."""

    def __init__(self, session: Session) -> None:
        self._actor = session.actor
        self._address = console_address(session.settings)
        self._provider = _OnDemandProvider(session.settings, session.clock)
        self._parts = Parts(
            database=session.database,
            broker=session.broker,
            clock=session.clock,
            provider=self._provider,
            vault=OnDemandVault(partial(open_vault, session.settings)),
            streams=Streams(),
            fcm_url=session.settings.fcm_url,
        )
        self._apps: dict[str, Asgi] = {}
        """By the first part of the path."""

    async def close(self) -> None:
        """Ends the connections that a command has opened."""
        await self._provider.close()

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
        headers: Mapping[str, str] | None = None,
        name: object = "",
    ) -> Any:
        """See `Api.call`. Raises what keeps the API from answering, such as StorageUnavailable."""
        answer = bytearray()
        status = 0
        asked = self._ask(method, path, query, headers or {}, content_of(body))
        async with aclosing(asked) as messages:
            async for message in messages:
                status = message.get("status", status)
                answer += message.get("body", b"")
        return result_of(status, bytes(answer), name=name)

    async def stream(
        self,
        path: str,
        *,
        media: str,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        name: object = "",
    ) -> AsyncGenerator[bytes]:
        """See `Api.stream`."""
        async with aclosing(self._ask("GET", path, query, headers or {})) as messages:
            status = (await anext(messages))["status"]
            if status != HTTPStatus.OK:
                refused = b"".join([message["body"] async for message in messages])
                result_of(status, refused, name=name)
            async for message in messages:
                yield message["body"]

    async def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        content: bytes = b"",
    ) -> AsyncGenerator[MutableMapping[str, Any]]:
        """The messages of an answer, as a server would be sent them. Who closes this is gone, as a
        caller is who hangs up."""
        noun = path.partition("?")[0].split("/")[1]
        if noun not in self._apps:
            self._apps[noun] = create_local_api(self._parts, noun)
        scope = self._scope(method, f"{PREFIX}{path}", query_of(query), headers, content)
        messages: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue(_MESSAGES_MAX)
        is_whole = asyncio.Event()
        asked = [{"type": "http.request", "body": content, "more_body": False}]

        async def receive() -> MutableMapping[str, Any]:
            if asked:
                return asked.pop()
            await is_whole.wait()  # as servers say it
            return {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            await messages.put(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                is_whole.set()

        answering = asyncio.ensure_future(self._apps[noun](scope, receive, send))
        try:
            while not (answering.done() and messages.empty()):
                waiting = asyncio.create_task(messages.get())
                await asyncio.wait({answering, waiting}, return_when=asyncio.FIRST_COMPLETED)
                if waiting.done():
                    yield waiting.result()
                else:
                    waiting.cancel()
            await answering
        finally:
            answering.cancel()
            await asyncio.wait({answering})

    def _scope(
        self, method: str, path: str, query: str, headers: Mapping[str, str], content: bytes
    ) -> dict[str, Any]:
        sent = {"content-type": "application/json", "content-length": str(len(content)), **headers}
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
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            "client": None,
            "server": None,
            CALLER: self._actor,
        }


class _OnDemandProvider:
    """FCM for the commands that ask something of it: connected where something is sent, loaded
    where a content is checked. Implements `deliveries.provider.TryingProvider`."""

    def __init__(self, settings: "Settings", clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._opened: TryingProvider | None = None

    async def send(self, app: "ProviderApp", pushes: "Sequence[Push]") -> "Sequence[Outcome]":
        """See `Provider.send`."""
        return await self._open().send(app, pushes)

    async def validate(self, app: "ProviderApp", pushes: "Sequence[Push]") -> "Sequence[Outcome]":
        """See `TryingProvider.validate`."""
        return await self._open().validate(app, pushes)

    def check(self, content: "Content", *, platform: "Platform") -> "Sequence[Fault]":
        """See `Provider.check`."""
        from clarion.providers.fcm.message import check

        return check(content, platform, self._clock.now())

    def measure(self, content: "Content", *, platform: "Platform") -> "PushSize":
        """See `TryingProvider.measure`."""
        from clarion.providers.fcm.message import measure

        return measure(content, platform, self._clock.now())

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.close()

    def _open(self) -> "TryingProvider":
        if self._opened is None:
            self._opened = open_provider(self._settings, self._clock)
        return self._opened
