"""Whatever stands in a URL or in a form: the page answers, and says what is wrong with it."""

import re
from collections.abc import AsyncIterator
from itertools import cycle
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import pytest

from clarion.accounts.actor import Role
from clarion.accounts.people.session import csrf_token_of
from clarion.accounts.workspace_store import list_workspaces
from clarion.web.console.page import TOKEN_FIELD
from clarion.web.console.routes import page_routes
from clarion.web.console.templates import FOLDER
from console.test_guarded import ID, ORIGIN, browser, posts, signed_in
from support.api import Service, register, service_on_sqlite
from support.book import WORKSPACE
from support.clock import FakeClock
from support.console import Console, Serving, fill

HOSTILE = [
    "9" * 5_000,
    "9" * 30,
    "-1",
    "a\x00b",
    "日本\r\nSet-Cookie: a=b",
    "'\"<script>",
    "[",
    "9999-12-31T23:59",
    ".".join(["9" * 39] * 4),
]
GO_NOWHERE = {TOKEN_FIELD, "preview", "another", "add_language", "remove_language"}
"""Buttons that show and save nothing."""
KINDS: tuple[dict[str, str], ...] = (
    {},
    {"name": "x", "title": "x", "whom": "rule", "when": "repeat", "launch": "later"},
)
"""What is not hostile of a form, so that more of it is read."""


@pytest.fixture
async def service(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Service]:
    async with service_on_sqlite(tmp_path, clock) as opened:
        yield opened


def sources() -> str:
    return "\n".join(
        file.read_text() for kind in ("*.py", "*.html") for file in sorted(FOLDER.rglob(kind))
    )


def parameters() -> set[str]:
    """What pages read of the URL."""
    return set(re.findall(r'asked\(\s*"(\w+)"', sources()))


def names() -> set[str]:
    """What forms send."""
    found = set(re.findall(r'(?:form|many)\.(?:get|pop)\(\s*"([\w./]+)"', sources()))
    found |= set(re.findall(r'"(\w+)" in (?:me|visit)\.form', sources()))
    found |= set(re.findall(r'(?:name=|(?:field|area|choice)\()"([\w./]+)"', sources()))
    return found - GO_NOWHERE


async def paths_of(service: Service) -> dict[str, str]:
    """The ids of things of a full workspace, as they stand in a route."""
    paths = await fill(Console(service, None, Serving(service), ""))  # type: ignore[arg-type]
    things = {"campaigns": "draft", "customers": "customer", "sources": "source"}
    things |= {"firebase-apps": "app"}
    return {kind: paths[word].rpartition("/")[2] for kind, word in things.items()}


def with_ids(path: str, ids: dict[str, str]) -> str:
    for kind, thing_id in ids.items():
        path = path.replace(f"/{kind}/{ID}", f"/{kind}/{thing_id}")
    return path.replace("/audiences/gold", "/audiences/pro")


def pages() -> list[str]:
    """The path of every page, with an id in the place of each part that is one."""
    return [
        re.sub(r"\{\w+:uuid\}", ID, route.path).replace("{code:str}", "gold")
        for route in page_routes().routes
        if "GET" in getattr(route, "methods", ()) and "{rest:" not in route.path
        and "/static/" not in route.path and "{token:" not in route.path
    ]  # fmt: skip


async def test_no_page_fails_whatever_stands_in_its_url(service: Service) -> None:
    ids = await paths_of(service)
    assert len(parameters()) > 15
    failed = []
    async with browser(service, await signed_in(service, Role.ADMIN)) as client:
        for path in pages():
            for text in HOSTILE:
                asked = dict.fromkeys(parameters(), text[:2_000]) | {"counted": "1"}
                answer = await client.get(with_ids(path, ids), params=asked)
                if answer.status_code >= 500:
                    failed.append((path, text[:20]))
    assert failed == []


async def test_no_act_fails_whatever_stands_in_its_form(service: Service) -> None:
    ids = await paths_of(service)
    assert len(names()) > 60
    token = await signed_in(service, Role.ADMIN)
    failed = []
    async with browser(service, token) as client:
        for path in posts():
            if path == "/console/sign-out":
                continue
            for text, kind in zip(HOSTILE, cycle(KINDS), strict=False):
                form = dict.fromkeys(names(), text) | kind | {TOKEN_FIELD: csrf_token_of(token)}
                answer = await client.post(
                    with_ids(path, ids), data=form, headers={"Origin": ORIGIN}
                )
                if answer.status_code >= 500 or _breaks_out(answer.headers.get("location")):
                    failed.append((path, text[:20]))
    assert failed == []


def _breaks_out(location: str | None) -> bool:
    return location is not None and re.search(r"[^!-~]", location) is not None


