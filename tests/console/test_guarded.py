"""Who may do what in the console, and what it never tells."""

import re
from base64 import b64encode
from collections.abc import AsyncIterator
from hashlib import sha384
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from clarion.accounts.actor import Role, operator
from clarion.accounts.people.commands import NewInvitation, invite
from clarion.accounts.people.passwords import PasswordHasher
from clarion.accounts.people.session import Place, csrf_token_of
from clarion.accounts.people.signing_in import SignedIn, accept_invitation
from clarion.web.console.browser import SAFE_METHODS
from clarion.web.console.page import TOKEN_FIELD
from clarion.web.console.routes import page_routes
from clarion.web.console.static_files import FOLDER
from clarion.web.console.templates import FOLDER as TEMPLATES
from support.api import CHEAP, Service, register, service_on_sqlite
from support.book import WORKSPACE
from support.clock import FakeClock
from support.people import PASSWORD

ORIGIN = "http://clarion.test"
PAGE = {"Accept": "text/html"}
ID = "01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70"
HTMX_SHA384 = "Qp9rdC8H7EqOoX+nR0P3RPG2Noji+qdwJlGpfzwQJsfOpp3sGwIdSP9xO3+UlEhn"
OWN = ("/console/me", "/console/sign-out")
"""What a viewer may do: it is their own."""
OPEN = ("/console/sign-in", "/console/invitations", "/console/password-resets")
"""Whoever calls these has no session yet."""


def posts() -> list[str]:
    """The path of every act, with an id in the place of each part that is one."""
    found = []
    for route in page_routes().routes:
        if "POST" not in getattr(route, "methods", ()):
            continue
        path = re.sub(r"\{\w+:uuid\}", ID, route.path)
        for act in ACTS.get(path, [""]):
            found.append(
                re.sub(r"\{act:str\}", act, path)
                .replace("{token:str}", "guessed")
                .replace("{code:str}", "gold")
            )
    return found


ACTS = {
    f"/console/customers/{ID}/{{act:str}}": [
        "suppress",
        "unsuppress",
        "category",
        "merge",
        "unmerge",
        "test-push",
        "export",
    ],
    f"/console/sources/{ID}/{{act:str}}": ["rotate", "revoke", "restore", "change"],
    f"/console/sources/{ID}/keys/{ID}/{{act:str}}": ["retire", "restore"],
    f"/console/sources/{ID}/identity/secrets/{ID}/{{act:str}}": ["retire", "restore"],
    f"/console/firebase-apps/{ID}/{{act:str}}": [
        "pause",
        "resume",
        "keep",
        "remove",
        "check",
        "pace",
    ],
    f"/console/settings/people/{ID}/{{act:str}}": [
        "role",
        "deactivate",
        "reactivate",
        "reset-password",
    ],
}


PAGES = (
    "",
    "campaigns",
    "campaigns/calendar",
    "campaigns/calendar?week=now",
    "campaigns/new",
    "campaigns/{campaign}/edit",
    "campaigns/{campaign}/review?counted=1",
    "customers",
    "customers?q=ada",
    "customers/{customer}",
    "devices?id=phone",
    "events?id=i",
    "events?id=r",
    "audiences",
    "audiences/new",
    "connections",
    "connections/firebase",
    "connections/freshness?counted=1&in_days=300",
    "sources/{source}",
    "sources/{source}/identity",
    "firebase-apps/{app}",
    "settings",
    "settings/team",
    "settings/keys",
    "settings/sending",
    "settings/privacy",
    "settings/audit",
    "me",
)


@pytest.fixture
async def service(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Service]:
    async with service_on_sqlite(tmp_path, clock) as opened:
        yield opened


async def signed_in(
    service: Service, role: Role, workspace_id: UUID = WORKSPACE, name: str = ""
) -> str:
    """The token of a new session."""
    email = f"{role.value}@example.com"
    made = await invite(service.services, operator(workspace_id), role, email)
    assert isinstance(made, NewInvitation)
    begun = await accept_invitation(
        service.services,
        PasswordHasher(CHEAP),
        made.token,
        email=email,
        name=name or role.value,
        password=PASSWORD,
        place=Place(address=None, browser=None),
    )
    assert isinstance(begun, SignedIn)
    return begun.token


def browser(service: Service, token: str | None = None) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=service.app)
    cookies = {} if token is None else {"clarion": token}
    return httpx.AsyncClient(transport=transport, base_url=ORIGIN, cookies=cookies, headers=PAGE)


