"""The trace that a launch belongs to: that of the call which asked for it.

Revision ID: 0031
Revises: 0030
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("launches", sa.Column("traceparent", sa.Text(), nullable=True))
