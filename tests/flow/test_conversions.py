"""Converted: customers who do what a campaign was to lead to, each counted once."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from clarion.campaigns.conversion_store import LATE_DAYS
from clarion.reports.attributor import FORGET_SECONDS
from clarion.reports.conversions import SIGN_IN_MINUTES
from clarion.storage.database import Database
from clarion.storage.schema import awaited_events, conversions_due
from clarion.web.api.errors import ErrorCode
from flow.test_reports import _numbers, launched, signed_in, write_key_of
from support.api import Service, assert_is, register
from support.clock import FakeClock
from support.ledger import check_counts

ORDER = "Order Completed"
WITHIN_A_DAY = {"conversion": {"event": ORDER, "within_hours": 24}}


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


async def did(service: Service, name: str = ORDER, **who: Any) -> dict[str, Any]:
    """Somebody does it, and the attributor looks; `who`: ids and times."""
    event = {"type": "track", "event": name, "messageId": f"did-{next(_numbers)}", **who}
    await service.send(await write_key_of(service), event)
    await service.attributor.step()
    return event


async def converted(service: Service, campaign_id: UUID) -> int:
    await check_counts(service.database, campaign_id)
    return int((await service.get(f"/campaigns/{campaign_id}/report"))["converted"])


async def rows_in(service: Service, table: Any) -> int:
    async with service.database.read() as connection:
        count = await connection.execute(select(func.count()).select_from(table))
    return int(count.scalar_one())


async def test_a_customer_who_does_it_in_time_is_counted_once(service: Service) -> None:
    await signed_in(service, ada="ok-1", bob="ok-2", ida="dead-1")
    await service.send(await write_key_of(service), register("a2", "D2", "ok-3", user="ada"))
    campaign_id = await launched(service, **WITHIN_A_DAY)
    service.clock.advance(600)
    await did(service, userId="ada")
    service.clock.advance(3600)
    repeated = await did(service, userId="ada")
    await service.send(await write_key_of(service), repeated)
    await did(service, userId="ida")  # whose push was not accepted
    await did(service, "order completed", userId="bob")  # another name
    assert await converted(service, campaign_id) == 1
    service.clock.advance(24 * 3600)
    await did(service, userId="bob")
    assert await converted(service, campaign_id) == 1
    report = await service.get(f"/campaigns/{campaign_id}/report")
    assert (report["accepted"], report["platforms"]["Android"]["converted"]) == (3, 1)
    deliveries = await service.every(f"/deliveries?campaign={campaign_id}", limit=100)
    [credited] = [delivery for delivery in deliveries if delivery["converted_at"]]
    assert credited["customer"]["user_id"] == "ada"
    activity = await service.get(f"/campaigns/{campaign_id}/activity")
    assert [hour["converted"] for hour in activity["hours"]] == [1]


async def test_an_event_that_comes_late_counts_by_when_it_was_done(service: Service) -> None:
    await signed_in(service, ada="ok-1", bob="ok-2")
    campaign_id = await launched(service, **WITHIN_A_DAY)
    sent_at = service.clock.now()
    service.clock.advance(30 * 3600)
    await did(service, userId="ada", timestamp=(sent_at + timedelta(hours=20)).isoformat())
    await did(service, userId="bob", timestamp=(sent_at - timedelta(hours=1)).isoformat())
    assert await converted(service, campaign_id) == 1
    await did(service, userId="ada", timestamp=(sent_at + timedelta(hours=2)).isoformat())
    assert await converted(service, campaign_id) == 1
    [hour] = (await service.get(f"/campaigns/{campaign_id}/activity"))["hours"]
    assert hour["hour"][:13] == (sent_at + timedelta(hours=2)).isoformat()[:13]


async def test_who_signs_in_soon_after_is_counted(service: Service) -> None:
    """The push went to a device that nobody had signed in on; the order names the device."""
    key = await write_key_of(service)
    await service.send(key, register("m1", "D1", "ok-1"), register("m2", "D2", "ok-2", user="bob"))
    service.clock.advance(3600)
    campaign_id = await launched(service, **WITHIN_A_DAY)
    service.clock.advance(60)
    await did(service, anonymousId="browser")
    assert await converted(service, campaign_id) == 0
    service.clock.advance(60)
    await service.send(
        key,
        register("m3", "D1", "ok-1", user="ada"),
        {"type": "identify", "messageId": "m4", "userId": "ada", "anonymousId": "browser"},
    )
    await service.attributor.step()
    assert await converted(service, campaign_id) == 0, "it is looked at once more later"
    service.clock.advance(60 * SIGN_IN_MINUTES)
    await service.attributor.step()
    assert await converted(service, campaign_id) == 1
    await did(service, userId="ada")
    assert await converted(service, campaign_id) == 1
    service.clock.advance(60 * SIGN_IN_MINUTES)
    await service.attributor.step()
    assert await rows_in(service, conversions_due) == 0


async def test_who_is_merged_into_another_is_still_counted_once(service: Service) -> None:
    await signed_in(service, ada="ok-1", adele="ok-2")
    campaign_id = await launched(service, **WITHIN_A_DAY)
    service.clock.advance(60)
    await did(service, userId="adele")
    await service.post("/customers/adele/merge", {"into": "ada"})
    await did(service, userId="ada")
    assert await converted(service, campaign_id) == 1


async def test_a_former_owner_s_push_is_not_the_next_one_s(service: Service) -> None:
    await signed_in(service, ada="ok-1", bob="ok-2")
    campaign_id = await launched(service, **WITHIN_A_DAY)
    service.clock.advance(60)
    await service.send(await write_key_of(service), register("x", "D-ada", "ok-1", user="cem"))
    await did(service, userId="cem")
    assert await converted(service, campaign_id) == 0
    await did(service, userId="ada")
    assert await converted(service, campaign_id) == 1


async def test_only_awaited_names_cost_anything_and_only_as_long(service: Service) -> None:
    await signed_in(service, ada="ok-1")
    await did(service, userId="ada")
    assert await rows_in(service, conversions_due) == 0
    campaign_id = await launched(service, **WITHIN_A_DAY)
    assert await rows_in(service, awaited_events) == 1
    await did(service, "Product Viewed", userId="ada")
    assert await rows_in(service, conversions_due) == 0
    service.clock.advance(LATE_DAYS * 86_400 + 25 * 3600 + FORGET_SECONDS)
    await service.attributor.step()
    assert await rows_in(service, awaited_events) == 0
    await did(service, userId="ada")
    assert await rows_in(service, conversions_due) == 0
    assert await converted(service, campaign_id) == 0


async def test_an_erased_customer_stays_in_the_count_and_nowhere_else(service: Service) -> None:
    await signed_in(service, ada="ok-1", bob="ok-2")
    campaign_id = await launched(service, **WITHIN_A_DAY)
    service.clock.advance(60)
    await did(service, userId="ada")
    await did(service, userId="bob")
    assert await converted(service, campaign_id) == 2
    await service.ask("DELETE", "/customers/ada")
    assert await converted(service, campaign_id) == 2
    assert await rows_in(service, conversions_due) <= 2


async def test_a_draft_s_conversion_is_written_anew_or_taken_away(service: Service) -> None:
    body = {"name": "A", "content": {"title": "Hi"}, "audience": {"everyone": True}}
    made = await service.post("/campaigns", body | WITHIN_A_DAY)
    assert made["conversion"] == {"event": ORDER, "within_hours": 24}
    path = f"/campaigns/{made['id']}"
    change = {"conversion": {"event": "Signed Up", "within_days": 2}}
    changed = await service.ask("PATCH", path, change)
    assert changed.json["conversion"] == {"event": "Signed Up", "within_hours": 48}
    renamed = await service.ask("PATCH", path, {"name": "B"})
    assert renamed.json["conversion"] == {"event": "Signed Up", "within_hours": 48}
    assert (await service.ask("PATCH", path, {"conversion": None})).json["conversion"] is None
    wrong = await service.ask("PATCH", path, {"conversion": {"event": "A"}})
    assert_is(wrong, ErrorCode.INVALID_CAMPAIGN)
    assert [fault["field"] for fault in wrong.json["faults"]] == ["conversion"]
