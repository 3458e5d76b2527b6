"""People over HTTP: invited, signed in and out, shut out; and who tries to get in otherwise."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from time import process_time
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from clarion.accounts.actor import Role, operator
from clarion.accounts.people.commands import NewInvitation, deactivate, invite
from clarion.accounts.people.password_reset import NewPasswordReset, offer_password_reset
from clarion.accounts.people.passwords import WAITING_MAX, Cost, PasswordHasher
from clarion.accounts.people.store import put_member
from clarion.accounts.workspace_store import list_workspaces
from clarion.faults import Rejected
from clarion.storage.database import Database
from clarion.web.api.errors import ErrorCode
from clarion.web.console import create_console
from support.api import Service, assert_is, service_on_sqlite
from support.book import WORKSPACE
from support.browser import HOST, PROXY, Browser
from support.clock import FakeClock
from support.command import Clarion
from support.people import PASSWORD, accept_all
from support.terminal import Terminal

ADA = "ada@example.com"
MINUTE, HOUR, DAY = 60, 3_600, 86_400
WRONG = {
    "success": False,
    "code": "sign_in",
    "message": "The email or the password is wrong.",
}


@pytest.fixture
async def both(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    """On both databases, for what rows decide."""
    async with Service(database, clock) as service:
        yield service


@pytest.fixture
async def service(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Service]:
    async with service_on_sqlite(tmp_path, clock) as service:
        yield service


@pytest.fixture
async def browser(service: Service) -> AsyncIterator[Browser]:
    """In which Ada, an admin, is signed in."""
    async with Browser(service) as browser:
        await become(service, browser)
        yield browser


async def invited(service: Service, email: str = ADA, role: str = "admin", **rest: Any) -> str:
    """The path of a new invitation, in the console."""
    made = await service.post("/people/invitations", {"email": email, "role": role}, **rest)
    return str(made["path"]).removeprefix("/console")


async def become(
    service: Service, browser: Browser, email: str = ADA, role: str = "admin"
) -> httpx.Response:
    """Accept a new invitation."""
    path = await invited(service, email, role)
    answer = await browser.post(path, {"name": email[:3].title(), "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return answer


def ended(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


# --- invitations ----------------------------------------------------------------------------


async def test_somebody_is_invited_accepts_and_signs_in_again(both: Service) -> None:
    path = await invited(both, "  Ada@Example.com ", "publisher")
    async with Browser(both) as browser:
        offered = (await browser.get(path)).json()
        assert (offered["email"], offered["role"], offered["workspace"]) == (
            ADA,
            "publisher",
            "test",
        )
        answer = await browser.post(path, {"name": "Ada", "password": PASSWORD})
        shown = answer.json()
        assert (shown["person"]["email"], shown["person"]["name"]) == (ADA, "Ada")
        assert (shown["role"], shown["workspace"]["id"]) == ("publisher", str(WORKSPACE))
        assert (await browser.get("/session")).json() == shown
        assert (await browser.post("/sign-out")).status_code == 204
        ended(await browser.get("/session"), 401, "unauthorized")
        again = await browser.sign_in("ADA@example.com", PASSWORD)
        assert again.json()["person"] == shown["person"]
        assert (await browser.get("/session")).json()["role"] == "publisher"
    (person,) = (await both.get("/people"))["data"]
    assert (person["email"], person["role"], person["deactivated_at"]) == (ADA, "publisher", None)
    log = (await both.get("/audit"))["data"]
    assert [entry["verb"] for entry in log] == [
        "session.start",
        "session.end",
        "invitation.accept",
        "invitation.create",
    ]
    assert log[0]["actor"] == {"kind": "person", "id": person["id"], "name": "Ada"}


async def test_an_invitation_is_accepted_once(service: Service, browser: Browser) -> None:
    path = await invited(service, "ben@example.com")
    body = {"name": "Ben", "password": PASSWORD}
    async with Browser(service) as ben, Browser(service) as thief:
        answers = await asyncio.gather(ben.post(path, body), thief.post(path, body))
        assert sorted(answer.status_code for answer in answers) in ([200, 404], [200, 409])
        ended(await thief.post(path, body), 404, "not_found")
        ended(await thief.get(path), 404, "not_found")
    assert len((await service.get("/people"))["data"]) == 2


async def test_an_old_or_revoked_invitation_is_of_no_use(service: Service) -> None:
    old = await invited(service)
    service.clock.advance(3 * DAY)
    (gone,) = [await service.post("/people/invitations", {"email": ADA, "role": "admin"})]
    (listed,) = (await service.get("/people/invitations"))["data"]
    assert listed["id"] == gone["id"]
    await service.post(f"/people/invitations/{gone['id']}/revoke")
    async with Browser(service) as browser:
        for path in (old, gone["path"].removeprefix("/console"), "/invitations/guessed"):
            ended(await browser.get(path), 404, "not_found")
            answer = await browser.post(path, {"name": "Ada", "password": PASSWORD})
            ended(answer, 404, "not_found")
            assert browser.token is None
    assert (await service.get("/people/invitations"))["data"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "Ada", "password": "eleven char"}, "password"),
        ({"name": "Ada", "password": "x" * 1001}, "password"),
        ({"name": "Ada", "password": "ada@example.com"}, "password"),
        ({"name": " ", "password": PASSWORD}, "name"),
        ({"name": "A\x00", "password": PASSWORD}, "name"),
        ({"name": "Ada"}, "body"),
        ({"name": "Ada", "password": PASSWORD, "role": "admin"}, "body"),
    ],
)
async def test_a_faulty_acceptance_names_the_field_and_leaves_the_invitation(
    service: Service, body: dict[str, str], field: str
) -> None:
    path = await invited(service)
    async with Browser(service) as browser:
        answer = await browser.post(path, body)
        ended(answer, 422, "invalid")
        assert [fault["field"] for fault in answer.json()["faults"]] == [field]
        assert (await browser.get(path)).status_code == 200


async def test_a_link_alone_takes_over_no_account(service: Service, browser: Browser) -> None:
    """The admin of another workspace invites Ada's address, and keeps the link."""
    other = await service.post("/workspaces", {"name": "second"})
    path = await invited(service, key=other["key"])
    async with Browser(service) as thief:
        answer = await thief.post(path, {"name": "Ada", "password": "chosen by the thief"})
        ended(answer, 401, "sign_in")
        ended(await thief.sign_in(ADA, "chosen by the thief"), 401, "sign_in")
    joined = await browser.post(path, {"password": PASSWORD})
    assert joined.json()["workspace"]["name"] == "second"
    assert len((await browser.get("/workspaces")).json()) == 2
    assert len((await service.get("/people", key=other["key"]))["data"]) == 1


