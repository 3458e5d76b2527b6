"""With signed identity nobody who has only the public write key takes over, silences or renames."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from clarion.events.calls.identity_verification import SIGNATURE
from clarion.events.collector import Collector, CollectorOptions, ComeAgain, Taken
from clarion.events.messages.reserved import PUSH_NAMES
from clarion.sources.authenticator import WriteKeyOptions
from clarion.sources.signature import sign
from clarion.storage.database import Database
from clarion.storage.schema import metadata
from clarion.storage.vault import Vault
from clarion.web.sdk.replies import REFUSALS_SHOWN
from support.api import Service, register
from support.clock import FakeClock
from support.database import sqlite_database

VICTIM, ATTACKER = "victim", "attacker"
THEIRS, MINE = "device-of-the-victim", "device-of-the-attacker"
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what no database decides."""
AT_ONCE = CollectorOptions(authenticator=WriteKeyOptions(remembered_seconds=0))

Event = dict[str, Any]


class Stage:
    """A source that asks for signatures, with a customer who is signed in on one device."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.count = 0

    async def open(self) -> "Stage":
        (source,) = (await self.service.get("/sources"))["data"]
        self.path, self.key = f"/sources/{source['id']}", str(source["write_key"])
        self.secret = await self.new_secret()
        await self.said(
            self.signed(VICTIM, {"type": "identify", "traits": {"plan": "gold"}}),
            self.signed(VICTIM, self.register(THEIRS, "token-of-the-victim")),
        )
        return self

    async def new_secret(self) -> bytes:
        made = await self.service.post(f"{self.path}/identity-secrets")
        self.service.secrets.add(made["secret"])
        return str(made["secret"]).encode()

    def register(self, device: str, token: str, user: str | None = None) -> Event:
        self.count += 1
        return register(f"r{self.count}", device, token, user=user)

    def signed(self, user: str, event: Event) -> Event:
        """The event as the app of somebody who has signed in sends it."""
        context = {**event.get("context", {}), SIGNATURE: sign(self.secret, user)}
        return {**event, "userId": user, "context": context}

    async def try_(self, *events: Event) -> set[str]:
        """The codes by which events are refused; none: all are kept. Each a minute after another,
        and known before anything else is."""
        named = []
        for event in events:
            self.count += 1
            self.service.clock.advance(60)
            at = self.service.clock.now().isoformat()
            named.append({"messageId": f"e{self.count}", "timestamp": at, **event})
        answer = await self.service.try_to_send(self.key, *named)
        assert answer.status == 200, answer.text
        refused = answer.json.get("refused", ())
        assert len(refused) in (0, min(len(events), REFUSALS_SHOWN)), answer.text
        return {str(one["code"]) for one in refused}

    async def said(self, *events: Event) -> None:
        assert await self.try_(*events) == set()

    async def devices(self, user: str) -> list[tuple[str, str]]:
        """(device id, state) of everything a customer is reached on."""
        answer = await self.service.ask("GET", f"/customers/{user}")
        if answer.status == 404:
            return []
        return [(one["device_id"], one["state"]) for one in answer.json["devices"]]

    async def assert_nothing_happened(self) -> None:
        """The customer is reached on their own device alone, and is who they were."""
        assert await self.devices(VICTIM) == [(THEIRS, "active")]
        customer = await self.service.get(f"/customers/{VICTIM}")
        assert customer["traits"] == {"plan": "gold"}
        assert customer["push_opted_out"] is False


@pytest.fixture
async def stage(database: Database, clock: FakeClock) -> AsyncIterator[Stage]:
    async with Service(database, clock, collector_options=AT_ONCE) as service:
        yield await Stage(service).open()


def track(event: str, **fields: Any) -> Event:
    return {"type": "track", "event": event, **fields}


async def test_a_public_key_neither_takes_over_nor_silences_nor_renames(stage: Stage) -> None:
    await stage.said(stage.register(MINE, "token-of-the-attacker"))  # before any sign-in
    mine = {"deviceId": MINE, "fcmToken": "token-of-the-attacker", "deviceType": "Android"}
    device = {"device": {"id": MINE, "type": "android", "token": "token-of-the-attacker"}}
    no_push = {"marketingPreferences": {"channels": [{"channel": "push", "subscribed": False}]}}
    guess = {SIGNATURE: sign(b"cis_a guess", VICTIM)}
    acting: list[dict[str, Any]] = [
        {"type": "identify", "anonymousId": MINE, "traits": {"plan": "none", **no_push}},
        {"type": "alias", "previousId": MINE},
        *(track(name, properties=mine) for name in PUSH_NAMES),
        *(track(name, context=device) for name in PUSH_NAMES),
        track("Device Deleted", properties={"deviceId": THEIRS}),
    ]
    unsigned = [{**event, "userId": VICTIM} for event in acting]
    guessed = [{**one, "context": {**one.get("context", {}), **guess}} for one in unsigned]
    for refused, code in ((unsigned, "signature_missing"), (guessed, "signature_wrong")):
        assert await stage.try_(*refused) == {code}
        told = await stage.service.every(f"{stage.path}/refusals", 100)
        assert sum(one["code"] == code for one in told) == len(acting)
    for event in (
        track("Product Viewed", properties=mine),
        track("Product Viewed", anonymousId=MINE, context=device),
        {"type": "page", "anonymousId": MINE, "context": device},
        {"type": "screen", "anonymousId": MINE, "properties": mine},
        {"type": "group", "groupId": "g", "anonymousId": MINE, "traits": {"plan": "none"}},
    ):
        await stage.said({**event, "userId": VICTIM})
    await stage.assert_nothing_happened()


@on_sqlite
async def test_calling_a_person_a_device_takes_nothing_from_them(stage: Stage) -> None:
    itself = {"deviceId": VICTIM, "fcmToken": "another-token", "deviceType": "Android"}
    for event in (
        track("Register Push", userId=VICTIM, properties=itself),
        {"type": "identify", "userId": VICTIM, "properties": itself, "traits": {"plan": "none"}},
        {"type": "identify", "userId": VICTIM, "context": {"device": {"id": VICTIM}}},
        track("Device Deleted", userId=VICTIM, properties=itself),
        track("Product Viewed", anonymousId="a", properties={"deviceId": VICTIM}),
        track("Product Viewed", anonymousId="a", context={"device": {"id": VICTIM}}),
        {"type": "identify", "anonymousId": VICTIM, "traits": {"plan": "none"}},
    ):
        await stage.said(event)
    await stage.assert_nothing_happened()


async def test_a_customer_who_was_known_before_signing_began_is_as_safe(
    tmp_path: Any, clock: FakeClock
) -> None:
    """And one whom only a server has named, with nothing that proves a person."""
    database = await sqlite_database(tmp_path)
    async with Service(database, clock, collector_options=AT_ONCE) as service:
        (source,) = (await service.get("/sources"))["data"]
        await service.send(
            source["write_key"],
            {"type": "identify", "userId": VICTIM, "messageId": "1", "traits": {"plan": "gold"}},
            {
                "type": "identify",
                "userId": VICTIM,
                "messageId": "2",
                "context": {"device": {"id": THEIRS}},
            },
            register("3", THEIRS, "token-of-the-victim"),
        )
        stage = Stage(service)
        stage.path, stage.key = f"/sources/{source['id']}", source["write_key"]
        await stage.new_secret()
        before = await stage.devices(VICTIM)
        for event in (
            track("Product Viewed", anonymousId="a", properties={"deviceId": VICTIM}),
            track("Register Push", userId=VICTIM, properties={"deviceId": VICTIM}),
            track("Product Viewed", userId=VICTIM, properties={"deviceId": MINE}),
        ):
            assert await stage.try_(event) <= {"token_missing"}
        assert await stage.devices(VICTIM) == before
        assert (await service.get(f"/customers/{VICTIM}"))["traits"] == {"plan": "gold"}
    await database.close()


@on_sqlite
async def test_a_customer_of_the_app_can_not_speak_for_another(stage: Stage) -> None:
    """Whoever has an account has a signature: their own."""
    own = stage.signed(ATTACKER, {"type": "identify", "anonymousId": MINE})
    await stage.said(own, stage.signed(ATTACKER, stage.register(MINE, "token-of-the-attacker")))
    assert await stage.try_({**own, "userId": VICTIM, "messageId": "other"}) == {"signature_wrong"}
    await stage.said(
        stage.signed(ATTACKER, {"type": "alias", "previousId": VICTIM}),
        stage.signed(ATTACKER, {"type": "identify", "anonymousId": VICTIM}),
        stage.signed(ATTACKER, stage.register(VICTIM, "another-token")),
    )
    await stage.assert_nothing_happened()
    assert (MINE, "active") in await stage.devices(ATTACKER)


async def test_the_app_itself_goes_on_as_before_with_signatures(stage: Stage) -> None:
    """Before sign-in, sign-in, a refreshed token, sign-out, somebody else."""
    await stage.said(
        stage.register("D", "T1"),
        track("Product Viewed", userId="D", properties={"deviceId": "D"}),
        track("Product Viewed", userId="D"),
        stage.signed("U", {"type": "identify", "anonymousId": "D", "traits": {"name": "Ada"}}),
        stage.signed("U", stage.register("D", "T1")),
        track("Product Viewed", userId="U", anonymousId="D"),
        stage.signed("U", stage.register("D", "T2")),
    )
    assert await stage.devices("U") == [("D", "active")]
    events = (await stage.service.get("/customers/U/events"))["data"]
    assert len(events) == 7, "what was done before sign-in is theirs"
    await stage.said(stage.register("D", "T2"))
    assert await stage.devices("U") == []
    await stage.said(stage.signed("V", stage.register("D", "T2")))
    assert (await stage.devices("U"), await stage.devices("V")) == ([], [("D", "active")])
    await stage.said(
        stage.signed("V", track("Device Deleted", properties={"deviceId": "D"})),
    )
    assert await stage.devices("V") == [("D", "removed")]


@on_sqlite
async def test_secrets_are_rotated_without_an_app_noticing(stage: Stage) -> None:
    former = stage.secret
    stage.secret = await stage.new_secret()
    for secret in (former, stage.secret):
        context = {SIGNATURE: sign(secret, "U")}
        await stage.said({"type": "identify", "userId": "U", "context": context})
    await stage.service.collector.close()
    path = f"{stage.path}/identity-secrets"
    first, second = (await stage.service.get(path))["data"]
    assert first["last_used_at"] is not None
    assert second["last_used_at"] is not None
    await stage.service.post(f"{path}/{first['id']}/retire")
    old = {"type": "identify", "userId": "U", "context": {SIGNATURE: sign(former, "U")}}
    assert await stage.try_(old) == {"signature_wrong"}
    await stage.service.post(f"{path}/{first['id']}/restore")
    assert await stage.try_(old) == set()


@on_sqlite
async def test_signatures_are_no_longer_asked_for_once_that_is_said_plainly(stage: Stage) -> None:
    path = f"{stage.path}/identity-secrets"
    (only,) = (await stage.service.get(path))["data"]
    refused = await stage.service.ask("POST", f"{path}/{only['id']}/retire")
    assert refused.json["code"] == "source_keys"
    assert (await stage.service.get(stage.path))["signs_identity"] is True
    plain = {"type": "identify", "userId": "U"}
    assert await stage.try_(plain) == {"signature_missing"}
    assert (await stage.service.ask("DELETE", path)).status == 204
    assert (await stage.service.get(stage.path))["signs_identity"] is False
    assert await stage.try_(plain) == set()
    await stage.service.post(f"{path}/{only['id']}/restore")
    assert await stage.try_(plain) == {"signature_missing"}


@on_sqlite
async def test_signing_may_begin_before_it_is_asked_for(stage: Stage) -> None:
    await stage.service.ask("DELETE", f"{stage.path}/identity-secrets")
    made = await stage.service.post(f"{stage.path}/identity-secrets", {"ask_after_days": 60})
    stage.secret = made["secret"].encode()
    stage.service.secrets.add(made["secret"])
    plain = {"type": "identify", "userId": "U"}
    wrong = {**plain, "context": {SIGNATURE: "0" * 64}}
    assert (await stage.service.get(stage.path))["signs_identity"] is False
    await stage.said(plain, wrong, stage.signed("U", stage.register("D", "T")))
    assert await stage.devices("U") == [("D", "active")]
    stage.service.clock.advance(60 * 86_400)
    assert await stage.try_(plain) == {"signature_missing"}
    assert await stage.try_(wrong) == {"signature_wrong"}
    assert (await stage.service.get(stage.path))["signs_identity"] is True
    for days, code in ((30, set()), (0, {"signature_missing"})):
        body = {"ask_for_signatures_after_days": days}
        answer = await stage.service.ask("PATCH", stage.path, body)
        assert answer.status == 200, answer.text
        assert await stage.try_(plain) == code


@on_sqlite
async def test_where_secrets_can_not_be_opened_what_needs_one_is_neither_taken_nor_lost(
    stage: Stage,
) -> None:
    """Neither is anybody let through unasked, nor does an app throw its events away; and what needs
    no signature does not wait for them."""
    other = Vault(Fernet.generate_key())
    parts = (stage.service.database, stage.service.world.broker, stage.service.clock)
    collector = Collector(*parts, vault=other)
    for event, kind in (
        (track("Product Viewed", userId="U"), Taken),
        (track("Product Viewed", anonymousId="a"), Taken),
        ({"type": "identify", "userId": "U", "traits": {"name": "Ada"}}, ComeAgain),
        (stage.signed("U", stage.register("D", "T")), ComeAgain),
    ):
        answer = await collector.collect(
            msgspec.json.encode({"batch": [{"messageId": "m", **event}]}),
            write_key=stage.key,
            type_hint=None,
        )
        assert isinstance(answer, kind), event


@on_sqlite
async def test_neither_secret_nor_signature_is_in_any_table_or_job(stage: Stage) -> None:
    await stage.try_({"type": "identify", "userId": "U", "context": {SIGNATURE: "f" * 64}})
    await stage.said(stage.signed("U", {"type": "page", "properties": {SIGNATURE: "e" * 64}}))
    waiting = {"type": "page", "messageId": "w", "context": {SIGNATURE: sign(stage.secret, "U")}}
    sent = await stage.service.collector.collect(
        msgspec.json.encode({"batch": [waiting | {"userId": "U"}]}),
        write_key=stage.key,
        type_hint=None,
    )
    assert sent is not None
    async with stage.service.database.read() as connection:
        for table in metadata.sorted_tables:
            text = repr((await connection.execute(select(table))).all())
            for secret in (sign(stage.secret, "U"), sign(stage.secret, VICTIM), "f" * 64, "e" * 64):
                assert secret not in text, table.name
            assert stage.secret.decode() not in text, table.name
            assert SIGNATURE not in text or table.name == "ingest_log", table.name
