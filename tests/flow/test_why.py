"""Why a customer got a campaign, or did not, in one sentence."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from clarion.broker import JobKind
from clarion.customers.devices.device import DELETED, REPLACED, STALE, TOKEN_MOVED
from clarion.deliveries.delivery import Skip
from clarion.deliveries.reasons import SKIPS, meaning
from clarion.reports.why import WhyCode
from clarion.storage.database import Database
from flow.test_reports import EVERYBODY, TAPPED, launched, report_of, signed_in, write_key_of
from support.api import Service, register
from support.clock import FakeClock

GOLD = {"audience": {"trait": "plan", "test": "equals", "value": "gold"}}


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


async def identify(service: Service, user: str, **traits: Any) -> None:
    event = {"type": "identify", "messageId": f"i-{user}-{traits}", "userId": user}
    await service.send(await write_key_of(service), event | {"traits": traits})


async def why(service: Service, user: str, campaign_id: UUID) -> Any:
    return await service.get(f"/customers/{user}/campaigns/{campaign_id}")


async def told(service: Service, user: str, campaign_id: UUID) -> tuple[str, str]:
    answer = await why(service, user, campaign_id)
    assert answer["sentence"].endswith(".") and answer["sentence"][0].isupper()
    return answer["code"], answer["sentence"]


async def test_what_became_of_their_pushes_is_told(service: Service) -> None:
    await signed_in(service, ada="ok-1", bob="dead-1", cem="bad-1", dan="ok-4")
    await service.send(await write_key_of(service), register("a2", "D2", "dead-2", user="ada"))
    dont = {"marketingPreferences": {"channels": [{"channel": "push", "subscribed": False}]}}
    await identify(service, "dan", **dont)
    campaign_id = await launched(service)
    code, sentence = await told(service, "ada", campaign_id)
    assert code == WhyCode.ACCEPTED
    assert "Customer ada was sent Spring of 2026-03-01 12:00 UTC: " in sentence
    assert "FCM accepted it for D-ada, which has reported nothing since" in sentence
    assert sentence.endswith(
        "FCM did not take it for D2, since the app was uninstalled, or its token is dead (let the "
        "app register it again when it starts)."
    )
    await report_of(service, "ok-1", TAPPED)
    assert (
        "which reports it opened at 2026-03-01 12:00 UTC"
        in ((await told(service, "ada", campaign_id))[1])
    )
    code, sentence = await told(service, "bob", campaign_id)
    assert (code, "Customer bob did not get Spring" in sentence) == (WhyCode.FAILED, True)
    code, sentence = await told(service, "cem", campaign_id)
    assert (code, "FCM rejected it" in sentence) == (WhyCode.FAILED, True)
    code, sentence = await told(service, "dan", campaign_id)
    assert code == WhyCode.SKIPPED
    assert sentence.endswith("D-dan, was skipped, since they have opted out of push.")
    assert [one["reason"] for one in (await why(service, "dan", campaign_id))["devices"]] == [
        "opted_out"
    ]


async def test_who_was_not_in_the_audience_is_told_the_condition(service: Service) -> None:
    await signed_in(service, ada="ok-1", bob="ok-2")
    await identify(service, "ada", plan="gold")
    await identify(service, "bob", plan="free")
    campaign_id = await launched(service, **GOLD)
    assert (await told(service, "ada", campaign_id))[0] == WhyCode.ACCEPTED
    code, sentence = await told(service, "bob", campaign_id)
    assert code == WhyCode.NOT_IN_AUDIENCE
    assert '{"trait":"plan","test":"equals","value":"gold"} does not hold' in sentence
    assert sentence.endswith('of them is known: "free".')
    assert (await why(service, "bob", campaign_id))["explanation"]["holds"] is False
    await identify(service, "bob", plan="gold")
    assert (await told(service, "bob", campaign_id))[0] == WhyCode.IN_AUDIENCE_NOW


async def test_who_has_no_device_or_only_a_newer_one_is_told(service: Service) -> None:
    await signed_in(service, ada="ok-1")
    await identify(service, "bob", plan="gold")
    campaign_id = await launched(service)
    assert await told(service, "bob", campaign_id) == (
        WhyCode.NO_DEVICE,
        "Customer bob did not get Spring: they had no registered device when it launched "
        "(2026-03-01 12:00 UTC).",
    )
    service.clock.advance(60)
    await signed_in(service, bob="ok-2")
    code, sentence = await told(service, "bob", campaign_id)
    assert code == WhyCode.NO_DEVICE
    assert sentence.endswith(", and one was registered afterwards.")


async def test_of_a_device_that_is_gone_it_is_told_when_and_why(service: Service) -> None:
    """Gone before the launch, it explains; gone since, it was there."""
    await signed_in(service, ada="dead-1", bob="ok-2")
    await launched(service)
    service.clock.advance(60)
    second = await launched(service, name="Second")
    code, sentence = await told(service, "ada", second)
    assert code == WhyCode.NO_DEVICE
    assert sentence.endswith(
        "since the app was uninstalled, or its token is dead (let the app register it again when "
        "it starts)."
    )
    service.clock.advance(60)
    nobody = await launched(service, name="Third", **GOLD)
    service.clock.advance(60)
    gone = {"type": "track", "messageId": "gone", "userId": "bob", "event": "Device Deleted"}
    await service.send(await write_key_of(service), gone | {"properties": {"deviceId": "D-bob"}})
    assert (await told(service, "bob", nobody))[0] == WhyCode.NOT_IN_AUDIENCE


async def test_who_is_suppressed_is_not_told_to_have_opted_out(service: Service) -> None:
    await signed_in(service, ada="ok-1", bob="ok-2")
    assert (await service.ask("POST", "/customers/ada/suppress")).status == 204
    campaign_id = await launched(service)
    code, sentence = await told(service, "ada", campaign_id)
    assert code == WhyCode.SKIPPED
    assert "they are suppressed: nothing is sent to them until that is lifted" in sentence
    assert "opted out" not in sentence


async def test_a_push_to_them_alone_is_told_where_it_is_the_newest(service: Service) -> None:
    await signed_in(service, ada="ok-1", bob="ok-2")
    draft = await service.post("/campaigns", EVERYBODY | {"code": "order"})
    campaign_id = UUID(draft["id"])
    push = await service.post("/pushes", {"user_id": "ada", "campaign": "order"})
    assert (await told(service, "ada", campaign_id))[0] == WhyCode.IN_FLIGHT
    assert (await told(service, "bob", campaign_id))[0] == WhyCode.NOT_LAUNCHED
    while await service.world.sender.step(JobKind.PUSH):
        pass
    code, sentence = await told(service, "ada", campaign_id)
    assert (code, "FCM accepted it" in sentence) == (WhyCode.ACCEPTED, True)
    assert (await why(service, "ada", campaign_id))["launch_id"] == push["id"]
    await identify(service, "eve")
    await service.post("/pushes", {"user_id": "eve", "campaign": "order"})
    assert await told(service, "eve", campaign_id) == (
        WhyCode.NO_DEVICE,
        "Customer eve did not get Spring: they had no registered device when it was asked for.",
    )


async def test_what_is_still_to_be_sent_says_until_when_and_for_what_it_waits(
    service: Service,
) -> None:
    await signed_in(service, ada="ok-1", bob="down-2")
    made = await service.post("/campaigns", EVERYBODY)
    path = f"/campaigns/{made['id']}"
    own = {"at": "2026-03-01T18:00", "own_time": {"fallback": "UTC"}}
    await service.post(f"{path}/schedule", own)
    await service.world.scheduler.step()
    while await service.world.planner.step():
        pass
    code, sentence = await told(service, "ada", UUID(made["id"]))
    assert code == WhyCode.IN_FLIGHT
    assert sentence.endswith(
        "the push to their only device in it, D-ada, waits until 2026-03-01 18:00 UTC."
    )
    await service.post(f"{path}/pause")
    sentence = (await told(service, "ada", UUID(made["id"])))[1]
    assert sentence.endswith("waits: the launch is paused by a person, until it is resumed.")
    at_once = await service.post("/campaigns", EVERYBODY | {"name": "Now", "at": "now"})
    await service.world.scheduler.step()
    while await service.world.planner.step():
        pass
    await service.world.sender.step()
    sentence = (await told(service, "bob", UUID(at_once["id"])))[1]
    assert "D-bob, waits until 2026-03-01 12:00 UTC, since FCM said “unavailable”." in sentence


async def test_a_campaign_that_has_not_launched_says_what_keeps_it(service: Service) -> None:
    await signed_in(service, ada="ok-1")
    made = await service.post("/campaigns", EVERYBODY)
    campaign_id = UUID(made["id"])
    path = f"/campaigns/{campaign_id}"
    assert await told(service, "ada", campaign_id) == (
        WhyCode.NOT_LAUNCHED,
        "Spring has not been launched: it is a draft, which nobody has scheduled.",
    )
    await service.post(f"{path}/schedule", {"at": "2026-03-02T09:00:00Z"})
    assert (
        "it is scheduled for 2026-03-02 09:00 UTC" in ((await told(service, "ada", campaign_id))[1])
    )
    await service.post(f"{path}/pause")
    assert (
        "it is paused by a person, until it is resumed"
        in (await told(service, "ada", campaign_id))[1]
    )
    await service.post(f"{path}/cancel")
    assert "it is cancelled" in (await told(service, "ada", campaign_id))[1]


async def test_one_that_waits_for_a_person_says_why_and_what_to_do(service: Service) -> None:
    await signed_in(service, ada="ok-1")
    made = await service.post("/campaigns", EVERYBODY)
    await service.post(f"/campaigns/{made['id']}/schedule", {"at": "2026-03-02T09:00:00Z"})
    service.clock.advance(86_400)
    await service.world.scheduler.step()
    sentence = (await told(service, "ada", UUID(made["id"])))[1]
    assert "it is paused (its time passed while nothing ran to launch it; resume it" in sentence


async def test_of_several_conditions_of_which_one_has_to_hold_none_is_singled_out(
    service: Service,
) -> None:
    await signed_in(service, ada="ok-1", bob="ok-2")
    await identify(service, "ada", plan="gold")
    either = [GOLD["audience"], GOLD["audience"] | {"value": "silver"}]
    campaign_id = await launched(service, audience={"any": either})
    sentence = (await told(service, "bob", campaign_id))[1]
    assert sentence.endswith("none of 2 conditions holds, of which one has to.")
    assert len((await why(service, "bob", campaign_id))["explanation"]["parts"]) == 2


async def test_while_it_is_planned_and_sent_that_is_told(service: Service) -> None:
    await signed_in(service, ada="ok-1")
    made = await service.post("/campaigns", EVERYBODY)
    campaign_id = UUID(made["id"])
    await service.post(f"/campaigns/{campaign_id}/schedule", {"at": "now"})
    await service.world.scheduler.step()
    assert (await told(service, "ada", campaign_id))[0] == WhyCode.NOT_PLANNED_YET
    while await service.world.planner.step():
        pass
    assert (await told(service, "ada", campaign_id))[0] == WhyCode.IN_FLIGHT
    await service.world.settle(campaign_id)
    answer = await why(service, "ada", campaign_id)
    one_launch = f"/customers/ada/campaigns/{campaign_id}?launch={answer['launch_id']}"
    assert await service.get(one_launch) == answer


async def test_a_push_from_before_they_signed_in_is_theirs(service: Service) -> None:
    key = await write_key_of(service)
    await service.send(key, register("m1", "D1", "ok-1"))
    campaign_id = await launched(service)
    service.clock.advance(60)
    await service.send(key, register("m2", "D1", "ok-1", user="ada"))
    assert (await told(service, "ada", campaign_id))[0] == WhyCode.ACCEPTED


async def test_what_is_not_there_is_told_as_such(service: Service) -> None:
    await signed_in(service, ada="ok-1")
    campaign_id = await launched(service)
    other = await launched(service)
    launch = (await why(service, "ada", other))["launch_id"]
    for path in (
        f"/customers/nobody/campaigns/{campaign_id}",
        f"/customers/ada/campaigns/{UUID(int=9)}",
        f"/customers/ada/campaigns/{campaign_id}?launch={UUID(int=9)}",
        f"/customers/ada/campaigns/{campaign_id}?launch={launch}",
    ):
        assert (await service.ask("GET", path)).status == 404


def test_each_reason_to_skip_has_its_words() -> None:
    assert set(SKIPS) == set(Skip)


@pytest.mark.parametrize("reason", [TOKEN_MOVED, DELETED, STALE, REPLACED])
def test_what_fcm_has_not_said_is_not_told_as_its_word(reason: str) -> None:
    assert "FCM said" not in meaning(reason).says
