"""The API's description is whole and true, and can be read without a network.

That answers are as described is held against every answer of the API's other tests
(`support/description.py`).
"""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from litestar import Litestar
from litestar.di import Provide
from litestar.routes import HTTPRoute

from clarion.brokers.database import DatabaseBroker
from clarion.clock import SystemClock
from clarion.storage.database import Database
from clarion.storage.vault import Vault
from clarion.web.api import create_api
from clarion.web.api.description.description import describe
from clarion.web.api.description.examples import EXAMPLES
from clarion.web.api.errors import ErrorCode
from clarion.web.api.gate import Parts, parameters_of
from clarion.web.api.routes import api_router
from support.description import check
from support.provider import MemoryProvider

PROMISED = {
    "GET /customers/{user_id}",
    "GET /customers/{user_id}/events",
    "GET /customers/{user_id}/timeline",
    "GET /customers/{user_id}/export",
    "POST /customers/{user_id}/suppress",
    "POST /customers/{user_id}/unsuppress",
    "DELETE /customers/{user_id}",
    "POST /customers/{user_id}/merge",
    "POST /customers/{user_id}/unmerge",
    "GET /merges",
    "GET /customers/{user_id}/devices/history",
    "GET /events/{message_id}",
    "GET /devices/{device_id}",
    "GET /devices/{device_id}/history",
    "POST /campaigns",
    "PATCH /campaigns/{campaign_id}",
    "POST /campaigns/{campaign_id}/schedule",
    "POST /campaigns/{campaign_id}/cancel",
    "POST /campaigns/{campaign_id}/pause",
    "POST /campaigns/{campaign_id}/resume",
    "POST /campaigns/{campaign_id}/preview",
    "GET /campaigns/{campaign_id}",
    "GET /campaigns/{campaign_id}/report",
    "GET /deliveries",
    "POST /firebase-apps",
    "POST /sources",
    "POST /keys",
    "GET /workspace",
}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in describe()["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


async def fetch(path: str) -> httpx.Response:
    """Without a key, and without a database: the description needs neither."""
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    clock = SystemClock()
    broker = DatabaseBroker(database, clock)
    api = create_api(database, broker, clock, MemoryProvider(), Vault(Fernet.generate_key()))
    transport = httpx.ASGITransport(app=api)
    async with httpx.AsyncClient(transport=transport, base_url="http://clarion.test") as client:
        answer = await client.get(path)
    await broker.close()
    await database.close()
    return answer


async def test_it_is_served_without_a_key() -> None:
    answer = await fetch("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert "json" in answer.headers["content-type"]
    assert answer.json()["openapi"].startswith("3.1.")
    assert answer.json() == describe()


def test_what_scripts_rely_on_is_described() -> None:
    described = {f"{method} {path.removeprefix('/api/v1')}" for method, path, _ in operations()}
    assert described >= PROMISED


def test_every_operation_has_words_a_tag_and_a_name_of_its_own() -> None:
    tags = {tag["name"] for tag in describe()["tags"]}
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))
    for method, path, operation in operations():
        assert operation["summary"] and operation["description"].strip(), (method, path)
        assert set(operation["tags"]) <= tags and operation["tags"]


def test_every_parameter_of_a_path_is_described() -> None:
    for method, path, operation in operations():
        named = {part[1:-1] for part in path.split("/") if part.startswith("{")}
        given = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
        assert named == given, (method, path)
        assert all(
            one["required"] for one in operation.get("parameters", ()) if one["in"] == "path"
        )


def test_every_reference_leads_somewhere_and_nothing_is_described_for_nobody() -> None:
    document = describe()
    found = set(references(document))
    for reference in found:
        where: Any = document
        for part in reference.removeprefix("#/").split("/"):
            where = where[part]
    for name in document["components"]["schemas"]:
        assert f"#/components/schemas/{name}" in found, name


def test_every_operation_needs_a_key_but_those_about_health() -> None:
    document = describe()
    assert document["security"] == [{"apiKey": []}]
    assert document["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"
    free = {path for _, path, operation in operations() if operation.get("security") == []}
    assert free == {"/livez", "/readyz"}
    for _, path, operation in operations():
        assert ("401" in operation["responses"]) is (path not in free)


def test_every_parameter_that_a_call_takes_is_described() -> None:
    app = Litestar(
        [api_router()],
        dependencies={
            name: Provide(lambda: None, sync_to_thread=False) for name in ("parts", "caller")
        },
        signature_types=[Parts],
        openapi_config=None,
    )
    taken = {
        (str(method), route.path_format): parameters_of(handler)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods
    }
    asked = {
        (method, path): {
            one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"
        }
        for method, path, operation in operations()
        if path.startswith("/api/v1/")
    }
    assert len(asked) > 40
    for call, described in asked.items():
        assert taken[call] == described, call


def test_every_error_code_is_described() -> None:
    document = describe()
    told = {
        code
        for response in document["components"]["responses"].values()
        for code in response["content"]["application/json"]["examples"]
    }
    assert told == {code.value for code in ErrorCode}
    assert document["components"]["schemas"]["Error"]["properties"]["success"] == {"const": False}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_example_is_an_example(name: str) -> None:
    check(EXAMPLES[name], describe()["components"]["schemas"][name])


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.spec = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        assert not any(name.startswith("on") for name in given), "no script stands in the page"
        if tag == "rapi-doc":
            self.spec = given["spec-url"]
        elif tag in ("script", "link", "img", "iframe"):
            self.loads.append(given.get("src") or given.get("href") or "")


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/docs"])
async def test_the_page_loads_its_script_and_the_description_from_here_alone(path: str) -> None:
    answer = await fetch(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert "//" not in answer.headers["content-security-policy"]
    page = _Page()
    page.feed(answer.text)
    assert page.spec == "/api/v1/openapi.json"
    assert page.loads == ["/api/v1/docs/rapidoc.js"]


async def test_the_pages_script_is_sent_compressed_and_may_be_kept() -> None:
    answer = await fetch("/api/v1/docs/rapidoc.js")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"] == "public, max-age=86400"
    assert answer.text.startswith("/*! RapiDoc 9.3.8 ")
