"""A content rendered for a sample of the real audience, over HTTP, before it is launched."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from clarion.accounts.actor import Scope
from clarion.storage.database import Database
from support.api import Service, register
from support.clock import FakeClock


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        key = str((await service.get("/sources"))["data"][0]["write_key"])
        for number in range(8):
            traits: dict[str, Any] = {"price": 10} if number else {"price": "cheap"}
            if number < 5:
                traits["first_name"] = "Ada"
            user = f"user-{number}"
            identify = {"messageId": f"i{number}", "userId": user, "traits": traits}
            await service.send(
                key,
                register(f"r{number}", f"D{number}", f"t{number}", user=user),
                {"type": "identify", **identify},
            )
        yield service


CONTENT = {
    "title": "Hi {{ customer.first_name }}",
    "body": "For you\n{% if customer.first_name %}{{ customer.first_name }}{% endif %}\n"
    "{{ customer.price | json | prepend: '[' | append: ']' | split: ',' | sum }}",
}


async def test_who_is_concerned_is_told_by_line_and_cause(service: Service) -> None:
    checked = await service.post("/campaigns/check", {"content": CONTENT})
    assert (checked["customers"], checked["devices"]) == (8, 8)
    fields = {
        (found["kind"], found["field"], found["line"]): found for found in checked["findings"]
    }
    gap = fields["prints_nothing", "content.title", 1]
    assert gap["customers"] == 3
    assert gap["message"] == "prints nothing for {{ customer.first_name }}: give it a default"
    assert gap["example"]["user_id"] in ("user-5", "user-6", "user-7")
    failed = fields["not_rendered", "content.body", 3]
    assert failed["customers"] == 8
    assert checked["findings"][0] == failed, "the worst first"
    assert checked["customers_fine"] == 0


async def test_a_default_leaves_nothing_to_tell(service: Service) -> None:
    content = {"title": "Hi {{ customer.first_name | default: 'there' }}"}
    checked = await service.post("/campaigns/check", {"content": content})
    assert checked == {"customers": 8, "customers_fine": 8, "devices": 8, "findings": []}


async def test_what_fcm_would_refuse_is_counted(service: Service) -> None:
    content = {"title": "Hi", "body": "{% for n in (1..900) %}{{ customer.price }}{% endfor %}"}
    checked = await service.post("/campaigns/check", {"content": content})
    (found,) = checked["findings"]
    assert (found["kind"], found["field"], found["customers"]) == ("refused", "content.body", 1)
    assert (found["example"]["user_id"], checked["customers_fine"]) == ("user-0", 7)


async def test_a_sample_is_bounded_and_of_the_audience_alone(service: Service) -> None:
    body = {"content": CONTENT, "audience": {"traits": {"first_name": "Ada"}}}
    checked = await service.post("/campaigns/check", body)
    assert (checked["customers"], checked["devices"]) == (5, 5)
    assert "prints_nothing" not in {found["kind"] for found in checked["findings"]}
    few = await service.post("/campaigns/check", {**body, "limit": 3})
    assert few["customers"] == 3
    for limit in (0, 1_001, "5"):
        answer = await service.ask("POST", "/campaigns/check", {**body, "limit": limit})
        assert [fault["field"] for fault in answer.json["faults"]] == ["limit"]


async def test_a_saved_campaign_is_checked_for_its_own_audience(service: Service) -> None:
    audience = {"traits": {"first_name": "Ada"}}
    made = await service.post("/campaigns", {"name": "x", "content": CONTENT, "audience": audience})
    path = f"/campaigns/{made['id']}/check"
    assert (await service.post(path))["customers"] == 5
    assert (await service.post(path, {"limit": 2}))["devices"] == 2
    answer = await service.ask("POST", path, {"limit": 0})
    assert [fault["field"] for fault in answer.json["faults"]] == ["limit"]
    unknown = "/campaigns/01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70/check"
    assert (await service.ask("POST", unknown)).json["code"] == "not_found"


async def test_a_check_needs_no_more_than_to_read_and_writes_nothing(service: Service) -> None:
    key = await service.make_key(Scope.READ)
    before = await service.get("/audit")
    await service.post("/campaigns/check", {"content": CONTENT}, key=key)
    await service.post("/campaigns/preview", {"content": CONTENT}, key=key)
    assert await service.get("/audit") == before
