"""One log of what became of what sources sent, in place of refusals and repeats.

The newest rows come over, in the order of their arrival, with their ids: a job that comes back
finds what it has written. Of what came again, what its event tells comes along.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from clarion.storage.dialect import Id, Instant

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

Seq = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "ingest_log",
        sa.Column("seq", Seq, autoincrement=True, nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("source_id", Id(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("anonymous_id", sa.Text(), nullable=True),
        sa.Column("device_id", sa.Text(), nullable=True),
        sa.Column("library", sa.Text(), nullable=True),
        sa.Column("library_version", sa.Text(), nullable=True),
        sa.Column("at", Instant(), nullable=True),
        sa.Column("excerpt", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id", name="ingest_log_id"),
    )
    op.execute(_MOVED)
    op.create_index("ingest_log_source", "ingest_log", ["source_id", "seq", "outcome", "stage"])
    for name, column, condition in (
        ("message", "message_id", "message_id IS NOT NULL"),
        ("user", "user_id", "user_id IS NOT NULL"),
        ("key", "anonymous_id", "anonymous_id IS NOT NULL"),
        ("event", "seq", "stage = 'event'"),
    ):
        op.create_index(
            f"ingest_log_{name}",
            "ingest_log",
            ["workspace_id", column],
            sqlite_where=sa.text(condition),
            postgresql_where=sa.text(condition),
        )
    op.drop_table("refusals")
    op.drop_table("repeats")


_MOVED = """
INSERT INTO ingest_log (id, workspace_id, source_id, received_at, outcome, stage, code, message,
    count, message_id, type, name, user_id, anonymous_id, device_id, library, library_version, at,
    excerpt)
SELECT id, workspace_id, source_id, received_at, outcome, stage, code, message, 1, message_id,
    type, name, user_id, anonymous_id, device_id, library, library_version, at, excerpt
FROM (
    SELECT id, workspace_id, source_id, received_at,
        CASE WHEN stage IN ('identity', 'advice') THEN 'warning' ELSE 'refused' END AS outcome,
        stage, code, message, message_id, type, name, user_id, anonymous_id,
        NULL AS device_id, library, library_version, NULL AS at, NULLIF(excerpt, '') AS excerpt,
        seq
    FROM refusals
    UNION ALL
    SELECT repeats.id, repeats.workspace_id, repeats.source_id, repeats.received_at, 'duplicate',
        NULL, NULL, NULL, repeats.message_id, events.type, events.name, events.user_id,
        events.anonymous_id, events.device_id, NULL, NULL, events.at, NULL, repeats.seq
    FROM repeats LEFT JOIN events ON events.workspace_id = repeats.workspace_id
        AND events.message_id = repeats.message_id
) AS old
ORDER BY received_at, seq
"""