async def test_the_first_admin_says_who_they_are(service: Service) -> None:
    made = await invite(service.services, operator(WORKSPACE), Role.ADMIN)
    assert isinstance(made, NewInvitation)
    path = made.path.removeprefix("/console")
    async with Browser(service) as browser:
        ended(await browser.post(path, {"name": "Ada", "password": PASSWORD}), 422, "invalid")
        body = {"email": ADA, "name": "Ada", "password": PASSWORD}
        assert (await browser.post(path, body)).json()["person"]["email"] == ADA


# --- the cookie -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "address", "headers", "is_secure"),
    [
        ("http", "203.0.113.7", {}, False),
        ("https", "203.0.113.7", {}, True),
        ("http", PROXY, {"X-Forwarded-Proto": "https"}, True),
        ("http", PROXY, {"X-Forwarded-Proto": "http"}, False),
        ("http", "8.8.8.8", {"X-Forwarded-Proto": "https"}, False),
    ],
)
async def test_the_cookie_is_for_the_console_and_no_script(
    service: Service,
    browser: Browser,
    scheme: str,
    address: str,
    headers: dict[str, str],
    is_secure: bool,
) -> None:
    async with Browser(service, scheme=scheme, address=address) as other:
        origin = {"Origin": f"{'https' if is_secure else 'http'}://{HOST}"}
        answer = await other.sign_in(ADA, PASSWORD, headers=origin | headers)
        assert answer.status_code == 200, answer.text
        (cookie,) = answer.headers.get_list("set-cookie")
        name, *attributes = cookie.split("; ")
        assert name.startswith("__Secure-clarion=" if is_secure else "clarion=")
        wanted = {"Path=/console", "Max-Age=2592000", "HttpOnly", "SameSite=Lax"}
        assert set(attributes) == (wanted | {"Secure"} if is_secure else wanted)
        assert answer.headers["cache-control"] == "no-store"


