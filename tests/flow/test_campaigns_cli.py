"""Campaigns on the command line: nothing is sent to anybody unasked."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from clarion.brokers.database import DatabaseBroker
from clarion.campaigns.campaign import LATE_REASON
from clarion.campaigns.launches.scheduler import Scheduler
from clarion.cli.installation.first_start import WORKSPACE_ID
from clarion.clock import SystemClock
from clarion.customers.identity.batch import Arrival
from clarion.customers.ingestion import Ingestion
from clarion.deliveries.planning.planner import Planner
from clarion.events.messages.message import Event
from clarion.storage.database import Database
from clarion.storage.schema import campaigns
from support.command import Clarion
from support.history import App
from support.terminal import Terminal

APP = App()
NO_PUSH = {"marketingPreferences": {"channels": [{"channel": "push", "subscribed": False}]}}
TYPO = "Hi {{ customer.frist_name }}"


def database_of(clarion: Clarion) -> Database:
    return Database(f"sqlite:///{clarion.home}/data/clarion.db")


def take(clarion: Clarion, source: dict[str, Any], *events: Event) -> None:
    """Events of an app, taken in."""

    async def taken() -> None:
        database = database_of(clarion)
        async with database.write() as connection:
            ingestion = Ingestion(connection, WORKSPACE_ID, SystemClock().now())
            await ingestion.take(
                [Arrival(event=event, source_id=UUID(source["id"])) for event in events]
            )
        await database.close()

    asyncio.run(taken())


def let_it_be_late(clarion: Clarion) -> None:
    """The campaigns' time was five hours ago, and now a scheduler runs again."""

    async def late() -> None:
        clock, database = SystemClock(), database_of(clarion)
        async with database.write() as connection:
            long_ago = clock.now() - timedelta(hours=5)
            await connection.execute(update(campaigns).values(scheduled_at=long_ago))
        await Scheduler(database, DatabaseBroker(database, clock), clock).step()
        await database.close()

    asyncio.run(late())


@pytest.fixture
def shop(clarion: Clarion) -> Clarion:
    """Two customers with a device each; Ada has a first name."""
    clarion.json("firebase-apps", "add", str(clarion.key_file()))
    source = clarion.json("sources", "create", "app")
    take(
        clarion,
        source,
        APP.register(0, "D-ada", user="ada", token="t-ada"),
        APP.register(0, "D-bob", user="bob", token="t-bob"),
        APP.identify(1, "ada", traits={"first_name": "Ada"}),
    )
    return clarion


def draft(clarion: Clarion, *more: str, title: str = "Hello") -> str:
    made = clarion.json(
        "campaigns", "create", "Spring", "--title", title, *(more or ("--everyone",))
    )
    return str(made["id"])


def state(clarion: Clarion, campaign: str) -> str:
    return str(clarion.json("campaigns", "show", campaign)["state"])


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_without_a_time_nothing_is_scheduled(shop: Clarion) -> None:
    campaign = draft(shop)
    code, _, errors = shop("campaigns", "schedule", campaign)
    assert (code, "--at" in errors) == (2, True)
    assert state(shop, campaign) == "draft"


@pytest.mark.parametrize("at", ["now", 1, 30])
def test_where_nobody_can_be_asked_nothing_is_sent_now(shop: Clarion, at: Any) -> None:
    campaign = draft(shop)
    when = at if at == "now" else in_seconds(at)
    code, _, errors = shop("campaigns", "schedule", campaign, "--at", when)
    said = " ".join(errors.split())
    assert code == 2
    assert "Spring sends to 2 devices of 2 customers now" in said
    assert "--yes" in said
    assert state(shop, campaign) == "draft"
    refused = shop("campaigns", "schedule", campaign, "--at", when, "--json")
    assert (refused[0], json.loads(refused[2])["code"]) == (2, "confirm")


def test_a_campaign_is_made_for_now_only_with_a_yes(shop: Clarion) -> None:
    tokens = ("campaigns", "create", "Spring", "--title", "Hello", "--everyone", "--at", "now")
    code, _, errors = shop(*tokens)
    assert (code, "2 devices" in errors) == (2, True)
    assert shop.json("campaigns", "list") == []
    assert shop.json(*tokens, "--yes")["state"] == "scheduled"


def test_with_a_yes_or_a_time_nobody_is_asked(shop: Clarion) -> None:
    now, later = draft(shop), draft(shop)
    assert shop.json("campaigns", "schedule", now, "--at", "now", "--yes")["state"] == "scheduled"
    at = in_seconds(3_600)
    assert shop.json("campaigns", "schedule", later, "--at", at)["state"] == "scheduled"


