"""The messageIds that were seen, in a table of their own: events no longer hold their unique key.

Filled from the events that are stored, page by page.

Revision ID: 0011
Revises: 0010
"""

from hashlib import blake2b

import sqlalchemy as sa
from alembic import op

from clarion.storage.migrations.frozen_types import IdValue, InstantValue

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_PAGE = 10_000

_events = sa.table(
    "events",
    sa.column("seq", sa.BigInteger()),
    sa.column("workspace_id", IdValue()),
    sa.column("message_id", sa.Text()),
    sa.column("received_at", InstantValue()),
)


def upgrade() -> None:
    seen = op.create_table(
        "seen_messages",
        sa.Column("hash", sa.LargeBinary(16), nullable=False),
        sa.Column("received_at", InstantValue(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    after = 0
    while True:
        page = connection.execute(
            sa.select(_events).where(_events.c.seq > after).order_by(_events.c.seq).limit(_PAGE)
        ).all()
        if not page:
            break
        op.bulk_insert(
            seen,
            [
                {
                    "hash": blake2b(
                        row.message_id.encode(), digest_size=16, key=row.workspace_id.bytes
                    ).digest(),
                    "received_at": row.received_at,
                    "seq": row.seq,
                }
                for row in page
            ],
        )
        after = page[-1].seq
    if connection.dialect.name == "postgresql":
        op.drop_constraint("events_message", "events")
    else:
        _rebuild()


_COLUMNS = (
    "seq, workspace_id, message_id, source_id, type, name, user_id, anonymous_id, device_id, "
    "owner_key, customer_id, at, received_at, body, receipt, clock_at, order_at"
)


def _rebuild() -> None:
    """SQLite drops no constraint of a table: its rows move to another one. What is left behind of
    the old one's indexes goes with it."""
    op.execute(
        """
        CREATE TABLE events_moved (
            seq INTEGER NOT NULL, workspace_id BLOB NOT NULL, message_id TEXT NOT NULL,
            source_id BLOB NOT NULL, type TEXT NOT NULL, name TEXT, user_id TEXT,
            anonymous_id TEXT, device_id TEXT, owner_key TEXT, customer_id BLOB,
            at BIGINT NOT NULL, received_at BIGINT NOT NULL, body TEXT NOT NULL, receipt TEXT,
            clock_at BIGINT, order_at BIGINT, PRIMARY KEY (seq)
        )
        """
    )
    op.execute(f"INSERT INTO events_moved ({_COLUMNS}) SELECT {_COLUMNS} FROM events")  # noqa: S608
    op.drop_table("events")
    op.rename_table("events_moved", "events")
    for name, columns, condition in (
        ("source", ["source_id", "seq"], None),
        ("customer", ["workspace_id", "customer_id", "at"], None),
        ("owner_key", ["workspace_id", "owner_key", "at"], "owner_key IS NOT NULL"),
        ("identify", ["workspace_id", "customer_id"], "type = 'identify'"),
        ("receipt", ["seq"], "receipt = 'pending'"),
    ):
        where = None if condition is None else sa.text(condition)
        op.create_index(f"events_{name}", "events", columns, sqlite_where=where)