async def test_a_cookie_of_plain_http_opens_nothing_over_tls(
    service: Service, browser: Browser
) -> None:
    """Somebody in the network can plant one over plain HTTP; its name is not the one of TLS."""
    async with Browser(service, scheme="https") as victim:
        victim.plant(browser.token)
        ended(await victim.get("/session"), 401, "unauthorized")


async def test_a_planted_session_is_not_the_one_that_is_signed_in(
    service: Service, browser: Browser
) -> None:
    await become(service, browser, "eve@example.com", "viewer")
    planted = browser.token
    async with Browser(service) as victim:
        for token in ("anything", planted):
            victim.plant(token)
            assert (await victim.sign_in(ADA, PASSWORD)).status_code == 200
            assert victim.token not in (None, token)
    ended(await browser.get("/session"), 401, "unauthorized")


async def test_nothing_secret_is_stored_as_it_is(service: Service, browser: Browser) -> None:
    path = await invited(service, "ben@example.com")
    async with service.database.read() as connection:
        rows = [
            str(list(await connection.execute(text(f"SELECT * FROM {table}"))))  # noqa: S608
            for table in ("people", "sessions", "invitations", "audit", "sign_in_tries")
        ]
    stored = "\n".join(rows)
    assert "$argon2id$" in stored
    for secret in (PASSWORD, browser.token, path.rpartition("/")[2], browser.csrf_token):
        assert secret
        assert secret not in stored


# --- calls of other sites -------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://{HOST}.evil.example"},
        {"Origin": f"http://{HOST}:8443"},
        {"Origin": f"https://{HOST}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    ],
)
async def test_another_sites_page_changes_nothing(
    service: Service, browser: Browser, headers: dict[str, str]
) -> None:
    sent = headers | {"X-CSRF-Token": browser.csrf_token}
    ended(await browser.post("/sign-out", headers=sent), 403, "csrf")
    ended(await browser.sign_in(ADA, PASSWORD, headers=headers), 403, "csrf")
    path = await invited(service, "ben@example.com")
    body = {"name": "Ben", "password": PASSWORD}
    ended(await browser.post(path, body, headers=headers), 403, "csrf")
    assert (await browser.get("/session")).status_code == 200


async def test_a_call_needs_the_token_of_its_own_session(
    service: Service, browser: Browser
) -> None:
    async with Browser(service) as other:
        await other.sign_in(ADA, PASSWORD)
        for token in ("", "guessed", "ü", other.csrf_token, str(browser.token)):
            sent = {"Origin": browser.origin, "X-CSRF-Token": token}
            encoded = {name.encode(): value.encode("latin-1") for name, value in sent.items()}
            answer = await browser.client.post("/console/sign-out", headers=encoded)
            ended(answer, 403, "csrf")
    sent = {"Sec-Fetch-Site": "same-origin", "X-CSRF-Token": browser.csrf_token}
    assert (await browser.post("/sign-out", headers=sent)).status_code == 204


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff\xfe",
        b'{"email": "a@b.example"}',
        b'{"email": 1, "password": "x"}',
        b'{"email": "\\ud800@b.example", "password": "x"}',
        b'{"email": "a@b.example", "password": "\\udfff"}',
        b'{"email": "a\\u0000@b.example", "password": "x"}',
        b'{"email": "a@b.example", "password": "\\u0000"}',
        b'{"email": "' + b"a" * 60_000 + b'", "password": ""}',
        b'{"email": "a@b.example", "password": "' + b"x" * 60_000 + b'"}',
        b'{"email": "a@b.example", "password": "' + b"x" * 70_000 + b'"}',
        b"[" * 50_000,
    ],
)
async def test_no_body_signs_in_or_breaks_anything(service: Service, body: bytes) -> None:
    async with Browser(service) as browser:
        headers = {"Origin": browser.origin, "Cookie": 'clarion="\x7f; clarion=a; =;'}
        for path in ("/sign-in", "/password", await invited(service)):
            answer = await browser.client.post(f"/console{path}", content=body, headers=headers)
            assert 400 <= answer.status_code < 500, answer.text
            assert answer.json()["success"] is False
            assert "set-cookie" not in answer.headers


