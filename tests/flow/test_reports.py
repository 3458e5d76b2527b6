"""What became of a launch: by platform and reason, by the hour, and how soon."""

import csv
from collections.abc import AsyncIterator
from io import StringIO
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from clarion.storage.database import Database
from support.api import Service, register
from support.clock import FakeClock
from support.ledger import check_counts

RECEIVED, TAPPED = "Push Notification Received", "Push Notification Tapped"
EVERYBODY = {"name": "Spring", "content": {"title": "Hi"}, "audience": {"everyone": True}}
_numbers = count(1)


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


async def write_key_of(service: Service) -> str:
    return str((await service.get("/sources"))["data"][0]["write_key"])


async def signed_in(service: Service, **tokens: str) -> None:
    """A device for each user, reached by this token; on iOS where the user's name begins with i."""
    await service.send(
        await write_key_of(service),
        *(
            register(
                f"m{next(_numbers)}",
                f"D-{user}",
                token,
                user=user,
                platform="iOS" if user.startswith("i") else "Android",
            )
            for user, token in tokens.items()
        ),
    )


async def launched(service: Service, **more: Any) -> UUID:
    """A campaign that has launched now, and settled all it could."""
    made = await service.post("/campaigns", EVERYBODY | more)
    now = {"at": "now", "allow_empty": True}
    await service.post(f"/campaigns/{made['id']}/schedule", now)
    await service.world.settle(UUID(made["id"]))
    return UUID(made["id"])


async def launch_of(service: Service, campaign_id: UUID) -> Any:
    [launch] = (await service.get(f"/campaigns/{campaign_id}/launches"))["data"]
    return await service.get(f"/launches/{launch['id']}")


async def report_of(service: Service, token: str, name: str, **more: Any) -> None:
    """The app of that token reports the last push that it got."""
    push = [push for push in service.world.provider.pushes if push.token == token][-1]
    event = {"type": "track", "event": name, "messageId": f"m{next(_numbers)}", "userId": "x"}
    properties = {"clarion_push": push.delivery_id}
    await service.send(await write_key_of(service), event | {"properties": properties} | more)
    await service.attributor.step()


async def test_a_launch_tells_each_reason_on_each_platform(service: Service) -> None:
    await signed_in(
        service, ada="ok-1", bob="dead-1", cem="bad-1", ida="ok-2", ian="bad-2", ira="dead-2"
    )
    opted_out = {"type": "identify", "messageId": "out", "userId": "ida", "anonymousId": "D-ida"}
    traits = {"marketingPreferences": {"channels": [{"channel": "push", "subscribed": False}]}}
    await service.send(await write_key_of(service), opted_out | {"traits": traits})
    launch = await launch_of(service, await launched(service))
    assert (launch["planned"], launch["accepted"], launch["balances"]) == (6, 1, True)
    assert (launch["rejected"], launch["unregistered"], launch["skipped"]) == (2, 2, 1)
    android, ios = launch["platforms"]["Android"], launch["platforms"]["iOS"]
    assert (android["planned"], android["accepted"], ios["planned"], ios["accepted"]) == (
        (3, 1, 3, 0)
    )
    assert ios["reasons"]["skipped"] == {"opted_out": 1}
    assert "skipped" not in android["reasons"]
    for state, reasons in launch["reasons"].items():
        for reason, number in reasons.items():
            of_platforms = (android["reasons"], ios["reasons"])
            assert number == sum(of.get(state, {}).get(reason, 0) for of in of_platforms)
    assert (launch["attempts"], launch["unanswered"]) == (5, 0)


async def test_what_is_opened_is_counted_by_the_hour_and_by_how_soon(service: Service) -> None:
    await signed_in(service, ada="ok-1", bob="ok-2", ida="ok-3")
    campaign_id = await launched(service)
    sent_at = service.clock.now()
    path = f"/campaigns/{campaign_id}/activity"
    empty = await service.get(path)
    assert (empty["hours"], empty["opened_after"]["median_up_to_seconds"]) == ([], None)
    service.clock.advance(20)
    await report_of(service, "ok-1", RECEIVED)
    await report_of(service, "ok-2", TAPPED)
    service.clock.advance(2 * 3600)
    await report_of(service, "ok-1", TAPPED)
    await check_counts(service.database, campaign_id)
    activity = await service.get(path)
    hour = sent_at.replace(minute=0, second=0, microsecond=0)
    assert [(one["received"], one["opened"]) for one in activity["hours"]] == [(2, 1), (0, 1)]
    assert activity["hours"][0]["hour"] == hour.isoformat().replace("+00:00", "Z")
    took = {
        kind: {
            one["up_to_seconds"]: one["count"]
            for one in activity[f"{kind}_after"]["classes"]
            if one["count"]
        }
        for kind in ("received", "opened")
    }
    assert took == {"received": {30: 2}, "opened": {30: 1, 21_600: 1}}
    assert activity["received_after"]["median_up_to_seconds"] == 30
    launch = await launch_of(service, campaign_id)
    assert await service.get(f"/launches/{launch['id']}/activity") == activity


