"""How each person reads: time zone, locale, colours, single keys.

Revision ID: 0034
Revises: 0029
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("people", sa.Column("time_zone", sa.Text(), nullable=True))
    op.add_column("people", sa.Column("locale", sa.Text(), nullable=True))
    op.add_column("people", sa.Column("theme", sa.Text(), nullable=True))
    op.add_column("people", sa.Column("single_keys", sa.Boolean(), nullable=True))
