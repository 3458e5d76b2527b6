"""Errors of the API as problems of RFC 9457, for who asks for them."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import pytest

from support.api import Service
from support.clock import FakeClock
from support.database import sqlite_database

PROBLEM = "application/problem+json"
WRONG = {"name": "", "title": "T"}


@pytest.fixture
async def service(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Service]:
    database = await sqlite_database(tmp_path)
    async with Service(database, clock) as service:
        yield service
    await database.close()


async def test_who_accepts_problems_is_answered_with_one(service: Service) -> None:
    headers = {"Accept": PROBLEM}
    plain = await service.ask("POST", "/campaigns", WRONG)
    answer = await service.ask("POST", "/campaigns", WRONG, headers=headers)
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json == {
        "type": "about:blank",
        "title": HTTPStatus(422).phrase,  # of the Python that runs it
        "status": 422,
        "detail": plain.json["message"],
        "code": plain.json["code"],
        "faults": plain.json["faults"],
    }


@pytest.mark.parametrize(
    ("accept", "is_problem"),
    [
        ("application/json, application/problem+json", False),
        ("application/problem+json, application/json;q=0.5", True),
        ("application/problem+json;q=0, */*", False),
        ("*/*", False),
        ("text/html", False),
        ("", False),
    ],
)
async def test_others_are_answered_as_before(
    service: Service, accept: str, is_problem: bool
) -> None:
    answer = await service.ask("GET", "/nothing", headers={"Accept": accept})
    assert answer.status == 404
    assert (answer.headers["content-type"] == PROBLEM) is is_problem
    assert ("success" in answer.json) is not is_problem


async def test_a_key_that_is_missing_is_a_problem_too(service: Service) -> None:
    answer = await service.ask("GET", "/sources", key="", headers={"Accept": PROBLEM})
    assert (answer.status, answer.json["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"]


async def test_what_succeeds_is_no_problem(service: Service) -> None:
    answer = await service.ask("GET", "/sources", headers={"Accept": PROBLEM})
    assert answer.headers["content-type"] == "application/json"