async def test_an_earlier_report_that_comes_later_moves_to_its_hour(service: Service) -> None:
    await signed_in(service, ada="ok-1")
    campaign_id = await launched(service)
    service.clock.advance(60)
    opened_at = service.clock.now()
    service.clock.advance(3 * 3600)
    await report_of(service, "ok-1", TAPPED)
    told = {"timestamp": opened_at.isoformat()}
    await report_of(service, "ok-1", TAPPED, **told)
    await check_counts(service.database, campaign_id)
    activity = await service.get(f"/campaigns/{campaign_id}/activity")
    assert [(one["received"], one["opened"]) for one in activity["hours"]] == [(1, 1)]
    assert activity["hours"][0]["hour"][:13] == opened_at.isoformat()[:13]
    assert activity["opened_after"]["median_up_to_seconds"] == 60


async def test_a_report_before_the_answer_is_written_counts_as_soon_as_it_is_accepted(
    service: Service,
) -> None:
    await signed_in(service, ada="lost-1")
    made = await service.post("/campaigns", EVERYBODY)
    await service.post(f"/campaigns/{made['id']}/schedule", {"at": "now"})
    world = service.world
    await world.scheduler.step()
    await world.planner.step()
    await world.sender.step()
    await report_of(service, "lost-1", TAPPED)
    activity = await service.get(f"/campaigns/{made['id']}/activity")
    assert [one["opened"] for one in activity["hours"]] == [1]
    assert activity["opened_after"]["median_up_to_seconds"] is None
    await world.settle(UUID(made["id"]))
    activity = await service.get(f"/campaigns/{made['id']}/activity")
    assert activity["opened_after"]["median_up_to_seconds"] == 1
    await check_counts(service.database, UUID(made["id"]))


async def test_another_workspace_sees_no_launch_of_ours(service: Service) -> None:
    await signed_in(service, ada="ok-1")
    campaign_id = await launched(service)
    launch = await launch_of(service, campaign_id)
    elsewhere = await service.make_key_elsewhere()
    for path in (
        f"/launches/{launch['id']}",
        f"/launches/{launch['id']}/activity",
        f"/campaigns/{campaign_id}/activity",
    ):
        assert (await service.ask("GET", path, key=elsewhere)).status == 404
        assert (await service.ask("GET", path)).status == 200


async def test_deliveries_are_told_as_csv_that_no_spreadsheet_runs(service: Service) -> None:
    await signed_in(service, ada="ok-1", bob="dead-1", ida="ok-3", **{"=1+1": "ok-2"})
    launch = await launch_of(service, await launched(service))
    path = f"/launches/{launch['id']}/deliveries.csv"
    answer = await service.ask("GET", path)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    rows = list(csv.DictReader(StringIO(answer.content.decode(), newline="")))
    told = {row["user_id"]: (row["platform"], row["state"]) for row in rows}
    assert told == {
        "ada": ("Android", "accepted"),
        "bob": ("Android", "unregistered"),
        "ida": ("iOS", "accepted"),
        "'=1+1": ("Android", "accepted"),
    }
    for query, users in (
        ("state=accepted", {"ada", "ida", "'=1+1"}),
        ("state=accepted&platform=iOS", {"ida"}),
        (f"reason={rows_reason(rows, 'bob')}", {"bob"}),
        ("state=expired", set()),
    ):
        answer = await service.ask("GET", f"{path}?{query}")
        found = csv.DictReader(StringIO(answer.content.decode(), newline=""))
        assert {row["user_id"] for row in found} == users, query
    elsewhere = await service.make_key_elsewhere()
    assert (await service.ask("GET", path, key=elsewhere)).status == 404
    assert (await service.ask("GET", f"{path}?state=lost")).status == 422


def rows_reason(rows: list[dict[str, str]], user: str) -> str:
    return next(row["reason"] for row in rows if row["user_id"] == user)


async def test_what_is_planned_is_listed_by_platform_page_by_page(service: Service) -> None:
    """It has no row yet; every other one is on iOS."""
    users = {f"{'i' if number % 2 else 'a'}{number:02}": f"ok-{number}" for number in range(20)}
    await signed_in(service, **users)
    made = await service.post("/campaigns", EVERYBODY)
    await service.post(f"/campaigns/{made['id']}/schedule", {"at": "now"})
    await service.world.scheduler.step()
    while await service.world.planner.step():
        pass
    launch = await launch_of(service, UUID(made["id"]))
    answer = await service.ask("GET", f"/launches/{launch['id']}/deliveries.csv?platform=iOS")
    listed = list(csv.DictReader(StringIO(answer.content.decode(), newline="")))
    wanted = sorted(user for user in users if user.startswith("i"))
    assert sorted(row["user_id"] for row in listed) == wanted
    assert {row["state"] for row in listed} == {"pending"}
    paged = await service.every(f"/deliveries?campaign={made['id']}&platform=iOS", limit=3)
    assert sorted(one["customer"]["user_id"] for one in paged) == wanted


