"""Time and fresh ids: the only module that reads the machine's clock or its randomness.

Everything else is handed a `Clock`, so that a test can stand in a minute, a month or a crash.
"""

import asyncio
import os
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha1
from typing import Annotated, Protocol
from uuid import UUID

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""In what goes over the wire: ISO 8601 with its offset; those we tell are in UTC."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SKEW = timedelta(seconds=60)
"""What was made later than that from now was made by a clock that was wrong, or ours is: machines
that keep time together differ by less."""


class Clock(Protocol):
    """What time it is, and the only source of chance."""

    def now(self) -> datetime:
        """The present instant, aware and in UTC."""

    def monotonic(self) -> float:
        """Seconds since some moment, by a clock that nobody sets: for durations in a process."""

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`; a test's clock returns when its time has been moved on."""

    def new_id(self) -> UUID:
        """A fresh UUIDv7: unique, and later ones sort after earlier ones to the millisecond."""

    def chance(self) -> float:
        """A number in [0, 1), for jitter."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def new_id(self) -> UUID:
        return uuid7(time.time_ns() // 1_000_000, os.urandom(10))

    def chance(self) -> float:
        return random.random()


def uuid7(unix_ms: int, randomness: bytes) -> UUID:
    """A UUIDv7 (RFC 9562 §5.7) from milliseconds since 1970 and ten random bytes."""
    value = (unix_ms & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(randomness, "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


@cache
def id_maker() -> Callable[[bytes], UUID]:
    """Makes an id of its sixteen bytes: as PostgreSQL's driver does it, in C, so that making,
    hashing and comparing one costs a tenth of what `UUID` takes. It is a UUID.

    Loaded where it is used first, since a command may need no database."""
    from asyncpg.pgproto.pgproto import UUID as Made

    return Made  # type: ignore[no-any-return]


def derived_id(namespace: UUID, name: str) -> UUID:
    """`uuid.uuid5`, at a fifth of its cost: the same names give the same id."""
    digest = bytearray(sha1(namespace.bytes + name.encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    return id_maker()(bytes(digest))


def first_id_after(at: datetime) -> UUID:
    """Every id that is made later than `at`, by a right clock, sorts after this one."""
    return uuid7((to_micros(at) // 1_000) + 1, bytes(10))


def made_at(made: UUID) -> datetime:
    """When a UUIDv7 was made, as its maker's clock said, to the millisecond."""
    return from_micros((made.int >> 80) * 1_000)


def to_micros(at: datetime) -> int:
    """Microseconds since 1970 UTC; exact."""
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_micros(micros: int) -> datetime:
    """The aware UTC instant of `to_micros`."""
    return _EPOCH + timedelta(0, 0, micros)
