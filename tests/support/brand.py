"""A server that speaks Intilery's API to the station: its key, its paths."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from clarion.accounts.actor import Scope
from clarion.accounts.api_key_store import create_key
from support.book import WORKSPACE
from support.station import Station
from support.wire import Reply, request

BASE = "/track/client/account/APP/v1"
"""The station's source is called `app`."""


@dataclass
class Server:
    station: Station
    token: str

    async def post(
        self, call: str, body: Any, headers: Mapping[str, str] | None = None, base: str = BASE
    ) -> Reply:
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        sent = {"auth-token": self.token, **(headers or {})}
        return await self.station.ask(request(f"{base}/{call}", raw, sent))

    async def get(self, call: str, token: str | None = None, base: str = BASE) -> Reply:
        sent = {"auth-token": self.token if token is None else token}
        return await self.station.ask(request(f"{base}/{call}", b"", sent, method="GET"))


async def server_of(station: Station, *scopes: Scope) -> Server:
    async with station.database.write() as connection:
        _, secret = await create_key(
            connection,
            workspace_id=WORKSPACE,
            name="server",
            scopes=scopes or (Scope.WRITE,),
            key_id=station.clock.new_id(),
            now=station.clock.now(),
        )
    return Server(station, secret)