async def failed(service: Service, campaign_id: UUID) -> str:
    """Why a campaign has failed, which campaign, report and launch tell alike."""
    campaign = await service.get(f"/campaigns/{campaign_id}")
    report = await service.get(f"/campaigns/{campaign_id}/report")
    launch = await launch_of(service, campaign_id)
    assert (campaign["state"], report["state"], launch["state"]) == ("failed",) * 3
    assert campaign["paused_reason"] == report["reason"] == launch["reason"]
    assert report["balances"] and report["in_flight"] == 0
    log = (await service.get(f"/audit?thing_kind=campaign&thing_id={campaign_id}"))["data"]
    assert [entry["verb"] for entry in log].count("campaign.fail") == 1
    assert "campaign.finish" not in [entry["verb"] for entry in log]
    return str(launch["reason"])


async def test_a_launch_that_nobody_got_has_failed_and_says_why(service: Service) -> None:
    await signed_in(service, ada="bad-1", bob="bad-2", cem="dead-1")
    reason = await failed(service, await launched(service))
    assert reason.startswith("no push was accepted: 2 rejected (")


async def test_a_text_that_fails_for_all_is_a_failure(service: Service) -> None:
    await signed_in(service, ada="ok-1", bob="ok-2")
    content = {"title": "{{ 1 | divided_by: customer.visits }}"}
    traits = {"type": "identify", "traits": {"visits": 0}}
    key = await write_key_of(service)
    for user in ("ada", "bob"):
        await service.send(key, traits | {"userId": user, "messageId": f"visits-{user}"})
    reason = await failed(service, await launched(service, content=content))
    assert "2 skipped (not_rendered): mend the text that fails" in reason


async def test_no_firebase_app_for_anybody_is_a_failure(service: Service) -> None:
    source = await service.post("/sources", {"name": "unbound", "firebase_app_id": None})
    await service.send(source["write_key"], register("u1", "D-una", "ok-9", user="una"))
    reason = await failed(service, await launched(service, audience={"user_ids": ["una"]}))
    assert "1 skipped (no_firebase_app): bind the source" in reason


async def test_what_one_device_got_or_all_declined_is_done(service: Service) -> None:
    await signed_in(service, ada="ok-1", bob="bad-2", cem="dead-1")
    for users in (["ada", "bob"], ["cem"]):
        campaign_id = await launched(service, audience={"user_ids": users})
        assert (await launch_of(service, campaign_id))["state"] == "done"


async def test_a_campaign_that_reaches_nobody_is_scheduled_only_where_that_is_meant(
    service: Service,
) -> None:
    gold = EVERYBODY | {"audience": {"trait": "plan", "test": "equals", "value": "gold"}}
    await signed_in(service, ada="ok-1")
    made = await service.post("/campaigns", gold)
    path = f"/campaigns/{made['id']}"
    for answer in (
        await service.ask("POST", f"{path}/schedule", {"at": "now"}),
        await service.ask("POST", "/campaigns", gold | {"at": "2026-12-24T18:00:00Z"}),
    ):
        assert (answer.status, answer.json["code"]) == (422, "invalid_campaign")
        [fault] = answer.json["faults"]
        assert fault["field"] == "audience"
        assert "reaches no device now" in fault["message"]
        assert "allow_empty" in fault["message"]
    assert (await service.get(path))["state"] == "draft"
    assert len((await service.get("/campaigns"))["data"]) == 1
    wrong = await service.ask("POST", "/campaigns", gold | {"at": "now", "allow_empty": 1})
    assert [fault["field"] for fault in wrong.json["faults"]] == ["allow_empty"]
    meant = {"at": "now", "allow_empty": True}
    assert (await service.post(f"{path}/schedule", meant))["state"] == "scheduled"
    await service.world.settle(UUID(made["id"]))
    assert (await service.get(path))["state"] == "done"


async def test_an_audience_of_opted_out_devices_reaches_nobody(service: Service) -> None:
    await signed_in(service, ada="ok-1")
    dont = {"marketingPreferences": {"channels": [{"channel": "push", "subscribed": False}]}}
    identify = {"type": "identify", "messageId": "no", "userId": "ada", "traits": dont}
    await service.send(await write_key_of(service), identify)
    made = await service.post("/campaigns", EVERYBODY)
    path = f"/campaigns/{made['id']}/schedule"
    answer = await service.ask("POST", path, {"at": "now"})
    assert "of 1 devices 1 are opted out" in answer.json["faults"][0]["message"]
    await signed_in(service, bob="ok-2")
    assert (await service.post(path, {"at": "now"}))["state"] == "scheduled"
