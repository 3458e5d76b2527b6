"""After an erasure nothing of the person is left: the whole store is searched for it."""

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select

from clarion.accounts.actor import operator
from clarion.broker import JobKind
from clarion.customers.commands import merge_customers
from clarion.customers.identity.identifier import Provisional, User, customer_id_of, device_row_id
from clarion.customers.identity.merges.store import Merge
from clarion.storage.bulk import insert_new
from clarion.storage.database import Database
from clarion.storage.schema import metadata, quarantine
from support.api import Service, register
from support.book import WORKSPACE
from support.clock import FakeClock
from support.privacy import Regulator
from support.services import services
from support.world import APP

ADA, PHONE, BROWSER, TABLET = "ada-4711", "adas-phone-1", "adas-browser-1", "shared-tablet-1"
TOKENS = ["token-of-adas-phone-1", "token-of-adas-phone-2", "token-adas-on-the-tablet"]
CARLS_TOKEN = "token-carl-had-before"
WORDS = [
    ADA, PHONE, BROWSER, "Ada.Lovelace@shop.example", "Lovelace", "adas-radio-1", "adas-locale",
    *TOKENS,
    *(sha256(one.encode()).hexdigest()[:12] for one in TOKENS),
]  # fmt: skip
IDS = [
    customer_id_of(WORKSPACE, User(ADA)),
    customer_id_of(WORKSPACE, Provisional(PHONE, None)),
    customer_id_of(WORKSPACE, Provisional(BROWSER, None)),
    device_row_id(WORKSPACE, PHONE),
]


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


def regulator(service: Service) -> Regulator:
    return Regulator(service.database, service.world.broker, service.clock)


def at(minute: int) -> dict[str, str]:
    return {"timestamp": f"2026-02-01T10:{minute:02}:00Z"}


def track(message_id: str, name: str, **rest: Any) -> dict[str, Any]:
    return {"type": "track", "event": name, "messageId": message_id, **rest}


LIFE = [
    track("a0", "Opened", anonymousId=BROWSER, context={"device": {"id": "adas-radio-1"}}, **at(1)),
    register("a1", PHONE, TOKENS[0]) | at(2),
    {"type": "identify", "messageId": "a2", "userId": ADA, "anonymousId": BROWSER,
     "traits": {"email": "Ada.Lovelace@shop.example", "name": {"last": "Lovelace"}}, **at(3)},
    register("a3", PHONE, TOKENS[0], user=ADA) | at(4),
    register("a4", PHONE, TOKENS[1], user=ADA) | at(5),
    track("a5", "Device Deleted", userId=ADA,
          context={"device": {"id": PHONE, "token": TOKENS[0]}}, **at(6)),
    register("a6", TABLET, TOKENS[2], user=ADA) | at(20) | {"context": {"locale": "adas-locale"}},
    register("a7", "carls-phone", CARLS_TOKEN, user=ADA) | at(21),
    track("a8", "Register Push", userId=ADA, properties={"deviceId": PHONE}, **at(22)),
    {"type": "alias", "messageId": "c9", "userId": "carl", "previousId": ADA, **at(23)},
    {"type": "nonsense", "messageId": "a9", "userId": ADA, "traits": {"last": "Lovelace"}},
]  # fmt: skip
OTHERS = [
    register("b1", TABLET, "token-bobs", user="bob") | at(10),
    register("b2", TABLET, "token-bobs-2", user="bob")
    | at(30)
    | {"context": {"timezone": "Europe/Vienna"}},
    register("c1", "carls-old-phone", CARLS_TOKEN, user="carl") | at(11),
    {"type": "identify", "messageId": "b3", "userId": "bob", "traits": {"plan": "pro"}, **at(31)},
]


async def send(service: Service, *events: dict[str, Any]) -> None:
    sources = (await service.get("/sources"))["data"]
    await service.send(str(sources[0]["write_key"]), *events)


