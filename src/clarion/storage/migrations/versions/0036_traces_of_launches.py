"""The trace that a launch belongs to: that of the call which asked for it.

Revision ID: 0036
Revises: 0029
"""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("launches", sa.Column("traceparent", sa.Text(), nullable=True))
