"""Where a workspace wants a second person, only what was approved as it is launches."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from clarion.accounts.actor import Actor, ActorKind, Role, Scope, permissions_of_role
from clarion.accounts.commands import create_api_key
from clarion.campaigns.approval.commands import approve_campaign
from clarion.faults import Rejected
from clarion.storage.database import Database
from clarion.storage.schema import campaigns
from clarion.web.api.errors import ErrorCode
from flow.test_limits import people, sent, set_limits, work
from support.api import Answer, Service, assert_is
from support.book import WORKSPACE
from support.clock import FakeClock

WIRE = {"name": "C", "content": {"title": "Hi"}, "audience": {"audience": "all"}}


class Office:
    """An author, who can send nothing, and two who may publish."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def open(self) -> "Office":
        service = self.service
        self.author = await service.make_key(Scope.AUTHOR)
        self.first = await service.make_key(Scope.WRITE)
        self.second = await service.make_key(Scope.WRITE)
        await people(service, "ada")
        rule = {"user_ids": ["ada"]}
        await service.post("/audiences", {"code": "all", "name": "All", "rule": rule})
        await set_limits(service, needs_approval=True)
        self.id = str((await service.post("/campaigns", WIRE, key=self.author))["id"])
        return self

    def later(self, hours: float) -> str:
        return (self.service.clock.now() + timedelta(hours=hours)).isoformat()

    async def ask(self, step: str, key: str, body: Any = None) -> Answer:
        return await self.service.ask("POST", f"/campaigns/{self.id}/{step}", body, key=key)

    async def propose(self, at: str = "now", key: str | None = None) -> str:
        """The fingerprint."""
        answer = await self.ask("propose", key or self.author, {"at": at})
        assert answer.status == 200, answer.text
        return str(answer.json["fingerprint"])

    async def approve(self, fingerprint: str, key: str | None = None) -> Answer:
        return await self.ask("approve", key or self.first, {"fingerprint": fingerprint})

    async def refuses(self, step: str, key: str, body: Any = None) -> str:
        """Why."""
        before = await self.campaign()
        answer = await self.ask(step, key, body)
        assert_is(answer, ErrorCode.APPROVAL)
        assert await self.campaign() == before
        return str(answer.json["message"])

    async def campaign(self) -> dict[str, Any]:
        shown: dict[str, Any] = await self.service.get(f"/campaigns/{self.id}")
        return shown

    async def does_not_launch(self) -> None:
        """The scheduler leaves it to a person, and says why."""
        await work(self.service)
        shown = await self.campaign()
        assert shown["state"] == "paused"
        assert shown["paused_reason"].startswith("approval: ")
        assert self.service.world.provider.accepted == {}


@pytest.fixture
async def office(database: Database, clock: FakeClock) -> AsyncIterator[Office]:
    async with Service(database, clock) as service:
        yield await Office(service).open()


async def push(office: Office, body: dict[str, Any]) -> Answer:
    return await office.service.ask("POST", "/pushes", {"user_id": "ada", **body}, key=office.first)


async def test_a_push_by_a_campaign_needs_its_content_approved(office: Office) -> None:
    by_campaign = {"campaign": office.id}
    assert_is(await push(office, by_campaign), ErrorCode.APPROVAL)
    fingerprint = await office.propose("pushes")
    assert_is(await push(office, by_campaign), ErrorCode.APPROVAL)
    assert_is(await office.approve(fingerprint, office.author), ErrorCode.FORBIDDEN)
    answer = await office.approve(fingerprint)
    assert (answer.status, answer.json["state"]) == (200, "draft"), "nothing is scheduled by it"
    assert (await push(office, by_campaign)).status == 201
    await office.refuses("schedule", office.first, {"at": "now"})


async def test_a_changed_content_is_pushed_to_nobody_until_it_is_approved_again(
    office: Office,
) -> None:
    await office.approve(await office.propose("pushes"))
    await set_limits(office.service, caps=[{"pushes": 1, "days": 1}])
    assert (await push(office, {"campaign": office.id})).status == 201, "limits hold for launches"
    path = f"/campaigns/{office.id}"
    await office.service.ask("PATCH", path, {"content": {"title": "Other"}}, key=office.author)
    assert (await office.service.get(f"{path}/approval"))["is_stale"]
    assert_is(await push(office, {"campaign": office.id}), ErrorCode.APPROVAL)
    await office.approve(await office.propose("pushes"))
    assert (await push(office, {"campaign": office.id})).status == 201


