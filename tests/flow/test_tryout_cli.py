"""On the command line: contents with languages and looks, shown, checked and tested."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from clarion.cli.installation.first_start import WORKSPACE_ID
from clarion.clock import SystemClock
from clarion.customers.identity.batch import Arrival
from clarion.customers.ingestion import Ingestion
from clarion.events.messages.message import Event
from clarion.storage.database import Database
from support.command import Clarion
from support.history import App

APP = App()


@pytest.fixture
def shop(clarion: Clarion) -> Clarion:
    """Two customers with a device each; Ada has a first name."""
    clarion.json("firebase-apps", "add", str(clarion.key_file()))
    source = clarion.json("sources", "create", "app")
    events = [
        APP.register(0, "D-ada", user="ada", token="t-ada"),
        APP.register(0, "D-bob", user="bob", token="t-bob"),
        APP.identify(1, "ada", traits={"first_name": "Ada", "language": "de"}),
    ]
    asyncio.run(_take(f"sqlite:///{clarion.home}/data/clarion.db", UUID(source["id"]), events))
    return clarion


async def _take(url: str, source_id: UUID, events: list[Event]) -> None:
    database = Database(url)
    async with database.write() as connection:
        ingestion = Ingestion(connection, WORKSPACE_ID, SystemClock().now())
        await ingestion.take([Arrival(event=event, source_id=source_id) for event in events])
    await database.close()


CONTENT = (
    "--title=Hi {{ customer.first_name }}",
    "--button=Look=shop://spring",
    "--button=Later",
    "--badge=3",
    "--platform=Web.link=https://shop.example/web",
    "--platform=iOS.badge=7",
    "--language=de.title=Hallo {{ customer.first_name }}",
)


def test_flags_say_what_platforms_and_languages_see_differently(shop: Clarion) -> None:
    made = shop.json("campaigns", "create", "Spring", *CONTENT, "--everyone")
    content: dict[str, Any] = made["content"]
    assert content["buttons"] == [{"title": "Look", "link": "shop://spring"}, {"title": "Later"}]
    assert content["badge"] == 3
    assert content["platforms"] == {
        "Web": {"link": "https://shop.example/web"},
        "iOS": {"badge": 7},
    }
    assert content["languages"] == {"de": {"title": "Hallo {{ customer.first_name }}"}}
    edited = shop.json("campaigns", "edit", made["id"], "--language", "fr.title=Salut")
    assert edited["content"]["languages"] == content["languages"] | {"fr": {"title": "Salut"}}
    for wrong in ("--language=de=Hallo", "--platform=Web=x", "--language=de.title"):
        code, _, errors = shop("campaigns", "create", "x", "--title=Hi", "--everyone", wrong)
        assert code == 2, errors


def test_a_content_is_shown_without_being_saved(shop: Clarion) -> None:
    shown = shop.json("campaigns", "try", *CONTENT, "--as", "ada")
    assert shown["platforms"]["Android"]["content"]["title"] == "Hallo Ada"
    code, out, _ = shop("campaigns", "try", *CONTENT, "--as-nobody", "--in-language", "en")
    assert code == 0
    said = " ".join(out.split())
    for words in ("As seen by nobody", "of 4096", "ios_lock_screen", "3/22 characters"):
        assert words in said
    assert shop.json("campaigns", "list") == []


def test_a_check_says_for_how_many_something_is_wrong(shop: Clarion) -> None:
    code, out, _ = shop("campaigns", "check", "--title=Hi {{ customer.first_name }}")
    said = " ".join(out.split())
    assert code == 0
    assert "1 of 2 customers: content.title line 1 prints nothing" in said
    assert "1 of 2 customers looked at are fine." in said
    made = shop.json("campaigns", "create", "Spring", "--title=Hi", "--everyone")
    assert shop.json("campaigns", "check", made["id"], "--limit", "1")["devices"] == 1


def test_a_test_says_what_became_of_it_on_each_device(shop: Clarion) -> None:
    shop("firebase-apps", "pause", "shop")
    made = shop.json("campaigns", "create", "Spring", *CONTENT, "--everyone")
    (push,) = shop.json("campaigns", "test", made["id"], "--to", "ada")
    assert (push["device_id"], push["language"]) == ("D-ada", "de")
    assert (push["outcome"], push["reason"]) == ("skipped", "firebase_app_paused")
    code, _, errors = shop("campaigns", "test", *CONTENT)
    assert code == 5 and "test-people" in errors
