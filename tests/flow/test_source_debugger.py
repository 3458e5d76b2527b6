"""Finding out why an event does not arrive: what a source sends is told, live and counted."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Scope
from clarion.ingest_log.outcome import Entry
from clarion.ingest_log.queries import Wanted
from clarion.ingest_log.tail import Tail, TailOptions
from clarion.storage.bulk import insert_new
from clarion.storage.database import Database
from clarion.storage.schema import events, ingest_log
from clarion.web.api.errors import ErrorCode
from clarion.web.api.sources.streams import StreamOptions
from clarion.web.server import WebServer, bind
from support.api import Service, assert_is, register, service_on_sqlite
from support.clock import FakeClock
from support.patience import PATIENCE, patience

TOKEN = "fcm-token-of-a-device-that-nobody-may-see"
SDK = {"library": {"name": "analytics-android", "version": "4.11.3"}}
SOON = StreamOptions(look_seconds=0.02, keep_alive_seconds=0.05, streams_max=2)


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock, stream_options=SOON) as service:
        service.secrets.add(TOKEN)
        yield service


class App:
    """An app that sends by a source of its own."""

    def __init__(self, service: Service, source: Any) -> None:
        self.service = service
        self.id = source["id"]
        self._write_key = source["write_key"]
        self.path = f"/sources/{self.id}"

    async def send(self, *sent: dict[str, Any]) -> None:
        self.service.clock.advance(0.001)  # a call is known by its time
        await self.service.send(self._write_key, *sent)

    async def told(self, query: str = "") -> list[tuple[str, str]]:
        page = await self.service.get(f"{self.path}/events{query}")
        return [(one["outcome"], one["message_id"]) for one in page["data"]]


@pytest.fixture
async def app(service: Service) -> App:
    return App(service, await service.post("/sources", {"name": "app"}))


def seen(message_id: str, **fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Seen", "userId": "u", "messageId": message_id} | fields


async def test_what_a_source_sent_is_told_with_what_became_of_it(app: App) -> None:
    await app.send(seen("m1", context=SDK, timestamp="2026-03-01T11:00:00Z"))
    await app.send(seen("m1", context=SDK))
    await app.send(seen("m2", userId="null"))
    await app.send(register("m3", "D", ""))
    await app.send(seen("m4", event="RegisterPush"))
    page = await app.service.get(f"{app.path}/events")
    told = {(one["outcome"], one["message_id"]): one for one in page["data"]}
    assert list(told)[-1] == ("accepted", "m1")
    assert set(told) == {
        ("accepted", "m1"), ("duplicate", "m1"), ("refused", "m2"), ("refused", "m3"),
        ("accepted", "m3"), ("accepted", "m4"), ("warning", "m4"),
    }  # fmt: skip
    accepted = told["accepted", "m1"]
    assert (accepted["event"], accepted["user_id"]) == ("Seen", "u")
    assert accepted["sdk"] == {"name": "analytics-android", "version": "4.11.3"}
    assert accepted["at"] == "2026-03-01T11:00:00Z"
    assert told["duplicate", "m1"]["sdk"] == accepted["sdk"]
    refused = told["refused", "m3"]
    assert (refused["stage"], refused["code"]) == ("registration", "token_missing")
    assert "fcmToken" in refused["message"]
    assert "Firebase SDK" in refused["cure"]
    assert "Register Push" in told["warning", "m4"]["message"]


async def test_a_token_is_shown_nowhere(app: App) -> None:
    await app.send(
        register("m1", "D", TOKEN),
        {"token": TOKEN, "type": "unknown", "messageId": "m2"},
        {"type": "track", "messageId": "m3", "userId": "u", "device-token": TOKEN},
    )
    for query in ("", "?only=refused"):
        assert await app.told(query)
    answer = await app.service.ask("GET", f"{app.path}/refusals")
    assert TOKEN not in answer.text


async def test_only_what_is_asked_for_is_told(app: App) -> None:
    await app.send(seen("m1"))
    await app.send(seen("m2"))
    await app.send(seen("m3", event="RegisterPush"))
    await app.send(seen("m4", userId=""))
    await app.send(seen("m1"))
    for query, message_ids in {
        "?only=accepted": ["m3", "m2", "m1"],
        "?only=duplicate": ["m1"],
        "?only=refused": ["m4"],
        "?only=warning": ["m3"],
        "?name=SEEN": ["m1", "m4", "m2", "m1"],
        "?name=seen&only=accepted": ["m2", "m1"],
        "?name=Unheard": [],
    }.items():
        assert [message_id for _, message_id in await app.told(query)] == message_ids


async def test_the_pages_hold_everything_once_whatever_their_size(app: App) -> None:
    for number in range(4):
        await app.send(seen(f"m{number}"), seen(f"bad{number}", userId=""), seen("m0"))
    sent = sorted(
        [("accepted", f"m{n}") for n in range(4)]
        + [("refused", f"bad{n}") for n in range(4)]
        + [("duplicate", "m0")] * 4
    )
    for limit in (1, 2, 3, 7, 12):
        every = await app.service.every(f"{app.path}/events", limit)
        assert sorted((one["outcome"], one["message_id"]) for one in every) == sent
        times = [one["received_at"] for one in every]
        assert times == sorted(times, reverse=True)


async def test_another_workspace_and_another_source_see_nothing_of_it(app: App) -> None:
    await app.send(seen("m1"))
    elsewhere = await app.service.make_key_elsewhere()
    for path in ("events", "events/stream", "counts"):
        answer = await app.service.ask("GET", f"{app.path}/{path}", key=elsewhere)
        assert_is(answer, ErrorCode.NOT_FOUND)
    other = App(app.service, await app.service.post("/sources", {"name": "other"}))
    assert await other.told() == []


async def test_a_cursor_of_another_list_is_refused(app: App) -> None:
    answer = await app.service.ask("GET", f"{app.path}/events?cursor=kwQG")
    assert_is(answer, ErrorCode.CURSOR)
    headers = {"Last-Event-ID": "nonsense"}
    answer = await app.service.ask("GET", f"{app.path}/events/stream", headers=headers)
    assert_is(answer, ErrorCode.CURSOR)


async def test_what_was_counted_is_told_with_cures(app: App) -> None:
    await app.send(
        seen("m1", context=SDK), seen("m2"), seen("m3", userId=""), seen("m4", event="RegisterPush")
    )
    await app.send(seen("m1"))
    counts = await app.service.get(f"{app.path}/counts?hours=2")
    assert (counts["accepted"], counts["duplicate"], counts["refused"]) == (3, 1, 1)
    assert [count["accepted"] for count in counts["hours"]] == [0, 3]
    assert counts["events"][0] == {
        "type": "track", "event": "Seen", "accepted": 2, "duplicate": 1,
    }  # fmt: skip
    (refused,) = counts["refusals"]
    assert (refused["code"], refused["events"]) == ("no_user_anon_id", {"Seen": 1})
    assert refused["cure"]
    assert counts["sdks"] == [
        {"name": "analytics-android", "version": "4.11.3", "count": 1},
        {"name": None, "version": None, "count": 2},
    ]
    (warning,) = counts["warnings"]
    assert (warning["code"], warning["subject"]) == ("event_name_misspelt", "Register Push")
    assert (warning["message_id"], warning["count"]) == ("m4", 1)


async def test_an_app_that_does_not_refresh_its_tokens_is_warned_of_after_45_days(
    app: App,
) -> None:
    await app.send(register("m1", "D", TOKEN))

    async def warned() -> list[str]:
        counts = await app.service.get(f"{app.path}/counts")
        return [count["code"] for count in counts["warnings"]]

    app.service.clock.advance(45 * 86_400 - 60)
    assert await warned() == []
    app.service.clock.advance(120)
    assert await warned() == ["tokens_not_refreshed"]
    await app.send(register("m2", "D", TOKEN))
    assert await warned() == []


async def test_new_installations_do_not_hide_that_the_old_ones_are_not_refreshed(
    app: App,
) -> None:
    used = {"context": {"device": {"id": "D"}}}
    await app.send(register("m1", "D", TOKEN), register("m2", "dead", "fcm-token-of-a-dead-phone"))

    async def warned() -> list[tuple[str, int, str]]:
        counts = await app.service.get(f"{app.path}/counts")
        return [(count["code"], count["count"], count["last_at"]) for count in counts["warnings"]]

    app.service.clock.advance(44 * 86_400)
    await app.send(register("m3", "E", "fcm-token-of-a-new-phone"), seen("m4", **used))
    app.service.clock.advance(2 * 86_400)
    assert await warned() == []
    await app.send(seen("m5", **used))
    ((code, devices, last_at),) = await warned()
    assert (code, devices, last_at[:10]) == ("tokens_not_refreshed", 1, "2026-04-16")
    await app.send(register("m6", "D", TOKEN))
    assert await warned() == []


async def test_each_warning_names_an_event_that_deserved_it(app: App) -> None:
    await app.send(seen("m1", event="RegisterPush"))
    await app.send(seen("m2", event="DeviceDeleted"))
    counts = await app.service.get(f"{app.path}/counts")
    told = {count["subject"]: count["message_id"] for count in counts["warnings"]}
    assert told == {"Register Push": "m1", "Device Deleted": "m2"}


async def test_a_warning_whose_event_is_not_listed_any_more_is_told_all_the_same(app: App) -> None:
    await app.send(seen("m1", event="RegisterPush"))
    async with app.service.database.write() as connection:
        await connection.execute(ingest_log.delete())
    counts = await app.service.get(f"{app.path}/counts")
    ((code, message_id, last_at),) = [
        (count["code"], count["message_id"], count["last_at"]) for count in counts["warnings"]
    ]
    assert (code, message_id) == ("event_name_misspelt", None)
    assert last_at == counts["hours"][-1]["hour"]


# --- live -----------------------------------------------------------------------------------


class Line:
    """A stream that is being read."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()
        self.id = ""
        self.comments = 0

    async def next(self, count: int) -> list[tuple[str, str]]:
        """The next `count` events: (outcome, messageId)."""
        found: list[tuple[str, str]] = []
        async with patience():
            while len(found) < count:
                await self._read(found)
        return found

    async def keep_alive(self) -> None:
        before = self.comments
        async with patience():
            while self.comments == before:
                await self._read([])

    async def ended(self) -> None:
        async with patience():
            async for _ in self._lines:
                pass

    async def _read(self, found: list[tuple[str, str]]) -> None:
        line = await anext(self._lines)
        assert TOKEN not in line
        name, _, value = line.partition(": ")
        match name:
            case "data":
                told = json.loads(value)
                found.append((told["outcome"], told["message_id"]))
            case "id":
                self.id = value
            case "":
                self.comments += line != ""