@pytest.mark.parametrize(
    ("answer", "code", "wanted"),
    [
        ("y\n", 0, "scheduled"), ("yes\n", 0, "scheduled"), ("n\n", 5, "draft"),
        ("\n", 5, "draft"), ("yesterday\n", 5, "draft"), ("\x04", 130, "draft"),
    ],
)  # fmt: skip
def test_on_a_terminal_a_person_is_asked_with_the_number_of_devices(
    shop: Clarion, answer: str, code: int, wanted: str
) -> None:
    campaign = draft(shop, title=TYPO)
    terminal = Terminal(shop.home, ("campaigns", "schedule", campaign, "--at", "now"))
    terminal.until(b"Spring sends to 2 devices of 2 customers now. Launch it? [y/N]")
    assert b"customer.frist_name" in terminal.shown
    terminal.type(answer)
    assert terminal.end() == code
    assert b"Traceback" not in terminal.shown
    assert state(shop, campaign) == wanted


def test_ctrl_c_at_the_question_sends_nothing(shop: Clarion) -> None:
    campaign = draft(shop)
    terminal = Terminal(shop.home, ("campaigns", "schedule", campaign, "--at", "now"))
    terminal.until(b"[y/N]")
    terminal.interrupt()
    assert terminal.end() == 130
    assert b"Traceback" not in terminal.shown
    assert state(shop, campaign) == "draft"


def test_a_state_that_can_not_be_is_told_before_anybody_is_asked(shop: Clarion) -> None:
    campaign = draft(shop)
    shop("campaigns", "cancel", campaign)
    assert shop("campaigns", "schedule", campaign, "--at", "now")[0] == 5


def test_a_late_campaign_says_so_and_is_resumed_only_with_a_yes(shop: Clarion) -> None:
    campaign = draft(shop)
    shop.json("campaigns", "schedule", campaign, "--at", in_seconds(3_600))
    let_it_be_late(shop)
    found = shop.json("campaigns", "show", campaign)
    assert (found["state"], found["paused_reason"]) == ("paused", LATE_REASON)
    assert "late: its time passed" in " ".join(shop("campaigns", "show", campaign)[1].split())
    code, _, errors = shop("campaigns", "resume", campaign)
    assert (code, "2 devices" in errors) == (2, True)
    assert state(shop, campaign) == "paused"
    assert shop.json("campaigns", "resume", campaign, "--yes")["state"] == "scheduled"


def test_one_that_was_paused_before_its_time_is_resumed_unasked(shop: Clarion) -> None:
    campaign = draft(shop)
    shop.json("campaigns", "schedule", campaign, "--at", in_seconds(3_600))
    shop.json("campaigns", "pause", campaign)
    assert shop.json("campaigns", "resume", campaign)["state"] == "scheduled"


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("Hi {{ customer.first_name }}", []),
        ("Hi {{ customer.user_id }}", []),
        ("Hello", []),
        (TYPO, ["frist_name"]),
        ("{{ customer.first_name | default: customer.nick }}", ["nick"]),
        ("{{ customer['last name'] }} {% if customer.vip %}!{% endif %}", ["last name", "vip"]),
        ("{% for one in customer.items %}{{ one.x }}{% endfor %}", ["items"]),
        ("Hi {% assign key = 'first_name' %}{{ customer[key] }}", []),
        ("Hi {{ customer[customer.favourite] }}", ["favourite"]),
        ("Hi {{ customer.a[customer.b.c].d }}{{ customer[0] }}", ["a", "b"]),
    ],
)
def test_a_trait_that_nobody_has_is_told(shop: Clarion, title: str, told: list[str]) -> None:
    campaign = draft(shop, title=title)
    for found in (
        shop.json("campaigns", "preview", campaign),
        shop.json("campaigns", "schedule", campaign, "--at", in_seconds(3_600)),
    ):
        warnings = [one for one in found["warnings"] if one["code"] == "trait_unknown"]
        assert [warning["field"] for warning in warnings] == ["content.title"] * len(told)
        for name, one in zip(told, warnings, strict=True):
            assert f"customer.{name}," in one["message"]
    said = " ".join(shop("campaigns", "preview", campaign)[1].split())
    assert all(
        f"names customer.{name}, a trait that nobody in the audience has" in said for name in told
    )


def test_a_trait_that_nobody_in_the_audience_has_is_told(shop: Clarion) -> None:
    campaign = draft(shop, "--user-id", "bob", title="Hi {{ customer.first_name }}")
    (warning,) = shop.json("campaigns", "preview", campaign)["warnings"]
    assert (warning["code"], warning["field"]) == ("trait_unknown", "content.title")


def test_an_audience_that_reaches_nobody_is_told(shop: Clarion) -> None:
    def codes(*audience: str) -> list[str]:
        found = shop.json("campaigns", "preview", draft(shop, *audience))
        return [one["code"] for one in found["warnings"]]

    assert codes("--user-id", "ada") == []
    assert codes("--user-id", "nobody") == ["audience_empty"]
    assert codes("--trait", "plan=pro") == ["audience_empty"]
    source = shop.json("sources", "show", "app")
    take(shop, source, APP.identify(2, "ada", traits=NO_PUSH))
    assert codes("--user-id", "ada") == ["audience_unreachable"]
    bare = shop.json("sources", "create", "bare")
    shop.json("firebase-apps", "add", str(shop.key_file("other")))
    unbound = shop.json("sources", "create", "unbound")
    take(shop, unbound, APP.register(3, "D-eve", user="eve", token="t-eve"))
    assert bare["firebase_app_id"] and not unbound["firebase_app_id"]
    assert codes("--user-id", "eve") == ["audience_unreachable"]
    assert codes("--everyone") == []


