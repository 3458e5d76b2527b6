"""Test pushes, over HTTP, through the real provider to a simulator: sent, in no account."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clarion.accounts.actor import Role, operator, permissions_of_role
from clarion.customers.devices.device import DeviceState
from clarion.customers.devices.store import get_device
from clarion.deliveries.apps.store import put_app
from clarion.deliveries.testing.commands import send_test
from clarion.faults import Rejected
from clarion.providers.fcm.client import FcmProvider
from fcm_simulator.process import SimulatorProcess
from support.api import Service, register
from support.book import WORKSPACE
from support.clock import FakeClock
from support.database import sqlite_database
from support.world import APP

CONTENT: dict[str, Any] = {
    "title": "Hi {{ customer.first_name | default: 'there' }}",
    "body": "News",
    "languages": {"de": {"title": "Hallo"}},
}


class Scene:
    """The service whose API sends through a simulator."""

    def __init__(
        self,
        service: Service,
        simulator: SimulatorProcess,
        provider: FcmProvider,
        write_key: str,
    ) -> None:
        self.service = service
        self.simulator = simulator
        self.provider = provider
        self.write_key = write_key

    async def shown(self) -> list[tuple[str, str]]:
        """Token and title of each push that the simulator took for a device."""
        messages = await self.simulator.messages(limit=100)
        return sorted((message["token"], message["notification"]["title"]) for message in messages)

    async def test(self, path: str = "/campaigns/test", **body: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await self.service.post(path, body)
        return answer


@pytest.fixture
async def scene(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Scene]:
    database = await sqlite_database(tmp_path)
    async with (
        SimulatorProcess(tmp_path / "simulator") as simulator,
        Service(database, clock) as service,
    ):
        provider = FcmProvider(simulator.base_url, simulator.ca_file, clock)
        service.send_through(provider)
        key = simulator.key("demo")
        async with database.write() as writing:
            await put_app(
                writing,
                workspace_id=WORKSPACE,
                app_id=APP,
                project_id="demo",
                client_email=key["client_email"],
                private_key_id=key["private_key_id"],
                sealed_key=service.world.vault.seal(msgspec.json.encode(key)),
                now=clock.now(),
            )
        write_key = str((await service.get("/sources"))["data"][0]["write_key"])
        german = register("r1", "ada-phone", "token-1", user="ada", platform="iOS")
        german["context"] = {"locale": "de-AT"}
        await service.send(
            write_key,
            german,
            register("r2", "ada-tablet", "token-2", user="ada"),
            register("r3", "ben-phone", "dead-1", user="ben"),
            register("r4", "cleo-phone", "token-4", user="cleo"),
            {
                "type": "identify",
                "messageId": "i1",
                "userId": "ada",
                "traits": {"first_name": "Ada"},
            },
        )
        yield Scene(service, simulator, provider, write_key)
        await provider.close()
    await database.close()


async def test_a_content_that_is_not_saved_goes_to_who_is_named(scene: Scene) -> None:
    sent = await scene.test(content=CONTENT, user_ids=["ada"])
    assert sent["dry_run"] is False
    assert {(push["device_id"], push["language"], push["outcome"]) for push in sent["pushes"]} == {
        ("ada-phone", "de", "accepted"),
        ("ada-tablet", None, "accepted"),
    }
    assert await scene.shown() == [("token-1", "Hallo"), ("token-2", "Hi Ada")]


async def test_a_dry_run_is_checked_by_fcm_and_reaches_no_device(scene: Scene) -> None:
    sent = await scene.test(content=CONTENT, user_ids=["ada", "ben"], dry_run=True)
    outcomes = {push["device_id"]: (push["outcome"], push["reason"]) for push in sent["pushes"]}
    assert outcomes == {
        "ada-phone": ("accepted", None),
        "ada-tablet": ("accepted", None),
        "ben-phone": ("unregistered", "unregistered"),
    }
    assert await scene.shown() == []


async def test_a_test_is_in_no_account_and_ends_no_registration(scene: Scene) -> None:
    service = scene.service
    campaign = {"name": "x", "content": CONTENT, "audience": {"everyone": True}}
    made = await service.post("/campaigns", campaign)
    sent = await scene.test(f"/campaigns/{made['id']}/test", user_ids=["ada", "ben"])
    assert [push["outcome"] for push in sent["pushes"] if push["user_id"] == "ben"] == [
        "unregistered"
    ]
    [push, *_] = await scene.simulator.messages(limit=10)
    opened = {
        "type": "track",
        "event": "Push Notification Tapped",
        "messageId": "o1",
        "userId": "ada",
        "properties": {"clarion_push": push["data"]["clarion_push"]},
    }
    await service.send(scene.write_key, opened)
    assert await service.attributor.step() == 1
    report = await service.get(f"/campaigns/{made['id']}/report")
    assert (report["planned"], report["opened"], report["state"]) == (0, 0, "draft")
    assert (await service.get(f"/deliveries?campaign={made['id']}"))["data"] == []
    async with service.database.read() as connection:
        device = await get_device(connection, WORKSPACE, "ben-phone")
    assert device is not None and device.state is DeviceState.ACTIVE


async def test_the_audit_log_tells_of_a_test_and_names_nobody(scene: Scene) -> None:
    await scene.test(content=CONTENT, user_ids=["cleo"])
    entry = (await scene.service.get("/audit?verb=push.test"))["data"][0]
    assert entry["changes"] == {"campaign_id": None, "devices": 1, "dry_run": False}
    assert "cleo" not in str(entry)


async def test_who_tests_is_who_is_in_the_audience_of_that_code(scene: Scene) -> None:
    nobody = await scene.service.ask("POST", "/campaigns/test", {"content": CONTENT})
    assert nobody.json["faults"][0]["field"] == "user_ids"
    assert "test-people" in nobody.json["faults"][0]["message"]
    people = {"name": "Test people", "code": "test-people", "rule": None}
    await scene.service.post("/audiences", people)
    await scene.service.post("/audiences/test-people/members", {"file": "user_id\ncleo\n"})
    sent = await scene.test(content=CONTENT)
    assert [push["user_id"] for push in sent["pushes"]] == ["cleo"]
    assert await scene.shown() == [("token-4", "Hi there")]


async def test_who_takes_no_push_gets_no_test(scene: Scene) -> None:
    opted_out = {"type": "identify", "messageId": "i2", "userId": "ada"}
    await scene.service.send(
        scene.write_key, opted_out | {"traits": {"exclusions": {"push": True}}}
    )
    sent = await scene.test(content=CONTENT, user_ids=["ada"])
    assert {(push["outcome"], push["reason"]) for push in sent["pushes"]} == {
        ("skipped", "opted_out")
    }
    assert await scene.shown() == []


async def test_a_test_says_why_it_can_not_be_rendered(scene: Scene) -> None:
    content = {"title": "Hi", "link": "{{ customer.first_name }}"}
    sent = await scene.test(content=content, user_ids=["ada", "cleo"])
    told = {push["device_id"]: push for push in sent["pushes"]}
    assert told["ada-phone"]["reason"] == "not_rendered"
    assert told["ada-phone"]["detail"].startswith("content.link must be an address")
    assert told["cleo-phone"]["outcome"] == "accepted"


async def test_a_paused_app_sends_no_test_but_checks_one(scene: Scene) -> None:
    await scene.service.post(f"/firebase-apps/{APP}/pause")
    sent = await scene.test(content=CONTENT, user_ids=["cleo"])
    assert [(push["outcome"], push["reason"]) for push in sent["pushes"]] == [
        ("skipped", "firebase_app_paused")
    ]
    dry = await scene.test(content=CONTENT, user_ids=["cleo"], dry_run=True)
    assert [push["outcome"] for push in dry["pushes"]] == ["accepted"]


async def test_who_may_not_publish_may_only_let_fcm_check(scene: Scene) -> None:
    services = scene.service.services
    author = replace(operator(WORKSPACE), permissions=permissions_of_role(Role.AUTHOR))
    wire: dict[str, Any] = {"content": CONTENT, "user_ids": ["cleo"]}
    refused = await send_test(services, author, wire, scene.provider)
    assert isinstance(refused, Rejected) and refused.code == "forbidden"
    dry = await send_test(services, author, wire | {"dry_run": True}, scene.provider)
    assert not isinstance(dry, Rejected)
    assert await scene.shown() == []


async def test_a_test_is_for_a_few_devices(scene: Scene) -> None:
    phones = [
        register(f"m{number}", f"d{number}", f"t-{number}", user="eve") for number in range(51)
    ]
    await scene.service.send(scene.write_key, *phones)
    answer = await scene.service.ask(
        "POST", "/campaigns/test", {"content": CONTENT, "user_ids": ["eve"]}
    )
    assert answer.json["faults"][0]["message"] == "reach more than 50 devices: a test is for a few"
    assert await scene.shown() == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"user_ids": ["ada"]}, "content"),
        ({"content": {"title": "{{ user }}"}, "user_ids": ["ada"]}, "content.title"),
        ({"content": {"title": "x", "body": "x" * 4_000, "data": {"a": "b" * 200}},
          "user_ids": ["ada"]}, "content.body"),
        ({"content": CONTENT, "user_ids": "ada"}, "user_ids"),
        ({"content": CONTENT, "user_ids": [5]}, "user_ids"),
        ({"content": CONTENT, "user_ids": ["a"] * 21}, "user_ids"),
        ({"content": CONTENT, "user_ids": ["nobody"]}, "user_ids"),
        ({"content": CONTENT, "user_ids": ["ada"], "dry_run": "yes"}, "dry_run"),
        ({"content": CONTENT, "user_ids": ["ada"], "audience": {}}, "audience"),
    ],
)  # fmt: skip
async def test_a_test_that_can_not_work_is_refused_by_the_fields_name(
    scene: Scene, body: Any, field: str
) -> None:
    answer = await scene.service.ask("POST", "/campaigns/test", body)
    assert (answer.status, {fault["field"] for fault in answer.json["faults"]}) == (422, {field})
    assert await scene.shown() == []
