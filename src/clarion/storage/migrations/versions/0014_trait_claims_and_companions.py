"""What identifies taught, and which ids stood together, in tables of their own.

Profiles are made of the one, and no more of events; an erasure finds by the other what nobody known
did on a person's devices. Both are read from the events that are stored, page by page, as it was
done so far.

Revision ID: 0014
Revises: 0013
"""

from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

from clarion.customers.identity.person import ids_of_body
from clarion.events.messages.message import read_identify
from clarion.storage.migrations.frozen_types import IdValue, InstantValue

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_PAGE = 2_000

_events = sa.table(
    "events",
    sa.column("seq", sa.BigInteger()),
    sa.column("workspace_id", IdValue()),
    sa.column("source_id", IdValue()),
    *(sa.column(name, InstantValue()) for name in ("at", "clock_at", "order_at", "received_at")),
    *(
        sa.column(name, sa.Text())
        for name in ("message_id", "type", "key", "user_id", "anonymous_id", "device_id", "body")
    ),
)


def upgrade() -> None:
    claims = op.create_table(
        "trait_claims",
        sa.Column("workspace_id", IdValue(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("is_user", sa.Boolean(), nullable=False),
        sa.Column("source_id", IdValue(), nullable=False),
        sa.Column("installation", sa.Text(), nullable=True),
        sa.Column("at", InstantValue(), nullable=False),
        sa.Column("clock_at", InstantValue(), nullable=True),
        sa.Column("order_at", InstantValue(), nullable=True),
        sa.Column("received_at", InstantValue(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("traits", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "key", "message_id"),
        sqlite_with_rowid=False,
    )
    _read_identifies(op.get_bind(), claims)
    op.drop_index("events_identify", table_name="events")
    companions = op.create_table(
        "companions",
        sa.Column("workspace_id", IdValue(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", "key"),
        sqlite_with_rowid=False,
    )
    _read_companions(op.get_bind(), companions)
    op.create_index("companions_key", "companions", ["workspace_id", "key"])


def _read_identifies(connection: sa.Connection, claims: sa.Table) -> None:
    identifies = sa.select(_events).where(_events.c.type == "identify", _events.c.key.is_not(None))
    after = 0
    while True:
        page = connection.execute(
            identifies.where(_events.c.seq > after).order_by(_events.c.seq).limit(_PAGE)
        ).all()
        if not page:
            break
        taught = [claim for row in page if (claim := _claim(row)) is not None]
        if taught:
            op.bulk_insert(claims, taught)
        after = page[-1].seq


_STRANGERS = """
SELECT seq, workspace_id, key, body FROM events
WHERE seq > :after AND key IS NOT NULL AND (user_id IS NULL OR NOT EXISTS (
    SELECT 1 FROM ownership_periods AS period
    WHERE period.workspace_id = events.workspace_id AND period.key = events.key
        AND period.is_user AND period.is_real
))
ORDER BY seq LIMIT :page
"""


def _read_companions(connection: sa.Connection, companions: sa.Table) -> None:
    put: Any
    if connection.dialect.name == "postgresql":
        put = postgresql.insert(companions).on_conflict_do_nothing()
    else:
        put = sqlite.insert(companions).on_conflict_do_nothing()
    statement = sa.text(_STRANGERS).columns(workspace_id=IdValue())
    after = 0
    while True:
        page = connection.execute(statement, {"after": after, "page": _PAGE}).all()
        if not page:
            return
        pairs = {
            (row.workspace_id, one, row.key)
            for row in page
            for one in ids_of_body(row.body)
            if one != row.key
        }
        if pairs:
            connection.execute(
                put,
                [
                    {"workspace_id": workspace_id, "id": one, "key": key}
                    for workspace_id, one, key in sorted(pairs)
                ],
            )
        after = page[-1].seq


def _claim(row: Any) -> dict[str, Any] | None:
    said = read_identify(row.body)
    if not said.traits and said.is_active:
        return None
    return {
        "workspace_id": row.workspace_id,
        "key": row.key,
        "message_id": row.message_id,
        "is_user": row.user_id is not None,
        "source_id": row.source_id,
        "installation": said.context_device_id or row.device_id or row.anonymous_id,
        "at": row.at,
        "clock_at": row.clock_at,
        "order_at": row.order_at,
        "received_at": row.received_at,
        "is_active": said.is_active,
        "traits": msgspec.json.encode(said.traits).decode(),
    }