# --- guessing -------------------------------------------------------------------------------


async def guesses(browser: Browser, email: str, number: int) -> list[tuple[int, str]]:
    answers = [await browser.sign_in(email, f"wrong password {one}") for one in range(number)]
    return [(answer.status_code, answer.text) for answer in answers]


async def test_guessing_ends_after_ten_tries_and_tells_nothing(both: Service) -> None:
    async with Browser(both) as browser:
        await become(both, browser)
    async with Browser(both) as guesser, Browser(both, address="198.51.100.1") as owner:
        known = await guesses(guesser, ADA, 12)
        assert known == await guesses(guesser, "nobody@example.com", 12)
        assert [status for status, _ in known] == [401] * 10 + [429] * 2
        right = await guesser.sign_in(ADA, PASSWORD)
        ended(right, 429, "too_many_tries")
        assert right.headers["retry-after"] == "900"
        assert (await owner.sign_in(ADA, PASSWORD)).status_code == 200
        both.clock.advance(15 * MINUTE)
        assert (await guesser.sign_in(ADA, PASSWORD)).status_code == 200


async def test_guesses_at_the_same_time_are_all_counted(both: Service) -> None:
    async with Browser(both) as guesser:
        answers = await asyncio.gather(
            *(guesser.sign_in("nobody@example.com", f"wrong {one}") for one in range(25))
        )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [401] * 10 + [429] * 15


async def test_an_account_is_closed_to_guesses_from_everywhere(
    service: Service, browser: Browser
) -> None:
    for number in range(100):
        async with Browser(service, address=f"198.51.100.{number}") as guesser:
            assert (await guesser.sign_in(ADA, "wrong password")).status_code == 401
    async with Browser(service, address="198.51.100.200") as guesser:
        ended(await guesser.sign_in(ADA, "wrong password"), 429, "too_many_tries")


async def test_an_address_is_closed_that_guesses_at_everybodys(
    service: Service, browser: Browser
) -> None:
    async with Browser(service) as guesser:
        statuses = [
            (await guesser.sign_in(f"{number}@example.com", "wrong password")).status_code
            for number in range(102)
        ]
    assert statuses == [401] * 100 + [429] * 2


async def test_an_address_in_a_header_is_believed_of_a_proxy_alone(service: Service) -> None:
    async def tries(address: str) -> list[int]:
        async with Browser(service, address=address) as guesser:
            return [
                (
                    await guesser.sign_in(
                        f"{address}@example.com",
                        "wrong password",
                        headers={"Origin": guesser.origin, "X-Forwarded-For": f"1.2.3.{number}"},
                    )
                ).status_code
                for number in range(12)
            ]

    assert await tries("8.8.8.8") == [401] * 10 + [429] * 2
    assert await tries(PROXY) == [401] * 12


async def test_signing_in_rightly_is_never_too_often(service: Service, browser: Browser) -> None:
    for _ in range(120):
        assert (await browser.sign_in(ADA, PASSWORD)).status_code == 200


async def test_current_passwords_are_not_guessed_in_a_stolen_session(
    service: Service, browser: Browser
) -> None:
    answers = [
        await browser.post("/password", {"current": f"wrong {one}", "new": "another password"})
        for one in range(12)
    ]
    assert [answer.status_code for answer in answers] == [422] * 10 + [429] * 2


