"""A push to one customer over HTTP: asked for, sent, told, once."""

import asyncio
import zipfile
from datetime import timedelta
from io import BytesIO
from typing import Any

import msgspec
from sqlalchemy import delete, func, select, update

from clarion.accounts.actor import Scope
from clarion.broker import JobKind
from clarion.retention.remover import Remover, RemoverOptions
from clarion.storage.database import Database
from clarion.storage.schema import (
    jobs,
    paces,
    pushes,
)
from clarion.web.api.errors import ErrorCode
from support.api import Answer, Service, assert_is
from support.clock import FakeClock

HELLO = {"title": "Order {{ event.order_id }} is on its way, {{ customer.name | default: 'you' }}"}
ADA = {"user_id": "ada", "content": HELLO, "event": {"order_id": 4711}}


async def send(service: Service, body: dict[str, Any], key: str | None = None) -> Answer:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await service.ask("POST", "/pushes", body, headers=headers)


async def carry(service: Service) -> int:
    """Let the sender work on all pushes that are due."""
    count = 0
    while settled := await service.world.sender.step(JobKind.PUSH):
        count += settled
    return count


def titles(service: Service) -> list[str | None]:
    return [push.content.title for push in service.world.provider.pushes]


async def test_a_push_reaches_all_devices_of_its_customer_and_nobody_elses(
    database: Database, clock: FakeClock
) -> None:
    async with Service(database, clock) as service:
        await service.world.devices("ok-1", "ok-2", user="ada")
        await service.world.devices("ok-3", user="ben")
        answer = await send(service, ADA)
        assert answer.status == 201
        assert answer.json["customer"]["user_id"] == "ada"
        assert [device["skipped"] for device in answer.json["devices"]] == [None, None]
        assert answer.json["skipped"] is None
        path = f"/pushes/{answer.json['id']}"
        before = await service.get(path)
        assert [delivery["state"] for delivery in before["deliveries"]] == ["pending"] * 2
        assert await carry(service) == 2
        assert titles(service) == ["Order 4711 is on its way, you"] * 2
        after = await service.get(path)
        assert [delivery["state"] for delivery in after["deliveries"]] == ["accepted"] * 2
        assert {k: v for k, v in after.items() if k != "deliveries"} == answer.json
        launch = await service.get(f"/launches/{answer.json['id']}")
        assert (launch["state"], launch["planned"], launch["accepted"]) == ("done", 2, 2)


async def test_a_campaign_is_named_by_its_code_or_its_id_and_counts_the_push(
    database: Database, clock: FakeClock
) -> None:
    async with Service(database, clock) as service:
        await service.world.devices("ok-1", user="ada")
        draft = {"name": "Sent", "code": "order-sent", "content": HELLO}
        campaign = await service.post("/campaigns", {**draft, "audience": {"everyone": True}})
        assert campaign["code"] == "order-sent"
        for name in ("order-sent", campaign["id"]):
            body = {"user_id": "ada", "campaign": name, "event": {"order_id": 1.5}}
            push = await service.post("/pushes", body)
            assert push["campaign_id"] == campaign["id"]
        await carry(service)
        assert titles(service) == ["Order 1.5 is on its way, you"] * 2
        report = await service.get(f"/campaigns/{campaign['id']}/report")
        assert (report["planned"], report["accepted"], report["balances"]) == (2, 2, True)
        assert (await service.get(f"/campaigns/{campaign['id']}"))["state"] == "draft"
        assert (await service.get(f"/campaigns/{campaign['id']}/launches"))["data"] == []
        taken = await service.ask(
            "POST", "/campaigns", {**draft, "audience": {"everyone": True}, "name": "Other"}
        )
        assert_is(taken, ErrorCode.INVALID_CAMPAIGN)
        assert [fault["field"] for fault in taken.json["faults"]] == ["code"]
        assert len((await service.get("/campaigns"))["data"]) == 1
        await service.post(f"/campaigns/{campaign['id']}/cancel")
        refused = await send(service, {"user_id": "ada", "campaign": "order-sent"})
        assert_is(refused, ErrorCode.INVALID)
        assert "cancelled" in refused.json["message"]


