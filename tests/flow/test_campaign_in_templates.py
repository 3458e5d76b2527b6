"""`campaign` in a text, and dates in the zone of the workspace or of each customer, over HTTP."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from clarion.broker import JobKind
from clarion.storage.database import Database
from support.api import Service
from support.clock import FakeClock
from support.watching import live_in

AT = "2026-07-01T22:30:00Z"
BODY = (
    "{{ campaign.name }} {{ campaign.code }} {{ customer.at | date: '%d %H:%M', 'customer' }} "
    "{{ customer.at | date: '%d %H:%M' }} {{ campaign.launched_at | date: '%Y-%m-%d' }}"
)
CONTENT = {"title": "Hi", "body": BODY}
SAYS = {
    "tokyo": "Spring spring-26 02 07:30 02 00:30 2026-03-01",
    "denver": "Spring spring-26 01 16:30 02 00:30 2026-03-01",
}


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        await live_in(service, {"tokyo": "Asia/Tokyo", "denver": "America/Denver"})
        key = str((await service.get("/sources"))["data"][0]["write_key"])
        traits = {"at": AT}
        await service.send(
            key,
            *(
                {"type": "identify", "messageId": f"t-{user}", "userId": user, "traits": traits}
                for user in SAYS
            ),
        )
        await service.ask("PATCH", "/workspace", {"time_zone": "Europe/Vienna"})
        yield service


def draft() -> dict[str, Any]:
    return {
        "name": "Spring",
        "code": "spring-26",
        "content": CONTENT,
        "audience": {"everyone": True},
    }


async def test_a_push_says_its_campaign_and_dates_in_its_customers_zone(service: Service) -> None:
    made = await service.post("/campaigns", draft() | {"at": "now"})
    launched_at = service.clock.now().date()
    await service.world.settle(UUID(made["id"]))
    bodies = {push.token[3:]: push.content.body for push in service.world.provider.pushes}
    assert bodies == {user: says[:-10] + str(launched_at) for user, says in SAYS.items()}


async def test_previews_and_checks_say_what_a_push_will(service: Service) -> None:
    made = await service.post("/campaigns", draft())
    path = f"/campaigns/{made['id']}"
    for user, says in SAYS.items():
        seen = await service.post(f"{path}/preview", {"user_id": user})
        assert seen["platforms"]["Android"]["body"][:-10] == says[:-10]
        unsaved = {"content": {"title": BODY}, "user_id": user}
        tried = await service.post("/campaigns/preview", unsaved)
        said = tried["platforms"]["Android"]["content"]["title"]
        assert said.split() == says.removeprefix("Spring spring-26 ")[:-10].split()
    checked = await service.post(f"{path}/check", {})
    assert (checked["customers_fine"], checked["findings"]) == (2, [])


async def test_a_push_to_one_customer_says_the_campaign_whose_content_it_has(
    service: Service,
) -> None:
    await service.post("/campaigns", draft())
    service.clock.advance(timedelta(hours=5).total_seconds())
    asked = {"user_id": "denver", "campaign": "spring-26"}
    await service.post("/pushes", asked)
    while await service.world.sender.step(JobKind.PUSH):
        pass
    [push] = service.world.provider.pushes
    assert push.content.body == SAYS["denver"][:-10] + str(service.clock.now().date())


async def test_what_a_campaign_has_not_is_refused_by_its_field(service: Service) -> None:
    wrong = draft() | {"content": {"title": "{{ campaign.audience }}"}}
    answer = await service.ask("POST", "/campaigns", wrong)
    [fault] = answer.json["faults"]
    assert fault["field"] == "content.title"
    assert "campaign has id, name, code, category, launched_at" in fault["message"]