async def test_no_act_goes_without_the_token_of_the_session(service: Service) -> None:
    async with browser(service, await signed_in(service, Role.ADMIN)) as client:
        for path in posts():
            if not path.startswith(OPEN):
                answer = await client.post(path, data={"x": "1"}, headers={"Origin": ORIGIN})
                assert answer.status_code == 403, path
                assert "belongs to another session" in answer.text


async def test_no_act_comes_from_another_origin(service: Service) -> None:
    token = await signed_in(service, Role.ADMIN)
    form = {TOKEN_FIELD: csrf_token_of(token)}
    async with browser(service, token) as client:
        for path in posts():
            for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
                answer = await client.post(path, data=form, headers=headers)
                assert answer.status_code == 403, (path, headers)


async def test_a_viewer_changes_nothing_by_any_route(service: Service) -> None:
    token = await signed_in(service, Role.VIEWER)
    form = {
        TOKEN_FIELD: csrf_token_of(token),
        "name": "x",
        "title": "x",
        "role": "admin",
        "email": "new@example.com",
        "scope": "read",
        "whom": "everyone",
        "ttl_hours": "1",
    }
    made = await service.post(
        "/campaigns", {"name": "x", "content": {"title": "x"}, "audience": {"everyone": True}}
    )
    rule = {"trait": "plan", "test": "equals", "value": "gold"}
    await service.post("/audiences", {"code": "gold", "name": "Gold", "rule": rule})
    key = (await service.get("/sources"))["data"][0]["write_key"]
    await service.send(key, {"type": "identify", "messageId": "m", "userId": "ada"})
    customer = (await service.get("/customers/ada"))["id"]
    async with browser(service, token) as client:
        for path in posts():
            if path.startswith((*OWN, *OPEN)):
                continue
            path = path.replace(f"/campaigns/{ID}", f"/campaigns/{made['id']}")
            path = path.replace(f"/customers/{ID}", f"/customers/{customer}")
            answer = await client.post(path, data=form, headers={"Origin": ORIGIN})
            assert answer.status_code == 403, (path, answer.status_code)
    assert (await service.get(f"/campaigns/{made['id']}"))["state"] == "draft"


async def test_a_page_that_one_may_not_see_says_who_may(service: Service) -> None:
    async with browser(service, await signed_in(service, Role.VIEWER)) as client:
        for path in ("settings/team", "settings/keys", "connections/firebase", "campaigns/new"):
            answer = await client.get(f"/console/{path}")
            assert answer.status_code == 403, path
            assert "An admin of" in answer.text


async def test_a_browser_at_the_bare_address_is_led_to_the_sign_in(service: Service) -> None:
    async with browser(service) as client:
        answer = await client.get("/")
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/")
        answer = await client.get("/console/campaigns?state=draft")
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/console/sign-in?next=/console/campaigns")
        page = await client.get(answer.headers["location"])
        assert 'value="/console/campaigns?state=draft"' in page.text


async def test_the_way_back_leads_to_no_other_site(service: Service) -> None:
    await signed_in(service, Role.ADMIN)
    for way in ("https://evil.example/", "//evil.example", "/console/\\evil", "/elsewhere"):
        async with browser(service) as client:
            form = {"email": "admin@example.com", "password": PASSWORD, "next": way}
            answer = await client.post("/console/sign-in", data=form, headers={"Origin": ORIGIN})
            assert (answer.status_code, answer.headers["location"]) == (303, "/console/")


