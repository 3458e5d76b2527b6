"""Events are never changed: whose each is follows from its key and the periods of that key.

An event's key is its user id, or else what decided it so far. The periods are made of the
timelines of identifiers, and of the merges that stand, page by page.

Revision ID: 0013
Revises: 0012
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa
from alembic import op

from clarion.storage.migrations.frozen_types import IdValue, InstantValue

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_PAGE = 5_000
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_identifiers = sa.table(
    "identifiers",
    sa.column("workspace_id", IdValue()),
    sa.column("key", sa.Text()),
    *(
        sa.column(name, sa.Boolean())
        for name in ("is_user", "is_device", "is_guarded", "is_named", "is_known")
    ),
    sa.column("timeline", sa.JSON()),
    sa.column("decides_as_user", sa.Boolean()),
    sa.column("decides_as_key", sa.Boolean()),
)
_merges = sa.table(
    "merges",
    sa.column("workspace_id", IdValue()),
    sa.column("from_user", sa.Text()),
    sa.column("into_user", sa.Text()),
    sa.column("undone_at", InstantValue()),
)
_sources = sa.table("sources", sa.column("id", IdValue()), sa.column("workspace_id", IdValue()))


def upgrade() -> None:
    periods = op.create_table(
        "ownership_periods",
        sa.Column("workspace_id", IdValue(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("start_at", InstantValue(), nullable=False),
        sa.Column("end_at", InstantValue(), nullable=False),
        sa.Column("customer_id", IdValue(), nullable=False),
        sa.Column("is_user", sa.Boolean(), nullable=False),
        sa.Column("is_real", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "key", "is_user", "start_at"),
        sqlite_with_rowid=False,
    )
    leads = op.create_table(
        "clock_leads",
        sa.Column("workspace_id", IdValue(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("source_id", IdValue(), nullable=False),
        sa.Column("lead", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "key", "source_id"),
        sqlite_with_rowid=False,
    )
    op.add_column("events", sa.Column("key", sa.Text(), nullable=True))
    op.execute("UPDATE events SET key = coalesce(user_id, owner_key)")
    for name in ("customer", "owner_key", "identify"):
        op.drop_index(f"events_{name}", table_name="events")
    op.drop_column("events", "owner_key")
    op.drop_column("events", "customer_id")
    op.create_index("events_key", "events", ["workspace_id", "key", "at"])
    condition = sa.text("type = 'identify'")
    op.create_index(
        "events_identify",
        "events",
        ["workspace_id", "key"],
        sqlite_where=condition,
        postgresql_where=condition,
    )
    for name, of_user in (("decides_as_user", "NOT NULL"), ("decides_as_key", "NULL")):
        op.add_column(
            "identifiers", sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        op.execute(_DECIDES.format(name=name, of_user=of_user))
    _fill(op.get_bind(), periods, leads)
    op.create_index("ownership_customer", "ownership_periods", ["customer_id"])


_DECIDES = """
UPDATE identifiers SET {name} = EXISTS (
    SELECT 1 FROM events
    WHERE events.workspace_id = identifiers.workspace_id AND events.key = identifiers.key
        AND events.user_id IS {of_user}
)
"""


def _fill(connection: sa.Connection, periods: sa.Table, leads: sa.Table) -> None:
    merged = {
        (row.workspace_id, row.from_user): row.into_user
        for row in connection.execute(sa.select(_merges).where(_merges.c.undone_at.is_(None)))
    }
    senders: dict[tuple[UUID, int], list[UUID]] = {}
    for row in connection.execute(sa.select(_sources)):
        sender = (row.workspace_id, int(row.id) & 0x7FFF_FFFF)
        senders.setdefault(sender, []).append(row.id)
    place = sa.tuple_(_identifiers.c.workspace_id, _identifiers.c.key)
    last: Any = None
    while True:
        statement = sa.select(_identifiers).order_by(*place.clauses).limit(_PAGE)
        if last is not None:
            statement = statement.where(place > sa.tuple_(*last))
        page = connection.execute(statement).all()
        if not page:
            return
        filled = [period for row in page for period in _periods(row, merged)]
        if filled:
            op.bulk_insert(periods, filled)
        ahead = [
            {"workspace_id": row.workspace_id, "key": row.key, "source_id": source_id, "lead": lead}
            for row in page
            for sender, lead in _leads(row)
            for source_id in senders.get((row.workspace_id, sender), ())
        ]
        if ahead:
            op.bulk_insert(leads, ahead)
        last = (
            sa.bindparam(None, page[-1].workspace_id, type_=IdValue(), unique=True),
            sa.bindparam(None, page[-1].key, type_=sa.Text(), unique=True),
        )


def _is_real(row: Any) -> bool:
    is_provisional = row.is_device or (row.is_named and not row.is_known)
    return bool(row.is_user and (row.is_guarded or not is_provisional))


def _leads(row: Any) -> list[list[int]]:
    line = row.timeline
    return line[6] if line and len(line) > 6 else []


_Merged = dict[tuple[UUID, str], str]
_Run = tuple[datetime, datetime, UUID]


def _periods(row: Any, merged: _Merged) -> Iterator[dict[str, Any]]:
    if row.decides_as_user:
        is_real = _is_real(row)
        runs = [(_FIRST, _LAST, _user(row, row.key, merged))] if is_real else _runs(row, merged)
        yield from (_period(row, run, is_user=True, is_real=is_real) for run in runs)
    if row.decides_as_key:
        runs = _runs(row, merged)
        yield from (_period(row, run, is_user=False, is_real=False) for run in runs)


def _period(row: Any, run: _Run, *, is_user: bool, is_real: bool) -> dict[str, Any]:
    return {
        "workspace_id": row.workspace_id,
        "key": row.key,
        "start_at": run[0],
        "end_at": run[1],
        "customer_id": run[2],
        "is_user": is_user,
        "is_real": is_real,
    }


def _user(row: Any, user_id: str, merged: _Merged) -> UUID:
    counts_as = merged.get((row.workspace_id, user_id), user_id)
    return uuid5(row.workspace_id, f"user:{counts_as}")


def _runs(row: Any, merged: _Merged) -> list[_Run]:
    line = row.timeline
    spans = line[0] if line and line[0] is not None else []
    is_shared = bool(spans) and line[4]
    edges = [_FIRST, *(_instant(span[0]) for span in spans), _LAST]
    runs: list[_Run] = []
    for place, (start, end) in enumerate(pairwise(edges)):
        before = spans[place - 1] if place else None
        heir = spans[place][1] if place < len(spans) and not is_shared else None
        if before is not None and before[1] is not None:
            customer_id = _user(row, before[1], merged)
        elif heir is not None:
            customer_id = _user(row, heir, merged)
        else:
            since = "" if before is None else _instant(_signed_out_at(before)).isoformat()
            customer_id = uuid5(row.workspace_id, f"key:{since}:{row.key}")
        if runs and runs[-1][2] == customer_id:
            runs[-1] = (runs[-1][0], end, customer_id)
        else:
            runs.append((start, end, customer_id))
    return runs


def _signed_out_at(span: list[Any]) -> int:
    """By the clock of who said so."""
    at: int = span[2] if len(span) > 2 else span[0]
    return at


def _instant(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)