async def test_what_is_approved_for_a_launch_may_be_pushed_and_is_not_replaced(
    office: Office,
) -> None:
    await office.approve(await office.propose(office.later(3)))
    assert (await push(office, {"campaign": office.id})).status == 201
    await office.refuses("propose", office.author, {"at": "pushes"})


async def test_a_push_with_content_of_its_own_needs_a_key_that_may_publish(office: Office) -> None:
    content = {"user_id": "ada", "content": {"title": "Hi"}}
    assert (await push(office, content)).status == 201
    answer = await office.service.ask("POST", "/pushes", content, key=office.author)
    assert_is(answer, ErrorCode.FORBIDDEN)


async def test_a_campaign_is_proposed_by_one_and_approved_by_another(office: Office) -> None:
    at = office.later(3)
    fingerprint = await office.propose(at)
    shown = await office.service.get(f"/campaigns/{office.id}/approval")
    assert (shown["state"], shown["is_stale"], shown["at"]) == ("proposed", False, at)
    assert (await office.campaign())["state"] == "draft"
    answer = await office.approve(fingerprint)
    assert (answer.status, answer.json["state"]) == (200, "scheduled")
    shown = await office.service.get(f"/campaigns/{office.id}/approval")
    assert (shown["state"], shown["is_stale"]) == ("approved", False)
    assert shown["decided_by"]["id"] != shown["proposed_by"]["id"]
    office.service.clock.advance(3 * 3_600)
    assert (await sent(office.service, office.id))["accepted"] == 1
    log = (await office.service.get(f"/audit?thing_kind=campaign&thing_id={office.id}"))["data"]
    assert [entry["verb"] for entry in log][::-1][:4] == [
        "campaign.create",
        "campaign.propose",
        "campaign.approve",
        "campaign.launch",
    ]
    (approved,) = [entry for entry in log if entry["verb"] == "campaign.approve"]
    assert approved["changes"]["fingerprint"] == fingerprint
    assert approved["changes"]["state"] == ["draft", "scheduled"]


async def test_now_is_when_it_is_approved(office: Office) -> None:
    fingerprint = await office.propose("now")
    office.service.clock.advance(86_400)
    assert (await office.approve(fingerprint)).status == 200
    assert (await sent(office.service, office.id))["accepted"] == 1


async def test_whoever_may_publish_launches_nothing_alone(office: Office) -> None:
    service = office.service
    for key in (office.first, service.key):
        assert "propose" in await office.refuses("schedule", key, {"at": "now"})
        await office.refuses("schedule", key, {"at": office.later(1)})
        answer = await service.ask("POST", "/campaigns", WIRE | {"at": "now"}, key=key)
        assert_is(answer, ErrorCode.APPROVAL)
        await office.refuses("approve", key, {"fingerprint": "0" * 64})
    assert len((await service.get("/campaigns"))["data"]) == 1, "nothing was made"
    await work(service)
    assert (await office.campaign())["state"] == "draft"


async def test_nobody_approves_what_they_have_proposed(office: Office) -> None:
    for key in (office.first, office.service.key):
        fingerprint = await office.propose(key=key)
        assert "Nobody approves" in await office.refuses(
            "approve", key, {"fingerprint": fingerprint}
        )
    assert (await office.approve(fingerprint, office.second)).status == 200