async def test_a_push_says_what_its_campaign_said_when_it_was_asked_for(
    database: Database, clock: FakeClock
) -> None:
    """Before it is sent, and where it is tried again; the next push says what it says now."""
    async with Service(database, clock) as service:
        await service.world.devices("down-1", user="ada")
        draft = {"name": "Sent", "code": "sent", "audience": {"everyone": True}}
        campaign = await service.post(
            "/campaigns", {**draft, "content": {"title": "{{ event.n }}, 1"}}
        )
        path = f"/campaigns/{campaign['id']}"

        async def ask_then_edit(event: str, title: str) -> None:
            body = {"user_id": "ada", "campaign": "sent", "event": {"n": event}}
            await service.post("/pushes", body)
            await service.ask("PATCH", path, {"content": {"title": title}})
            await carry(service)  # the first try fails
            clock.advance(60)

        await ask_then_edit("a", "{{ event.n }}, 2")
        await ask_then_edit("b", "{{ event.n }}, 3")
        await carry(service)
        assert titles(service) == ["a, 1", "b, 2"]


async def test_a_push_says_what_its_campaign_was_called_when_it_was_asked_for(
    database: Database, clock: FakeClock
) -> None:
    """Name, code and category, however often the campaign is renamed before the push is sent."""
    async with Service(database, clock) as service:
        await service.world.devices("down-1", user="ada")
        called = {"name": "Sent", "code": "sent", "category": "orders"}
        title = "{{ campaign.name }} {{ campaign.code }} {{ campaign.category }}"
        draft = {"audience": {"everyone": True}, "content": {"title": title}}
        campaign = await service.post("/campaigns", called | draft)
        path = f"/campaigns/{campaign['id']}"
        renamed = {"name": "Gone", "code": "gone", "category": "parcels"}
        for change in (renamed, called):
            await service.post("/pushes", {"user_id": "ada", "campaign": campaign["id"]})
            assert (await service.ask("PATCH", path, change)).status == 200
            await carry(service)  # the first try fails
            clock.advance(60)
        await carry(service)
        assert titles(service) == ["Sent sent orders", "Gone gone parcels"]


async def test_the_push_stands_in_the_customers_timeline(
    database: Database, clock: FakeClock
) -> None:
    async with Service(database, clock) as service:
        await service.world.devices("ok-1", user="ada")
        push = await service.post("/pushes", ADA)

        async def pushed() -> list[Any]:
            entries = (await service.get("/customers/ada/timeline"))["data"]
            return [entry["push"] for entry in entries if entry["kind"] == "push"]

        [waiting] = await pushed()
        assert (waiting["launch_id"], waiting["state"]) == (push["id"], "pending")
        assert (waiting["campaign_id"], waiting["campaign"]) == (None, None)
        await carry(service)
        [sent] = await pushed()
        assert sent["state"] == "accepted"


async def test_only_the_device_that_was_seen_last_is_reached_where_that_is_wanted(
    database: Database, clock: FakeClock
) -> None:
    async with Service(database, clock) as service:
        await service.world.devices("ok-old", user="ada")
        app = service.world.app
        await service.world.take(app.register(60, "D-ok-new", user="ada", token="ok-new"))
        push = await service.post("/pushes", {**ADA, "devices": "last_active"})
        assert [device["device_id"] for device in push["devices"]] == ["D-ok-new"]
        await carry(service)
        assert [sent.token for sent in service.world.provider.pushes] == ["ok-new"]