class Live:
    """The service behind a real socket."""

    def __init__(self, app: App, client: httpx.AsyncClient) -> None:
        self.app = app
        self._client = client

    @asynccontextmanager
    async def stream(
        self, query: str = "", *, after: str | None = None, key: str | None = None
    ) -> AsyncIterator[Line]:
        headers = {"Authorization": f"Bearer {key or self.app.service.key}"}
        if after is not None:
            headers["Last-Event-ID"] = after
        path = f"/api/v1{self.app.path}/events/stream{query}"
        async with self._client.stream("GET", path, headers=headers) as answer:
            line = Line(answer)
            if answer.status_code == 200:
                assert answer.headers["content-type"].startswith("text/event-stream")
            else:
                await answer.aread()
            yield line

    async def all_left(self) -> None:
        """Return once nobody is served any more."""
        async with patience():
            while self.app.service.streams.count:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)

    async def head(self) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.app.service.key}"}
        async with patience():
            return await self._client.head(f"/api/v1{self.app.path}/events/stream", headers=headers)


@pytest.fixture
async def alone(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Live]:
    """A service for what does not depend on the database."""
    async with service_on_sqlite(tmp_path, clock, stream_options=SOON) as service:
        app = App(service, await service.post("/sources", {"name": "app"}))
        async with served(app) as live:
            yield live


