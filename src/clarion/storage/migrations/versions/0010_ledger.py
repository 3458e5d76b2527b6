"""Deliveries that are written once they are settled, and the counts of a launch.

What is planned stands in its chunk from now on. Pending rows that are there stay, under their
chunks, as those that are tried again do. What has been settled is counted once, here.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

from clarion.storage.dialect import Id

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_COUNTED = ("count", "received", "opened", "attempts", "unanswered")


def upgrade() -> None:
    op.add_column("chunks", sa.Column("first_device_id", Id(), nullable=True))
    op.add_column("chunks", sa.Column("last_device_id", Id(), nullable=True))
    op.add_column("chunks", sa.Column("members", sa.LargeBinary(), nullable=True))
    op.create_table(
        "launch_counts",
        sa.Column("launch_id", Id(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTED),
        sa.PrimaryKeyConstraint("launch_id", "platform", "state", "reason"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO launch_counts "
        "SELECT launch_id, platform, state, coalesce(reason, ''), count(*), count(received_at), "
        "count(opened_at), sum(attempts), sum(unanswered) "
        "FROM deliveries GROUP BY launch_id, platform, state, coalesce(reason, '')"
    )
