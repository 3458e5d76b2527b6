"""What goes wrong between an SDK and the collector, and what its routes saw of it."""

import asyncio
from time import perf_counter

from clarion.storage.database import Database
from clarion.web.server import Asgi, Message, Receive, Scope, Send


class Calls:
    """What the collector's routes saw: each answer to a POST, and when it was given."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, float]] = []
        self.headers: list[dict[str, str]] = []
        self.refused = asyncio.Event()
        self.losing = 0
        """How many of the next answers never reach the caller, who hears 500 instead."""

    @property
    def statuses(self) -> list[int]:
        return [status for status, _ in self.answers]

    def waited(self) -> float:
        """Seconds between the last call that was told to come again and the last that was taken:
        others may have been on their way meanwhile."""
        told = [at for status, at in self.answers if status in (429, 503)]
        taken = [at for status, at in self.answers if status == 200]
        return taken[-1] - told[-1]

    def around(self, app: Asgi) -> Asgi:
        async def collect(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["method"] != "POST":
                await app(scope, receive, send)
                return
            self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
            is_lost = self.losing > 0
            self.losing -= is_lost

            async def noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    self.answers.append((message["status"], perf_counter()))
                    if message["status"] == 503:
                        self.refused.set()
                if not is_lost:
                    await send(message)

            await app(scope, receive, noted)

        return collect


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