@pytest.fixture
async def live(app: App) -> AsyncIterator[Live]:
    async with served(app) as live:
        yield live


@asynccontextmanager
async def served(app: App) -> AsyncIterator[Live]:
    listener = bind("127.0.0.1", 0)
    server = WebServer(app.service.app, listener)
    running = asyncio.create_task(server.run())
    await server.started()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE, trust_env=False) as client:
        yield Live(app, client)
        app.service.streams.close()
    server.stop()
    async with patience():  # a stream does not hold up the end
        await running
    listener.close()


async def test_a_stream_tells_what_is_there_then_what_comes(app: App, live: Live) -> None:
    await app.send(*(seen(f"old{number}") for number in range(3)))
    async with live.stream("?last=2") as line:
        assert await line.next(2) == [("accepted", "old1"), ("accepted", "old2")]
        await app.send(seen("m1"))
        assert await line.next(1) == [("accepted", "m1")]
        await app.send(seen("m1"), seen("m2", userId=""), register("m3", "D", TOKEN))
        assert sorted(await line.next(3)) == [
            ("accepted", "m3"), ("duplicate", "m1"), ("refused", "m2"),
        ]  # fmt: skip


async def test_a_stream_tells_only_what_is_asked_for(app: App, live: Live) -> None:
    async with live.stream("?only=refused&name=seen&last=0") as line:
        await line.keep_alive()
        await app.send(seen("m1"), seen("other", event="Other", userId=""), seen("m2", userId=""))
        assert await line.next(1) == [("refused", "m2")]


