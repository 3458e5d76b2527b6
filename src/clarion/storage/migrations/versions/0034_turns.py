"""When a chunk was due before it was put back, for a paused Firebase app or its project's pace.

Revision ID: 0034
Revises: 0033
"""

import sqlalchemy as sa
from alembic import op

from clarion.storage.migrations.frozen_types import Instant

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("chunks", sa.Column("turn_at", Instant(), nullable=True))
