"""A form that is sent when its session is over, or by another one's page, is not lost."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clarion.accounts.actor import Role
from clarion.accounts.people.session import csrf_token_of
from clarion.web.console.kept import BYTES_MAX, read_kept
from clarion.web.console.page import TOKEN_FIELD
from console.forms import Form, forms_of
from console.test_guarded import ORIGIN, browser, signed_in
from support.api import Service, service_on_sqlite
from support.clock import FakeClock
from support.people import PASSWORD

FROM_US = {"Origin": ORIGIN}
MARKUP = "<script>alert(1)</script>"
AUDIENCE = {
    "name": f"Gold {MARKUP}",
    "code": "gold",
    "combined": "all",
    "kind": ["trait", "trait"],
    "what": ["plan", "city"],
    "test": ["equals", "equals"],
    "value": ["gold", "Wien"],
    "days": ["", ""],
}
SIGN_IN = {"email": "admin@example.com", "password": PASSWORD}


@pytest.fixture
async def service(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Service]:
    async with service_on_sqlite(tmp_path, clock) as opened:
        yield opened


def form_to(page: str, path: str) -> Form:
    (form,) = [form for form in forms_of(page) if form.action == path]
    return form


def data_of(form: Form) -> dict[str, list[str]]:
    data: dict[str, list[str]] = {}
    for name, value in form.fields:
        data.setdefault(name, []).append(value)
    return data


async def test_what_is_sent_after_the_session_has_ended_is_sent_again_after_signing_in(
    service: Service,
) -> None:
    await signed_in(service, Role.ADMIN)
    async with browser(service) as client:
        told = await client.post("/console/audiences", data=AUDIENCE, headers=FROM_US)
        assert told.status_code == 401
        assert "Your session has ended, and nothing was saved." in told.text
        again = data_of(form_to(told.text, "/console/sign-in")) | SIGN_IN
        wrong = again | {"password": "not the password"}
        told = await client.post("/console/sign-in", data=wrong, headers=FROM_US)
        assert told.status_code == 422
        again = data_of(form_to(told.text, "/console/sign-in")) | SIGN_IN
        back = await client.post("/console/sign-in", data=again, headers=FROM_US)
        assert "You are signed in again" in back.text and MARKUP not in back.text
        kept = data_of(form_to(back.text, "/console/audiences"))
        saved = await client.post("/console/audiences", data=kept, headers=FROM_US)
        assert saved.status_code == 303
    audience = await service.get("/audiences/gold")
    assert audience["name"] == AUDIENCE["name"]
    assert [part["value"] for part in audience["rule"]["all"]] == ["gold", "Wien"]


async def test_a_form_of_a_former_session_is_refused_and_kept(service: Service) -> None:
    former = await signed_in(service, Role.ADMIN)
    async with browser(service) as client:
        await client.post("/console/sign-in", data=SIGN_IN, headers=FROM_US)
        sent = AUDIENCE | {TOKEN_FIELD: csrf_token_of(former)}
        told = await client.post("/console/audiences", data=sent, headers=FROM_US)
        assert told.status_code == 403
        assert "nothing was changed" in told.text
        assert (await service.ask("GET", "/audiences/gold")).status == 404
        kept = data_of(form_to(told.text, "/console/audiences"))
        await client.post("/console/audiences", data=kept, headers=FROM_US)
    assert (await service.get("/audiences/gold"))["name"] == AUDIENCE["name"]


async def test_another_sites_form_is_not_kept(service: Service) -> None:
    async with browser(service, await signed_in(service, Role.ADMIN)) as client:
        elsewhere = {"Origin": "https://evil.example"}
        told = await client.post("/console/audiences", data=AUDIENCE, headers=elsewhere)
    assert told.status_code == 403
    assert "Gold" not in told.text


async def test_no_password_and_no_key_is_given_back(service: Service) -> None:
    former = await signed_in(service, Role.ADMIN)
    async with browser(service) as client:
        for signs_in in (False, True):
            if signs_in:
                await client.post("/console/sign-in", data=SIGN_IN, headers=FROM_US)
            for path in ("me/password", "connections/firebase"):
                sent = dict.fromkeys(("current", "new", "json"), "a-secret")
                sent[TOKEN_FIELD] = csrf_token_of(former)
                told = await client.post(f"/console/{path}", data=sent, headers=FROM_US)
                assert told.status_code == (403 if signs_in else 303)
                assert "a-secret" not in told.text


async def test_little_is_read_of_who_is_not_signed_in(service: Service) -> None:
    async with browser(service) as client:
        sent = {"name": "x" * (BYTES_MAX + 1)}
        told = await client.post("/console/audiences", data=sent, headers=FROM_US)
    assert (told.status_code, told.headers["location"]) == (303, "/console/sign-in?next=/console/")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '["https://evil.example/", []]',
        '["/console/\\\\evil", []]',
        '["/console/", 1]',
    ],
)
def test_nothing_leads_out_of_the_console(text: str) -> None:
    assert read_kept(text) is None
