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
        self.told: list[tuple[float, float]] = []
        """When a caller was told to come again, and after how many seconds."""
        self.refused = asyncio.Event()
        self.losing = 0
        """How many of the next answers never reach the caller, who hears 500 instead."""

    @property
    def statuses(self) -> list[int]:
        return [status for status, _ in self.answers]

    def came_as_told(self) -> bool:
        """Whether everybody who was told to come again came then, and not before: who comes early
        hears the same again."""
        later = [[at for _, at in self.answers if at > told_at] for told_at, _ in self.told]
        pauses = [found[0] - at for (at, _), found in zip(self.told, later, strict=True) if found]
        return len(pauses) == len(self.told) > 0 and all(
            pause >= seconds * 0.9 for pause, (_, seconds) in zip(pauses, self.told, strict=True)
        )

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
                    after = dict(message["headers"]).get(b"retry-after")
                    if after is not None:
                        self.told.append((self.answers[-1][1], float(after)))
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
