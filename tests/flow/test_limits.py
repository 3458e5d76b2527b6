"""Whom campaigns leave alone, and how often they reach one customer: over HTTP, as it is used."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from clarion.accounts.actor import Scope
from clarion.storage.database import Database
from clarion.web.api.errors import ErrorCode
from support.api import Service, assert_is, register
from support.clock import FakeClock

LEFT_NEWS = {"marketingPreferences": {"categories": [{"category": "news", "subscribed": False}]}}
HAS_NEWS = {"marketingPreferences": {"categories": [{"category": "News ", "subscribed": "yes"}]}}


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


async def take(service: Service, *events: dict[str, Any]) -> None:
    (source,) = (await service.get("/sources"))["data"]
    await service.send(source["write_key"], *events)


async def people(service: Service, *names: str) -> None:
    await take(
        service, *(register(f"m-{name}", f"D-{name}", f"ok-{name}", user=name) for name in names)
    )


async def identify(service: Service, name: str, traits: dict[str, Any]) -> None:
    message_id = str(service.clock.new_id())
    await take(
        service, {"type": "identify", "messageId": message_id, "userId": name, "traits": traits}
    )


async def make(service: Service, **fields: Any) -> str:
    """The id of a campaign that is due now."""
    wire = {"name": "C", "content": {"title": "Hi"}, "audience": {"everyone": True}, "at": "now"}
    return str((await service.post("/campaigns", wire | fields))["id"])


async def run(service: Service, **fields: Any) -> dict[str, Any]:
    """The report of a campaign that is sent now."""
    return await sent(service, await make(service, **fields))


async def sent(service: Service, campaign_id: str) -> dict[str, Any]:
    await work(service)
    report: dict[str, Any] = await service.get(f"/campaigns/{campaign_id}/report")
    settled = ("accepted", "unregistered", "rejected", "skipped", "expired", "cancelled")
    counts = sum(report[name] for name in settled) + report["in_flight"]
    assert report["planned"] == counts, "the account balances"
    return report


async def work(service: Service) -> None:
    """Everything that is due now."""
    world = service.world
    await world.scheduler.step()
    while await world.planner.step():
        pass
    await world.sender.sweep()
    idle = 0
    while idle < 5:  # a job of a chunk that is settled already settles nothing
        idle = 0 if await world.sender.step() else idle + 1


async def skipped(service: Service, **fields: Any) -> dict[str, int]:
    report = await run(service, **fields)
    assert report["in_flight"] == 0
    reasons: dict[str, int] = report["reasons"].get("skipped", {})
    assert report["skipped"] == sum(reasons.values())
    return reasons


async def set_limits(service: Service, **limits: Any) -> dict[str, Any]:
    answer = await service.ask("PATCH", "/workspace/limits", limits)
    assert answer.status == 200, answer.text
    shown: dict[str, Any] = answer.json
    return shown


# --- categories -----------------------------------------------------------------------------


async def test_who_has_left_a_category_gets_no_campaign_of_it(service: Service) -> None:
    await people(service, "ada", "bob", "eve")
    await identify(service, "ada", LEFT_NEWS)
    await identify(service, "eve", HAS_NEWS)
    assert await skipped(service, category="news") == {"category_left": 1}
    assert await skipped(service, category="sales") == {}
    assert await skipped(service) == {}
    assert await skipped(service, category="news", transactional=True) == {"category_left": 1}


async def test_a_category_is_left_and_rejoined_by_the_api_and_the_last_word_counts(
    service: Service,
) -> None:
    await people(service, "ada")
    path = "/customers/ada/categories"
    assert (await service.get(path))["data"] == []
    answer = await service.ask("PUT", f"{path}/news", {"subscribed": False})
    assert answer.json == {"category": "news", "subscribed": False}
    assert await skipped(service, category="news") == {"category_left": 1}
    service.clock.advance(60)
    await identify(service, "ada", HAS_NEWS)
    assert await skipped(service, category="news") == {}
    service.clock.advance(60)
    await service.ask("PUT", f"{path}/news", {"subscribed": False})
    await service.ask("PUT", f"{path}/sales", {"subscribed": True})
    assert (await service.get(path))["data"] == [
        {"category": "news", "subscribed": False},
        {"category": "sales", "subscribed": True},
    ]
    assert await skipped(service, category="news") == {"category_left": 1}


async def test_what_somebody_left_stays_left_when_they_are_merged(service: Service) -> None:
    await people(service, "ada", "ada-2")
    await service.ask("PUT", "/customers/ada-2/categories/news", {"subscribed": False})
    assert await skipped(service, category="news") == {"category_left": 1}
    await service.post("/customers/ada-2/merge", {"into": "ada"})
    assert await skipped(service, category="news") == {"category_left": 2}
    await service.post("/customers/ada-2/unmerge")
    assert await skipped(service, category="news") == {"category_left": 1}


async def test_a_choice_is_in_the_audit_log_by_a_hash_and_gone_with_who_is_erased(
    service: Service,
) -> None:
    await people(service, "zoe")
    await service.ask("PUT", "/customers/zoe/categories/news", {"subscribed": False})
    (entry,) = (await service.get("/audit?thing_kind=customer"))["data"]
    assert entry["verb"] == "category.choose"
    assert entry["changes"] == {"category": "news", "subscribed": False}
    assert "zoe" not in str(entry)
    assert (await service.ask("DELETE", "/customers/zoe")).status == 200
    assert_is(await service.ask("GET", "/customers/zoe/categories"), ErrorCode.NOT_FOUND)


async def test_a_category_that_can_not_be_is_refused(service: Service) -> None:
    await people(service, "ada")
    wire = {"name": "C", "content": {"title": "Hi"}, "audience": {"everyone": True}}
    for category in ("", "News", "a b", 7, "x" * 65):
        answer = await service.ask("POST", "/campaigns", wire | {"category": category})
        assert_is(answer, ErrorCode.INVALID_CAMPAIGN)
        assert [fault["field"] for fault in answer.json["faults"]] == ["category"]
    answer = await service.ask("POST", "/campaigns", wire | {"transactional": "yes"})
    assert [fault["field"] for fault in answer.json["faults"]] == ["transactional"]
    answer = await service.ask("PUT", "/customers/ada/categories/Ne%20ws", {"subscribed": False})
    assert_is(answer, ErrorCode.INVALID)
    answer = await service.ask("PUT", "/customers/nobody/categories/news", {"subscribed": False})
    assert_is(answer, ErrorCode.NOT_FOUND)


async def test_a_draft_keeps_its_category_and_may_get_another(service: Service) -> None:
    wire = {"name": "C", "content": {"title": "Hi"}, "audience": {"everyone": True}}
    made = await service.post("/campaigns", wire | {"category": "news", "transactional": True})
    assert (made["category"], made["transactional"]) == ("news", True)
    path = f"/campaigns/{made['id']}"
    edited = (await service.ask("PATCH", path, {"name": "D"})).json
    assert (edited["category"], edited["transactional"]) == ("news", True)
    edited = (await service.ask("PATCH", path, {"category": None, "transactional": False})).json
    assert (edited["category"], edited["transactional"]) == (None, False)
    assert await service.get(path) == edited


# --- exclusions -----------------------------------------------------------------------------


async def test_nothing_overrides_the_exclusions(service: Service) -> None:
    await people(service, "ada", "bob", "eve")
    await identify(service, "eve", {"plan": "staff"})
    await service.post(
        "/audiences",
        {"code": "staff", "name": "Staff", "rule": {"traits": {"plan": "staff"}}},
    )
    rule = {"any": [{"user_ids": ["ada"]}, {"audience": "staff"}]}
    assert (await set_limits(service, exclusions=rule))["exclusions"] == rule
    assert await skipped(service) == {"excluded": 2}
    assert await skipped(service, transactional=True) == {"excluded": 2}
    assert await skipped(service, audience={"user_ids": ["ada"]}) == {"excluded": 1}
    await identify(service, "eve", {"plan": None})
    assert await skipped(service) == {"excluded": 1}
    await set_limits(service, exclusions=None)
    assert await skipped(service) == {}


async def test_an_audience_that_is_excluded_can_not_be_deleted(service: Service) -> None:
    await service.post(
        "/audiences", {"code": "staff", "name": "Staff", "rule": {"user_ids": ["ada"]}}
    )
    await set_limits(service, exclusions={"audience": "staff"})
    for method, path in (("DELETE", "/audiences/staff"), ("POST", "/audiences/staff/archive")):
        answer = await service.ask(method, path)
        assert_is(answer, ErrorCode.CONFLICT)
        assert "the list of exclusions" in answer.json["message"]
    await set_limits(service, exclusions=None)
    assert (await service.ask("DELETE", "/audiences/staff")).status == 204


async def test_who_is_erased_is_named_by_no_exclusion(service: Service) -> None:
    await people(service, "zoe", "bob")
    await set_limits(service, exclusions={"user_ids": ["zoe", "bob"]})
    assert (await service.ask("DELETE", "/customers/zoe")).status == 200
    shown = await service.get("/workspace/limits")
    assert "bob" in shown["exclusions"]["user_ids"]
    assert "zoe" not in shown["exclusions"]["user_ids"]


@pytest.mark.parametrize(
    ("limits", "fields"),
    [
        ({"exclusions": {"user_ids": []}}, ["exclusions.user_ids"]),
        ({"exclusions": {"audience": "nobody"}}, ["exclusions"]),
        ({"caps": {}}, ["caps"]),
        ({"caps": [{"pushes": 1, "days": 1}] * 11}, ["caps"]),
        ({"caps": [3]}, ["caps[0]"]),
        ({"caps": [{"pushes": 0, "days": 1}]}, ["caps[0].pushes"]),
        ({"caps": [{"pushes": 1}]}, ["caps[0]"]),
        ({"caps": [{"pushes": 1, "days": 1, "hours": 2}]}, ["caps[0]"]),
        ({"caps": [{"pushes": True, "days": 31}]}, ["caps[0].pushes", "caps[0].days"]),
        ({"caps": [{"pushes": 1, "hours": 721, "x": 1}]}, ["caps[0].x", "caps[0].hours"]),
        ({"caps": [{"pushes": 1, "days": 1, "category": "A"}]}, ["caps[0].category"]),
        ({"needs_approval": 1, "what": 2}, ["what", "needs_approval"]),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_limits_that_can_not_be_are_refused_whole(
    service: Service, limits: dict[str, Any], fields: list[str]
) -> None:
    before = await set_limits(service, caps=[{"pushes": 5, "days": 7}])
    answer = await service.ask("PATCH", "/workspace/limits", {"caps": [], **limits})
    assert_is(answer, ErrorCode.INVALID)
    assert [fault["field"] for fault in answer.json["faults"]] == fields
    assert await service.get("/workspace/limits") == before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_limits_are_changed_by_administrators_alone_and_audited(service: Service) -> None:
    writer = await service.make_key(Scope.WRITE)
    refused = await service.ask("PATCH", "/workspace/limits", {"caps": []}, key=writer)
    assert_is(refused, ErrorCode.FORBIDDEN)
    caps = [{"pushes": 1, "days": 1, "category": "news"}]
    await set_limits(service, caps=caps, exclusions={"user_ids": ["ada"]})
    (entry,) = (await service.get("/audit"))["data"]
    assert (entry["verb"], entry["thing"]["kind"]) == ("workspace.limits", "workspace")
    assert entry["changes"] == {"caps": [[], caps], "rewritten": ["exclusions"]}


# --- frequency caps -------------------------------------------------------------------------


async def test_a_cap_counts_what_was_accepted_in_its_hours(service: Service) -> None:
    await people(service, "ada", "bob")
    assert await skipped(service) == {}
    await set_limits(service, caps=[{"pushes": 2, "hours": 24}])
    only_ada = {"user_ids": ["ada"]}
    assert await skipped(service, audience=only_ada) == {}
    service.clock.advance(3_600)
    assert await skipped(service) == {}
    assert await skipped(service) == {"frequency_cap": 1}
    assert await skipped(service) == {"frequency_cap": 2}
    assert await skipped(service, transactional=True) == {}
    service.clock.advance(23 * 3_600 - 1)
    assert await skipped(service, audience=only_ada) == {"frequency_cap": 1}
    service.clock.advance(1)
    assert await skipped(service, audience=only_ada) == {}
    assert await skipped(service, audience=only_ada) == {"frequency_cap": 1}


async def test_several_caps_hold_at_once_each_for_its_category(service: Service) -> None:
    await people(service, "ada")
    caps = [
        {"pushes": 1, "hours": 4, "category": "news"},
        {"pushes": 3, "days": 1},
    ]
    await set_limits(service, caps=caps)
    assert await skipped(service, category="news") == {}
    assert await skipped(service, category="news") == {"frequency_cap": 1}
    assert await skipped(service, category="sales") == {}
    assert await skipped(service) == {}
    assert await skipped(service) == {"frequency_cap": 1}
    service.clock.advance(5 * 3_600)
    assert await skipped(service, category="news") == {"frequency_cap": 1}, "three in a day"
    service.clock.advance(20 * 3_600)
    assert await skipped(service, category="news") == {}


async def test_a_push_to_several_devices_counts_once(service: Service) -> None:
    await take(
        service,
        *(register(f"m-{n}", f"D-{n}", f"ok-{n}", user="ada") for n in range(9)),
    )
    await set_limits(service, caps=[{"pushes": 2, "days": 1}])
    for _ in range(2):
        assert (await run(service))["accepted"] == 9
    assert await skipped(service) == {"frequency_cap": 9}


async def test_what_was_not_accepted_does_not_count(service: Service) -> None:
    await take(
        service,
        register("m-1", "D-1", "bad-1", user="ada"),
        register("m-2", "D-2", "bad-2", user="ada"),
        register("m-3", "D-3", "ok-3", user="bob"),
    )
    await set_limits(service, caps=[{"pushes": 1, "days": 1}])
    for _ in range(3):
        report = await run(service, audience={"user_ids": ["ada"]})
        assert (report["rejected"], report["skipped"]) == (2, 0)
    await identify(service, "bob", {"name": None})
    assert (await run(service, audience={"user_ids": ["bob"]}))["accepted"] == 1
    assert await skipped(service, audience={"user_ids": ["bob"]}) == {"frequency_cap": 1}


async def test_what_is_tried_again_keeps_its_place_and_counts_from_when_it_is_accepted(
    service: Service,
) -> None:
    await take(service, register("m-1", "D-1", "down-1", user="ada"))
    await set_limits(service, caps=[{"pushes": 1, "hours": 1}])
    first = await make(service)
    assert (await sent(service, first))["in_flight"] == 1
    assert await skipped(service) == {"frequency_cap": 1}
    service.clock.advance(120)
    assert (await sent(service, first))["accepted"] == 1
    service.clock.advance(3_500)
    assert await skipped(service) == {"frequency_cap": 1}
    service.clock.advance(101)
    report = await run(service)
    assert (report["skipped"], report["in_flight"]) == (0, 1)


async def test_a_cancelled_campaign_gives_back_what_it_had_reserved(service: Service) -> None:
    await take(service, register("m-1", "D-1", "down-1", user="ada"))
    await set_limits(service, caps=[{"pushes": 1, "days": 1}])
    first = await make(service)
    assert (await sent(service, first))["in_flight"] == 1
    await service.post(f"/campaigns/{first}/cancel")
    assert (await sent(service, first))["cancelled"] == 1
    second = await make(service)
    assert (await sent(service, second))["in_flight"] == 1
    service.clock.advance(120)
    assert (await sent(service, second))["accepted"] == 1


async def test_who_is_erased_leaves_nothing_that_caps_count(service: Service) -> None:
    await people(service, "ada")
    await set_limits(service, caps=[{"pushes": 1, "days": 1}])
    assert (await run(service))["accepted"] == 1
    assert (await service.ask("DELETE", "/customers/ada")).status == 200
    assert (await service.ask("POST", "/customers/ada/unsuppress")).status == 204
    service.clock.advance(60)
    await take(service, register("m-9", "D-9", "ok-9", user="ada"))
    assert (await run(service))["accepted"] == 1
