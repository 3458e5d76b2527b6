"""Audiences over HTTP: saved, counted, explained, uploaded, and whom a campaign to one reaches."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from clarion.accounts.actor import Scope
from clarion.storage.database import Database
from clarion.storage.schema import audience_members, audiences, deliveries
from support.api import Service, register
from support.book import WORKSPACE
from support.clock import FakeClock
from support.privacy import Regulator

GOLD = {"trait": "plan", "test": "equals", "value": "gold"}
ON_NEW_IPHONE = {
    "device": [
        {"field": "platform", "test": "equals", "value": "iOS"},
        {"field": "app_version", "test": "at_least", "value": "4.10"},
    ]
}
CONTENT = {"title": "Hello", "ttl_seconds": 7200}


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


async def write_key_of(service: Service) -> str:
    sources = (await service.get("/sources"))["data"]
    return str(sources[0]["write_key"])


async def people(service: Service) -> None:
    """ada: gold, new iPhone, two orders. bob: gold, old iPhone, one order. eve: silver, Android."""
    key = await write_key_of(service)
    for user, platform, version, plan, orders in (
        ("ada", "iOS", "4.10.1", "gold", 2),
        ("bob", "iOS", "4.9", "gold", 1),
        ("eve", "Android", "5.0", "silver", 0),
    ):
        await service.send(
            key,
            register(f"r-{user}", f"D-{user}", f"t-{user}", user=user, platform=platform),
            {
                "type": "identify",
                "messageId": f"i-{user}",
                "userId": user,
                "traits": {"plan": plan, "address": {"city": "Wien"}},
                "context": {"app": {"version": version}, "device": {"id": f"D-{user}"}},
            },
            *(
                {
                    "type": "track",
                    "messageId": f"o-{user}-{number}",
                    "userId": user,
                    "event": "Order Completed",
                    "properties": {"total": 10 * (number + 1)},
                }
                for number in range(orders)
            ),
        )


async def who(service: Service, rule: Any) -> set[str]:
    page = await service.post("/audiences/sample", {"rule": rule})
    counted = await service.post("/audiences/count", {"rule": rule})
    assert counted["customers"] == len(page["data"])
    return {customer["user_id"] for customer in page["data"]}


async def test_a_saved_audience_is_counted_sampled_and_explained(service: Service) -> None:
    await people(service)
    rule = {"all": [GOLD, ON_NEW_IPHONE]}
    saved = await service.post("/audiences", {"code": "gold-new", "name": "Gold", "rule": rule})
    assert (saved["rule"], saved["owner"], saved["archived_at"]) == (rule, "test", None)
    counted = await service.get("/audiences/gold-new/count")
    assert (counted["customers"], counted["reach"]["platforms"]) == (1, {"iOS": 1})
    [customer] = (await service.get("/audiences/gold-new/sample"))["data"]
    assert customer["user_id"] == "ada"
    why = await service.get("/audiences/gold-new/explain?customer=bob")
    assert why["is_in"] is False
    plan, device = why["explanation"]["parts"]
    assert (plan["holds"], plan["known"]) == (True, "gold")
    assert device["holds"] is False
    assert device["known"] == [{"platform": "iOS", "app_version": "4.9"}]
    assert [one["code"] for one in (await service.get("/audiences"))["data"]] == ["gold-new"]


async def test_a_count_tells_what_would_be_skipped_and_who_has_no_device(
    service: Service,
) -> None:
    await people(service)
    key = await write_key_of(service)
    no = {"marketingPreferences": {"channels": [{"channel": "push", "subscribed": False}]}}
    await service.send(
        key,
        {"type": "identify", "messageId": "x1", "userId": "ada", "traits": no},
        {"type": "identify", "messageId": "x2", "userId": "no-phone", "traits": {"plan": "gold"}},
        register("x3", "D-bob-2", "t-bob-2", user="bob", platform="Web"),
    )
    counted = await service.post("/audiences/count", {"rule": GOLD})
    reach = counted["reach"]
    assert (counted["customers"], reach["customers"], reach["devices"]) == (3, 2, 3)
    assert (reach["platforms"], reach["opted_out"]) == ({"Web": 1, "iOS": 2}, 1)
    everyone = await service.post("/audiences/count", {"rule": {"everyone": True}})
    assert (everyone["customers"], everyone["reach"]["devices"]) == (4, 4)
    nobody = await service.post("/audiences/count", {"rule": {"user_ids": ["absent"]}})
    assert (nobody["customers"], nobody["reach"]["devices"]) == (0, 0)


async def test_events_and_nested_traits_are_asked_for(service: Service) -> None:
    await people(service)
    order: dict[str, Any] = {"event": "Order Completed"}
    more = [{"property": "total", "test": "more_than", "value": 15}]
    assert await who(service, order) == {"ada", "bob"}
    assert await who(service, order | {"test": "did_not"}) == {"eve"}
    assert await who(service, order | {"test": "at_least", "count": 2}) == {"ada"}
    assert await who(service, order | {"test": "at_most", "count": 1}) == {"bob", "eve"}
    assert await who(service, order | {"where": more}) == {"ada"}
    assert await who(service, order | {"test": "last", "last_days": 1}) == {"ada", "bob"}
    city = {"trait": "address.city", "test": "begins_with", "value": "W"}
    assert await who(service, {"none": [city]}) == set()
    explained = await service.post(
        "/audiences/explain", {"rule": order | {"test": "at_least", "count": 2}, "customer": "bob"}
    )
    assert explained["is_in"] is False
    assert explained["explanation"]["known"]["count"] == 1


async def test_what_is_wrong_with_a_rule_is_told_by_its_place(service: Service) -> None:
    rule = {
        "all": [
            {"trait": "age", "test": "more_than", "value": "thirty"},
            {"any": [{"event": "", "test": "first"}, {"percent": 0}]},
            {"trait": "plan", "test": "is"},
            {"audience": "nobody-made-it"},
        ]
    }
    refused = await service.ask("POST", "/audiences", {"code": "A b", "name": "", "rule": rule})
    assert refused.status == 422
    fields = [fault["field"] for fault in refused.json["faults"]]
    assert fields == [
        "code", "name", "rule.all[0].value", "rule.all[1].any[0].event",
        "rule.all[1].any[0].test", "rule.all[1].any[1].percent", "rule.all[2].test",
    ]  # fmt: skip
    absent = {"code": "a", "name": "A", "rule": {"audience": "nobody-made-it"}}
    refused = await service.ask("POST", "/audiences", absent)
    assert (refused.status, refused.json["faults"][0]["field"]) == (422, "rule")
    assert "nobody-made-it" in refused.json["message"]
    assert (await service.get("/audiences"))["data"] == []


async def test_a_rule_that_can_not_work_is_refused_wherever_one_is_written(
    service: Service,
) -> None:
    """Nothing is saved of it, and what was there stays."""
    wrong = {"event": "Order Completed", "since": "2027-03-28", "until": "2027-03-28"}
    await service.post("/audiences", {"code": "gold", "name": "Gold", "rule": GOLD})
    draft = {"name": "Spring", "content": CONTENT, "audience": GOLD}
    campaign = f"/campaigns/{(await service.post('/campaigns', draft))['id']}"
    for method, path, body, field in (
        ("POST", "/audiences", {"code": "late", "name": "Late", "rule": wrong}, "rule"),
        ("PATCH", "/audiences/gold", {"name": "Golden", "rule": wrong}, "rule"),
        ("POST", "/audiences/count", {"rule": wrong}, "rule"),
        ("POST", "/campaigns", draft | {"audience": {"any": [GOLD, wrong]}}, "audience.any[1]"),
        ("PATCH", campaign, {"name": "Summer", "audience": wrong}, "audience"),
        ("PATCH", "/workspace/limits", {"exclusions": {"none": [wrong]}}, "exclusions.none[0]"),
    ):
        refused = await service.ask(method, path, body)
        assert refused.status == 422, (path, refused.json)
        assert [fault["field"] for fault in refused.json["faults"]] == [f"{field}.until"]
        assert "the day after it" in refused.json["message"]
    bought = {"event": " Order Completed", "within_hours": 1}
    refused = await service.ask("PATCH", campaign, {"conversion": bought})
    assert [fault["field"] for fault in refused.json["faults"]] == ["conversion.event"]
    assert [audience["name"] for audience in (await service.get("/audiences"))["data"]] == ["Gold"]
    kept = await service.get(campaign)
    assert (kept["name"], kept["audience"], kept["conversion"]) == ("Spring", GOLD, None)
    assert (await service.get("/workspace/limits"))["exclusions"] is None


async def test_a_rule_of_before_that_can_not_work_is_still_read(service: Service) -> None:
    """An earlier version took it: it is shown and counted, and refused once it is written anew."""
    await service.post("/audiences", {"code": "gold", "name": "Gold", "rule": GOLD})
    window = {"since": "2027-03-28", "until": "2027-03-27"}
    wrong = {"event": "Order Completed", "test": "did", **window}
    async with service.world.database.write() as connection:
        await connection.execute(update(audiences).values(rule=wrong))
    assert (await service.get("/audiences/gold"))["rule"] == wrong
    assert (await service.get("/audiences/gold/count"))["customers"] == 0
    refused = await service.ask("PATCH", "/audiences/gold", {"rule": wrong})
    assert [fault["field"] for fault in refused.json["faults"]] == ["rule.until"]
    changed = await service.ask("PATCH", "/audiences/gold", {"rule": GOLD})
    assert changed.json["rule"] == GOLD


async def test_audiences_that_name_each_other_in_a_circle_are_refused(service: Service) -> None:
    for code, rule in (("one", GOLD), ("two", {"audience": "one"}), ("three", {"audience": "two"})):
        await service.post("/audiences", {"code": code, "name": code, "rule": rule})
    refused = await service.ask("PATCH", "/audiences/one", {"rule": {"audience": "three"}})
    assert refused.status == 422
    assert "circle" in refused.json["message"]
    assert (await service.get("/audiences/one"))["rule"] == GOLD


async def test_a_campaign_goes_to_a_saved_audience_as_it_was_when_it_launched(
    service: Service,
) -> None:
    await people(service)
    await service.post("/audiences", {"code": "gold", "name": "Gold", "rule": GOLD})
    body = {"name": "To gold", "content": CONTENT, "audience": {"audience": "gold"}, "at": "now"}
    expected = await service.post("/campaigns/forecast", body)
    assert expected["reach"]["customers"] == 2
    made = await service.post("/campaigns", body)
    world = service.world
    await world.scheduler.step()
    everybody = {"trait": "plan", "test": "present"}
    await service.ask("PATCH", "/audiences/gold", {"rule": everybody})
    report = await world.settle(UUID(made["id"]))
    assert report.total.planned == 2
    absent = await service.ask("POST", "/campaigns", body | {"audience": {"audience": "none"}})
    assert (absent.status, absent.json["code"]) == (422, "invalid_campaign")


async def test_an_audience_in_use_names_its_users(service: Service) -> None:
    await service.post("/audiences", {"code": "gold", "name": "Gold", "rule": GOLD})
    inner = {"none": [{"audience": "gold"}]}
    await service.post("/audiences", {"code": "rest", "name": "The rest", "rule": inner})
    draft = {"name": "To gold", "content": CONTENT, "audience": {"audience": "gold"}}
    made = await service.post("/campaigns", draft)
    for method, path in (("POST", "/audiences/gold/archive"), ("DELETE", "/audiences/gold")):
        refused = await service.ask(method, path)
        assert (refused.status, refused.json["code"]) == (409, "conflict")
        assert "The rest" in refused.json["message"] and "To gold" in refused.json["message"]
    await service.ask("DELETE", "/audiences/rest")
    await service.post(f"/campaigns/{made['id']}/cancel")
    archived = await service.post("/audiences/gold/archive")
    assert archived["archived_at"] is not None
    assert (await service.get("/audiences"))["data"] == []
    assert len((await service.get("/audiences?archived=true"))["data"]) == 1
    again = await service.ask("POST", "/campaigns", draft)
    assert again.status == 422 and "archived" in again.json["message"]
    assert (await service.ask("DELETE", "/audiences/gold")).status == 409
    await service.post("/audiences/gold/restore")
    assert (await service.ask("POST", "/campaigns", draft)).status == 201


async def test_user_ids_are_uploaded_to_a_list_and_what_does_not_match_is_told(
    service: Service,
) -> None:
    await people(service)
    await service.post("/audiences", {"code": "vips", "name": "VIPs", "rule": None})
    csv = "name,user_id\nAda,ada\nGhost,ghost\nNobody,\nAda again,ada\n"
    upload = await service.post("/audiences/vips/members", {"file": csv})
    assert (upload["rows"], upload["members"], upload["unmatched"]) == (4, 2, 1)
    assert upload["unmatched_ids"] == ["ghost"]
    assert [fault["field"] for fault in upload["faults"]] == ["line 4"]
    assert (await service.get("/audiences/vips"))["members"] == 2
    counted = await service.get("/audiences/vips/count")
    assert counted["customers"] == 1
    assert await who(service, {"all": [GOLD, {"none": [{"audience": "vips"}]}]}) == {"bob"}
    replaced = {"file": '"bob"\n{"user_id": "eve"}\n', "replace": True}
    assert (await service.post("/audiences/vips/members", replaced))["members"] == 2
    assert await who(service, {"audience": "vips"}) == {"bob", "eve"}
    await service.post("/audiences", {"code": "gold", "name": "Gold", "rule": GOLD})
    refused = await service.ask("POST", "/audiences/gold/members", {"file": "ada"})
    assert (refused.status, refused.json["code"]) == (409, "conflict")


async def test_past_campaigns_are_asked_for(service: Service) -> None:
    await people(service)
    world = service.world
    first = await world.campaign({"user_ids": ["ada", "bob"]})
    await world.settle(first)
    opened = {"campaign": str(first), "test": "opened"}
    assert await who(service, {"campaign": str(first), "test": "sent"}) == {"ada", "bob"}
    assert await who(service, opened) == set()
    async with service.database.write() as connection:
        rows = await connection.execute(select(deliveries.c.device_id, deliveries.c.customer_id))
        [one, _] = sorted(rows.all())
        await connection.execute(
            deliveries.update()
            .where(deliveries.c.device_id == one.device_id)
            .values(received_at=service.clock.now(), opened_at=service.clock.now())
        )
    has_opened = await who(service, opened)
    assert len(has_opened) == 1
    not_opened = {"campaign": str(first), "test": "not_opened"}
    assert await who(service, not_opened) == {"ada", "bob"} - has_opened
    unknown = {"rule": {"campaign": str(UUID(int=5)), "test": "sent"}}
    refused = await service.ask("POST", "/audiences/count", unknown)
    assert refused.status == 422


async def test_what_occurs_is_listed_with_types_and_examples(service: Service) -> None:
    await people(service)
    schema = await service.get("/schema")
    traits = {field["path"]: field for field in schema["traits"]}
    assert traits["plan"]["types"] == ["text"]
    assert set(traits["plan"]["examples"]) == {"gold", "silver"}
    assert traits["address.city"]["share"] == 1.0
    events = {event["name"]: event for event in schema["events"]}
    [total] = events["Order Completed"]["properties"]
    assert (total["path"], total["types"]) == ("total", ["number"])


async def test_an_erased_person_is_on_no_list_and_in_no_rule(service: Service) -> None:
    await people(service)
    await service.post("/audiences", {"code": "vips", "name": "VIPs", "rule": None})
    await service.post("/audiences/vips/members", {"file": "ada\nbob"})
    rule = {"any": [{"user_ids": ["ada", "eve"]}, GOLD]}
    await service.post("/audiences", {"code": "some", "name": "Some", "rule": rule})
    parts = (service.database, service.world.broker, service.clock)
    await Regulator(*parts).erase(WORKSPACE, "ada", by="test")
    async with service.database.read() as connection:
        members = await connection.execute(select(audience_members.c.user_id))
        assert list(members.scalars()) == ["bob"]
        rules = (await connection.execute(select(audiences.c.rule))).scalars().all()
    assert not any("'ada'" in str(rule) for rule in rules)
    assert await who(service, {"audience": "some"}) == {"bob", "eve"}


async def test_who_may_only_look_saves_nothing(service: Service) -> None:
    reader = await service.make_key(Scope.READ)
    body = {"code": "gold", "name": "Gold", "rule": GOLD}
    assert (await service.ask("POST", "/audiences", body, key=reader)).status == 403
    counted = await service.ask("POST", "/audiences/count", {"rule": GOLD}, key=reader)
    assert counted.status == 200


async def test_a_read_whose_caller_has_left_ends(database: Database) -> None:
    """One that would take for ever otherwise, and its connection is good for others."""
    for_ever = text(
        "WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted) "
        "SELECT count(*) FROM counted"
    )

    async def ask() -> None:
        async with database.read() as connection:
            await connection.execute(for_ever)

    for number in range(20):  # more than there are readers; some leave before anything runs
        asking = asyncio.create_task(ask())
        await asyncio.wait({asking}, timeout=0.002 * number)
        assert not asking.done()
        asking.cancel()
        await asyncio.wait({asking})
        assert asking.cancelled()
    async with database.read() as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
