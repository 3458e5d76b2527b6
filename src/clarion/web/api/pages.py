"""Lists come in pages: `{"data": […], "next": "…"}`. `next` goes into `cursor` for the page after.

A cursor is opaque to callers; it holds the key of the last row seen, so a page costs the same
however far down it is, and nothing is missed or told twice while rows are added.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import msgspec
from litestar.params import QueryParameter

from clarion.clock import from_micros, to_micros
from clarion.ingest_log.outcome import Position
from clarion.web.api.errors import ApiError, ErrorCode

LIMIT_DEFAULT = 100
LIMIT_MAX = 500
SEQ_MAX = 2**63 - 1
MICROS_MAX = 60_000_000_000_000_000
"""Before and after 1970: times that both databases and Python know."""

Limit = Annotated[
    int, QueryParameter(ge=1, le=LIMIT_MAX, description="How many a page holds at most.")
]
Cursor = Annotated[
    str | None, QueryParameter(description="`next` of the page before; without it, the first page.")
]
Seq = Annotated[int, msgspec.Meta(ge=0, le=SEQ_MAX)]
Micros = Annotated[int, msgspec.Meta(ge=-MICROS_MAX, le=MICROS_MAX)]

T = TypeVar("T")
Row = TypeVar("Row")
Key = TypeVar("Key")


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A page of a list."""

    data: list[T]
    next: str | None
    """Goes into `cursor` for the next page; null: this is the last one."""


def page(
    rows: Sequence[Row], limit: int, show: Callable[[Row], T], key: Callable[[Row], Any]
) -> Page[T]:
    """A page of at most `limit` of `rows`, which were asked for with one more, so that it is known
    whether there is a next page."""
    shown = rows[:limit]
    return Page(
        data=[show(row) for row in shown],
        next=cursor_of(key(shown[-1])) if len(rows) > limit else None,
    )


def whole(rows: Sequence[T]) -> Page[T]:
    """A list so short that it is always one page."""
    return Page(data=list(rows), next=None)


def after_id(cursor: str | None) -> UUID | None:
    """The id a page begins after."""
    return None if cursor is None else UUID(bytes=_key(cursor, Annotated[bytes, _SIXTEEN]))


def after_seq(cursor: str | None) -> int | None:
    """The number a page begins after (or before, where the newest come first)."""
    return None if cursor is None else _key(cursor, Seq)


def after_ids(cursor: str | None) -> tuple[UUID, UUID] | None:
    """The pair of ids a page begins after."""
    if cursor is None:
        return None
    first_id, second_id = _key(
        cursor, tuple[Annotated[bytes, _SIXTEEN], Annotated[bytes, _SIXTEEN]]
    )
    return UUID(bytes=first_id), UUID(bytes=second_id)


def after_moment(cursor: str | None) -> tuple[datetime, UUID] | None:
    """The time and the id a page begins after; `moment_key` makes such a key."""
    if cursor is None:
        return None
    micros, row_id = _key(cursor, tuple[Micros, Annotated[bytes, _SIXTEEN]])
    return from_micros(micros), UUID(bytes=row_id)


def moment_key(at: datetime, row_id: UUID) -> tuple[int, bytes]:
    """The key of a row in a list that goes by time."""
    return to_micros(at), row_id.bytes


def after_place(cursor: str | None) -> tuple[int, int, UUID, UUID] | None:
    """(µs, rank, two keys): the place in a merged timeline after which a page begins."""
    if cursor is None:
        return None
    kind = tuple[Micros, Seq, Annotated[bytes, _SIXTEEN], Annotated[bytes, _SIXTEEN]]
    at, rank, first_id, second_id = _key(cursor, kind)
    return at, rank, UUID(bytes=first_id), UUID(bytes=second_id)


def after_position(cursor: str | None) -> Position | None:
    """Where a page of a source's activity begins."""
    return None if cursor is None else Position(*_key(cursor, tuple[Seq, Seq]))


_SIXTEEN = msgspec.Meta(min_length=16, max_length=16)


def cursor_of(key: Any) -> str:
    """The cursor that callers get for a key."""
    raw = msgspec.msgpack.encode(key)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _key(cursor: str, kind: Any) -> Any:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return msgspec.msgpack.decode(raw, type=kind)
    except (binascii.Error, ValueError, msgspec.MsgspecError, RecursionError):
        raise ApiError(
            ErrorCode.CURSOR,
            "The cursor is none of this list: use the `next` of the page before as it is.",
        ) from None
