"""What goes wrong between an SDK and the collector, and what its routes saw of it."""

import asyncio
from time import perf_counter

from clarion.storage.database import Database
from clarion.web.server import Asgi, Message, Receive, Scope, Send


class Calls:
    """What the collector's routes saw: the status of every answer, and the time it was given."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, float]] = []
        self.headers: list[dict[str, str]] = []
        self.refused = asyncio.Event()
        self.came_again = asyncio.Event()
        """After an answer that was lost."""
        self.losing = 0
        """How many of the next answers never reach the caller, who hears 500 instead."""
        self.has_lost = False
        self.throttling = 0
        """How many of the next calls are told to come again in a second."""

    @property
    def statuses(self) -> list[int]:
        return [status for status, _ in self.answers]

    def around(self, app: Asgi) -> Asgi:
        async def collect(scope: Scope, receive: Receive, send: Send) -> None:
            self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
            is_lost = self.losing > 0
            if not is_lost and self.has_lost:
                self.came_again.set()
            self.has_lost = self.has_lost or is_lost
            self.losing -= is_lost
            if self.throttling > 0:
                self.throttling -= 1
                self.answers.append((429, perf_counter()))
                await _throttle(send)
                return

            async def noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    self.answers.append((message["status"], perf_counter()))
                    if message["status"] == 503:
                        self.refused.set()
                if not is_lost:
                    await send(message)

            await app(scope, receive, noted)

        return collect


async def _throttle(send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"retry-after", b"1")]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    body = b'{"success":false,"code":"rate_limited","message":"Too fast."}'
    await send({"type": "http.response.body", "body": body})


async def break_storage(database: Database) -> None:
    """Let nothing in that needs a page more on SQLite's disk, or any job on PostgreSQL's."""
    async with database.engine.connect() as connection:
        if database.is_sqlite:
            await connection.exec_driver_sql("PRAGMA max_page_count = 1")
            return
        await connection.exec_driver_sql(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = '53100'; END $$"
        )
        await connection.exec_driver_sql(
            "CREATE TRIGGER refuse BEFORE INSERT ON jobs EXECUTE FUNCTION refuse()"
        )
        await connection.commit()


async def mend_storage(database: Database) -> None:
    """Let events in again."""
    async with database.engine.connect() as connection:
        if database.is_sqlite:
            await connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
            return
        await connection.exec_driver_sql("DROP TRIGGER refuse ON jobs")
        await connection.commit()
