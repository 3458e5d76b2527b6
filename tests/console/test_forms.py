"""Whatever form is wrong: what was typed stays, the field is marked, and what would do is said."""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest

from clarion.accounts.actor import Role
from console.screens import ERRORS
from console.test_acts import Admin
from console.test_guarded import browser, signed_in
from support.api import Service, service_on_sqlite
from support.clock import FakeClock

WRONG = {word: (posted, form) for word, (_, posted, form) in ERRORS.items() if "wrong" in word}
SECRET = {"current", "new", "json"}
"""Passwords and keys are not sent back."""


@pytest.fixture
async def service(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Service]:
    async with service_on_sqlite(tmp_path, clock) as opened:
        yield opened


@pytest.mark.parametrize("word", sorted(WRONG))
async def test_a_wrong_form_keeps_what_was_typed_and_marks_the_field(
    service: Service, word: str
) -> None:
    posted, form = WRONG[word]
    token = await signed_in(service, Role.ADMIN)
    async with browser(service, token) as client:
        answer = await Admin(client, token).post(posted.removeprefix("/console"), **form)
    assert answer.status_code == 422
    page = answer.text
    marked = re.findall(r'<(?:input|textarea|select)[^>]*aria-invalid="true"[^>]*>', page)
    assert marked, "no field is marked"
    for field in marked:
        described = re.search(r'aria-describedby="([^"]*)"', field)
        assert described is not None, field
        said = [re.search(rf'id="{name}"', page) for name in described.group(1).split()]
        assert all(said), field
    for name, value in form.items():
        if value.strip() and name not in SECRET:
            assert value in unescape(page), f"{name} is not kept"