def test_a_preview_shows_what_one_customer_would_see(shop: Clarion) -> None:
    campaign = draft(shop, title="Hi {{ customer.first_name | default: 'there' }}")
    ada = shop.json("campaigns", "preview", campaign, "--user-id", "ada")
    bob = shop.json("campaigns", "preview", campaign, "--user-id", "bob")
    assert ada["platforms"]["Android"]["title"] == "Hi Ada"
    assert bob["platforms"]["iOS"]["title"] == "Hi there"
    assert ada["reach"]["devices"] == 2
    shown = shop("campaigns", "preview", campaign, "--user-id", "ada")[1]
    assert "as seen by ada" in shown and "Hi Ada" in shown
    assert "Reaches 2 devices of 2 customers" in shown
    assert shop("campaigns", "preview", campaign, "--user-id", "nobody")[0] == 3


def test_a_draft_is_edited_field_by_field(shop: Clarion) -> None:
    campaign = draft(shop, "--everyone", "--body", "News", "--data", "a=1")
    edited = shop.json("campaigns", "edit", campaign, "--title", "Morning", "--name", "Summer")
    assert (edited["name"], edited["audience"]) == ("Summer", {"everyone": True})
    content = edited["content"]
    assert (content["title"], content["body"], content["data"]) == ("Morning", "News", {"a": "1"})
    edited = shop.json("campaigns", "edit", campaign, "--user-id", "ada", "--spread-minutes", "5")
    assert (edited["audience"], edited["spread_minutes"]) == ({"user_ids": ["ada"]}, 5)
    file = shop.home / "else.json"
    file.write_text(json.dumps({"content": {"title": "Whole"}}))
    edited = shop.json("campaigns", "edit", campaign, "--file", str(file), "--body", "and more")
    assert (edited["content"]["title"], edited["content"]["body"]) == ("Whole", "and more")
    assert edited["content"]["data"] == {}
    assert edited["audience"] == {"user_ids": ["ada"]}


def test_what_can_not_be_edited_is_told(shop: Clarion) -> None:
    campaign = draft(shop)
    code, _, errors = shop("campaigns", "edit", campaign, "--title", "{{ a | nofilter }}", "--json")
    assert (code, json.loads(errors)["faults"][0]["field"]) == (5, "content.title")
    assert shop("campaigns", "edit", campaign)[0] == 2
    shop.json("campaigns", "schedule", campaign, "--at", in_seconds(3_600))
    code, _, errors = shop("campaigns", "edit", campaign, "--title", "x", "--json")
    assert (code, json.loads(errors)["code"]) == (5, "campaign_state")


def plan(clarion: Clarion) -> None:
    """What is due is launched and planned; nobody sends."""

    async def planned() -> None:
        clock, database = SystemClock(), database_of(clarion)
        broker = DatabaseBroker(database, clock)
        await Scheduler(database, broker, clock).step()
        await Planner(database, broker, clock).step()
        await database.close()

    asyncio.run(planned())


def test_a_launch_is_shown_and_its_deliveries_are_written_to_a_file(shop: Clarion) -> None:
    campaign = draft(shop)
    shop.json("campaigns", "schedule", campaign, "--at", "now", "--yes")
    plan(shop)
    [launch] = shop.json("campaigns", "launches", campaign)
    assert shop.json("campaigns", "launch", launch["id"])["in_flight"] == 2
    assert "in_flight" in shop("campaigns", "launch", launch["id"])[1]
    assert "No app has reported" in shop("campaigns", "activity", "--launch", launch["id"])[1]
    out = shop.home / "spring.csv"
    code, said, _ = shop("campaigns", "deliveries", launch["id"], "--out", str(out))
    assert (code, "2 deliveries are in" in said) == (0, True)
    assert out.read_text().splitlines()[0].startswith("launch_id,device_id,customer_id,user_id")
    shown = shop("campaigns", "deliveries", launch["id"], "--platform", "Web")[1]
    assert len(shown.splitlines()) == 1
    said = shop("customers", "why", "ada", campaign)[1]
    assert said.startswith("Customer ada is still to be sent Spring of ")
    assert shop.json("customers", "why", "ada", campaign)["code"] == "in_flight"
    assert shop("customers", "why", "nobody", campaign)[0] == 3
    nowhere = str(shop.home / "none.csv")
    assert shop("campaigns", "deliveries", str(UUID(int=9)), "--out", nowhere)[0] == 3
    assert not (shop.home / "none.csv").exists()
