"""A campaign is a definition, and a launch an occurrence with a state of its own.

What was launched has ended as a definition; its launch takes over how far it is: that it is paused,
since when and why, or cancelled. A campaign that waits for its time stays as it is. Each of today's
campaigns launches once, so that its launch is occurrence 1, and was to happen when the campaign
was.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from clarion.storage.migrations.frozen_types import IdValue, InstantValue

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("trigger", Json, nullable=True))
    op.add_column("campaigns", sa.Column("launch_id", IdValue(), nullable=True))
    for column in (
        sa.Column("occurrence", sa.Text(), nullable=True),
        sa.Column("paused_from", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("due_at", InstantValue(), nullable=True),
        sa.Column("updated_at", InstantValue(), nullable=True),
    ):
        op.add_column("launches", column)
    for statement in _MOVED:
        op.execute(statement)
    with op.batch_alter_table("launches") as launches:
        launches.alter_column("occurrence", existing_type=sa.Text(), nullable=False)
        launches.alter_column("due_at", existing_type=InstantValue(), nullable=False)
        launches.alter_column("updated_at", existing_type=InstantValue(), nullable=False)
    with op.batch_alter_table("campaigns") as campaigns:
        campaigns.drop_column("paused_from")
    op.drop_index("launches_campaign", "launches")
    op.create_index("launches_campaign", "launches", ["campaign_id", "started_at", "id"])
    is_planning = sa.text("state = 'planning'")
    op.create_index(
        "launches_planning",
        "launches",
        ["id"],
        sqlite_where=is_planning,
        postgresql_where=is_planning,
    )


_MOVED = (
    """
    UPDATE launches SET occurrence = '1',
        due_at = coalesce(
            (SELECT scheduled_at FROM campaigns WHERE campaigns.id = launches.campaign_id),
            started_at
        ),
        updated_at = coalesce(
            (SELECT updated_at FROM campaigns WHERE campaigns.id = launches.campaign_id), started_at
        )
    """,
    """
    UPDATE launches SET paused_from = state, state = 'paused',
        reason = (SELECT paused_reason FROM campaigns WHERE campaigns.id = launches.campaign_id)
    WHERE state IN ('planning', 'sending') AND campaign_id IN
        (SELECT id FROM campaigns WHERE state = 'paused')
    """,
    # It was closed when its last push was settled; now it is closed when it is cancelled.
    """
    UPDATE launches SET state = 'cancelled', done_at = coalesce(done_at, updated_at)
    WHERE state IN ('planning', 'sending') AND campaign_id IN
        (SELECT id FROM campaigns WHERE state = 'cancelled')
    """,
    """UPDATE campaigns SET trigger = '{"type": "once"}' WHERE scheduled_at IS NOT NULL""",
    """
    UPDATE campaigns SET launch_id = (
        SELECT id FROM launches WHERE launches.campaign_id = campaigns.id
        ORDER BY started_at DESC, id DESC LIMIT 1
    )
    """,
    "UPDATE campaigns SET state = 'ended', paused_reason = NULL WHERE launch_id IS NOT NULL",
)
