"""A scheduled campaign that becomes a draft again."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from clarion.web.api.errors import ErrorCode
from support.api import Service, assert_is, service_on_sqlite
from support.clock import FakeClock


@pytest.fixture
async def service(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Service]:
    async with service_on_sqlite(tmp_path, clock) as opened:
        yield opened


async def scheduled(service: Service, at: str = "2026-03-02T09:00:00Z") -> Any:
    body = {"name": "Spring", "content": {"title": "Hi"}, "audience": {"everyone": True}, "at": at}
    return await service.post("/campaigns", body)


async def test_it_may_be_edited_and_is_not_launched(service: Service) -> None:
    made = await scheduled(service)
    draft = await service.post(f"/campaigns/{made['id']}/unschedule")
    assert (draft["state"], draft["scheduled_at"]) == ("draft", None)
    edited = await service.ask("PATCH", f"/campaigns/{made['id']}", {"name": "Summer"})
    assert edited.status == 200
    service.clock.advance(86_400)
    await service.world.scheduler.step()
    assert (await service.get(f"/campaigns/{made['id']}"))["state"] == "draft"


async def test_one_that_is_paused_before_its_launch_may_be_a_draft_again(service: Service) -> None:
    made = await scheduled(service)
    await service.post(f"/campaigns/{made['id']}/pause")
    draft = await service.post(f"/campaigns/{made['id']}/unschedule")
    assert (draft["state"], draft["paused_reason"]) == ("draft", None)


async def test_what_has_launched_or_was_cancelled_is_no_draft_any_more(service: Service) -> None:
    made = await scheduled(service, "now")
    await service.world.scheduler.step()
    refused = await service.ask("POST", f"/campaigns/{made['id']}/unschedule")
    assert_is(refused, ErrorCode.CAMPAIGN_STATE)
    other = await scheduled(service)
    await service.post(f"/campaigns/{other['id']}/cancel")
    refused = await service.ask("POST", f"/campaigns/{other['id']}/unschedule")
    assert_is(refused, ErrorCode.CAMPAIGN_STATE)