async def test_two_keys_of_one_person_are_one_somebody(office: Office) -> None:
    """By whichever of their keys it is proposed, and where they approve while signed in."""
    service = office.service
    person = Actor(
        kind=ActorKind.PERSON,
        id=(someone := service.clock.new_id()),
        name="Somebody",
        workspace_id=WORKSPACE,
        permissions=permissions_of_role(Role.ADMIN),
        person_id=someone,
    )
    made = await create_api_key(service.services, person, "one", [Scope.ADMIN])
    assert not isinstance(made, Rejected)
    service.secrets.add(made.secret)
    body = {"name": "two", "scopes": ["write"]}
    answer = await service.ask("POST", "/keys", body, key=made.secret)
    other = str(answer.json["key"])
    fingerprint = await office.propose(key=made.secret)
    for key in (made.secret, other):
        assert "Nobody approves" in await office.refuses(
            "approve", key, {"fingerprint": fingerprint}
        )
    signed_in = await approve_campaign(service.services, person, UUID(office.id), fingerprint)
    assert isinstance(signed_in, Rejected) and "Nobody approves" in signed_in.message
    assert (await office.approve(fingerprint)).status == 200


async def test_a_key_that_may_not_publish_proposes_and_does_nothing_else(office: Office) -> None:
    fingerprint = await office.propose(key=office.first)
    for step, body in (
        ("approve", {"fingerprint": fingerprint}),
        ("reject", {}),
        ("schedule", {"at": "now"}),
        ("pause", None),
        ("resume", None),
        ("cancel", None),
    ):
        assert_is(await office.ask(step, office.author, body), ErrorCode.FORBIDDEN)
    answer = await office.service.ask("POST", "/campaigns", WIRE | {"at": "now"}, key=office.author)
    assert_is(answer, ErrorCode.FORBIDDEN)
    limits = await office.service.ask(
        "PATCH", "/workspace/limits", {"needs_approval": False}, key=office.first
    )
    assert_is(limits, ErrorCode.FORBIDDEN)
    await work(office.service)
    assert (await office.campaign())["state"] == "draft"


@pytest.mark.parametrize(
    "change",
    [
        {"content": {"title": "Hi!"}},
        {"audience": {"everyone": True}},
        {"name": "D"},
        {"spread_minutes": 5},
        {"category": "news"},
        {"transactional": True},
    ],
)
async def test_any_edit_makes_a_proposal_stale(office: Office, change: dict[str, Any]) -> None:
    fingerprint = await office.propose()
    path = f"/campaigns/{office.id}"
    assert (await office.service.ask("PATCH", path, change, key=office.author)).status == 200
    assert (await office.service.get(f"{path}/approval"))["is_stale"] is True
    assert "stale" in await office.refuses("approve", office.first, {"fingerprint": fingerprint})
    again = await office.propose()
    assert again != fingerprint
    assert (await office.approve(again)).status == 200


async def test_another_time_is_another_proposal(office: Office) -> None:
    first = await office.propose(office.later(1))
    second = await office.propose(office.later(2))
    assert "not the proposal" in await office.refuses(
        "approve", office.first, {"fingerprint": first}
    )
    assert (await office.approve(second)).status == 200
    await office.refuses("schedule", office.first, {"at": office.later(3)})
    await office.refuses("schedule", office.first, {"at": "now"})
    assert (await office.ask("schedule", office.first, {"at": office.later(2)})).status == 200


async def test_a_time_that_has_passed_is_not_approved_any_more(office: Office) -> None:
    fingerprint = await office.propose(office.later(1))
    office.service.clock.advance(3_700)
    assert "passed" in await office.refuses("approve", office.first, {"fingerprint": fingerprint})


async def test_an_audience_that_was_edited_since_stops_the_launch(office: Office) -> None:
    service = office.service
    assert (await office.approve(await office.propose(office.later(1)))).status == 200
    rule = {"everyone": True}
    assert (await service.ask("PATCH", "/audiences/all", {"rule": rule})).status == 200
    assert (await service.get(f"/campaigns/{office.id}/approval"))["is_stale"] is True
    service.clock.advance(3_600)
    await office.does_not_launch()
    (entry, *_) = (await service.get(f"/audit?thing_kind=campaign&thing_id={office.id}"))["data"]
    assert (entry["verb"], entry["actor"]["name"]) == ("campaign.pause", "scheduler")
    await office.refuses("resume", office.first)
    assert (await office.approve(await office.propose())).status == 200
    assert (await sent(service, office.id))["accepted"] == 1


