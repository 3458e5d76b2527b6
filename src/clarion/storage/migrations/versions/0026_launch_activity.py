"""When pushes of a launch were received and opened, and how long that took, kept as counts.

Revision ID: 0026
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

from clarion.storage.migrations.frozen_types import Id, Instant

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


CLASSES = (1, 2, 5, 10, 30, 60, 300, 900, 3_600, 21_600, 86_400, 259_200)


def upgrade() -> None:
    op.create_table(
        "launch_hours",
        sa.Column("launch_id", Id(), nullable=False),
        sa.Column("hour", Instant(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("launch_id", "hour"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "launch_latencies",
        sa.Column("launch_id", Id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("up_to_seconds", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("launch_id", "kind", "up_to_seconds"),
        sqlite_with_rowid=False,
    )
    _count_what_is_there()


def _count_what_is_there() -> None:
    """Of the deliveries that are kept. Counts are changed by differences, so they begin right."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        hour = "date_trunc('hour', {at}, 'UTC')"
        seconds = "extract(epoch FROM {at} - settled_at)"
    else:
        hour = "{at} - {at} % 3600000000"
        seconds = "({at} - settled_at) / 1000000.0"
    op.execute(
        f"""
        INSERT INTO launch_hours (launch_id, hour, received, opened)
        SELECT launch_id, hour, sum(received), sum(opened) FROM (
            SELECT launch_id, {hour.format(at="received_at")} AS hour, 1 AS received, 0 AS opened
            FROM deliveries WHERE received_at IS NOT NULL
            UNION ALL
            SELECT launch_id, {hour.format(at="opened_at")}, 0, 1
            FROM deliveries WHERE opened_at IS NOT NULL
        ) AS reports GROUP BY launch_id, hour
        """  # noqa: S608
    )
    for kind in ("received", "opened"):
        took = seconds.format(at=f"{kind}_at")
        whens = " ".join(f"WHEN {took} <= {up_to} THEN {up_to}" for up_to in CLASSES)
        op.execute(
            f"""
            INSERT INTO launch_latencies (launch_id, kind, up_to_seconds, count)
            SELECT launch_id, '{kind}', CASE {whens} ELSE 0 END AS up_to, count(*)
            FROM deliveries WHERE {kind}_at IS NOT NULL AND state = 'accepted'
            GROUP BY launch_id, up_to
            """  # noqa: S608
        )