async def test_what_can_not_be_is_refused_with_field_and_cure(
    database: Database, clock: FakeClock
) -> None:
    deep: Any = "x"
    for _ in range(11):
        deep = {"x": deep}
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["user_id", "campaign"]),
        ({**ADA, "campaign": "x"}, ["content"]),
        ({**ADA, "user_id": "nobody"}, ["user_id"]),
        ({"user_id": "ada", "campaign": "nowhere"}, ["campaign"]),
        ({"user_id": "ada", "campaign": 5}, ["campaign"]),
        ({**ADA, "content": {"title": "{{ order.id }}"}}, ["content.title"]),
        ({**ADA, "event": [1]}, ["event"]),
        ({**ADA, "event": deep}, ["event"]),
        ({**ADA, "event": {"x": "x" * 20_000}}, ["event"]),
        ({**ADA, "devices": "some", "more": 1}, ["more", "devices"]),
    ]
    async with Service(database, clock) as service:
        await service.world.devices("ok-1", user="ada")
        for body, fields in cases:
            answer = await send(service, body, key="k")
            assert_is(answer, ErrorCode.INVALID)
            assert [fault["field"] for fault in answer.json["faults"]] == fields, body
        assert_is(await send(service, ADA, key="x" * 256), ErrorCode.INVALID)
        assert await count(service) == 0
        assert (await send(service, ADA, key="k")).status == 201, "a refused push uses no key"


async def test_a_key_needs_the_permission_to_publish(database: Database, clock: FakeClock) -> None:
    async with Service(database, clock) as service:
        await service.world.devices("ok-1", user="ada")
        reader = await service.make_key(Scope.READ)
        refused = await service.ask("POST", "/pushes", ADA, key=reader)
        assert_is(refused, ErrorCode.FORBIDDEN)
        elsewhere = await service.make_key_elsewhere()
        push = await service.post("/pushes", ADA)
        for path in (f"/pushes/{push['id']}", f"/launches/{push['id']}"):
            assert_is(await service.ask("GET", path, key=elsewhere), ErrorCode.NOT_FOUND)
        assert_is(await service.ask("POST", "/pushes", ADA, key=elsewhere), ErrorCode.INVALID)


async def test_who_can_not_be_reached_is_skipped_with_the_reason(
    database: Database, clock: FakeClock
) -> None:
    async with Service(database, clock) as service:
        app = service.world.app
        await service.world.take(app.identify(0, "bare"))
        await service.world.devices("ok-1", user="ben")
        await service.world.take(
            app.identify(
                5,
                "ben",
                traits={"marketingPreferences": {"channels": [PUSHES_OFF]}},
            )
        )
        for user, skipped, states in (("bare", "no_device", []), ("ben", "opted_out", ["skipped"])):
            answer = await send(service, {**ADA, "user_id": user})
            assert (answer.status, answer.json["skipped"]) == (201, skipped)
            shown = await service.get(f"/pushes/{answer.json['id']}")
            assert [delivery["state"] for delivery in shown["deliveries"]] == states
            launch = await service.get(f"/launches/{answer.json['id']}")
            assert (launch["state"], launch["planned"]) == ("done", len(states))
        assert await carry(service) == 0
        await service.world.devices("ok-2", user="cem")
        await service.ask("POST", "/customers/cem/suppress")
        refused = await send(service, {**ADA, "user_id": "cem"})
        assert_is(refused, ErrorCode.INVALID)
        assert "suppressed" in refused.json["message"]


# --- Idempotency-Key ------------------------------------------------------------------------


async def test_the_same_key_and_body_is_the_same_push_for_30_days(
    database: Database, clock: FakeClock
) -> None:
    async with Service(database, clock) as service:
        await service.world.devices("ok-1", user="ada")
        first = await send(service, ADA, key="order-4711")
        await carry(service)
        reordered = dict(reversed(ADA.items()))
        for body in (ADA, reordered):
            again = await send(service, body, key="order-4711")
            assert (again.status, again.json) == (first.status, first.json)
        other = await send(service, {**ADA, "event": {"order_id": 4712}}, key="order-4711")
        assert_is(other, ErrorCode.CONFLICT)
        assert [fault["field"] for fault in other.json["faults"]] == ["Idempotency-Key"]
        clock.advance(29.9 * 86_400)
        assert (await send(service, ADA, key="order-4711")).json == first.json
        assert await count(service) == 1
        clock.advance(0.2 * 86_400)
        later = await send(service, ADA, key="order-4711")
        assert later.json["id"] != first.json["id"]
        assert len(await audited(service)) == 2, "a repeat is no act"


