"""A cursor that no list has given is refused or begins somewhere, and is never a defect."""

import base64
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from clarion.storage.database import Database
from clarion.web.api.description.description import describe
from clarion.web.api.errors import ErrorCode
from support.api import Service, assert_is, register
from support.clock import FakeClock

LARGEST = 2**63 - 1


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


def packed(key: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(key)).decode().rstrip("=")


def raw(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


NO_CURSORS = (
    "",
    " ",
    "=",
    "x",
    "é",
    "\x00",
    "null",
    "A" * 7_000,
    raw(b"\xc1"),
    raw(b"\x91" * 2_000),
    raw(b"\xdf\xff\xff\xff\xff"),
    raw(b"\xc7\x0c\xff" + b"\xff" * 12),
    raw(b"\xd6\xff" + b"\xff" * 4),
    raw(b"\xcf" + b"\xff" * 8),
    *map(
        packed,
        (
            None, True, 1.5, float("nan"), float("inf"), "", "text", b"", b"x" * 15, b"x" * 17, -1,
            2**63, 2**64 - 1, {}, {"a": 1}, [], [[]], [None], ["a", "b", "c"], [1.5, 1.5, 1.5],
            [-1, -1, -1], [2**64 - 1] * 3, [-(2**63), b"x" * 16], [LARGEST, b"x" * 16],
            [LARGEST, 0, b"x" * 16, b"x" * 16], [b"x" * 16] * 3, [0, 0, 0],
        ),
    ),
)  # fmt: skip
"""None of these is of any list."""
ODD_CURSORS = tuple(
    map(
        packed,
        (
            0, LARGEST, b"\x00" * 16, b"\xff" * 16, [0, 0], [LARGEST] * 2, [0, b"x" * 16],
            [60 * 10**15, b"\xff" * 16], [-60 * 10**15, b"\xff" * 16], [b"x" * 16] * 2,
            [0, 0, b"x" * 16, b"x" * 16], [0, LARGEST, b"\xff" * 16, b"\xff" * 16],
            [-60 * 10**15, 0, b"\xff" * 16, b"\x00" * 16],
        ),
    )
)  # fmt: skip
"""Each might be of some list, whose rows are elsewhere."""


async def lists(service: Service) -> list[str]:
    """Every list that the description names, with an id where it wants one."""
    source = await service.post("/sources", {"name": "app"})
    for number in range(3):
        device = register(f"m{number}", f"D{number}", f"t{number}", user="ada")
        await service.send(source["write_key"], device)
    campaign = {"name": "x", "content": {"title": "y"}, "audience": {"everyone": True}}
    for _ in range(3):
        made = await service.post("/campaigns", campaign)
    device = (await service.get("/devices"))["data"][0]
    names = {
        "source_id": source["id"], "user_id": "ada", "device_id": device["device_id"],
        "campaign_id": made["id"], "kind": "customers",
    }  # fmt: skip
    found = []
    for path, methods in describe()["paths"].items():
        parameters = {one["name"] for one in methods.get("get", {}).get("parameters", ())}
        if "cursor" in parameters:
            path = path.removeprefix("/api/v1")
            filled = re.sub(r"{(\w+)}", lambda part: names[part[1]], path)
            required = {
                method["name"]
                for method in methods["get"]["parameters"]
                if method.get("required") and method["in"] == "query"
            }
            query = "&".join(f"{name}={made['id']}" for name in required)
            found.append(f"{filled}?{query}&" if query else f"{filled}?")
    assert len(found) >= 10
    return found


async def test_a_forged_cursor_is_refused_by_every_list(service: Service) -> None:
    for path in await lists(service):
        for cursor in NO_CURSORS:
            answer = await service.ask("GET", f"{path}cursor={quote(cursor, safe='')}")
            assert answer.status == 422, (path, cursor, answer.text)
            assert_is(answer, ErrorCode.CURSOR)


async def test_a_cursor_of_another_list_is_never_a_defect(service: Service) -> None:
    paths = await lists(service)
    cursors = list(ODD_CURSORS)
    for path in paths:
        page = await service.get(f"{path}limit=1")
        cursors += [page["next"]] if page["next"] else []
    assert len(cursors) > len(ODD_CURSORS) + 3
    for path in paths:
        for cursor in cursors:
            answer = await service.ask("GET", f"{path}cursor={cursor}")
            assert answer.status in (200, 422), (path, cursor, answer.text)


async def test_a_forged_place_of_a_stream_is_refused(service: Service) -> None:
    source = await service.post("/sources", {"name": "app"})
    for cursor in NO_CURSORS:
        if not cursor.isascii() or "\x00" in cursor:
            continue  # which no header can hold
        answer = await service.ask(
            "GET", f"/sources/{source['id']}/events/stream", headers={"Last-Event-ID": cursor}
        )
        assert_is(answer, ErrorCode.CURSOR)