@pytest.mark.parametrize("email", ["nobody@example.com", "no address", "shut@example.com"])
async def test_an_answer_takes_as_much_work_whether_the_account_exists(
    service: Service, browser: Browser, email: str
) -> None:
    """Counted in processor time, at the real cost of a hash, which is nearly all of it."""
    async with Browser(service) as shut:
        shown = await become(service, shut, "shut@example.com", "viewer")
    await service.post(f"/people/{shown.json()['person']['id']}/deactivate")
    hasher = PasswordHasher()
    console = create_console(service.services, hasher, provider=service.provider)
    await hasher.verify("warm", None)
    real = {"hash": await hasher.hash(PASSWORD)}
    async with service.database.write() as connection:
        await connection.execute(text("UPDATE people SET password_hash = :hash"), real)
    transport = httpx.ASGITransport(app=console)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:

        async def work(account: str) -> float:
            begun = process_time()
            body = {"email": account, "password": "a wrong password"}
            headers = {"Origin": f"http://{HOST}"}
            answer = await client.post("/console/sign-in", json=body, headers=headers)
            assert answer.json() == WRONG
            return process_time() - begun

        known = [await work(ADA) for _ in range(3)]
        other = [await work(email) for _ in range(3)]
    ratio = sum(other) / sum(known)
    assert ratio > 0.5
    assert ratio < 2


async def test_a_flood_of_passwords_is_turned_away_and_not_kept_waiting(service: Service) -> None:
    """From many addresses, for many accounts: no count stops it, and hashes take their turns."""
    number = 3 * WAITING_MAX
    browsers = [Browser(service, address=f"8.8.{one}.8") for one in range(number)]
    answers = await asyncio.gather(
        *(
            browser.sign_in(f"{one}@example.com", "wrong password")
            for one, browser in enumerate(browsers)
        )
    )
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {401, 503}
    assert statuses.count(401) >= WAITING_MAX
    async with Browser(service) as browser:
        assert (await browser.sign_in(ADA, "wrong password")).status_code == 401


# --- the end of sessions --------------------------------------------------------------------


async def test_a_session_ends_twelve_hours_after_its_last_use(
    service: Service, browser: Browser
) -> None:
    for _ in range(3):
        service.clock.advance(11 * HOUR)
        assert (await browser.get("/session")).status_code == 200
    service.clock.advance(12 * HOUR)
    ended(await browser.get("/session"), 401, "unauthorized")


async def test_a_session_ends_after_thirty_days_however_much_it_is_used(
    service: Service, browser: Browser
) -> None:
    for _ in range(3 * 30 - 1):
        service.clock.advance(8 * HOUR)
        assert (await browser.get("/session")).status_code == 200
    service.clock.advance(8 * HOUR)
    ended(await browser.get("/session"), 401, "unauthorized")


async def test_one_lists_and_ends_ones_own_sessions_alone(both: Service) -> None:
    async with Browser(both) as home, Browser(both) as phone, Browser(both) as ben:
        await become(both, home)
        await become(both, ben, "ben@example.com", "viewer")
        await phone.sign_in(ADA, PASSWORD)
        sessions = (await home.get("/sessions")).json()
        assert [session["is_current"] for session in sessions] == [True, False]
        other = sessions[1]["id"]
        ended(await ben.post(f"/sessions/{other}/end"), 404, "not_found")
        assert (await phone.get("/session")).status_code == 200
        assert (await home.post(f"/sessions/{other}/end")).status_code == 204
        ended(await phone.get("/session"), 401, "unauthorized")
        assert len((await home.get("/sessions")).json()) == 1
        assert (await ben.get("/session")).status_code == 200


async def test_a_session_that_was_signed_out_is_over_wherever_its_cookie_is(
    service: Service, browser: Browser
) -> None:
    token = browser.token
    assert (await browser.post("/sign-out")).status_code == 204
    assert browser.token is None
    browser.plant(token)
    ended(await browser.get("/session"), 401, "unauthorized")