async def test_a_key_is_one_workspaces_own(database: Database, clock: FakeClock) -> None:
    async with Service(database, clock) as service:
        await service.world.devices("ok-1", user="ada")
        await send(service, ADA, key="k")
        elsewhere = await service.make_key_elsewhere()
        headers = {"Idempotency-Key": "k"}
        answer = await service.ask("POST", "/pushes", ADA, key=elsewhere, headers=headers)
        assert_is(answer, ErrorCode.INVALID)


async def test_of_many_at_the_same_time_there_is_one_push(
    database: Database, clock: FakeClock
) -> None:
    async with Service(database, clock) as service:
        await service.world.devices("ok-1", user="ada")
        answers = await asyncio.gather(*(send(service, ADA, key="k") for _ in range(8)))
        assert {answer.status for answer in answers} == {201}
        assert len({answer.json["id"] for answer in answers}) == 1
        await carry(service)
        assert len(service.world.provider.pushes) == 1


async def test_a_lost_job_is_made_good_and_a_repeat_sends_nothing_more(
    database: Database, clock: FakeClock
) -> None:
    async with Service(database, clock) as service:
        await service.world.devices("ok-1", user="ada")
        await send(service, ADA, key="k")
        async with database.write() as connection:
            await connection.execute(delete(jobs))  # as if the process had died after its commit
        assert (await send(service, ADA, key="k")).status == 201
        assert await carry(service) == 0
        clock.advance(20)
        await service.world.sender.sweep()
        assert await service.world.broker.depth(JobKind.PUSH) == 1
        assert await carry(service) == 1
        assert len(service.world.provider.pushes) == 1


# --- as any delivery ------------------------------------------------------------------------


async def test_an_answer_that_is_lost_is_tried_again_with_the_same_tag_and_counted(
    database: Database, clock: FakeClock
) -> None:
    async with Service(database, clock) as service:
        await service.world.devices("lost-1", user="ada")
        push = await service.post("/pushes", ADA)
        assert await carry(service) == 0
        depths = [await service.world.broker.depth(kind) for kind in (JobKind.PUSH, JobKind.CHUNK)]
        assert depths == [1, 0], "it goes first when it is tried again, too"
        clock.advance(20)
        assert await carry(service) == 1
        [delivery] = (await service.get(f"/pushes/{push['id']}"))["deliveries"]
        assert (delivery["state"], delivery["attempts"], delivery["unanswered"]) == (
            "accepted",
            2,
            1,
        )
        first, second = service.world.provider.pushes
        assert (first.tag, first.delivery_id) == (second.tag, second.delivery_id)


async def test_one_that_fails_holds_up_none_that_was_claimed_with_it(
    database: Database, clock: FakeClock
) -> None:
    async with Service(database, clock) as service:
        ids = []
        for token in ("ok-1", "dead-1", "down-1", "ok-2"):
            await service.world.devices(token, user=token)
            ids.append((await service.post("/pushes", {**ADA, "user_id": token}))["id"])
        assert await carry(service) == 3
        states = [
            (await service.get(f"/pushes/{push_id}"))["deliveries"][0]["state"] for push_id in ids
        ]
        assert states == ["accepted", "unregistered", "pending", "accepted"]
        for push_id in ids:
            launch = await service.get(f"/launches/{push_id}")
            assert launch["planned"] == 1
            assert launch["state"] == ("sending" if launch["in_flight"] else "done")


async def test_a_push_passes_a_campaign_that_holds_the_projects_line(
    database: Database, clock: FakeClock
) -> None:
    async with Service(database, clock) as service:
        world = service.world
        await world.devices(*(f"ok-{number}" for number in range(4)))
        campaign_id = await world.campaign()
        await world.scheduler.step()
        while await world.planner.step():
            pass
        async with database.write() as connection:
            held_until = clock.now() + timedelta(seconds=6)
            await connection.execute(update(paces).values(next_at=held_until))
        push = await service.post("/pushes", {**ADA, "user_id": "user-ok-3"})
        assert await world.sender.step() == 0, "the campaign waits for its turn"
        assert await carry(service) == 1
        assert len(world.provider.pushes) == 1
        assert (await service.get(f"/launches/{push['id']}"))["state"] == "done"
        assert (await world.settle(campaign_id)).total.accepted == 4


