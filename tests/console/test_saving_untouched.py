"""A form that is saved as it stands changes nothing: each field shows what is so, and none is
overruled by another."""

import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from clarion.accounts.actor import Role
from clarion.audiences.rule_parser import parse
from clarion.web.console.templates import FOLDER
from console.forms import Form, forms_of
from console.screens import SCREENS, screens_of
from console.test_guarded import ORIGIN, browser, signed_in
from support.api import Service, service_on_sqlite
from support.book import SOURCE
from support.clock import FakeClock
from support.console import Console, Serving, fill
from support.world import APP

ROWS = {"kind", "what", "test", "value", "days", "times", "pushes", "period", "unit", "category"}
"""What stands in each row of a list of conditions or caps, and is read row by row."""
PRO = {"trait": "plan", "test": "equals", "value": "pro"}
RULES: dict[str, Any] = {
    "a rule": {"all": [PRO, {"trait": "orders", "test": "at_least", "value": 2}]},
    "user ids": {"user_ids": ["ada", "grace"]},
    "a saved audience": {"audience": "pro"},
    "everyone": {"everyone": True},
}
AUDIENCES: list[dict[str, Any]] = [
    PRO,
    {"any": [PRO, {"trait": "orders", "test": "more_than", "value": 2.5}]},
    {"event": "Bought", "test": "at_least", "count": 2, "last_days": 30},
    {"event": "Bought", "test": "did_not"},
    {"none": [PRO, {"audience": "some-other"}]},
    {"device": [{"field": "platform", "test": "equals", "value": "iOS"}]},
]
TIMINGS: dict[str, Any] = {
    "no time": None,
    "a time": {"at": "2026-03-05T09:00", "zone": "Europe/Vienna"},
    "its own rule": {
        "at": "2026-03-02T09:00",
        "zone": "UTC",
        "repeat": {"rule": "FREQ=MONTHLY;BYDAY=1MO,3MO", "missed": "skip"},
    },
}


@pytest.fixture
async def service(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Service]:
    async with service_on_sqlite(tmp_path, clock) as opened:
        yield opened


async def saved_as_it_stands(service: Service, token: str, path: str, action: str) -> None:
    """Open a page, and press the button of one of its forms."""
    async with browser(service, token) as client:
        page = await client.get(path)
        (form,) = [form for form in forms_of(page.text) if (form.action or path) == action]
        sent: dict[str, list[str]] = {}
        for name, value in form.fields:
            sent.setdefault(name, []).append(value)
        answer = await client.post(action, data=sent, headers={"Origin": ORIGIN})
        assert answer.status_code == 303, answer.text


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("timing", TIMINGS)
async def test_a_draft_stays_what_it_is(service: Service, rule: str, timing: str) -> None:
    await service.post("/audiences", {"code": "pro", "name": "Pro", "rule": PRO})
    body = {"name": "x", "content": {"title": "x"}, "audience": RULES[rule]}
    made = await service.post("/campaigns", body | {"timing": TIMINGS[timing]})
    path = f"/console/campaigns/{made['id']}/edit"
    await saved_as_it_stands(service, await signed_in(service, Role.ADMIN), path, path)
    after = await service.get(f"/campaigns/{made['id']}")
    assert after["audience"] == made["audience"]
    assert after["timing"] == made["timing"]


async def test_settings_stay_what_they_are(service: Service) -> None:
    limits = {
        "quiet_hours": {"start": "21:00", "end": "08:00", "action": "skip"},
        "caps": [{"pushes": 3, "days": 7}, {"pushes": 1, "hours": 12, "category": "news"}],
        "exclusions": {"audience": "first"},
        "needs_approval": True,
    }
    await service.post("/audiences", {"code": "first", "name": "The first", "rule": PRO})
    for number in range(201):
        service.clock.advance(1)
        audience = {"code": f"a-{number}", "name": f"Audience {number}", "rule": PRO}
        await service.post("/audiences", audience)
    set_limits = await service.ask("PATCH", "/workspace/limits", limits)
    assert set_limits.status == 200, set_limits.text
    before = await service.get("/workspace/limits")
    token = await signed_in(service, Role.ADMIN)
    path = "/console/settings/sending"
    await saved_as_it_stands(service, token, path, path)
    assert await service.get("/workspace/limits") == before


async def test_what_is_connected_stays_as_it_is(service: Service) -> None:
    token = await signed_in(service, Role.ADMIN)
    for thing, path, action in (
        (f"/sources/{SOURCE}", f"/console/sources/{SOURCE}", "/change"),
        (f"/sources/{SOURCE}", f"/console/sources/{SOURCE}/identity", "/limits"),
        (f"/firebase-apps/{APP}", f"/console/firebase-apps/{APP}", "/pace"),
    ):
        before = await service.get(thing)
        await saved_as_it_stands(service, token, path, path + action)
        assert await service.get(thing) == before


@pytest.mark.parametrize("rule", AUDIENCES, ids=str)
async def test_an_audience_stays_what_it_is(service: Service, rule: dict[str, Any]) -> None:
    await service.post("/audiences", {"code": "some-other", "name": "Other", "rule": PRO})
    made = await service.post("/audiences", {"code": "some", "name": "Some", "rule": rule})
    path = "/console/audiences/some/edit"
    await saved_as_it_stands(service, await signed_in(service, Role.ADMIN), path, path)
    assert (await service.get("/audiences/some"))["rule"] == made["rule"]


async def test_a_person_goes_on_reading_as_before(service: Service) -> None:
    """Also in a language that is none of the few on offer."""
    token = await signed_in(service, Role.VIEWER)
    path, dutch = "/console/me", {"Accept-Language": "nl-NL"}
    async with browser(service, token) as client:
        client.headers.update(dutch)
        page = (await client.get(path)).text
        (form,) = [form for form in forms_of(page) if form.action.endswith("/preferences")]
        await client.post(form.action, data=dict(form.fields), headers={"Origin": ORIGIN})
        again = forms_of((await client.get(path)).text)
    assert ("language", "nl_NL") in next(f.fields for f in again if f.action == form.action)


async def test_no_two_fields_of_a_form_have_one_name(service: Service) -> None:
    """Of two, the one that comes later overrules the other, whatever was typed there."""
    token = await signed_in(service, Role.ADMIN)
    paths = screens_of(await fill(Console(service, None, Serving(service), "")))  # type: ignore[arg-type]
    assert len(paths) > len(SCREENS)
    doubled: dict[tuple[str, str], str] = {}
    async with browser(service, token) as client:
        for word, path in paths.items():
            page = (await client.get(path, follow_redirects=True)).text
            for form in forms_of(page):
                doubled |= {(word, name): form.action for name in _doubled(form)}
    assert doubled == {}


def _doubled(form: Form) -> list[str]:
    return [name for name, times in Counter(form.typed).items() if times > 1 and name not in ROWS]


def test_the_examples_of_rules_are_rules() -> None:
    examples = [
        example
        for template in FOLDER.rglob("*.html")
        for example in re.findall(r"placeholder='(\{[^']*\})'", template.read_text())
    ]
    assert examples
    for example in examples:
        assert not isinstance(parse(json.loads(example)), list), example
