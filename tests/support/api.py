"""The whole service over HTTP, in one process: collector, API, agents, a clock to move."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote
from uuid import UUID

import httpx

from clarion.accounts.actor import Scope
from clarion.accounts.api_key_store import create_key
from clarion.accounts.command import Services
from clarion.accounts.people.passwords import Cost, PasswordHasher
from clarion.accounts.workspace_store import create_workspace
from clarion.customers.ingestor import Ingestor, IngestorOptions
from clarion.events.collector import Collector, CollectorOptions
from clarion.providers.fcm.client import FcmProvider
from clarion.reports.attributor import Attributor
from clarion.storage.database import Database
from clarion.web.api import create_api
from clarion.web.api.errors import ERRORS, ErrorCode
from clarion.web.api.sources.streams import StreamOptions, Streams
from clarion.web.console import create_console
from clarion.web.intilery import TrackApp
from clarion.web.sdk import CollectApp
from clarion.web.server import WebApp
from support.book import WORKSPACE
from support.clock import FakeClock
from support.database import sqlite_database
from support.description import check_answer
from support.world import World

CHEAP = Cost(memory_kib=64, iterations=1)
"""Of password hashes in tests, which are many."""


@dataclass
class Answer:
    status: int
    headers: httpx.Headers
    text: str
    json: Any
    content: bytes = b""


@dataclass
class Service:
    """A context. Every answer is held against the API's description, and may hold no secret."""

    database: Database
    clock: FakeClock
    key: str = ""
    stream_options: StreamOptions | None = None
    secrets: set[str] = field(default_factory=lambda: {"PRIVATE KEY"})
    """What no answer may hold; one that is told once is added after that."""
    collector_options: CollectorOptions | None = None

    async def __aenter__(self) -> Self:
        self.streams = Streams(self.stream_options)
        self.world = await World(self.database, self.clock).open()
        self.key = await self.make_key(Scope.ADMIN)
        self.provider = FcmProvider("https://127.0.0.1:1", None, self.clock)
        parts = (self.database, self.world.broker, self.clock)
        self.ingestor = Ingestor(*parts, IngestorOptions(wait_seconds=0))
        self.attributor = Attributor(self.database, self.clock)
        self.collector = Collector(*parts, self.collector_options, vault=self.world.vault)
        self.services = Services(
            database=self.database,
            clock=self.clock,
            broker=self.world.broker,
            vault=self.world.vault,
        )
        self._serve(self.provider)
        return self

    def send_through(self, provider: FcmProvider) -> None:
        """Let the API send what it sends itself, such as tests, through this provider."""
        self._serve(provider)

    def _serve(self, provider: FcmProvider) -> None:
        parts = (self.database, self.world.broker, self.clock)
        self.app = WebApp(
            collect=CollectApp(self.collector),
            track=TrackApp(self.collector, self.database, self.clock, services=self.services),
            api=create_api(*parts, provider, self.world.vault, self.streams),
            console=create_console(self.services, PasswordHasher(CHEAP), provider=provider),
            metrics=_nothing,
            is_ready=_ready,
        )
        transport = httpx.ASGITransport(app=self.app)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://clarion.test")

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()
        await self.collector.close()
        await self.world.broker.close()
        await self.provider.close()

    async def make_key_elsewhere(self) -> str:
        """An admin's key of another workspace."""
        other = self.clock.new_id()
        async with self.database.write() as connection:
            await create_workspace(
                connection, workspace_id=other, name="other", now=self.clock.now()
            )
        return await self.make_key(Scope.ADMIN, workspace_id=other)

    async def make_key(self, *scopes: Scope, workspace_id: UUID = WORKSPACE) -> str:
        """A key that was made on the command line, and that no answer may tell."""
        async with self.database.write() as connection:
            _, secret = await create_key(
                connection,
                workspace_id=workspace_id,
                name="test",
                scopes=scopes,
                key_id=self.clock.new_id(),
                now=self.clock.now(),
            )
        self.secrets.add(secret)
        return secret

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        raw: bytes | None = None,
        headers: Mapping[str, str | bytes] | None = None,
    ) -> Answer:
        """One call to `/api/v1`; `key` empty: without one."""
        url = path if path.startswith(("/livez", "/readyz", "/nowhere")) else f"/api/v1{path}"
        key = self.key if key is None else key
        sent: dict[str, str | bytes] = {"Authorization": f"Bearer {key}"} if key else {}
        encoded = {
            name.encode(): value.encode() if isinstance(value, str) else value
            for name, value in (sent | dict(headers or {})).items()
        }
        answer = await self._client.request(
            method,
            url,
            json=body if raw is None else None,
            content=raw,
            headers=encoded,
        )
        for secret in self.secrets:
            assert secret not in answer.text, f"{method} {path} tells a secret"
        path_only = answer.request.url.raw_path.decode().partition("?")[0]
        media = answer.headers.get("content-type", "")
        check_answer(method, path_only, answer.status_code, answer.content, media)
        is_json = "json" in answer.headers.get("content-type", "")
        return Answer(
            status=answer.status_code,
            headers=answer.headers,
            text=answer.text,
            json=answer.json() if is_json and answer.content else None,
            content=answer.content,
        )

    async def get(self, path: str, **rest: Any) -> Any:
        """The JSON of a GET that succeeds."""
        answer = await self.ask("GET", path, **rest)
        assert answer.status == 200, answer.text
        return answer.json

    async def post(self, path: str, body: Any = None, **rest: Any) -> Any:
        """The JSON of a POST that succeeds."""
        answer = await self.ask("POST", path, body, **rest)
        assert answer.status in (200, 201), answer.text
        return answer.json

    async def every(self, path: str, limit: int) -> list[Any]:
        """All of a list, page by page."""
        found: list[Any] = []
        mark = "&" if "?" in path else "?"
        cursor = ""
        while True:
            page = await self.get(f"{path}{mark}limit={limit}{cursor}")
            assert len(page["data"]) <= limit
            found += page["data"]
            if page["next"] is None:
                return found
            cursor = f"&cursor={quote(page['next'])}"

    async def send(self, write_key: str, *events: dict[str, Any], **call: Any) -> None:
        """What an app sends, through the collector; then it is taken in. `call`: what the batch
        says beside its events."""
        answer = await self._client.post(
            "/v1/batch", json={"batch": events, **call}, auth=(write_key, "")
        )
        assert answer.status_code == 200, answer.text
        await self.ingestor.step()

    async def try_to_send(
        self, write_key: str, *events: dict[str, Any], headers: dict[str, str] | None = None
    ) -> Answer:
        """What an app hears; what was taken is taken in."""
        answer = await self._client.post(
            "/v1/batch", json={"batch": events}, auth=(write_key, ""), headers=headers
        )
        await self.ingestor.step()
        return Answer(
            status=answer.status_code,
            headers=answer.headers,
            text=answer.text,
            json=answer.json(),
        )


@asynccontextmanager
async def service_on_sqlite(
    directory: Path,
    clock: FakeClock,
    collector_options: CollectorOptions | None = None,
    stream_options: StreamOptions | None = None,
) -> AsyncIterator[Service]:
    """For what is decided before a database is asked."""
    database = await sqlite_database(directory)
    async with Service(
        database, clock, collector_options=collector_options, stream_options=stream_options
    ) as service:
        yield service
    await database.close()


def assert_is(answer: Answer, code: ErrorCode) -> None:
    """Fails where an answer is not this error, with its status and a sentence."""
    assert answer.json["code"] == code.value, answer.text
    assert answer.status == ERRORS[code].status
    assert answer.json["success"] is False
    assert answer.json["message"].endswith((".", "`."))


def register(
    message_id: str, device: str, token: str, *, user: str | None = None, platform: str = "Android"
) -> dict[str, Any]:
    """A `Register Push`; `user` None: not signed in."""
    return {
        "type": "track",
        "event": "Register Push",
        "messageId": message_id,
        "userId": device if user is None else user,
        "properties": {"deviceId": device, "fcmToken": token, "deviceType": platform},
    }


async def _nothing() -> bytes:
    return b""


async def _ready() -> bool:
    return True