async def test_a_stream_goes_on_after_the_last_event_that_was_seen(app: App, live: Live) -> None:
    async with live.stream("?last=0") as line:
        await line.keep_alive()
        await app.send(seen("m1"))
        assert await line.next(1) == [("accepted", "m1")]
        await line.keep_alive()
        after = line.id
    await app.send(seen("m2"), seen("m1"))
    async with live.stream(after=after) as line:
        assert sorted(await line.next(2)) == [("accepted", "m2"), ("duplicate", "m1")]


async def test_nobody_holds_a_place_whose_client_has_gone(alone: Live) -> None:
    async with alone.stream() as one, alone.stream() as two:
        await one.keep_alive()
        await two.keep_alive()
        async with alone.stream() as third:
            assert third.answer.status_code == 429
            assert third.answer.json()["code"] == ErrorCode.TOO_MANY_STREAMS
            assert int(third.answer.headers["retry-after"]) >= 1
    await alone.all_left()
    async with alone.stream() as again:
        await again.keep_alive()


async def test_a_stream_ends_with_the_process(alone: Live) -> None:
    async with alone.stream() as line:
        await line.keep_alive()
        alone.app.service.streams.close()
        await line.ended()


async def test_asking_for_the_headers_of_a_stream_ends_at_once(alone: Live) -> None:
    answer = await alone.head()
    assert answer.status_code == 200
    await alone.all_left()


async def test_a_stream_needs_a_key_that_reads(alone: Live) -> None:
    async with alone.stream(key=await alone.app.service.make_key(Scope.READ)) as line:
        await line.keep_alive()
    async with alone.stream(key="clk_of_nobody") as line:
        assert line.answer.status_code == 401


async def test_what_becomes_visible_late_is_told_and_nothing_twice(
    app: App, database: Database
) -> None:
    """As with two ingestors: the higher number is committed first."""
    await app.send(seen("m1"))
    wanted = Wanted(source_id=UUID(app.id))
    row = await a_row_of(database)

    async def commit(message_id: str, number: int) -> None:
        async with database.write() as connection:
            later = row | {"message_id": message_id, "seq": row["seq"] + number}
            await insert_new(connection, events, [later])

    await commit("m5", 5)
    for last in (0, 1, 2):
        tail = Tail(wanted)
        begun = await shown(database, partial(tail.begin, last=last))
        assert begun == ["m1", "m5"][2 - last :]
        await commit(f"late{last}", 2 + last)
        assert await shown(database, tail.look) == [f"late{last}"]
        async with database.write() as connection:
            await connection.execute(events.delete().where(events.c.message_id == f"late{last}"))
    for message_id, number in (("m9", 9), ("m8", 8), ("m7", 7)):
        await commit(message_id, number)
        assert await shown(database, tail.look) == [message_id]
    assert await shown(database, tail.look) == []


async def test_who_can_not_be_told_all_hears_that(app: App, database: Database) -> None:
    wanted = Wanted(source_id=UUID(app.id))
    tail = Tail(wanted, options=TailOptions(rows_max=3))
    await shown(database, partial(tail.begin, last=0))
    await app.send(*(seen(f"m{number}") for number in range(5)))
    assert await shown(database, tail.look) == ["m2", "m3", "m4"]
    assert tail.skipped
    await app.send(seen("m5"))
    assert await shown(database, tail.look) == ["m5"]
    assert not tail.skipped


async def shown(
    database: Database, look: Callable[[AsyncConnection], Awaitable[list[Entry]]]
) -> list[str | None]:
    """The messageIds that one look tells."""
    async with database.read() as connection:
        return [entry.message_id for entry in await look(connection)]


async def a_row_of(database: Database) -> dict[str, Any]:
    async with database.read() as connection:
        row = (await connection.execute(events.select())).one()
    return dict(row._mapping)