async def left(database: Database, words: list[str], ids: list[UUID]) -> list[str]:
    """Where in the store any of these stands: every column of every row of every table."""
    needles = [word.lower() for word in words]
    needles += [text for one in ids for text in (str(one), one.hex)]
    found = []
    async with database.read() as connection:
        for table in metadata.sorted_tables:
            for row in await connection.execute(select(table)):
                for column, value in row._mapping.items():
                    text = _text(value).lower()
                    found += [
                        f"{table.name}.{column}: {needle}" for needle in needles if needle in text
                    ]
    return found


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1") + value.hex()
    if isinstance(value, str | UUID):
        return str(value)
    return msgspec.json.encode(value, enc_hook=str).decode()


async def test_nothing_is_left_of_an_erased_person(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    await send(service, *OTHERS, *LIFE)
    await send(service, LIFE[1])
    sent = await service.world.campaign()
    await service.world.settle(sent)
    waiting = await service.world.campaign()
    await service.world.scheduler.step()
    while await service.world.planner.step():
        pass
    before = await service.get(f"/campaigns/{sent}/report")
    async with service.database.write() as connection:
        row = {"firebase_app_id": APP, "device_id": device_row_id(WORKSPACE, PHONE),
               "token_hash": "x", "reason": "unregistered", "at": service.clock.now()}  # fmt: skip
        await insert_new(connection, quarantine, [row])
    assert await left(service.database, WORDS, IDS), "the search finds what is there"
    [lease] = await put_aside(service)
    await lease.reject("for a test")
    capsys.readouterr()

    erased = await regulator(service).erase(WORKSPACE, ADA, by="test")

    assert erased is not None
    assert erased.events == 10
    assert erased.deliveries > 0
    assert await left(service.database, WORDS, IDS) == []
    await send(service, track("a10", "Opened", userId=ADA), track("a11", "X", anonymousId=BROWSER),
               register("a12", PHONE, TOKENS[1]), register("a13", PHONE, TOKENS[1], user=ADA),
               track("a14", "Opened", anonymousId="fresh-browser", userId=ADA),
               track("a15", "", userId=ADA, properties={"last": "Lovelace"}))  # fmt: skip
    assert await left(service.database, [*WORDS, "fresh-browser"], IDS) == []
    report = await service.get(f"/campaigns/{sent}/report")
    assert (report["planned"], report["accepted"]) == (before["planned"], before["accepted"])
    assert (await service.world.settle(waiting)).balances
    skipped = (await service.get(f"/campaigns/{waiting}/report"))["reasons"]["skipped"]
    assert skipped["erased"] > 0
    said = capsys.readouterr()
    assert "customer_erased" in said.out + said.err
    assert not [one for one in WORDS if one.lower() in (said.out + said.err).lower()]


async def test_a_merged_customer_is_erased_by_each_of_their_ids(service: Service) -> None:
    old = [
        register("message-of-the-old", "adas-old-phone", "token-of-the-old", user="ada-old") | at(1)
    ]
    await send(service, *LIFE[:6], *old)
    parts = services(service.database, service.clock)
    assert isinstance(await merge_customers(parts, operator(WORKSPACE), "ada-old", ADA), Merge)
    await regulator(service).erase(WORKSPACE, "ada-old", by="test")
    assert (
        await left(
            service.database, [*WORDS, "ada-old", "adas-old-phone", "message-of-the-old"], IDS
        )
        == []
    )
    await send(service, track("o2", "Late", userId="ada-old"), track("a2", "Late", userId=ADA))
    assert await left(service.database, [*WORDS, "ada-old"], IDS) == []


async def test_nobody_else_loses_anything(service: Service) -> None:
    await send(service, *OTHERS)
    alone = await seen(service)
    await send(service, *LIFE[:-2])
    await regulator(service).erase(WORKSPACE, ADA, by="test")
    after = await seen(service)
    assert after["events"] == alone["events"]
    assert after["traits"] == alone["traits"]
    bob = await service.get("/customers/bob")
    assert [(one["device_id"], one["state"]) for one in bob["devices"]] == [(TABLET, "active")]
    await send(service, register("c2", "carls-old-phone", "token-new", user="carl") | at(40))
    carl = await service.get("/customers/carl")
    assert [(one["device_id"], one["state"]) for one in carl["devices"]] == [
        ("carls-old-phone", "active")
    ]


async def test_a_suppressed_person_is_not_followed_nor_reached_and_may_come_back(
    service: Service,
) -> None:
    await send(service, *OTHERS, *LIFE[:6], register("a20", PHONE, TOKENS[1], user=ADA) | at(40))
    assert await regulator(service).suppress(WORKSPACE, ADA, by="test")
    known = (await service.get(f"/customers/{ADA}/events"))["data"]
    await send(service, track("a21", "Opened", userId=ADA), track("a22", "X", anonymousId=BROWSER))
    assert (await service.get(f"/customers/{ADA}/events"))["data"] == known
    campaign = await service.world.campaign({"user_ids": [ADA]})
    report = await service.world.settle(campaign)
    assert report.reasons["skipped"] == {"opted_out": report.total.planned}
    assert report.total.planned > 0
    assert await regulator(service).unsuppress(WORKSPACE, ADA, by="test")
    assert not await regulator(service).unsuppress(WORKSPACE, ADA, by="test")
    await send(service, track("a23", "Opened", userId=ADA))
    assert len((await service.get(f"/customers/{ADA}/events"))["data"]) == len(known) + 1
    campaign = await service.world.campaign({"user_ids": [ADA]})
    assert (await service.world.settle(campaign)).total.accepted > 0


async def test_what_is_dropped_is_counted_and_told_without_telling_of_whom(
    service: Service,
) -> None:
    await send(service, *LIFE, *OTHERS)
    await regulator(service).erase(WORKSPACE, ADA, by="test")
    service.clock.advance(86_400)
    for number in range(3):
        service.clock.advance(1)
        late = [track(f"late-{number}-{one}", "Seen", userId=ADA) for one in range(2)]
        await send(service, *late, track(f"bobs{number}", "Seen", userId="bob"))
    (source,) = (await service.get("/sources"))["data"]
    counts = await service.get(f"/sources/{source['id']}/counts?hours=1")
    assert (counts["accepted"], counts["refused"]) == (3, 6)
    (reason,) = counts["refusals"]
    assert (reason["code"], reason["count"], reason["events"]) == ("person_suppressed", 6, {})
    assert "unsuppress" in reason["cure"]
    page = await service.get(f"/sources/{source['id']}/events?only=refused&limit=1")
    (line,) = page["data"]
    assert (line["stage"], line["code"]) == ("person", "person_suppressed")
    assert {line[name] for name in ("message_id", "type", "event", "user_id", "excerpt")} == {None}
    page = await service.get(f"/sources/{source['id']}/refusals")
    assert [one["code"] for one in page["data"]].count("person_suppressed") == 1
    assert await left(service.database, [ADA, "late-"], IDS) == []


async def test_a_device_goes_over_to_whoever_signs_in_on_it_next(service: Service) -> None:
    await send(service, *LIFE[:6])
    await regulator(service).erase(WORKSPACE, ADA, by="test")
    await send(service, register("d1", PHONE, "token-dora", user="dora"))
    await send(service, track("d2", "Opened", anonymousId=PHONE))
    dora = await service.get("/customers/dora")
    assert [one["device_id"] for one in dora["devices"]] == [PHONE]
    assert len((await service.get("/customers/dora/events"))["data"]) == 2


async def put_aside(service: Service) -> Any:
    """A job with an event of the person and one of another, in somebody's hands."""
    sources = (await service.get("/sources"))["data"]
    answer = await service._client.post(
        "/v1/batch",
        json={"batch": [track("a30", "Late", userId=ADA), track("b30", "Late", userId="bob")]},
        auth=(str(sources[0]["write_key"]), ""),
    )
    assert answer.status_code == 200
    return await service.world.broker.fetch(
        JobKind.EVENTS, limit=1, wait_seconds=5, lease_seconds=60
    )


async def seen(service: Service) -> dict[str, Any]:
    found: dict[str, Any] = {"events": {}, "traits": {}}
    for user in ("bob", "carl"):
        events = await service.every(f"/customers/{user}/events", limit=100)
        found["events"][user] = {event["message_id"] for event in events}
        found["traits"][user] = (await service.get(f"/customers/{user}"))["traits"]
    return found
