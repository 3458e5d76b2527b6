"""One person's data leaves as it is read: it is neither kept on disk nor whole in memory."""

import zipfile
from io import BytesIO
from pathlib import Path
from random import Random

import msgspec

from clarion.customers.profile.store import find_customer
from clarion.events.messages.message import Event
from clarion.privacy.data_export import PAGE, open_dossier
from contract.test_ingestion import take
from support.book import NOW, WORKSPACE
from support.database import sqlite_database
from support.history import App

PAGES = 6
NOISE_BYTES = 500
"""In an event: what deflate can not make much of."""


def life(events: int) -> list[Event]:
    app = App()
    noise = Random(7)
    return [
        app.event(
            number,
            "track",
            name="Seen",
            user="ada",
            context={"n": noise.randbytes(NOISE_BYTES).hex()},
        )
        for number in range(events)
    ]


async def test_a_long_life_is_sent_page_by_page(tmp_path: Path) -> None:
    database = await sqlite_database(tmp_path)
    events = life(PAGE * PAGES)
    await take(database, events)
    async with database.read() as connection:
        customer = await find_customer(connection, WORKSPACE, "ada")
    assert customer is not None
    pieces = [piece async for piece in await open_dossier(database, WORKSPACE, customer, NOW)]
    whole = b"".join(pieces)
    assert max(map(len, pieces)) < len(whole) / (PAGES / 2)
    with zipfile.ZipFile(BytesIO(whole)) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == [
            "README.txt", "deliveries.json", "devices.json", "events.json", "history.json",
            "profile.json", "pushes.json",
        ]  # fmt: skip
        read = msgspec.json.decode(archive.read("events.json"))
        assert len(read) == len(events)
        assert msgspec.json.decode(archive.read("deliveries.json")) == []
        assert msgspec.json.decode(archive.read("profile.json"))["user_id"] == "ada"
    await database.close()