async def test_another_password_ends_every_other_session(
    service: Service, browser: Browser
) -> None:
    async with Browser(service) as thief:
        thief.plant(browser.token)
        body = {"current": PASSWORD, "new": "a better password"}
        assert (await browser.post("/password", {**body, "new": "short"})).status_code == 422
        assert (await browser.post("/password", body)).status_code == 200
        ended(await thief.get("/session"), 401, "unauthorized")
        assert (await browser.get("/session")).status_code == 200
        ended(await thief.sign_in(ADA, PASSWORD), 401, "sign_in")
        assert (await thief.sign_in(ADA, "a better password")).status_code == 200


async def offered(service: Service, email: str = ADA) -> str:
    """The path of a new password reset, in the console."""
    people = (await service.get("/people"))["data"]
    (person_id,) = (person["id"] for person in people if person["email"] == email)
    made = await service.post(f"/people/{person_id}/reset-password")
    return str(made["path"]).removeprefix("/console")


async def test_a_forgotten_password_is_replaced_by_a_link_once(
    both: Service, clock: FakeClock
) -> None:
    async with Browser(both) as browser, Browser(both) as stolen:
        await become(both, browser)
        await stolen.sign_in(ADA, PASSWORD)
        replaced = await offered(both)
        path = await offered(both)
        ended(await browser.get(replaced), 404, "not_found")
        shown = (await browser.get(path)).json()
        assert (shown["email"], shown["created_by"]) == (ADA, "test")
        refused = await browser.post(path, {"password": "too short"})
        assert refused.json()["faults"] == [
            {"field": "password", "message": "must have 12 characters or more"}
        ]
        answer = await browser.post(path, {"password": "another battery"})
        assert answer.json()["person"]["email"] == ADA
        assert (await browser.get("/session")).status_code == 200
        ended(await stolen.get("/session"), 401, "unauthorized")
        ended(await browser.post(path, {"password": "a third battery"}), 404, "not_found")
        assert (await stolen.sign_in(ADA, PASSWORD)).json() == WRONG
        assert (await stolen.sign_in(ADA, "another battery")).status_code == 200
        log = (await both.get("/audit"))["data"]
        assert {"person.offer_password_reset", "person.reset_password"} <= {
            entry["verb"] for entry in log
        }
        late = await offered(both)
        clock.advance(DAY)
        ended(await browser.post(late, {"password": "a fourth battery"}), 404, "not_found")


async def test_a_link_that_waits_ends_with_the_password_it_was_for(
    service: Service, browser: Browser
) -> None:
    path = await offered(service)
    answer = await browser.post("/password", {"current": PASSWORD, "new": "another battery"})
    assert answer.status_code == 200
    ended(await browser.post(path, {"password": "a third battery"}), 404, "not_found")


async def test_no_admin_of_one_workspace_gets_into_another_by_a_reset(
    service: Service, browser: Browser
) -> None:
    """A password opens all that its person may enter."""
    (ada,) = (await service.get("/people"))["data"]
    await service.make_key_elsewhere()
    async with service.database.write() as connection:
        (other,) = [
            workspace.id
            for workspace in await list_workspaces(connection)
            if workspace.id != WORKSPACE
        ]
        await put_member(connection, UUID(ada["id"]), other, Role.ADMIN, service.clock.now())
    path = f"/people/{ada['id']}/reset-password"
    refused = (await service.ask("POST", path)).json
    assert "clarion people reset-password" in refused["message"]
    made = await offer_password_reset(service.services, operator(WORKSPACE), UUID(ada["id"]))
    assert isinstance(made, NewPasswordReset)


async def test_a_reset_that_waits_opens_no_workspace_that_its_person_came_to_later(
    both: Service,
) -> None:
    async with Browser(both) as browser:
        await become(both, browser)
        path = await offered(both)
        (ada,) = (await both.get("/people"))["data"]
        await both.make_key_elsewhere()
        async with both.database.write() as connection:
            (other,) = [
                workspace.id
                for workspace in await list_workspaces(connection)
                if workspace.id != WORKSPACE
            ]
            await put_member(connection, UUID(ada["id"]), other, Role.ADMIN, both.clock.now())
        ended(await browser.post(path, {"password": "another battery"}), 404, "not_found")
        assert (await browser.sign_in(ADA, PASSWORD)).status_code == 200
        made = await offer_password_reset(both.services, operator(WORKSPACE), UUID(ada["id"]))
        assert isinstance(made, NewPasswordReset)
        used = await browser.post(
            made.path.removeprefix("/console"), {"password": "another battery"}
        )
        assert used.status_code == 200


