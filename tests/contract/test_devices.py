"""Devices on both databases: what a registration costs, and what is kept of what SDKs tell."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import event as hooks
from sqlalchemy import select

from clarion.customers.devices.device import TokenKind
from clarion.customers.devices.store import get_device
from clarion.customers.identity.batch import Arrival
from clarion.customers.ingestion import Ingestion
from clarion.events.messages.message import Event
from clarion.storage.database import Database
from clarion.storage.schema import devices
from support.book import NOW, SOURCE, WORKSPACE
from support.history import DAY, App
from support.scenarios import FID, OF_FID

DEVICE_STATEMENTS_MAX = 4
CONTEXT = {"app": {"name": "Shop", "version": "2.1"}, "locale": "de"}


async def take(database: Database, *events: Event) -> list[str]:
    """The statements it took, those of every batch and those of its events."""
    async with database.write() as connection:
        assert connection.sync_connection is not None
        with heard(connection.sync_connection) as statements:
            ingestion = Ingestion(connection, WORKSPACE, NOW)
            await ingestion.take([Arrival(event=event, source_id=SOURCE) for event in events])
    return statements


@contextmanager
def heard(connection: Any) -> Iterator[list[str]]:
    statements: list[str] = []

    def hear(_: Any, __: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    hooks.listen(connection, "before_cursor_execute", hear)
    yield statements
    hooks.remove(connection, "before_cursor_execute", hear)


def of_devices(statements: list[str]) -> list[str]:
    """Those that are for devices alone."""
    tables = re.compile(r"(?:FROM|INTO|UPDATE) \"?(?:devices|tokens|device_\w+)\b")
    return [statement for statement in statements if tables.search(statement)]


async def test_a_known_device_registers_again_for_four_statements(database: Database) -> None:
    app = App()
    register: dict[str, Any] = {"user": "U", "token": OF_FID, "fid": FID, "context": CONTEXT}
    seen: dict[str, Any] = {"user": "U", "device": "D", "context": CONTEXT}
    await take(database, app.register(0, "D", **register))
    plain = await take(database, app.event(1, "track", name="Seen", **seen))
    again = await take(database, app.register(2, "D", **register))
    assert of_devices(plain) == []
    assert len(of_devices(again)) == DEVICE_STATEMENTS_MAX, again
    claims = [one for one in again if 'INTO "claims"' in one]
    assert len(again) == len(plain) + DEVICE_STATEMENTS_MAX + len(claims), again
    assert len(claims) == 1, "which a plain event of that day leaves out"
    by_token = await take(database, app.register(3, "D", user="U", token=f"{OF_FID}-2"))
    assert len(by_token) <= len(again) + 1, "a new token is told in its history"


async def test_many_devices_register_again_for_the_statements_of_two(database: Database) -> None:
    app = App()

    async def again(count: int) -> int:
        for minute in (0, 1):
            events = [app.register(minute, f"D{one}", user=f"U{one}") for one in range(count)]
            statements = await take(database, *events)
        return len(statements)

    assert await again(100) == await again(2) <= 3 * DEVICE_STATEMENTS_MAX


async def test_what_sdks_tell_is_written_once_a_batch_and_only_if_it_is_new(
    database: Database,
) -> None:
    app = App()
    many = [app.register(0, f"D{number}", user=f"U{number}") for number in range(20)]
    await take(database, *many)

    def told(minute: float, version: str) -> list[Event]:
        context = {"app": {"version": version}}
        return [
            app.told(minute, "Seen", f"D{number}", user=f"U{number}", context=context)
            for number in range(20)
        ]

    assert len(of_devices(await take(database, *told(1, "2.0"), *told(2, "2.1")))) == 2
    assert of_devices(await take(database, *told(59, "2.1"))) == []
    assert len(of_devices(await take(database, *told(60, "2.1")))) == 2
    async with database.read() as connection:
        rows = (await connection.execute(select(devices))).all()
        device = await get_device(connection, WORKSPACE, "D7")
    assert {(row.app_version, row.last_seen_at) for row in rows} == {
        ("2.1", DAY + timedelta(minutes=60))
    }
    assert device is not None
    assert device.facts == {"app_version": "2.1"}


async def test_facts_told_before_a_device_registers_are_kept_for_it(database: Database) -> None:
    app = App()
    await take(database, app.told(60, "Seen", "D", anon="X", context=CONTEXT))
    await take(database, app.register(0, "D", user="U", context={"locale": "en"}))
    async with database.read() as connection:
        device = await get_device(connection, WORKSPACE, "D")
    assert device is not None
    assert device.facts == {"app_name": "Shop", "app_version": "2.1", "locale": "de"}
    assert device.last_seen_at == DAY + timedelta(minutes=60)


async def test_an_apns_token_is_kept_shown_with_the_cure_and_gives_way(database: Database) -> None:
    app = App()
    apns = "0123456789abcdef" * 4
    await take(database, app.register(0, "D", user="U", token=apns, platform="iOS"))
    async with database.read() as connection:
        device = await get_device(connection, WORKSPACE, "D")
    assert device is not None
    assert (device.token_kind, device.state.value) == (TokenKind.APNS, "active")
    assert device.cure is not None
    assert "fcmToken" in device.cure
    await take(database, app.register(0.5, "D", user="U", token="T1", platform="iOS"))
    await take(database, app.register(1, "D", user="U", token=apns, platform="iOS"))
    async with database.read() as connection:
        device = await get_device(connection, WORKSPACE, "D")
    assert device is not None
    assert (device.token_kind, device.cure) == (TokenKind.FCM, None)
    assert [registration.token_kind for registration in device.registrations] == [
        TokenKind.FCM,
        TokenKind.APNS,
    ]
