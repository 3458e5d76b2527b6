"""The claim of each key that others of its day only repeat: those are stored no more.

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("identifiers", sa.Column("day_claim", sa.Text(), nullable=True))