async def test_signing_in_hashes_the_password_anew_where_the_cost_has_changed(
    service: Service, browser: Browser
) -> None:
    async def hashed() -> str:
        async with service.database.read() as connection:
            rows = await connection.execute(text("SELECT password_hash FROM people"))
            return str(rows.scalar_one())

    before = await hashed()
    await browser.sign_in(ADA, PASSWORD)
    assert await hashed() == before
    dearer = PasswordHasher(Cost(memory_kib=64, iterations=3))
    console = create_console(service.services, dearer, provider=service.provider)
    async with Browser(service, app=console) as later:
        assert (await later.sign_in(ADA, PASSWORD)).status_code == 200
        assert "$m=64,t=3,p=1$" in await hashed()
        assert (await later.sign_in(ADA, PASSWORD)).status_code == 200
    assert (await browser.get("/session")).status_code == 200


async def test_a_deactivated_person_is_out_at_once_and_can_be_reactivated(both: Service) -> None:
    async with Browser(both) as browser:
        await become(both, browser)
        shown = await become(both, browser, "ben@example.com", "author")
        path = f"/people/{shown.json()['person']['id']}"
        changed = await both.ask("PATCH", path, {"role": "viewer"})
        assert changed.json["role"] == "viewer"
        assert (await browser.get("/session")).json()["role"] == "viewer"
        gone = await both.post(f"{path}/deactivate")
        assert gone["deactivated_at"] is not None
        ended(await browser.get("/session"), 401, "unauthorized")
        assert (await browser.sign_in("ben@example.com", PASSWORD)).json() == WRONG
        await both.post(f"{path}/reactivate")
        ended(await browser.get("/session"), 401, "unauthorized")
        again = await browser.sign_in("ben@example.com", PASSWORD)
        assert (again.status_code, again.json()["role"]) == (200, "viewer")


# --- workspaces -----------------------------------------------------------------------------


async def test_a_person_works_where_they_are_a_member_and_nowhere_else(both: Service) -> None:
    other = await both.post("/workspaces", {"name": "second"})
    third = await both.post("/workspaces", {"name": "third"})
    async with Browser(both) as browser:
        await become(both, browser)
        assert [one["name"] for one in (await browser.get("/workspaces")).json()] == ["test"]
        for workspace in (other, third):
            choice = {"workspace_id": workspace["id"]}
            ended(await browser.post("/session/workspace", choice), 404, "not_found")
        path = await invited(both, role="viewer", key=other["key"])
        assert (await browser.post(path, {"password": PASSWORD})).status_code == 200
        choice = {"workspace_id": str(WORKSPACE)}
        moved = await browser.post("/session/workspace", choice)
        assert (moved.json()["workspace"]["name"], moved.json()["role"]) == ("test", "admin")
        (member,) = (await both.get("/people", key=other["key"]))["data"]
        await both.post(f"/people/{member['id']}/deactivate", key=other["key"])
        assert (await browser.get("/session")).status_code == 200
        choice = {"workspace_id": other["id"]}
        ended(await browser.post("/session/workspace", choice), 404, "not_found")


async def test_the_last_admin_stays(both: Service) -> None:
    async with Browser(both) as browser:
        ada = (await become(both, browser)).json()["person"]["id"]
        ben = (await become(both, browser, "ben@example.com", "viewer")).json()["person"]["id"]
        assert_is(await both.ask("POST", f"/people/{ada}/deactivate"), ErrorCode.CONFLICT)
        demotion = await both.ask("PATCH", f"/people/{ada}", {"role": "publisher"})
        assert_is(demotion, ErrorCode.CONFLICT)
        assert (await both.ask("PATCH", f"/people/{ben}", {"role": "admin"})).status == 200
        outcomes = await asyncio.gather(
            *(deactivate(both.services, operator(WORKSPACE), UUID(one)) for one in (ada, ben))
        )
    assert sum(isinstance(outcome, Rejected) for outcome in outcomes) == 1


