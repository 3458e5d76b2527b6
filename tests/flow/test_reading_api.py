"""Events and profiles read from the modelled product's paths."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import quote

import pytest

from clarion.accounts.actor import Scope
from clarion.clock import Clock
from clarion.sources.rate_limit import Limit
from clarion.sources.store import create_source
from clarion.storage.database import Database
from support.book import SOURCE, WORKSPACE
from support.brand import Server, server_of
from support.clock import FakeClock
from support.sources import set_source
from support.station import Station, prepare, source_row, track
from support.wire import Reply


@pytest.fixture
async def station(database: Database, clock: FakeClock) -> AsyncIterator[Station]:
    await prepare(database, clock)
    async with Station(database, clock) as station:
        yield station


@pytest.fixture
async def reader(station: Station) -> Server:
    return await server_of(station, Scope.READ)


async def sent(station: Station, *events: dict[str, Any]) -> None:
    assert (await station.post("/v1/batch", {"batch": events})).status == 200
    await station.take_in()


def ids(reply: Reply) -> list[str]:
    assert reply.status == 200, reply
    return [one["id"] for one in reply.json["data"]]


def at(minute: int) -> str:
    return f"2026-03-01T11:{minute:02}:00Z"


# --- events ---------------------------------------------------------------------------------


async def test_an_event_is_told_in_the_shape_of_the_model(station: Station, reader: Server) -> None:
    await sent(
        station,
        {"type": "identify", "userId": "u", "traits": {"email": "Ada@example.org"}},
        track("m", event="Email Opened", timestamp=at(5), anonymousId="a", fcmToken="secret"),
    )
    (event,) = (await reader.get("events?include=email_opened")).json["data"]
    customer_id = event.pop("customerId")
    raw = event.pop("rawData")
    assert event == {
        "id": "m",
        "externalId": "u",
        "email": "Ada@example.org",
        "eventId": "m",
        "eventTime": at(5),
        "receivedTime": "2026-03-01T12:00:00Z",
        "eventAction": "email_opened",
        "clientId": "client",
        "accountId": "account",
        "brandId": "APP",
        "userId": "u",
        "anonymousId": "a",
        "source": "CLARION",
    }
    assert customer_id
    assert raw["action"] == "track"
    assert raw["event"] == "Email Opened"
    assert raw["fcmToken"].startswith("fingerprint:")


async def test_events_are_found_by_action_and_time_and_told_in_either_order(
    station: Station, reader: Server
) -> None:
    await sent(
        station,
        track("m1", event="Email Opened", timestamp=at(1)),
        track("m2", event="email-opened", timestamp=at(2)),
        track("m3", event="Seen", timestamp=at(3)),
        {"type": "page", "name": "Home", "userId": "u", "messageId": "m4", "timestamp": at(4)},
        track("m5", event="Seen", timestamp="2024-01-01T00:00:00Z"),
    )
    expected: dict[str, Sequence[str]] = {
        "": ["m5", "m4", "m3", "m2", "m1"],
        "sort=asc": ["m1", "m2", "m3", "m4", "m5"],
        "include=email_opened": ["m2", "m1"],
        "include=Email%20Opened": ["m2", "m1"],
        "include=page,seen&sort=asc": ["m3", "m4", "m5"],
        "exclude=page,%20seen": ["m2", "m1"],
        f"start={at(2)}&end={at(3)}": ["m3", "m2"],
        "start=2026-03-01T13:04:00+02:00": ["m4"],
        "start=2026-03-01T13:04:00%2B02:00": ["m4"],
        "end=2025-01-01": ["m5"],
        "size=2": ["m5", "m4"],
        "size=2&from=2": ["m3", "m2"],
        "from=10000": [],
        "include=nothing": [],
    }
    for query, wanted in expected.items():
        assert ids(await reader.get(f"events?{query}")) == wanted, query
    assert ids(await reader.get("events/?size=1")) == ["m5"]


async def test_who_asks_for_the_last_minutes_is_told_nothing_older(
    station: Station, reader: Server, clock: FakeClock
) -> None:
    for number in range(4):
        await sent(station, track(f"m{number}"))
        clock.advance(7_200)
    assert ids(await reader.get("events?start=2026-03-01T15:00:00Z")) == ["m3", "m2"]
    assert ids(await reader.get("events?start=2026-03-01T12:00:00Z&sort=asc&size=1")) == ["m0"]


async def test_a_brand_is_told_its_own_events(station: Station, reader: Server) -> None:
    async with station.database.write() as connection:
        await create_source(connection, **source_row("other", 9, "other"), now=station.clock.now())
    await sent(station, track("ours"))
    await station.post("/v1/track", track("theirs"), key="other")
    await station.take_in()
    assert ids(await reader.get("events")) == ["ours"]
    assert ids(await reader.get("events", base="/track/c/a/OTHER/v1")) == ["theirs"]
    both = await reader.get("profiles/userId:u/events")
    assert ids(both) == ["theirs", "ours"]
    assert [one["brandId"] for one in both.json["data"]] == ["OTHER", "APP"]


# --- profiles -------------------------------------------------------------------------------


async def test_a_profile_is_named_by_user_id_or_id_and_may_hold_a_slash(
    station: Station, reader: Server
) -> None:
    name = "a/b:c é"
    await sent(
        station,
        {"type": "identify", "userId": name, "traits": {"plan": "gold", "pushToken": "secret"}},
    )
    found = (await reader.get(f"profiles/userId:{quote(name, safe='')}")).json["data"]
    assert (found["userId"], found["traits"]["plan"]) == (name, "gold")
    assert found["traits"]["pushToken"].startswith("fingerprint:")
    traits = await reader.get(f"profiles/id:{found['id']}/traits")
    assert traits.json["data"] == found["traits"]


async def test_several_may_share_an_address(station: Station, reader: Server) -> None:
    shared = {"email": "Home@example.org"}
    await sent(
        station,
        *({"type": "identify", "userId": one, "traits": shared} for one in ("a", "b")),
        {"type": "identify", "userId": "c", "traits": {"email": "c@example.org"}},
        track("m1", userId="a"),
        track("m2", userId="b"),
    )
    found = await reader.get("profiles/email:home@EXAMPLE.org")
    assert {one["userId"] for one in found.json["data"]} == {"a", "b"}
    traits = await reader.get("profiles/email:home%40example.org/traits")
    assert traits.json["data"] == [shared, shared]
    alone = await reader.get("profiles/email:c@example.org/traits")
    assert alone.json["data"] == [{"email": "c@example.org"}]
    assert ids(await reader.get("profiles/email:home@example.org/events"))[:2] == ["m2", "m1"]


async def test_the_meta_of_a_profile_tells_the_first_and_last_of_each_event(
    station: Station, reader: Server
) -> None:
    await sent(
        station,
        {"type": "identify", "userId": "u", "traits": {"plan": "gold"}, "timestamp": at(1)},
        track("m1", event="Email Opened", timestamp=at(2)),
        track("m2", event="email_opened", timestamp=at(9)),
        track("m3", event="Seen", timestamp=at(3)),
    )
    for part in ("meta", "metadata"):
        meta = (await reader.get(f"profiles/userId:u/{part}")).json["data"]
        assert meta["plan"] == "gold"
        assert meta["firstEvent"] == {"identify": at(1), "email_opened": at(2), "seen": at(3)}
        assert meta["lastEvent"] == {"identify": at(1), "email_opened": at(9), "seen": at(3)}
        assert meta["lastActivityTime"] == at(9)
        assert meta["createdBy"] == {"createdTime": at(1)}


async def test_profiles_and_their_events_are_scrolled_through(
    station: Station, reader: Server
) -> None:
    people = [track(None, userId=f"u{number}") for number in range(205)]
    deeds = [track(f"m{number}", userId="busy") for number in range(205)]
    await sent(station, *people, *deeds)

    async def scrolled(path: str) -> tuple[list[int], list[Any]]:
        sizes: list[int] = []
        found: list[Any] = []
        query = ""
        while True:
            page = (await reader.get(path + query)).json
            sizes.append(len(page["data"]))
            found += [one["userId"] if "traits" in one else one["id"] for one in page["data"]]
            if page["scrollId"] is None:
                return sizes, found
            query = f"?scrollId={quote(page['scrollId'])}"

    sizes, users = await scrolled("profiles")
    assert sizes == [100, 100, 6]
    assert sorted(users) == sorted([*(f"u{number}" for number in range(205)), "busy"])
    for path in ("profiles/userId:busy/events", "events"):
        sizes, events = await scrolled(path)
        assert sizes[:2] == [100, 100]
        assert events[:205] == [f"m{number}" for number in reversed(range(205))]


# --- what is refused ------------------------------------------------------------------------


async def test_what_can_not_be_told_is_an_error_in_the_shape_of_the_model(
    station: Station, reader: Server
) -> None:
    cases = {
        "events?size=0": (400, "validation_error"),
        "events?size=101": (400, "validation_error"),
        "events?size=x": (400, "validation_error"),
        "events?from=10001": (400, "validation_error"),
        "events?from=1&scrollId=AAAAAAAAAAk": (400, "validation_error"),
        "events?from=-1": (400, "validation_error"),
        "events?from=%C2%B2": (400, "validation_error"),
        "events?sort=up": (400, "validation_error"),
        "events?start=yesterday": (400, "validation_error"),
        "events?end=0001-01-01": (400, "validation_error"),
        "events?include=" + "a," * 200: (400, "validation_error"),
        "events?" + "a=1&" * 200: (400, "invalid_request_error"),
        "profiles?scrollId=x": (400, "validation_error"),
        "profiles?scrollId=é": (400, "validation_error"),
        "profiles/u": (400, "invalid_request_error"),
        "profiles/phone:1/traits": (400, "invalid_request_error"),
        "profiles/userId:": (400, "invalid_request_error"),
        "profiles/userId:nobody/traits": (404, "not_found"),
        "profiles/userId:nobody/events": (404, "not_found"),
        "profiles/email:nobody@example.org/traits": (404, "not_found"),
        "profiles/id:nobody": (404, "not_found"),
        "profiles/userId:u/nothing": (404, "not_found"),
        "profiles/userId:u/traits/more": (404, "not_found"),
        "events/more": (404, "not_found"),
    }
    for path, (status, code) in cases.items():
        reply = await reader.get(quote(path, safe="/?=&,%:"))
        assert (reply.status, reply.json["error"]["code"]) == (status, code), path
        assert reply.json["error"]["message"].endswith("."), path
    assert (await reader.post("events", {})).status == 405


async def test_a_reader_must_show_a_key_of_the_brands_workspace(
    station: Station, reader: Server
) -> None:
    for path in ("events", "profiles", "profiles/userId:u/traits"):
        for token in ("", "clk_nobody"):
            reply = await reader.get(path, token=token)
            assert (reply.status, reply.json["error"]["code"]) == (401, "authentication_error")
        reply = await reader.get(path, base="/track/c/a/NONE/v1")
        assert (reply.status, reply.json["error"]["code"]) == (401, "authentication_error")
        assert "name of a source" in reply.json["error"]["message"]


async def test_a_reader_keeps_to_the_limit_of_the_source_and_does_not_use_up_the_senders(
    station: Station, reader: Server, clock: FakeClock
) -> None:
    async with station.database.write() as connection:
        limit = Limit(events_per_second=1, burst=2)
        await set_source(connection, WORKSPACE, SOURCE, limit=limit)
    sender = await server_of(station, Scope.READ, Scope.WRITE)
    for _ in range(2):
        assert (await sender.get("profiles")).status == 200
    refused = await sender.get("events")
    assert (refused.status, refused.headers["retry-after"]) == (429, "1")
    assert refused.json["error"]["code"] == "rate_limit_error"
    assert refused.json["error"]["message"]
    assert (await sender.post("track", track("m"))).status == 200
    assert (await reader.get("events")).status == 200, "each key has a limit of its own"
    clock.advance(1)
    assert (await sender.get("events")).status == 200


async def test_an_outage_is_told_to_readers(tmp_path: Any, clock: Clock) -> None:
    database = Database(f"sqlite:///{tmp_path}/empty.db")
    async with Station(database, clock) as station:
        reply = await Server(station, "clk_x").get("events")
    await database.close()
    assert (reply.status, reply.json["error"]["code"]) == (503, "internal_server_error")
    assert int(reply.headers["retry-after"]) >= 1