async def test_nothing_of_another_workspace_is_reached_by_its_id(service: Service) -> None:
    """Neither seen nor changed: what is not of one's own workspace is not there."""
    ids = await paths_of(service)
    before = {path: await service.get(path) for path in _shown(ids)}
    await service.make_key_elsewhere()
    async with service.database.read() as connection:
        workspaces = await list_workspaces(connection)
    (other,) = [workspace.id for workspace in workspaces if workspace.id != WORKSPACE]
    token = await signed_in(service, Role.ADMIN, other)
    form = dict.fromkeys(names(), "x") | {"title": "x", "whom": "everyone", "ttl_hours": "1"}
    form |= {TOKEN_FIELD: csrf_token_of(token), "typed": "ada", "role": "viewer"}
    async with browser(service, token) as client:
        for path in pages():
            if ID in path or "gold" in path:
                answer = await client.get(with_ids(path, ids))
                assert answer.status_code == 404, path
        for path in posts():
            if ID in path or "gold" in path:
                sent = form | {"campaign_id": ids["campaigns"]}
                answer = await client.post(
                    with_ids(path, ids), data=sent, headers={"Origin": ORIGIN},
                    follow_redirects=True,
                )  # fmt: skip
                assert answer.status_code == 404, path
    assert {path: await service.get(path) for path in _shown(ids)} == before


def _shown(ids: dict[str, str]) -> list[str]:
    return [f"/{kind}/{UUID(thing_id)}" for kind, thing_id in ids.items()] + ["/audiences/pro"]


async def test_markup_is_text_wherever_it_comes_from(service: Service) -> None:
    """In traits and their names, events and their bodies, devices, texts of pushes, and in what
    things and people are called: on every page that shows them."""
    await _call_all(service)
    me = await signed_in(service, Role.ADMIN, name=MARKUP)
    draft = (await service.get("/campaigns"))["data"][0]["id"]
    customer = (await service.get("/customers"))["data"][0]["id"]
    source = (await service.get("/sources"))["data"][0]["id"]
    ids = {"campaigns": draft, "customers": customer, "sources": source}
    shown = set()
    async with browser(service, me) as client:
        more = ["devices?id=" + quote(MARKUP), "events?id=" + quote(MARKUP), "audiences/gold?who=x"]
        more += [f"customers?q={quote(MARKUP)}", f"campaigns?q={quote(MARKUP)}"]
        more += [f"campaigns/{draft}/review?counted=1", f"settings/audit?verb={quote(MARKUP)}"]
        for path in [with_ids(page, ids) for page in pages()] + [f"/console/{one}" for one in more]:
            page = (await client.get(path, follow_redirects=True)).text
            assert "<script>alert" not in page, path
            assert '"><img' not in page, path
            shown |= {path} if "&lt;script&gt;" in page else set()
        listed = {TOKEN_FIELD: csrf_token_of(me), "name": MARKUP, "code": "listed", "ids": MARKUP}
        answer = await client.post(
            "/console/audiences/upload", data=listed, headers={"Origin": ORIGIN}
        )
        assert "<script>alert" not in answer.text
    assert len(shown) > 20, "so that there was something to be shown"


MARKUP = "\"><img src=x onerror=alert(1)><script>alert(2)</script>'{{ 7 * 7 }}"


async def _call_all(service: Service) -> None:
    """Everything that has a name is called that."""
    key = (await service.get("/sources"))["data"][0]["write_key"]
    source = (await service.get("/sources"))["data"][0]["id"]
    identify = {"type": "identify", "messageId": "i", "userId": MARKUP}
    await service.send(
        key,
        {**identify, "traits": {MARKUP: MARKUP, "first_name": MARKUP, "plan": [MARKUP]}},
        register("r", MARKUP, MARKUP, user=MARKUP),
        {"type": "track", "messageId": MARKUP, "userId": MARKUP, "event": MARKUP,
         "properties": {MARKUP: MARKUP}},
    )  # fmt: skip
    await service.try_to_send(key, {"type": "track", "messageId": "wrong", "userId": MARKUP})
    for path, change in (
        (f"/sources/{source}", {"name": MARKUP}),
        ("/workspace", {"name": MARKUP}),
    ):
        changed = await service.ask("PATCH", path, change)
        assert changed.status == 200, changed.text
    rule = {"trait": MARKUP, "test": "equals", "value": MARKUP}
    await service.post("/audiences", {"code": "gold", "name": MARKUP, "rule": rule})
    content = {"title": "{% raw %}" + MARKUP + "{% endraw %}", "link": "https://a.example/?q=<b>"}
    body = {"name": MARKUP, "content": content, "audience": {"everyone": True}}
    await service.post("/campaigns", body)