async def test_a_member_is_not_invited_again(service: Service, browser: Browser) -> None:
    answer = await service.ask("POST", "/people/invitations", {"email": ADA, "role": "viewer"})
    assert_is(answer, ErrorCode.CONFLICT)
    for email in ("", "ada", "a@b@c", "two words@example.com", "a" * 250 + "@b.example"):
        body = {"email": email, "role": "viewer"}
        assert_is(await service.ask("POST", "/people/invitations", body), ErrorCode.INVALID)
    body = {"email": "ben@example.com", "role": "owner"}
    assert_is(await service.ask("POST", "/people/invitations", body), ErrorCode.INVALID)


# --- the command line -----------------------------------------------------------------------


def test_people_are_invited_on_the_command_line(clarion: Clarion) -> None:
    code, out, _ = clarion("people", "invite", ADA, "--role", "admin")
    assert code == 0
    assert out.startswith("http://127.0.0.1:8080/console/invitations/")
    made = clarion.json("people", "invite", "ben@example.com")
    assert made["role"] == "viewer"
    listed = clarion.json("people", "invitations")
    assert [one["email"] for one in listed] == [ADA, "ben@example.com"]
    assert made["link"].rpartition("/")[2] not in str(listed)
    assert clarion("people", "uninvite", made["id"])[0] == 0
    assert clarion("people", "uninvite", made["id"])[0] == 3
    assert clarion.json("people", "list") == []
    assert clarion("people", "role", ADA, "viewer")[0] == 3
    code, _, errors = clarion("people", "invite", "no address")
    assert (code, "must be an address" in errors) == (5, True)
    assert clarion("people", "invite", ADA, "--role", "owner")[0] == 2


def test_people_are_led_on_the_command_line(clarion: Clarion) -> None:
    people = [("ada@example.com", "admin"), ("ben@example.com", "author")]
    asyncio.run(accept_all(clarion.home, people))
    listed = clarion.json("people", "list")
    assert [(one["email"], one["role"]) for one in listed] == [
        ("ada@example.com", "admin"),
        ("ben@example.com", "author"),
    ]
    assert clarion.json("people", "role", "Ben@example.com", "publisher")["role"] == "publisher"
    assert clarion("people", "deactivate", "ada@example.com")[0] == 5
    assert clarion("people", "deactivate", listed[1]["id"])[0] == 0
    assert clarion.json("people", "list")[1]["deactivated_at"] is not None
    assert clarion.json("people", "reactivate", "ben@example.com")["deactivated_at"] is None
    verbs = [entry["verb"] for entry in clarion.json("audit", "--actor", "operator")]
    assert verbs[:3] == ["person.reactivate", "person.deactivate", "person.change_role"]


def test_the_first_start_on_a_terminal_shows_the_way_in(home: Path) -> None:
    """On one as narrow as most are, too: the link is longer than a line of it, and stays whole."""
    terminal = Terminal(home, ("serve",), real=True, columns=80)
    terminal.until(b"Ctrl-C stops")
    shown = terminal.shown.decode()
    (link,) = re.findall(r"/console/invitations/[\w-]+", shown)
    (url,) = re.findall(r"listens on (http://127\.0\.0\.1:\d+)", shown)
    with httpx.Client(base_url=url, headers={"Origin": url}) as client:
        assert client.get(link).json()["role"] == "admin"
        body = {"email": ADA, "name": "Ada", "password": PASSWORD}
        assert client.post(link, json=body).status_code == 200
        assert client.get("/console/session").json()["person"]["email"] == ADA
        assert client.get(link).status_code == 404
    terminal.interrupt()
    assert terminal.end() == 0


async def test_a_method_that_a_path_has_not_is_answered_405_with_those_it_has(
    browser: Browser,
) -> None:
    answer = await browser.client.put("/console/sign-in", headers={"Origin": browser.origin})
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
    assert "POST" in answer.headers["allow"]
    nowhere = await browser.get("/nowhere")
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "not_found")