async def test_a_part_of_a_page_sends_the_whole_page_to_the_sign_in(service: Service) -> None:
    async with browser(service) as client:
        headers = {"HX-Request": "true", "Referer": f"{ORIGIN}/console/campaigns"}
        answer = await client.get("/console/campaigns", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["hx-redirect"] == "/console/sign-in?next=/console/campaigns"


async def test_every_page_says_what_browsers_may_do_with_it(service: Service) -> None:
    async with browser(service, await signed_in(service, Role.ADMIN)) as client:
        for path in ("/console/", "/console/nothing-here", "/console/campaigns/new"):
            headers = (await client.get(path)).headers
            policy = headers["content-security-policy"]
            assert "script-src 'self'" in policy and "unsafe" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"


async def test_what_people_send_is_shown_as_text(service: Service) -> None:
    markup = "<script>alert(1)</script>"
    source = (await service.get("/sources"))["data"][0]
    await service.send(
        source["write_key"],
        {"type": "identify", "messageId": "m", "userId": markup, "traits": {markup: markup}},
        {"type": "track", "messageId": "e", "userId": markup, "event": markup},
    )
    content = {"title": markup, "body": markup, "link": "https://a.example/?q=<b>"}
    made = await service.post(
        "/campaigns", {"name": markup, "content": content, "audience": {"everyone": True}}
    )
    customer = (await service.get("/customers"))["data"][0]["id"]
    async with browser(service, await signed_in(service, Role.ADMIN)) as client:
        for path in (
            "campaigns",
            f"campaigns/{made['id']}/edit",
            f"campaigns/{made['id']}/review",
            "customers",
            f"customers/{customer}",
            f"sources/{source['id']}",
        ):
            page = (await client.get(f"/console/{path}")).text
            assert markup not in page, path
            assert "&lt;script&gt;" in page, path


async def test_keys_are_told_once_and_to_who_may_use_them(service: Service) -> None:
    source = (await service.get("/sources"))["data"][0]
    admin, viewer = await signed_in(service, Role.ADMIN), await signed_in(service, Role.VIEWER)
    async with browser(service, viewer) as client:
        for path in ("", f"sources/{source['id']}", "connections"):
            assert source["write_key"] not in (await client.get(f"/console/{path}")).text
    async with browser(service, admin) as client:
        form = {TOKEN_FIELD: csrf_token_of(admin), "name": "program", "scope": "read"}
        page = await client.post("/console/settings/keys", data=form, headers={"Origin": ORIGIN})
        (secret,) = set(re.findall(r"clk_[\w-]+", page.text))
        assert secret not in (await client.get("/console/settings/keys")).text


async def test_no_page_holds_a_secret(service: Service) -> None:
    """What FCM's tokens, keys and sessions are is on no page, whoever looks; write keys, which are
    public, are for who may put them into an app."""
    source = (await service.get("/sources"))["data"][0]
    token = "fcm-token-of-ada-" + "x" * 100
    registration = register("r", "phone", token, user="ada")
    traits = {"type": "identify", "messageId": "i", "userId": "ada", "traits": {"token": token}}
    await service.send(source["write_key"], registration, traits)
    customer = (await service.get("/customers/ada"))["id"]
    secret = (await service.post(f"/sources/{source['id']}/identity-secrets"))["secret"]
    key = await service.post("/keys", {"name": "program", "scopes": ["read"]})
    link = await invite(service.services, operator(WORKSPACE), Role.VIEWER, "new@example.com")
    assert isinstance(link, NewInvitation)
    app = (await service.get("/firebase-apps"))["data"][0]["id"]
    admin, viewer = await signed_in(service, Role.ADMIN), await signed_in(service, Role.VIEWER)
    told = [token, secret, key["key"], link.token, admin, viewer, "PRIVATE KEY", "$argon2"]
    things = {"campaign": "", "customer": customer, "source": source["id"], "app": app}
    draft = {"name": "x", "content": {"title": "x"}, "audience": {"everyone": True}}
    things["campaign"] = (await service.post("/campaigns", draft))["id"]
    for of, statuses in ((admin, {200}), (viewer, {200, 403})):
        async with browser(service, of) as client:
            for path in PAGES:
                page = await client.get(f"/console/{path.format(**things)}")
                assert page.status_code in statuses, path
                for one in told:
                    assert one not in page.text, (path, one)
                if of == viewer:
                    assert source["write_key"] not in page.text, path


async def test_a_wrong_file_in_the_place_of_a_key_is_named(service: Service) -> None:
    token = await signed_in(service, Role.ADMIN)
    form = {TOKEN_FIELD: csrf_token_of(token)}
    google_services = b'{"project_info": {"project_id": "x"}, "client": []}'
    async with browser(service, token) as client:
        answer = await client.post(
            "/console/connections/firebase",
            data=form,
            files={"file": ("google-services.json", google_services)},
            headers={"Origin": ORIGIN},
        )
    assert answer.status_code == 422
    assert "google-services.json" in answer.text


def test_htmx_is_the_one_that_was_read() -> None:
    file = (FOLDER / "vendor" / "htmx-4.0.1.min.js").read_bytes()
    assert b64encode(sha384(file).digest()).decode() == HTMX_SHA384
    assert (FOLDER / "vendor" / "htmx-4.0.1.LICENSE").exists()


def test_no_template_asks_for_what_the_policy_forbids() -> None:
    """Nothing that is evaluated, no style in place, nothing that is not escaped."""
    forbidden = re.compile(r"hx-on|js:|javascript:|\son\w+=|style=|\|\s*safe|hx-trigger=\"[^\"]*\[")
    for template in TEMPLATES.rglob("*.html"):
        assert forbidden.search(template.read_text()) is None, template.name


def test_there_are_acts_to_be_tried() -> None:
    assert len(posts()) > 30
    assert "POST" not in SAFE_METHODS
