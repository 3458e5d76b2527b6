"""A database in which every transaction loses to another the first time that it is tried."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.storage.database import Database

_LOSE = text("DO $$ BEGIN RAISE EXCEPTION 'lost to another' USING ERRCODE = '40P01'; END $$")
"""PostgreSQL's words to the one of two that it ends because they block each other."""


class LosingDatabase(Database):
    """PostgreSQL alone. Every other transaction ends as the loser of a deadlock does, after all its
    statements; so what is tried again once goes well."""

    def __init__(self, database: Database) -> None:
        self._inner = database
        self.is_sqlite = database.is_sqlite
        self.lost = 0
        self._has_lost = False

    def read(self) -> Any:
        return self._inner.read()

    async def empty_log(self) -> None:
        await self._inner.empty_log()

    @asynccontextmanager
    async def write(self, *, first: bool = False) -> AsyncIterator[AsyncConnection]:
        async with self._inner.write(first=first) as connection:
            yield connection
            self._has_lost = not self._has_lost
            if self._has_lost:
                self.lost += 1
                await connection.execute(_LOSE)
