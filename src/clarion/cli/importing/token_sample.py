"""`clarion import --check-sample`: what Firebase says of some of a file's tokens, before any is
taken."""

import asyncio
import heapq
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, BinaryIO
from uuid import UUID

import msgspec

from clarion.cli.api.client import Api
from clarion.cli.output import console
from clarion.cli.sources.choice import Record
from clarion.clock import SystemClock
from clarion.importing.dry_run import reading_of
from clarion.importing.lines.row import RecordKind
from clarion.importing.lines.row_reader import FileDivided, RecordFormat, read_records
from clarion.importing.lines.text_reader import Mark
from clarion.importing.services.formats import Service

CALL_TOKENS = 50
CALL_SECONDS = 1.0
"""Between two calls: a check counts against the project's quota as a push does."""

PLATFORMS = {"ios": "iOS", "android": "Android", "web": "Web"}

Token = dict[str, str]
"""`token` and `platform`, as the API takes them."""


async def check_tokens(
    api: Api,
    source: Record,
    kind: RecordKind | Service,
    file: BinaryIO,
    written: RecordFormat,
    count: int,
    *,
    as_json: bool,
) -> dict[str, Any] | None:
    """Ask Firebase about `count` tokens of the file, CALL_TOKENS a second. What it said of how
    many, which is told here unless it is to be JSON."""
    if not count:
        return None
    tokens = await asyncio.to_thread(_sample, kind, file, written, count)
    answers: Counter[tuple[str, str]] = Counter()
    for start in range(0, len(tokens), CALL_TOKENS):
        if start:
            await asyncio.sleep(CALL_SECONDS)
        body = msgspec.json.encode({"tokens": tokens[start : start + CALL_TOKENS]})
        checked: dict[str, Any] = await api.call(
            "POST", f"/imports/{source['id']}/check", body=body
        )
        answers.update((answer["outcome"], answer["reason"] or "") for answer in checked["data"])
    if not as_json:
        _tell(len(tokens), answers)
    return {
        "asked": len(tokens),
        "answers": [
            {"outcome": outcome, "reason": reason or None, "tokens": counted}
            for (outcome, reason), counted in answers.most_common()
        ],
    }


def _sample(
    kind: RecordKind | Service, file: BinaryIO, written: RecordFormat, count: int
) -> Sequence[Token]:
    """The tokens whose hashes are the least: an even draw, and the same one each time."""
    now = SystemClock().now()
    reading = reading_of(kind, UUID(int=0), now)
    drawn: list[tuple[int, str, str]] = []
    known: set[str] = set()
    try:
        for record in read_records(file, written, Mark()):
            for _, raw in reading.read(record, now).events:
                properties = msgspec.json.decode(raw).get("properties") or {}
                token, platform = properties.get("fcmToken"), properties.get("deviceType")
                if not token or not platform or token in known:
                    continue
                rank = -int.from_bytes(sha256(token.encode()).digest()[:8])
                if len(drawn) < count:
                    heapq.heappush(drawn, (rank, token, platform))
                elif rank > drawn[0][0]:
                    known.discard(heapq.heapreplace(drawn, (rank, token, platform))[1])
                else:
                    continue
                known.add(token)
    except FileDivided:
        pass  # the import itself says so
    return [{"token": token, "platform": _platform(platform)} for _, token, platform in drawn]


def _platform(said: str) -> str:
    """As the API names it, in whatever case the file has it."""
    return PLATFORMS.get(said.lower(), said)


def _tell(asked: int, answers: Counter[tuple[str, str]]) -> None:
    console.print(f"Firebase was asked about {asked:,} tokens:", highlight=False)
    for (outcome, reason), counted in answers.most_common():
        word = f"{outcome} ({reason})" if reason else outcome
        console.print(f"  {counted:,} {word}", highlight=False, markup=False)