async def test_what_an_erased_person_was_sent_says_nothing_any_more(
    database: Database, clock: FakeClock
) -> None:
    async with Service(database, clock) as service:
        await service.world.devices("ok-1", user="ada")
        sent = await service.post("/pushes", ADA)
        await carry(service)
        waiting = (await send(service, ADA, key="k")).json
        erased = await service.ask("DELETE", "/customers/ada")
        assert erased.status == 200
        for push in (sent, waiting):
            shown = await service.get(f"/pushes/{push['id']}")
            assert (shown["customer"]["user_id"], shown["devices"]) == (None, [])
        async with database.read() as connection:
            for row in (await connection.execute(select(pushes))).mappings():
                assert {row["content"], row["event"], row["key_hash"]} == {None}
        await carry(service)
        assert len(service.world.provider.pushes) == 1, "what waited is not sent"
        launch = await service.get(f"/launches/{waiting['id']}")
        assert (launch["state"], launch["skipped"]) == ("done", 1)
        assert_is(await send(service, ADA, key="k"), ErrorCode.INVALID)


async def test_old_pushes_go_with_their_deliveries(database: Database, clock: FakeClock) -> None:
    async with Service(database, clock) as service:
        await service.world.devices("ok-1", user="ada")
        push = await service.post("/pushes", ADA)
        await carry(service)
        await service.ask("PATCH", "/workspace/retention", {"deliveries": 90})
        clock.advance(91 * 86_400)
        remover = Remover(database, clock, RemoverOptions(pause_seconds=0))
        while await remover.step():
            pass
        assert_is(await service.ask("GET", f"/pushes/{push['id']}"), ErrorCode.NOT_FOUND)
        launch = await service.get(f"/launches/{push['id']}")
        assert (launch["planned"], launch["accepted"]) == (1, 1), "its account stays"


PUSHES_OFF = {"channel": "push", "subscribed": False}


async def count(service: Service) -> int:
    async with service.database.read() as connection:
        statement = select(func.count()).select_from(pushes)
        return int((await connection.execute(statement)).scalar_one())


async def audited(service: Service) -> list[Any]:
    entries = (await service.get("/audit?verb=push.send"))["data"]
    return list(entries)


async def test_of_campaigns_that_take_a_code_at_once_one_has_it_and_the_others_hear_why(
    database: Database, clock: FakeClock
) -> None:
    async with Service(database, clock) as service:
        draft = {"name": "Sent", "content": HELLO, "audience": {"everyone": True}}
        other = await service.post("/campaigns", draft)

        async def take(number: int) -> Answer:
            body = draft | {"name": f"Sent {number}", "code": "order-sent"}
            return await service.ask("POST", "/campaigns", body)

        edit = service.ask("PATCH", f"/campaigns/{other['id']}", {"code": "order-sent"})
        answers = await asyncio.gather(*map(take, range(4)), edit)
        refused = [answer for answer in answers if answer.status >= 300]
        assert len(refused) == 4
        for answer in refused:
            assert_is(answer, ErrorCode.INVALID_CAMPAIGN)
            [fault] = answer.json["faults"]
            assert fault["field"] == "code" and "take another one" in fault["message"]
        codes = [one["code"] for one in (await service.get("/campaigns"))["data"]]
        assert codes.count("order-sent") == 1


async def test_a_person_is_given_the_pushes_to_them_and_what_they_said(
    database: Database, clock: FakeClock
) -> None:
    async with Service(database, clock) as service:
        await service.world.devices("ok-1", user="ada")
        await service.world.devices("ok-2", user="ben")
        await send(service, ADA)
        await send(service, ADA | {"user_id": "ben", "event": {"order_id": 4712}})
        answer = await service.ask("GET", "/customers/ada/export")
        with zipfile.ZipFile(BytesIO(answer.content)) as archive:
            pushes = msgspec.json.decode(archive.read("pushes.json"))
        [push] = pushes
        assert (push["event"], push["content"]["title"]) == ({"order_id": 4711}, HELLO["title"])
        assert push["planned"][0]["device_id"] == "D-ok-1"
        assert "'order_id': 4712" not in str(pushes)