async def test_other_limits_and_other_exclusions_stop_the_launch(office: Office) -> None:
    service = office.service
    listed = {"code": "staff", "name": "Staff", "rule": {"user_ids": ["eve"]}}
    await service.post("/audiences", listed)
    for change in (
        {"caps": [{"pushes": 1, "days": 1}]},
        {"quiet_hours": {"start": "22:00", "end": "23:00"}},
        {"exclusions": {"audience": "staff"}},
    ):
        assert (await office.approve(await office.propose(office.later(1)))).status == 200
        await set_limits(service, **change)
        service.clock.advance(3_600)
        await office.does_not_launch()
    assert (await office.approve(await office.propose(office.later(1)))).status == 200
    await service.ask("PATCH", "/audiences/staff", {"rule": {"user_ids": ["bob"]}})
    service.clock.advance(3_600)
    await office.does_not_launch()


async def test_what_is_changed_behind_the_commands_is_found_when_it_launches(
    office: Office,
) -> None:
    assert (await office.approve(await office.propose(office.later(1)))).status == 200
    async with office.service.database.write() as connection:
        await connection.execute(update(campaigns).values(content={"title": "Else"}))
    office.service.clock.advance(3_600)
    await office.does_not_launch()


async def test_a_pause_changes_nothing_until_the_time_has_passed(office: Office) -> None:
    assert (await office.approve(await office.propose(office.later(1)))).status == 200
    assert (await office.ask("pause", office.second)).status == 200
    assert (await office.ask("resume", office.second)).status == 200
    assert (await office.ask("pause", office.second)).status == 200
    office.service.clock.advance(3_700)
    await office.refuses("resume", office.second)


async def test_a_late_campaign_is_approved_anew(office: Office) -> None:
    assert (await office.approve(await office.propose(office.later(1)))).status == 200
    office.service.clock.advance(5 * 3_600)
    await work(office.service)
    assert (await office.campaign())["paused_reason"].startswith("late")
    await office.refuses("resume", office.first)
    await office.refuses("schedule", office.first, {"at": "now"})
    assert (await office.approve(await office.propose())).status == 200
    assert (await sent(office.service, office.id))["accepted"] == 1


async def test_what_was_rejected_is_proposed_again(office: Office) -> None:
    fingerprint = await office.propose()
    rejected = await office.ask("reject", office.first, {"comment": "The price is wrong."})
    assert (rejected.json["state"], rejected.json["comment"]) == ("rejected", "The price is wrong.")
    await office.refuses("approve", office.second, {"fingerprint": fingerprint})
    await office.refuses("schedule", office.second, {"at": "now"})
    await office.refuses("reject", office.second, {})
    assert (await office.approve(await office.propose())).status == 200


async def test_an_approval_launches_once(office: Office) -> None:
    fingerprint = await office.propose()
    assert (await office.approve(fingerprint)).status == 200
    await office.refuses("approve", office.second, {"fingerprint": fingerprint})
    assert (await sent(office.service, office.id))["accepted"] == 1
    assert_is(await office.ask("propose", office.author, {"at": "now"}), ErrorCode.CAMPAIGN_STATE)


async def test_where_nobody_wants_it_no_approval_is_needed(office: Office) -> None:
    await set_limits(office.service, needs_approval=False)
    assert (await office.ask("schedule", office.first, {"at": "now"})).status == 200
    assert (await sent(office.service, office.id))["accepted"] == 1


async def test_what_was_scheduled_before_it_was_wanted_waits_for_it(office: Office) -> None:
    await set_limits(office.service, needs_approval=False)
    assert (await office.ask("schedule", office.first, {"at": office.later(1)})).status == 200
    await set_limits(office.service, needs_approval=True)
    office.service.clock.advance(3_600)
    await office.does_not_launch()


async def test_nothing_is_known_of_another_workspaces_proposals(office: Office) -> None:
    fingerprint = await office.propose()
    other = await office.service.make_key_elsewhere()
    path = f"/campaigns/{office.id}/approval"
    assert_is(await office.service.ask("GET", path, key=other), ErrorCode.NOT_FOUND)
    for step, body in (
        ("propose", {"at": "now"}),
        ("approve", {"fingerprint": fingerprint}),
        ("reject", {}),
    ):
        assert_is(await office.ask(step, other, body), ErrorCode.NOT_FOUND)
