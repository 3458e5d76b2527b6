"""What people do by the forms of the console, and what is so afterwards."""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from clarion.accounts.actor import Role
from clarion.accounts.people.session import csrf_token_of
from clarion.web.console.page import TOKEN_FIELD
from console.test_guarded import ORIGIN, browser, signed_in
from support.api import Service, register, service_on_sqlite
from support.book import SOURCE
from support.clock import FakeClock
from support.people import PASSWORD
from support.world import APP


@pytest.fixture
async def service(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Service]:
    async with service_on_sqlite(tmp_path, clock) as opened:
        yield opened


class Admin:
    """An admin's browser."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self.client, self.token = client, token

    async def post(self, path: str, **form: str) -> httpx.Response:
        """The page that follows on a form."""
        sent = {TOKEN_FIELD: csrf_token_of(self.token), **form}
        return await self.client.post(
            f"/console{path}", data=sent, headers={"Origin": ORIGIN}, follow_redirects=True
        )

    async def says(self, path: str, words: str, **form: str) -> None:
        page = await self.post(path, **form)
        assert page.status_code == 200, page.text
        assert words in unescape(page.text)


@pytest.fixture
async def admin(service: Service) -> AsyncIterator[Admin]:
    token = await signed_in(service, Role.ADMIN)
    async with browser(service, token) as client:
        yield Admin(client, token)


async def test_sources_and_their_keys(service: Service, admin: Admin) -> None:
    await admin.says("/sources", "The source is made", name="shop")
    made = next(s for s in (await service.get("/sources"))["data"] if s["name"] == "shop")
    way = f"/sources/{made['id']}"
    await admin.says(f"{way}/rotate", "There is another key")
    keys = (await service.get(f"{way}/write-keys"))["data"]
    assert len(keys) == 2
    await admin.says(f"{way}/keys/{keys[0]['id']}/retire", "is refused from now on")
    assert (await service.get(f"{way}/write-keys"))["data"][0]["state"] == "retired"
    await admin.says(f"{way}/keys/{keys[0]['id']}/restore", "valid again")
    await admin.says(f"{way}/change", "Saved.", name="web shop", firebase_app_id="")
    changed = await service.get(way)
    assert (changed["name"], changed["firebase_app_id"]) == ("web shop", None)
    await admin.says(f"{way}/revoke", "It may send no more.")
    assert (await service.get(way))["revoked_at"] is not None
    await admin.says(f"{way}/restore", "It may send again.")
    wrong = await admin.post("/sources", name=" ")
    assert wrong.status_code == 422
    assert "must be a text of 1 to 200 characters" in wrong.text


async def test_firebase_apps(service: Service, admin: Admin) -> None:
    way = f"/firebase-apps/{APP}"
    await admin.says(f"{way}/pause", "nothing planned is lost")
    assert (await service.get(way))["paused_reason"] is not None
    await admin.says(f"{way}/resume", "It sends again.")
    page = await admin.client.get(f"/console{way}/delete")
    assert "Delete demo?" in page.text
    await admin.says(f"{way}/delete", "demo and its key are gone")
    assert (await service.get("/firebase-apps"))["data"] == []


async def test_who_may_send_and_how_fast(service: Service, admin: Admin) -> None:
    way = f"/sources/{SOURCE}"
    page = await admin.post(f"{way}/identity/secrets", ask_after_days="7")
    (secret,) = set(re.findall(r"cis_[\w-]+", page.text))
    assert secret not in (await admin.client.get(f"/console{way}/identity")).text
    (key,) = (await service.get(f"{way}/identity-secrets"))["data"]
    wrong = await admin.post(f"{way}/identity/secrets", ask_after_days="soon")
    assert wrong.status_code == 422
    await admin.says(f"{way}/identity/end", "taken at their word again")
    await admin.says(f"{way}/identity/secrets/{key['id']}/restore", "is taken again")
    limits = {"allowed_origins": "https://shop.example", "events_per_second": "50", "burst": ""}
    await admin.says(f"{way}/identity/limits", "Saved.", **limits)
    source = await service.get(way)
    assert source["allowed_origins"] == ["https://shop.example"]
    assert source["rate_limit"] == {"events_per_second": 50, "burst": 50}
    wrong = await admin.post(f"{way}/identity/limits", allowed_origins="shop", burst="")
    assert wrong.status_code == 422
    await admin.says(f"{way}/rotate", "end in 7 days", days="7")


async def test_an_app_has_a_pace_and_its_key_is_checked(service: Service, admin: Admin) -> None:
    way = f"/firebase-apps/{APP}"
    await admin.says(f"{way}/pace", "Saved.", pushes_per_minute="6000", avoid_peaks="1")
    app = await service.get(way)
    assert (app["pushes_per_minute"], app["avoid_peaks"]) == (6000, True)
    wrong = await admin.post(f"{way}/pace", pushes_per_minute="many")
    assert wrong.status_code == 422
    assert 'value="many"' in wrong.text
    # The key of these tests is none that Google has given, which is told before it is asked.
    await admin.says(f"{way}/check", "FCM refuses it: token uri refused")
    checked = await service.post(f"{way}/check")
    assert (checked["verdict"], checked["reason"]) == ("refused", "token_uri_refused")


async def test_freshness_tells_what_the_next_sweep_removes(service: Service, admin: Admin) -> None:
    key = (await service.get(f"/sources/{SOURCE}"))["write_key"]
    await service.send(key, register("1", "old-phone", "ok-1", user="ada"))
    page = await admin.client.get("/console/connections/freshness?by=platform")
    assert "0 registrations" in page.text
    page = await admin.client.get("/console/connections/freshness?in_days=70")
    assert "1 registration" in page.text
    assert "old-phone" in page.text
    page = await admin.client.get("/console/events?id=1")
    assert "old-phone" in page.text


async def test_customers(service: Service, admin: Admin) -> None:
    key = (await service.get(f"/sources/{SOURCE}"))["write_key"]
    await service.send(key, {"type": "identify", "messageId": "1", "userId": "ada", "traits": {}})
    ada = await service.get("/customers/ada")
    way = f"/customers/{ada['id']}"
    await admin.says(f"{way}/suppress", "nothing sent to them")
    assert (await service.get("/customers/ada"))["suppressed_at"] is not None
    await admin.says(f"{way}/unsuppress", "again.")
    assert (await service.get("/customers/ada"))["suppressed_at"] is None
    wrong = await admin.post(f"{way}/erase", typed="grace")
    assert wrong.status_code == 422
    await admin.says(f"{way}/erase", "The erasure has begun", typed="ada")
    found = await admin.client.get("/console/customers?q=nobody")
    assert "Nobody is called that" in found.text


async def test_one_customer_is_merged_tested_explained_and_exported(
    service: Service, admin: Admin
) -> None:
    key = (await service.get(f"/sources/{SOURCE}"))["write_key"]
    await service.send(
        key,
        {"type": "identify", "messageId": "1", "userId": "ada", "traits": {}},
        {"type": "identify", "messageId": "2", "userId": "ada-2", "traits": {"plan": "pro"}},
        register("3", "phone/1", "ok-1", user="ada-2"),
        register("4", "phone/1", "ok-2", user="ada-2"),
    )
    body = {"name": "Spring", "content": {"title": "x"}, "audience": {"user_ids": ["ada"]}}
    campaign = await service.post("/campaigns", body)
    second = await service.get("/customers/ada-2")
    way = f"/customers/{second['id']}"

    said = "Android phone/1: FCM said “misconfigured”"
    await admin.says(f"{way}/test-push", said, title="Hello", body="there")
    page = await admin.client.get(f"/console{way}?why={campaign['id']}")
    assert "has not been launched: it is a draft" in page.text
    page = await admin.client.get("/console/devices?id=phone%2F1")
    assert "Has a new token" in page.text
    assert "ada-2" in page.text
    zipped = await admin.post(f"{way}/export")
    assert zipped.headers["content-type"] == "application/zip"
    assert zipped.content[:2] == b"PK"

    await admin.says(f"{way}/category", "none of its campaigns", category="offers", wants="0")
    left = await service.get("/customers/ada-2/categories")
    assert left["data"] == [{"category": "offers", "subscribed": False}]
    await admin.says(f"{way}/category", "They get its campaigns", category="offers", wants="1")
    wrong = await admin.post(f"{way}/category", category="not one!", wants="0")
    assert "category" in wrong.text

    await admin.says(f"{way}/merge", "ada-2 counts as ada from now on", into="ada")
    assert (await service.get("/devices/phone%2F1"))["customer"]["user_id"] == "ada"
    first = await service.get("/customers/ada")
    await admin.says(f"/customers/{first['id']}/unmerge", "Undone", from_user="ada-2")
    assert (await service.get("/devices/phone%2F1"))["customer"]["user_id"] == "ada-2"
    await admin.says(f"{way}/merge", "There is no", into="nobody")


async def test_audiences(service: Service, admin: Admin) -> None:
    row = {"kind": "trait", "what": "plan", "test": "equals", "value": "pro", "days": ""}
    key = (await service.get(f"/sources/{SOURCE}"))["write_key"]
    traits = {"plan": "pro"}
    await service.send(
        key, {"type": "identify", "messageId": "1", "userId": "ada", "traits": traits}
    )
    await admin.says("/audiences", "1 customer", name="Pro customers", count="1", **row)
    await admin.says("/audiences/count", "is in it", who="ada", **row)
    await admin.says("/audiences", "Saved.", name="Pro customers", save="1", **row)
    saved = await service.get("/audiences/pro-customers")
    assert saved["rule"] == {"trait": "plan", "test": "equals", "value": "pro"}
    page = await admin.client.get("/console/audiences/pro-customers?who=ada")
    assert "is in it" in page.text
    assert "Nothing yet." in page.text
    body = {"name": "Spring", "content": {"title": "x"}, "audience": {"audience": "pro-customers"}}
    campaign = await service.post("/campaigns", body)
    page = await admin.client.get("/console/audiences/pro-customers")
    assert "Spring" in page.text
    await admin.says("/audiences/pro-customers/archive", "it is used by the campaign Spring")

    # What is picked by its name is saved by its id, and shown by its name again.
    label = f"Spring · {campaign['id'].replace('-', '')[-6:]}"
    row = {"kind": "campaign", "what": label, "test": "not_opened", "value": "", "days": ""}
    await admin.says("/audiences", "Saved.", name="Late", save="1", **row)
    saved = await service.get("/audiences/late")
    assert saved["rule"] == {"campaign": campaign["id"], "test": "not_opened"}
    assert label in unescape((await admin.client.get("/console/audiences/late/edit")).text)
    await admin.says("/audiences/late/archive", "Late is archived.")


async def test_a_list_is_uploaded_and_says_what_did_not_match(
    service: Service, admin: Admin
) -> None:
    key = (await service.get(f"/sources/{SOURCE}"))["write_key"]
    await service.send(key, {"type": "identify", "messageId": "1", "userId": "ada", "traits": {}})
    form = {TOKEN_FIELD: csrf_token_of(admin.token), "name": "Testers"}
    page = await admin.client.post(
        "/console/audiences/upload",
        data=form,
        files={"file": ("ids.csv", b"user_id\nada\nnobody\nundefined\n")},
        headers={"Origin": ORIGIN},
    )
    assert page.status_code == 200
    assert "3 rows read, 2 user ids on the list now" in page.text
    assert "1 id is no customer yet" in page.text
    assert "Line 4 holds no user id" in page.text
    assert (await service.get("/audiences/testers"))["members"] == 2
    await admin.says("/audiences/testers/upload", "1 user id on the list", ids="ada", replaces="1")
    wrong = await admin.post("/audiences/testers/upload", ids="")
    assert wrong.status_code == 422
    assert "is empty" in wrong.text


async def test_the_workspace_its_team_and_what_was_done(service: Service, admin: Admin) -> None:
    days = {"events": "90", "deliveries": "", "ingest_log": "7", "audit": "400"}
    await admin.says("/settings", "Saved.", name="Shop", stale_after_days="30", **days)
    retention = await service.get("/workspace/retention")
    assert (retention["events"], retention["deliveries"]) == (90, None)
    wrong = await admin.post("/settings", name="Shop", stale_after_days="x", **days)
    assert wrong.status_code == 422

    preview = await admin.post("/settings", preview="1", events="90")
    assert "With these days the next run removes" in preview.text
    zone = {"time_zone": "Europe/Vienna"}
    await admin.says("/settings", "Saved.", name="Shop", stale_after_days="30", **days, **zone)
    assert (await service.get("/workspace"))["time_zone"] == "Europe/Vienna"

    page = await admin.post("/settings/invitations", email="new@example.com", role="author")
    assert "/console/invitations/" in page.text
    (invitation,) = (await service.get("/people/invitations"))["data"]
    await admin.says(f"/settings/invitations/{invitation['id']}/revoke", "of no use any more")
    (person,) = (await service.get("/people"))["data"]
    await admin.says(f"/settings/people/{person['id']}/role", "last admin", role="viewer")
    log = await admin.client.get("/console/settings/audit")
    for verb in (
        "workspace.change",
        "invitation.create",
        "session.start"[:0] or "invitation.revoke",
    ):
        assert verb in log.text


async def test_limits_of_sending_and_what_people_asked_of_us(
    service: Service, admin: Admin
) -> None:
    quiet = {"start": "22:00", "end": "08:00", "action": "skip"}
    cap = {"pushes": "3", "period": "7", "unit": "days", "category": ""}
    await admin.says("/settings/sending", "Saved.", needs_approval="1", **quiet, **cap)
    limits = await service.get("/workspace/limits")
    assert limits["quiet_hours"] == quiet
    assert limits["caps"] == [{"pushes": 3, "days": 7}]
    assert limits["needs_approval"] is True
    wrong = await admin.post(
        "/settings/sending",
        start="25:00",
        end="",
        pushes="x",
        period="7",
        unit="days",
        category="",
    )
    assert wrong.status_code == 422
    assert 'value="x"' in wrong.text
    await admin.says("/settings/sending", "Saved.", start="", end="")
    assert (await service.get("/workspace/limits"))["caps"] == []

    key = (await service.get(f"/sources/{SOURCE}"))["write_key"]
    await service.send(
        key, {"type": "identify", "messageId": "1", "userId": "lovelace", "traits": {}}
    )
    ada = await service.get("/customers/lovelace")
    await admin.says(f"/customers/{ada['id']}/erase", "The erasure has begun", typed="lovelace")
    page = (await admin.client.get("/console/settings/privacy")).text
    assert "Erasure asked for" in page
    assert "worked on last" in page
    assert "lovelace" not in page


async def test_ones_own_settings_and_sessions(service: Service, admin: Admin) -> None:
    await admin.post("/me/preferences", zone="Asia/Tokyo", theme="dark", language="de_DE")
    page = (await admin.client.get("/console/me")).text
    assert 'data-theme="dark"' in page
    assert "01.03.2026, 21:00 JST" in page or "1. März 2026, 21:00 JST" in page
    wrong = await admin.post("/me/preferences", zone="Nowhere", theme="", language="")
    assert wrong.status_code == 422

    # They are the person's, not the browser's.
    async with browser(service, admin.token) as another:
        page = (await another.get("/console/me")).text
        assert 'data-theme="dark"' in page
        assert 'data-keys="off"' in page
        assert "JST" in page

    async with browser(service) as elsewhere:
        form = {"email": "admin@example.com", "password": PASSWORD}
        await elsewhere.post("/console/sign-in", data=form, headers={"Origin": ORIGIN})
        assert (await elsewhere.get("/console/me")).status_code == 200
        wrong = await admin.post("/me/password", current="wrong", new="another password")
        assert "is not your password" in wrong.text
        changed = await admin.client.post(
            "/console/me/password",
            data={
                TOKEN_FIELD: csrf_token_of(admin.token),
                "current": PASSWORD,
                "new": "another password",
            },
            headers={"Origin": ORIGIN},
        )
        assert changed.status_code == 303
        assert (await elsewhere.get("/console/me")).status_code == 303


async def test_a_launch_of_nobody_or_of_another_number_goes_nowhere(
    service: Service, admin: Admin
) -> None:
    body = {"name": "x", "content": {"title": "x"}, "audience": {"everyone": True}}
    made: Any = await service.post("/campaigns", body)
    way = f"/campaigns/{made['id']}"
    nobody = await admin.post(f"{way}/launch", launch="now", devices="0")
    assert nobody.status_code == 422
    assert "It can not be sent yet" in nobody.text
    await service.world.devices("ok-1", "ok-2")
    other = await admin.post(f"{way}/launch", launch="now", devices="1000")
    assert other.status_code == 422
    assert "The number has changed" in other.text
    past = await admin.post(f"{way}/launch", launch="later", at="2026-02-01T10:00", devices="2")
    assert past.status_code == 422
    assert "lies in the past: 2026-03-01 13:00 would be in an hour" in past.text
    later = await admin.post(f"{way}/launch", launch="later", at="2026-03-02T10:00", devices="2")
    assert "It launches" in later.text
    assert (await service.get(way))["state"] == "scheduled"
    await admin.says(f"{way}/pause", "Paused.")
    await admin.says(f"{way}/resume", "It goes on.")
    assert "is not sent to" in (await admin.client.get(f"/console{way}/cancel")).text
    await admin.says(f"{way}/cancel", "will never be sent")
    await admin.says(f"{way}/duplicate", "This is the copy")


async def test_what_is_said_after_an_act_is_said_however_long_it_is(
    service: Service, admin: Admin
) -> None:
    """Browsers keep no cookie of more than 4,096 bytes."""
    name = "عرض الربيع للعملاء " * 10
    await service.post("/audiences", {"code": "gold", "name": name[:200], "rule": None})
    body = {"content": {"title": "x"}, "audience": {"audience": "gold"}}
    for number in range(20):
        await service.post("/campaigns", {"name": f"{number} {name}"[:200], **body})
    answer = await admin.client.post(
        "/console/audiences/gold/archive",
        data={TOKEN_FIELD: csrf_token_of(admin.token)},
        headers={"Origin": ORIGIN},
    )
    assert len(answer.headers["set-cookie"]) < 4_096
    page = await admin.client.get(answer.headers["location"])
    assert "عرض" in page.text.partition('class="notice')[2].partition("</div>")[0]


async def test_a_way_back_in_any_script_is_followed(service: Service) -> None:
    await signed_in(service, Role.ADMIN)
    async with browser(service) as client:
        way = "/console/customers?q=日本\rSet-Cookie: a=b"
        form = {"email": "admin@example.com", "password": PASSWORD, "next": way}
        answer = await client.post("/console/sign-in", data=form, headers={"Origin": ORIGIN})
    assert answer.status_code == 303
    where = answer.headers["location"]
    assert where == "/console/customers?q=%E6%97%A5%E6%9C%AC%0DSet-Cookie:%20a=b"
